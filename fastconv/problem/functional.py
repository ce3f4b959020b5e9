"""Problems as PyTorch states them, and what it refuses.

Channels come first and a batch may be missing; groups are given; padding is alike on both sides; in a
sequence of numbers one may stand for all axes. An input and its weights are of one dtype, and of one that
PyTorch 2.13 computes with on the CPU.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from fastconv.problem.arguments import LARGEST, Layout, Words, as_index, per_axis
from fastconv.problem.conv import ConvProblem, stated
from fastconv.problem.pool import PoolProblem, overhang, pool_problem
from fastconv.problem.window import Window, spread

FLOATS = ("float16", "float32", "float64")
INTEGERS = ("uint8", "int8", "int16", "int32", "int64")
COMPLEX = ("complex64", "complex128")
# What PyTorch computes in; floats alone if nothing is said. A full name goes before one without its number.
DTYPES = {
    "conv": (*FLOATS, *INTEGERS, *COMPLEX),
    "conv_transpose": (*FLOATS, "int64", *COMPLEX),
    "max_pool": (*FLOATS, *INTEGERS),
    "max_pool1d": FLOATS,
    "avg_pool": (*FLOATS, "int64"),
    "avg_pool3d": ("float32", "float64", "int64"),
    "lp_pool": (*FLOATS, "int64"),
    "lp_pool3d": ("float32", "float64", "int64"),
    "fold": (*FLOATS, "bool", *COMPLEX),
    "unfold": (*FLOATS, "bool", *COMPLEX),
    "pad": (*FLOATS, *INTEGERS, *COMPLEX),
}

UNPADDED = ("avg_pool3d", "lp_pool3d")  # whose windows must fit in an input without its padding


def batched(words: Words, rank: int, x: np.ndarray) -> np.ndarray:
    """View an input of `rank` spatial axes with a batch axis, which may be missing."""
    if x.ndim == rank + 2:
        return x
    if x.ndim == rank + 1:
        return x[None]
    axes = {1: "1 spatial axis", 2: "2 spatial axes", 3: "3 spatial axes"}[rank]
    raise ValueError(
        f"{words.op}: `{words.x}` must have channels and {axes}, and may have a batch before them; "
        f"got {x.ndim} axes ({words.x} {x.shape})"
    )


def check_dtype(words: Words, dtype: np.dtype) -> None:
    """Refuse an input of a dtype that PyTorch does not compute an operation in."""
    family = re.sub(r"[123]d$|[123]d_with_indices$", "", words.op)
    allowed = DTYPES.get(words.op) or DTYPES.get(family, FLOATS)
    if dtype.name not in allowed:
        raise TypeError(
            f"{words.op}: `{words.x}` must be of a dtype that PyTorch has this for, {', '.join(allowed)}; "
            f"got {dtype}"
        )


def check_same_dtype(words: Words, name: str, dtype: np.dtype, x_dtype: np.dtype) -> None:
    """Refuse an argument of another dtype than the input's."""
    if dtype != x_dtype and dtype.newbyteorder("=") != x_dtype.newbyteorder("="):
        raise TypeError(f"{words.op}: `{name}` must have the dtype of `{words.x}`; got {dtype} and {x_dtype}")


def numbers(words: Words, name: str, value: Any, rank: int, least: int = 1) -> tuple[int, ...]:
    """Take an int, or a sequence of ints of which one may stand for all axes."""
    if isinstance(value, (tuple, list)) and len(value) == 1:
        value = tuple(value) * rank
    return per_axis(words, name, value, rank, least)


def number(words: Words, name: str, value: Any) -> int:
    """Take a positive int."""
    try:
        return per_axis(words, name, (value,), 1)[0]
    except (TypeError, ValueError) as error:
        raise type(error)(f"{words.op}: `{name}` must be a positive int; got {value!r}") from None


def exact_size(words: Words, value: Any, rank: int) -> tuple[int, ...]:
    """Take an int or, where there are several axes, one for each: none stands for all here."""
    return (number(words, words.size, value),) if rank == 1 else per_axis(words, words.size, value, rank)


def flag(words: Words, name: str, value: Any) -> bool:
    """Take a bool, and nothing that is merely true or false."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{words.op}: `{name}` must be a bool; got {value!r}")
    return bool(value)


def checked_divisor(words: Words, value: Any) -> int:
    """Take an int that can be divided by."""
    rule = f"{words.op}: `divisor_override` must be an int other than 0, or None"
    try:
        divisor = as_index(value)
    except TypeError:
        raise TypeError(f"{rule}; got {value!r}") from None
    if divisor == 0 or abs(divisor) > LARGEST:
        raise ValueError(f"{rule}; got {value!r}")
    return divisor


def checked_norm(words: Words, value: Any, dtype: np.dtype) -> int | float:
    """Take a number whose powers of elements and root can be taken."""
    rule = f"{words.op}: `norm_type` must be a number other than 0"
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{rule}; got {value!r}")
    if value == 0 or (isinstance(value, int) and value > LARGEST):
        raise ValueError(f"{rule}; got {value!r}")
    is_whole = isinstance(value, (int, np.integer))
    if is_whole and value < 0 and dtype.kind in "biu":
        raise ValueError(
            f"{words.op}: `norm_type` must be positive, or a float, where `{words.x}` has integers; "
            f"got {value!r} for {dtype}"
        )
    if is_whole and dtype.kind in "iu":
        check_dtype(words, dtype)
    return int(value) if is_whole else float(value)


def grouped_conv_problem(
    words: Words,
    layout: Layout,
    x_shape: tuple[int, ...],
    w_shape: tuple[int, ...],
    *,
    strides: Any,
    padding: Any,
    dilation: Any,
    groups: Any,
    x_dtype: np.dtype,
    w_dtype: np.dtype,
    **rest: Any,
) -> ConvProblem:
    """State a convolution with weights ``(g*oc, ic, *k)``."""
    shapes = _checked_weights(words, x_shape, w_shape, x_dtype, w_dtype)
    g = number(words, "groups", groups)
    rank = len(x_shape) - 2
    s = numbers(words, words.strides, strides, rank)
    d = numbers(words, words.dilation, dilation, rank)
    outputs, ic, *k = w_shape
    if outputs % g:
        raise ValueError(
            f"{words.op}: the outputs of `{words.w}` must be a multiple of `groups`; "
            f"got {outputs} and {g} {shapes}"
        )
    _check_channels(words, x_shape[1], g * ic, g, shapes)
    pads = _forward_padding(words, padding, tuple(k), s, d)
    window = Window(x_shape[2:], tuple(k), s, d, (1,) * rank, pads)
    rest |= dict(x_dtype=x_dtype, w_dtype=w_dtype)
    return stated(words, layout, window, x_shape, (*k, ic, outputs), w_shape, **rest)


def forward_weights(_problem: ConvProblem, w: np.ndarray) -> np.ndarray:
    """View ``(g*oc, ic, *k)`` as ``(*k, ic, g*oc)``."""
    return w.transpose(*range(2, w.ndim), 1, 0)


def grouped_transpose_problem(
    words: Words,
    layout: Layout,
    x_shape: tuple[int, ...],
    w_shape: tuple[int, ...],
    *,
    strides: Any,
    padding: Any,
    output_padding: Any,
    groups: Any,
    dilation: Any,
    x_dtype: np.dtype,
    w_dtype: np.dtype,
    **rest: Any,
) -> ConvProblem:
    """State the transpose of a convolution with weights ``(g*ic, oc, *k)``."""
    shapes = _checked_weights(words, x_shape, w_shape, x_dtype, w_dtype)
    g = number(words, "groups", groups)
    rank = len(x_shape) - 2
    s = numbers(words, words.strides, strides, rank)
    d = numbers(words, words.dilation, dilation, rank)
    p = numbers(words, words.padding, padding, rank, least=0)
    more = numbers(words, "output_padding", output_padding, rank, least=0)
    inputs, oc, *k = w_shape
    if any(m >= max(t, step) for m, t, step in zip(more, s, d, strict=True)):
        raise ValueError(
            f"{words.op}: `output_padding` must be smaller than `{words.strides}` or "
            f"`{words.dilation}` on every axis; got {more} for {s} and {d}"
        )
    _check_channels(words, x_shape[1], inputs, g, shapes)
    if inputs % g:
        raise ValueError(
            f"{words.op}: the channels of `{words.x}` must be a multiple of `groups`; "
            f"got {inputs} and {g} {shapes}"
        )
    axes = tuple(zip(x_shape[2:], map(spread, k, d), s, p, more, strict=True))
    o = tuple((i - 1) * t + e - 2 * lo + m for i, e, t, lo, m in axes)
    if min(o) < 1:
        raise ValueError(
            f"{words.op}: `{words.padding}` must leave outputs on every axis; got {p}, which leaves {o} "
            f"{shapes}"
        )
    pads = tuple((e - 1 - lo, e - 1 - lo + m) for _, e, _, lo, m in axes)
    window = Window(x_shape[2:], tuple(k), (1,) * rank, d, s, pads)
    rest |= dict(x_dtype=x_dtype, w_dtype=w_dtype)
    return stated(words, layout, window, x_shape, (*k, inputs // g, g * oc), w_shape, **rest)


def transposed_weights(problem: ConvProblem, w: np.ndarray) -> np.ndarray:
    """Arrange ``(g*ic, oc, *k)`` as ``(*k, ic, g*oc)``, taps reversed."""
    p, rank = problem, problem.window.rank
    taps = range(3, 3 + rank)
    w = w.reshape(p.g, p.ic, p.oc, *p.window.k)
    w = w[(slice(None),) * 3 + (slice(None, None, -1),) * rank].transpose(*taps, 1, 0, 2)
    return w.reshape(p.w_shape)


def hanging_pool_problem(
    words: Words,
    layout: Layout,
    x_shape: tuple[int, ...],
    x_dtype: np.dtype,
    *,
    size: Any,
    strides: Any,
    padding: Any,
    ceil: bool,
    dilation: Any = 1,
    **rest: Any,
) -> PoolProblem:
    """State a pooling whose last window may hang over the padded input, if its place is rounded up.

    It must begin in the input or the padding before it.
    """
    check_dtype(words, x_dtype)
    i = x_shape[2:]
    rank = len(i)
    k = numbers(words, words.size, size, rank)
    is_default = strides is None or (isinstance(strides, (tuple, list)) and not strides)
    s = k if is_default else numbers(words, words.strides, strides, rank)
    p = numbers(words, words.padding, padding, rank, least=0)
    d = numbers(words, words.dilation, dilation, rank)
    if any(2 * lo > n for lo, n in zip(p, k, strict=True)):
        raise ValueError(
            f"{words.op}: `{words.padding}` must be at most half of `{words.size}` on every axis; "
            f"got {p} and {k}"
        )
    if words.op in UNPADDED and any(n > m for n, m in zip(k, i, strict=True)):
        raise ValueError(
            f"{words.op}: `{words.size}` must fit in `{words.x}` without its padding, as in PyTorch; "
            f"got {k} over {i} ({words.x} {x_shape})"
        )
    over = (0,) * rank
    if ceil:
        over = tuple(map(overhang, i, map(spread, k, d), s, p, p))
    pads = tuple((lo, lo + more) for lo, more in zip(p, over, strict=True))
    rest |= dict(strides=s, padding=pads, dilation=d, overhang=over)
    return pool_problem(words, layout, x_shape, x_dtype, k, **rest)


def _checked_weights(words, x_shape, w_shape, x_dtype, w_dtype) -> str:
    """Refuse weights of other ranks or dtypes than the input's; return both shapes as messages show them."""
    shapes = f"({words.x} {x_shape}, {words.w} {w_shape})"
    if len(w_shape) != len(x_shape):
        raise ValueError(
            f"{words.op}: `{words.w}` must have {len(x_shape)} axes, outputs and inputs before the spatial "
            f"ones; got {len(w_shape)} {shapes}"
        )
    if 0 in (*x_shape[1:], *w_shape):
        raise ValueError(
            f"{words.op}: `{words.x}` and `{words.w}` must not be empty but for the batch; got {shapes}"
        )
    check_same_dtype(words, words.w, w_dtype, x_dtype)
    check_dtype(words, x_dtype)
    return shapes


def _check_channels(words, channels: int, wanted: int, g: int, shapes: str) -> None:
    """Refuse an input whose channels are not those that the weights of `g` groups take."""
    if channels != wanted:
        raise ValueError(
            f"{words.op}: `{words.x}` must have the channels that `{words.w}` takes in {g} "
            f"group{'s' * (g > 1)}; got {channels}, not {wanted} {shapes}"
        )


def _forward_padding(words, padding, k, s, d) -> tuple[tuple[int, int], ...]:
    """Turn a word or numbers into pairs; where "same" is odd in total, the end gets more."""
    if not isinstance(padding, str):
        return tuple((lo, lo) for lo in numbers(words, words.padding, padding, len(k), least=0))
    if padding not in ("valid", "same"):
        raise ValueError(
            f"{words.op}: `{words.padding}` must be 'valid', 'same', an int of at least 0 or {len(k)} of "
            f"them; got {padding!r}"
        )
    if padding == "valid":
        return ((0, 0),) * len(k)
    if set(s) - {1}:
        raise ValueError(
            f"{words.op}: `{words.padding}` must not be 'same' where windows move by more than 1; "
            f"got `{words.strides}` {s}"
        )
    totals = (spread(n, step) - 1 for n, step in zip(k, d, strict=True))
    return tuple((t // 2, t - t // 2) for t in totals)
