"""Windows and convolutions stated in full: base dilation, groups, and a dtype for the result.

Nothing is implied and nothing is repeated over axes here: every option has one number, or one pair, for each
axis. The exceptions for options that are wrong are those of ``jax.lax``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.problem.arguments import (
    LARGEST,
    Layout,
    Pairs,
    Words,
    as_index,
    check_size,
    checked_dtype,
    checked_sizes,
    resolve_padding,
)
from fastconv.problem.conv import ConvProblem, stated, transposed_padding
from fastconv.problem.dtypes import accumulator, kind, promoted
from fastconv.problem.window import Window, spread

PADDINGS = ("valid", "same", "same_lower")


def each_axis(
    words: Words, name: str, value: Any, rank: int, length: type = ValueError, least: type = ValueError
) -> tuple[int, ...]:
    """Take a positive int for each of `rank` axes; exceptions are for a wrong number of them, and for 0."""
    rule = f"{words.op}: `{name}` must be a sequence of {rank} positive ints, one per axis"
    try:
        numbers = tuple(map(as_index, value))
    except TypeError:
        raise TypeError(f"{rule}; got {value!r}") from None
    if len(numbers) != rank:
        raise length(f"{rule}; got {len(numbers)}: {value!r}")
    if any(not 1 <= n <= LARGEST for n in numbers):
        raise least(f"{rule}; got {value!r}")
    return numbers


def word_padding(words: Words, word: Any, i: tuple[int, ...], extent: tuple[int, ...], strides: Any) -> Pairs:
    """Turn "VALID", "SAME" or "SAME_LOWER", in any case, into pairs for windows of `extent`."""
    rule = f"{words.op}: `{words.padding}` must be 'VALID', 'SAME', 'SAME_LOWER' or (low, high) pairs"
    if not isinstance(word, str):
        raise TypeError(f"{rule}; got {word!r}")
    if word.lower() not in PADDINGS:
        raise RuntimeError(f"{rule}; got {word!r}")
    if len(extent) != len(i):
        raise ValueError(f"{words.op}: sizes and windows must be as many; got {i} and {extent}")
    s = each_axis(words, words.strides, strides, len(i))
    return resolve_padding(words, word, i, extent, s, (1,) * len(i))


def pairs_each_axis(words: Words, padding: Any, rank: int, length: type, kind: type) -> Pairs:
    """Take a (low, high) pair for each axis; the exceptions are for a wrong number of them and for others."""
    rule = f"{words.op}: `{words.padding}` must be a word or a sequence of {rank} (low, high) pairs of ints"
    try:
        pairs = tuple((as_index(lo), as_index(hi)) for lo, hi in padding)
    except TypeError:
        raise kind(f"{rule}; got {padding!r}") from None
    except ValueError:
        raise ValueError(f"{rule}; got {padding!r}") from None
    if len(pairs) != rank:
        raise length(f"{rule}; got {len(pairs)}: {padding!r}")
    if any(abs(n) > LARGEST for pair in pairs for n in pair):
        raise ValueError(f"{rule}; got {padding!r}")
    return pairs


def general_window(
    words: Words,
    i: tuple[int, ...],
    k: tuple[int, ...],
    *,
    strides: Any,
    padding: Any,
    base_dilation: Any = None,
    dilation: Any = None,
) -> Window:
    """Lay out the window of a convolution; a dilation of None is 1 on every axis."""
    rank = len(i)
    s = each_axis(words, words.strides, strides, rank)
    one = (1,) * rank
    b = one if base_dilation is None else each_axis(words, words.base, base_dilation, rank, least=TypeError)
    d = one if dilation is None else each_axis(words, words.dilation, dilation, rank, least=TypeError)
    if 0 in k:
        raise ValueError(f"{words.op}: `{words.w}` must have taps on every axis; got a window of {k}")
    if not isinstance(padding, str):
        pads = pairs_each_axis(words, padding, rank, length=TypeError, kind=ValueError)
    elif b != one:
        raise ValueError(
            f"{words.op}: `{words.padding}` must be (low, high) pairs where `{words.base}` is not 1; "
            f"got {padding!r} and {b}"
        )
    else:
        pads = word_padding(words, padding, i, tuple(map(spread, k, d)), s)
    window = Window(i, k, s, d, b, pads)
    if any(size < 0 for size in window.padded):
        raise ValueError(
            f"{words.op}: `{words.padding}` must not crop more than there is; got {pads} over {i} with base "
            f"dilation {b}"
        )
    return window.tightened()


def general_conv_problem(
    words: Words,
    layout: Layout,
    x_shape: tuple[int, ...],
    w_shape: tuple[int, ...],
    *,
    strides: Any,
    padding: Any,
    base_dilation: Any = None,
    dilation: Any = None,
    groups: Any = 1,
    result: Any = None,
    written: tuple[int, ...],
    x_dtype: np.dtype,
    w_dtype: np.dtype,
    **rest: Any,
) -> ConvProblem:
    """State a convolution with ``(*k, ic, g*oc)`` weights, which the caller has written with shape `written`.

    `result` is the dtype to sum in and give, or None for that of the arrays.
    """
    check_ranks(words, x_shape, written)
    _, *i, channels = (x_shape[a] for a in layout.x)
    *k, ic, outputs = w_shape
    check_groups(words, "feature_group_count", groups, outputs, f"({words.x} {x_shape}, {words.w} {written})")
    if channels % groups or channels // groups != ic:
        raise ValueError(
            f"{words.op}: the channels of `{words.x}` must be `feature_group_count` times those of "
            f"`{words.w}`; got {channels}, {groups} and {ic} ({words.x} {x_shape}, {words.w} {written})"
        )
    window = general_window(
        words,
        tuple(i),
        tuple(k),
        strides=strides,
        padding=padding,
        base_dilation=base_dilation,
        dilation=dilation,
    )
    dtype, y_dtype = general_dtypes(words, x_dtype, w_dtype, result)
    dtypes: dict[str, Any] = dict(x_dtype=dtype, w_dtype=dtype, y_dtype=y_dtype)
    return stated(words, layout, window, x_shape, w_shape, written, **dtypes, **rest)


def check_ranks(words: Words, x_shape: tuple[int, ...], w_shape: tuple[int, ...]) -> None:
    """Refuse arrays of different numbers of axes, or fewer than batch and channels."""
    if len(x_shape) != len(w_shape) or len(x_shape) < 2:
        raise TypeError(
            f"{words.op}: `{words.x}` and `{words.w}` must have the same number of axes, at least 2; "
            f"got {len(x_shape)} and {len(w_shape)} ({words.x} {x_shape}, {words.w} {w_shape})"
        )


def check_groups(words: Words, name: str, groups: Any, outputs: int, shapes: str) -> None:
    """Refuse a number of groups that is none, or that does not divide the outputs."""
    try:
        number = as_index(groups)
    except TypeError:
        raise TypeError(f"{words.op}: `{name}` must be a positive int; got {groups!r}") from None
    if number < 1:
        raise ValueError(f"{words.op}: `{name}` must be a positive int; got {number}")
    if outputs % number:
        raise ValueError(
            f"{words.op}: the outputs of `{words.w}` must be a multiple of `{name}`; "
            f"got {outputs} and {number} {shapes}"
        )


def check_batch_groups(words: Words, n: int, outputs: int, groups: Any, features: Any, shapes: str) -> None:
    """Refuse groups of the batch that do not divide it, or that meet groups of channels."""
    check_groups(words, "batch_group_count", groups, outputs, shapes)
    if n % groups:
        raise ValueError(
            f"{words.op}: the batch of `{words.x}` must be a multiple of `batch_group_count`; "
            f"got {n} and {groups} {shapes}"
        )
    if features != 1:
        raise ValueError(
            f"{words.op}: one of `feature_group_count` and `batch_group_count` must be 1; "
            f"got {features} and {groups} {shapes}"
        )


def general_dtypes(words: Words, x: np.dtype, w: np.dtype, result: Any) -> tuple[np.dtype, np.dtype]:
    """Dtypes of operands and of the result. Floats of different sizes promote; nothing else mixes."""
    if x != w and not kind(x) == kind(w) == "f":
        raise TypeError(
            f"{words.op}: `{words.x}` and `{words.w}` must have the same dtype, or both be floats; "
            f"got {x} and {w}"
        )
    dtype = promoted(x, w)
    if result is None:
        return dtype, dtype
    wanted = checked_dtype(words, "preferred_element_type", result, ())
    rule = f"{words.op}: `preferred_element_type` must be"
    if not _can_accumulate(kind(dtype), kind(wanted)):
        raise TypeError(f"{rule} of a kind that {dtype} sums to; got {wanted}")
    if wanted.itemsize < dtype.itemsize:
        raise TypeError(f"{rule} no narrower than {dtype}; got {wanted}")
    return (dtype if wanted == dtype else accumulator(wanted)), wanted


def _can_accumulate(given: str, wanted: str) -> bool:
    """Whether numbers of one kind sum to numbers of another."""
    return wanted in {"b": "biufc", "i": "if", "u": "iuf", "f": "f", "c": "c"}[given]


def transposed_pads(words: Words, padding: Any, k: tuple[int, ...], strides: Any, dilation: Any) -> Pairs:
    """Pad a base-dilated input so as to undo a convolution that was padded "SAME", "VALID" or by pairs."""
    rank = len(k)
    s = each_axis(words, words.strides, strides, rank, length=TypeError, least=TypeError)
    d = (1,) * rank if dilation is None else each_axis(words, words.dilation, dilation, rank, least=TypeError)
    if not isinstance(padding, str):
        padding = pairs_each_axis(words, padding, rank, length=TypeError, kind=ValueError)
    elif padding not in ("SAME", "VALID"):
        raise ValueError(
            f"{words.op}: `{words.padding}` must be 'SAME', 'VALID' or (low, high) pairs; got {padding!r}"
        )
    return transposed_padding(words, padding, s, tuple(map(spread, k, d)), (None,) * rank)


def patches_window(
    words: Words, layout: Layout, x_shape: tuple[int, ...], size: Any, **options: Any
) -> Window:
    """Lay out a window of `size` that slides over an input in the face's layout."""
    n, *i, channels = (x_shape[a] for a in layout.x)
    k = checked_sizes(words, "filter_shape", size)
    if len(k) != len(i):
        raise TypeError(
            f"{words.op}: `filter_shape` must have a size for each of {len(i)} spatial axes; "
            f"got {k} ({words.x} {x_shape})"
        )
    if not channels:
        raise ValueError(f"{words.op}: `{words.x}` must have channels; got 0 ({words.x} {x_shape})")
    window = general_window(words, tuple(i), k, **options)
    for shape in ((n, *window.padded, channels), (n, *window.o, channels * window.taps)):
        check_size(words, shape, np.dtype(np.complex128))
    return window


def check_local(
    words: Words, window: Window, x: np.ndarray, w: np.ndarray, channels: int, axes: tuple[int, ...]
) -> tuple[np.dtype, np.dtype]:
    """Refuse weights that are not ``(*o, c*k, f)`` with these `axes`; return what to sum in and to give."""
    wanted = (*window.o, channels * window.taps)
    if w.ndim != x.ndim or tuple(w.shape[a] for a in axes[:-1]) != wanted:
        raise TypeError(
            f"{words.op}: `{words.w}` must have weights for each of {channels * window.taps} elements of a "
            f"window at each of {window.o} positions; got {words.w} {w.shape} ({words.x} {x.shape})"
        )
    dtype, _ = general_dtypes(words, x.dtype, w.dtype, None)
    return accumulator(dtype), dtype
