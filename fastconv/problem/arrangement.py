"""Sizes and checks of what is neither a convolution nor a reduction over windows, as PyTorch has it.

Blocks of an image side by side (unfold) and back (fold), the inverse of max pooling, pooling to a given
size, padding with what is there, channels that become pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastconv.problem.arguments import Pairs, Words, as_index, check_size, per_axis
from fastconv.problem.window import Window

MODES = ("constant", "reflect", "replicate", "circular")


def check_not_empty(words: Words, shape: tuple[int, ...], first: int = 1) -> None:
    """Refuse an input without elements; axes before `first` may be empty."""
    if 0 in shape[first:]:
        but = " but for the batch" * (first > 0)
        raise ValueError(f"{words.op}: `{words.x}` must not be empty{but}; got {words.x} {shape}")


def block_window(words: Words, i: tuple[int, ...], *options: Any) -> Window:
    """Lay blocks out over axes of length `i`; `options` are their size, dilation, padding and strides."""
    rank = len(i)
    names = words.size, words.dilation, words.padding, words.strides
    k, d, p, s = (
        per_axis(words, name, value, rank, least=0 if name == words.padding else 1)
        for name, value in zip(names, options, strict=True)
    )
    return fitting(words, Window(i, k, s, d, (1,) * rank, tuple((lo, lo) for lo in p)))


def fitting(words: Words, window: Window) -> Window:
    """Refuse a window without a place, or return it."""
    if 0 in window.o:
        raise ValueError(
            f"{words.op}: `{words.size}` must fit in the padded image on every axis; got a block of extent "
            f"{window.extent} over {window.i} padded to {window.padded}"
        )
    return window.tightened()


def check_blocks(words: Words, window: Window, shape: tuple[int, ...], output: str = "output_size") -> None:
    """Refuse ``(n, c * taps, blocks)`` that are not the blocks of a window."""
    check_not_empty(words, shape)
    if shape[1] % window.taps:
        raise ValueError(
            f"{words.op}: the channels of `{words.x}` must be a multiple of the {window.taps} elements of a "
            f"block; got {shape[1]} ({words.x} {shape}, {words.size} {window.k})"
        )
    if shape[2] != math.prod(window.o):
        raise ValueError(
            f"{words.op}: `{words.x}` must have a block for each of {window.o} places in `{output}`; "
            f"got {shape[2]}, not {math.prod(window.o)} ({words.x} {shape}, {output} {window.i})"
        )


def check_frame(words: Words, window: Window, x: np.ndarray) -> None:
    """Refuse blocks, or a padded image, whose bytes cannot be counted."""
    n, c, *_ = x.shape
    check_size(words, (n, c * window.taps, *window.o), x.dtype)
    check_size(words, (n, c, *window.padded), x.dtype)


def unpooled_sizes(
    words: Words, i: tuple[int, ...], size: Any, strides: Any, padding: Any, output_size: Any
) -> tuple[int, ...]:
    """Spatial sizes that a pooling to `i` may have had; `output_size` chooses among them."""
    rank = len(i)
    k = per_axis(words, words.size, size, rank)
    s = k if strides is None else per_axis(words, words.strides, strides, rank)
    p = per_axis(words, words.padding, padding, rank, least=0)
    usual = tuple((n - 1) * t + m - 2 * lo for n, t, m, lo in zip(i, s, k, p, strict=True))
    if output_size is None:
        if min(usual) < 1:
            raise ValueError(
                f"{words.op}: `{words.padding}` must leave outputs on every axis; "
                f"got {p}, which leaves {usual}"
            )
        return usual
    rule = (
        f"{words.op}: `output_size` must be a sequence of {rank} or, with batch and channels, {rank + 2} ints"
    )
    if not isinstance(output_size, (Sequence, np.ndarray)):
        raise TypeError(f"{rule}; got {output_size!r}")
    if len(output_size) not in (rank, rank + 2):
        raise ValueError(f"{rule}; got {output_size!r}")
    sizes = per_axis(words, "output_size", tuple(output_size)[-rank:], rank, least=0)
    if any(abs(n - m) >= t for n, m, t in zip(sizes, usual, s, strict=True)):
        raise ValueError(
            f"{words.op}: `output_size` must be less than a stride of {s} from {usual} on every axis; "
            f"got {sizes}"
        )
    return sizes


def check_positions(words: Words, x: np.ndarray, positions: np.ndarray, sizes: tuple[int, ...]) -> None:
    """Refuse positions that are not one for each element of `x`, inside of axes of given sizes."""
    if positions.shape != x.shape:
        raise ValueError(
            f"{words.op}: `indices` must have the shape of `{words.x}`; got {positions.shape} and {x.shape}"
        )
    if positions.dtype != np.int64:
        raise TypeError(f"{words.op}: `indices` must be of dtype int64; got {positions.dtype}")
    check_not_empty(words, x.shape)
    end = math.prod(sizes)
    wrong = positions[(positions < 0) | (positions >= end)]
    if wrong.size:
        raise ValueError(
            f"{words.op}: `indices` must be from 0 to {end - 1}, places in an output {sizes}; got {wrong[0]}"
        )


def adaptive_sizes(words: Words, x: np.ndarray, output_size: Any) -> tuple[int, ...]:
    """Sizes asked for, of an `x` of shape (n, c, *i); None is the input's, where there are several."""
    i = x.shape[2:]
    given = output_size
    if len(i) > 1 and isinstance(output_size, (tuple, list)) and len(output_size) == len(i):
        given = tuple(n if size is None else size for size, n in zip(output_size, i, strict=True))
    sizes = per_axis(words, "output_size", given, len(i), least=0)
    check_size(words, (*x.shape[:2], *sizes), x.dtype)
    return sizes


def even_size(i: tuple[int, ...], sizes: tuple[int, ...]) -> tuple[int, ...] | None:
    """Size of the windows that cover axes of `i`, `sizes` of them on each; None if they are not all alike."""
    if 0 in sizes or any(n % m for n, m in zip(i, sizes, strict=True)):
        return None
    return tuple(n // m for n, m in zip(i, sizes, strict=True))


def fractional_sizes(
    words: Words, i: tuple[int, ...], size: Any, output_size: Any, output_ratio: Any
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Sizes of window and output, the latter given or by a ratio to the input's."""
    rank = len(i)
    k = per_axis(words, words.size, size, rank)
    if output_size is None:
        output_size = _scaled(words, i, output_ratio)
    o = per_axis(words, "output_size", output_size, rank, least=0)
    slack = 1 if rank == 3 else 0  # PyTorch wants an element more than there must be, in volumes
    if any(n < m + t - 1 + slack for n, m, t in zip(i, o, k, strict=True)):
        raise ValueError(
            f"{words.op}: `{words.size}` and `output_size` must add up to no more than `{words.x}`"
            f"{' plus 1' * (slack == 0)} on every axis; got {k} and {o} for {i}"
        )
    return k, o


def _scaled(words: Words, i: tuple[int, ...], ratio: Any) -> tuple[int, ...]:
    """Sizes in a ratio to the input's; one number stands for all three axes of volumes."""
    rank = len(i)
    if ratio is None:
        raise ValueError(f"{words.op}: `output_size` or `output_ratio` must be given; got None for both")
    rule = f"{words.op}: `output_ratio` must be a sequence of {rank} numbers from 0 to 1"
    ratios = (ratio,) * rank if rank == 3 and isinstance(ratio, (int, float)) else ratio
    if not isinstance(ratios, (tuple, list)) or not all(isinstance(r, (int, float)) for r in ratios):
        raise TypeError(f"{rule}; got {ratio!r}")
    if len(ratios) != rank or not all(0 <= r <= 1 for r in ratios):
        raise ValueError(f"{rule}; got {ratio!r}")
    return tuple(int(n * r) for n, r in zip(i, ratios, strict=True))


def check_samples(words: Words, samples: np.ndarray, x: np.ndarray) -> None:
    """Refuse random samples that are not one for each image, channel and spatial axis."""
    n, c, *i = x.shape
    if samples.ndim != 3 or samples.shape[0] < n or samples.shape[1:] != (c, len(i)):
        raise ValueError(
            f"{words.op}: `_random_samples` must have a number for each image, channel and spatial axis, "
            f"{(n, c, len(i))}; got {samples.shape}"
        )
    if samples.dtype != x.dtype:
        raise TypeError(
            f"{words.op}: `_random_samples` must have the dtype of `{words.x}`; "
            f"got {samples.dtype} and {x.dtype}"
        )
    wrong = samples[~((samples >= 0) & (samples <= 1))]
    if wrong.size:
        raise ValueError(f"{words.op}: `_random_samples` must be from 0 to 1; got {wrong[0]}")


def checked_pads(words: Words, shape: tuple[int, ...], pad: Any, mode: Any) -> Pairs:
    """Pairs of padding for each axis of an array; `pad` begins with the last one. Negative numbers crop."""
    if not isinstance(mode, str) or mode not in MODES:
        error = ValueError if isinstance(mode, str) else TypeError
        raise error(f"{words.op}: `mode` must be one of {', '.join(MODES)}; got {mode!r}")
    try:
        numbers = tuple(map(as_index, pad))
    except TypeError:
        raise TypeError(f"{words.op}: `pad` must be a sequence of ints; got {pad!r}") from None
    if len(numbers) % 2 or len(numbers) > 2 * len(shape):
        raise ValueError(
            f"{words.op}: `pad` must have two numbers for each of up to {len(shape)} axes; "
            f"got {pad!r} ({words.x} {shape})"
        )
    count = len(numbers) // 2
    if mode != "constant" and (count not in (1, 2, 3) or len(shape) not in (count + 1, count + 2)):
        raise ValueError(
            f"{words.op}: `pad` must have two numbers for each of 1 to 3 axes, all but channels and batch, "
            f"where `mode` is {mode!r}; got {pad!r} ({words.x} {shape})"
        )
    if mode in ("reflect", "replicate"):
        check_not_empty(words, shape, len(shape) - count - 1)
    pairs = ((0, 0),) * (len(shape) - count) + tuple(zip(numbers[-2::-2], numbers[::-2], strict=True))
    for i, (lo, hi) in zip(shape, pairs, strict=True):
        if rule := _pad_rule(mode, i, lo, hi):
            raise ValueError(
                f"{words.op}: `pad` must {rule}; got {(lo, hi)} on an axis of {i} ({words.x} {shape})"
            )
    padded = tuple(n + max(lo, 0) + max(hi, 0) for n, (lo, hi) in zip(shape, pairs, strict=True))
    check_size(words, padded, np.dtype(np.complex128))
    return pairs


def checked_fill(words: Words, mode: str, value: Any, dtype: np.dtype) -> np.ndarray:
    """Take a number to pad with, of which an integer dtype keeps what is before the point."""
    if value is None:
        value = 0
    rule = f"{words.op}: `value` must be a number that {dtype} can hold"
    if mode != "constant":
        rule = f"{words.op}: `value` must not be given where `mode` is {mode!r}"
    if not isinstance(value, (int, float, np.integer, np.floating, np.bool_)):
        raise TypeError(f"{rule}; got {value!r}")
    low, high = -math.inf, math.inf
    if dtype.kind in "iu":
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    elif dtype.kind in "fc" and math.isfinite(value):
        high = float(np.finfo(dtype).max)
        low = -high
    if mode != "constant":
        low = high = 0
    if not low <= value <= high and not (dtype.kind in "fcb" and value != value):
        raise ValueError(f"{rule}; got {value!r}")
    return np.asarray(int(value) if dtype.kind in "iu" else value).astype(dtype)


def _pad_rule(mode: str, i: int, lo: int, hi: int) -> str | None:
    """Say which rule padding breaks on an axis of `i`: what there must be to crop and to pad with."""
    left = i + min(lo, 0) + min(hi, 0)
    match mode:
        case "reflect" if max(lo, hi) >= i:
            return "be less than the axis it mirrors"
        case "circular" if max(lo, hi) > i:
            return "be no more than the axis it repeats"
        case "circular" if left == 0 and max(lo, hi) > 0:
            return "leave something of the axis it repeats"
        case "reflect" | "replicate" if i + lo + hi < 1:
            return "leave something of every axis"
        case "constant" | "circular" if left < 0:
            return "crop no more than there is of an axis"
    return None


def shuffled_channels(words: Words, shape: tuple[int, ...], r: int) -> int:
    """Count channels after `r * r` of them became pixels each."""
    _check_image(words, shape)
    if shape[-3] % (r * r):
        raise ValueError(
            f"{words.op}: the channels of `{words.x}` must be a multiple of the square of `{words.size}`; "
            f"got {shape[-3]} and {r} ({words.x} {shape})"
        )
    return shape[-3] // (r * r)


def unshuffled_sizes(words: Words, shape: tuple[int, ...], r: int) -> tuple[int, int]:
    """Height and width after `r * r` pixels became a pixel of more channels each."""
    _check_image(words, shape)
    if shape[-2] % r or shape[-1] % r:
        raise ValueError(
            f"{words.op}: height and width of `{words.x}` must be multiples of `{words.size}`; "
            f"got {shape[-2]} and {shape[-1]} for {r} ({words.x} {shape})"
        )
    return shape[-2] // r, shape[-1] // r


def _check_image(words: Words, shape: tuple[int, ...]) -> None:
    """Refuse what has no channels, height and width."""
    if len(shape) < 3:
        raise ValueError(
            f"{words.op}: `{words.x}` must have channels, height and width; got {len(shape)} axes "
            f"({words.x} {shape})"
        )
