"""Problems as ONNX states them: by the attributes of its operators, those of every version.

Channels come first. Padding is all begins, then all ends; `auto_pad` may ask for it in words instead.
Attributes that are not there are None, or empty.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastconv.problem.arguments import Layout, Pairs, Words, padding_pairs, per_axis, resolve_padding
from fastconv.problem.conv import ConvProblem, stated
from fastconv.problem.pool import PoolProblem, overhang, pool_problem
from fastconv.problem.window import Window, spread

AUTO = {"SAME_UPPER": "same", "SAME_LOWER": "same_lower", "VALID": "valid"}


def each_axis(
    words: Words, name: str, value: Any, rank: int, usual: int = 1, least: int = 1
) -> tuple[int, ...]:
    """Take an attribute with a number for each axis; `usual` for all if it is not there."""
    return per_axis(words, name, tuple(value) if value else (usual,) * rank, rank, least)


def explicit_padding(words: Words, pads: Any, rank: int) -> Pairs:
    """Turn ``(begins..., ends...)`` into (before, after) pairs."""
    values = tuple(pads) if pads else (0,) * (2 * rank)
    if len(values) != 2 * rank:
        raise ValueError(
            f"{words.op}: `{words.padding}` must have a begin and then an end for each of {rank} spatial "
            f"axes; got {pads!r}"
        )
    return padding_pairs(words, tuple(zip(values[:rank], values[rank:], strict=True)), rank)


def padding(
    words: Words,
    auto_pad: Any,
    pads: Any,
    i: tuple[int, ...],
    k: tuple[int, ...],
    s: tuple[int, ...],
    d: tuple[int, ...],
) -> Pairs:
    """Turn the attributes `auto_pad` and `pads` into (before, after) pairs."""
    word = auto_pad or "NOTSET"
    if word == "NOTSET":
        return explicit_padding(words, pads, len(i))
    if word not in AUTO:
        raise ValueError(
            f"{words.op}: `auto_pad` must be NOTSET, SAME_UPPER, SAME_LOWER or VALID; got {auto_pad!r}"
        )
    return resolve_padding(words, AUTO[word], i, k, s, d)


def onnx_conv_problem(
    words: Words,
    layout: Layout,
    x_shape: tuple[int, ...],
    w_shape: tuple[int, ...],
    *,
    auto_pad: Any = None,
    dilations: Any = None,
    group: Any = 1,
    kernel_shape: Any = None,
    pads: Any = None,
    strides: Any = None,
    x_dtype: np.dtype,
    w_dtype: np.dtype,
    **rest: Any,
) -> ConvProblem:
    """State ``Conv`` with weights ``(g*oc, ic, *k)``."""
    shapes = _checked_weights(words, x_shape, w_shape, x_dtype, w_dtype, kernel_shape)
    outputs, ic, *taps = w_shape
    k, i = tuple(taps), x_shape[2:]
    (g,) = per_axis(words, "group", (group or 1,), 1)
    if x_shape[1] != g * ic or outputs % g:
        raise ValueError(
            f"{words.op}: `{words.w}` must take the channels of `{words.x}`, and give a multiple of its "
            f"outputs, in `group` groups; got {g} {shapes}"
        )
    s = each_axis(words, words.strides, strides, len(k))
    d = each_axis(words, words.dilation, dilations, len(k))
    window = Window(i, k, s, d, (1,) * len(k), padding(words, auto_pad, pads, i, k, s, d))
    rest |= dict(x_dtype=x_dtype, w_dtype=w_dtype)
    return stated(words, layout, window, x_shape, (*k, ic, outputs), w_shape, **rest)


def causal_state(
    words: Words, x: np.ndarray, w_shape: tuple[int, ...], past: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Put what came before, or zeros, in front of a sequence (n, c, i); return the end of that too.

    Both are as long as a window but for one element.
    """
    before = w_shape[-1] - 1
    if x.ndim != 3 or w_shape[:-1] != (x.shape[1], 1):
        raise ValueError(
            f"{words.op}: `{words.x}` must be (n, c, i) and `{words.w}` (c, 1, k); "
            f"got {x.shape} and {w_shape}"
        )
    wanted = (*x.shape[:2], before)
    past = np.zeros(wanted, x.dtype) if past is None else past
    if past.shape != wanted:
        raise ValueError(f"{words.op}: `past_state` must have shape {wanted}; got {past.shape}")
    whole = np.concatenate([past, x], axis=2)
    return whole, whole[:, :, whole.shape[2] - before :].copy()


def onnx_transpose_problem(
    words: Words,
    layout: Layout,
    x_shape: tuple[int, ...],
    w_shape: tuple[int, ...],
    *,
    auto_pad: Any = None,
    dilations: Any = None,
    group: Any = 1,
    kernel_shape: Any = None,
    output_padding: Any = None,
    output_shape: Any = None,
    pads: Any = None,
    strides: Any = None,
    x_dtype: np.dtype,
    w_dtype: np.dtype,
    **rest: Any,
) -> ConvProblem:
    """State ``ConvTranspose`` with weights ``(g*ic, oc, *k)``."""
    shapes = _checked_weights(words, x_shape, w_shape, x_dtype, w_dtype, kernel_shape)
    inputs, oc, *taps = w_shape
    k, i, rank = tuple(taps), x_shape[2:], len(taps)
    (g,) = per_axis(words, "group", (group or 1,), 1)
    if x_shape[1] != inputs or inputs % g:
        raise ValueError(
            f"{words.op}: `{words.w}` must take the channels of `{words.x}`, a multiple of `group`; "
            f"got {g} {shapes}"
        )
    s = each_axis(words, words.strides, strides, rank)
    d = each_axis(words, words.dilation, dilations, rank)
    more = each_axis(words, "output_padding", output_padding, rank, usual=0, least=0)
    extent = tuple(map(spread, k, d))
    full = tuple((n - 1) * step + e + m for n, step, e, m in zip(i, s, extent, more, strict=True))
    wanted = _wanted_outputs(words, auto_pad, output_shape, i, s)
    if wanted is None:
        cut = padding(words, auto_pad, pads, i, k, s, d)  # no pairs but those of `pads`, or none
    else:
        cut = tuple(_halves(f - o, auto_pad) for f, o in zip(full, wanted, strict=True))
    axes = zip(extent, cut, more, strict=True)
    window = Window(i, k, (1,) * rank, d, s, tuple((e - 1 - lo, e - 1 - hi + m) for e, (lo, hi), m in axes))
    rest |= dict(x_dtype=x_dtype, w_dtype=w_dtype)
    return stated(words, layout, window, x_shape, (*k, inputs // g, g * oc), w_shape, **rest)


def _wanted_outputs(words, auto_pad, output_shape, i, s) -> tuple[int, ...] | None:
    """Return the spatial sizes that a transposed convolution is to have, or None if `pads` decides."""
    if output_shape:
        spatial = output_shape[2:] if len(output_shape) == len(i) + 2 else output_shape
        return per_axis(words, "output_shape", tuple(spatial), len(i))
    if auto_pad in ("SAME_UPPER", "SAME_LOWER"):
        return tuple(n * step for n, step in zip(i, s, strict=True))
    return None


def _halves(total: int, auto_pad: Any) -> tuple[int, int]:
    """Split what is to be cut off; what is missing instead is added at the end."""
    less = max(total, 0) // 2
    return (less, total - less) if auto_pad == "SAME_UPPER" or total < 0 else (total - less, less)


def onnx_pool_problem(
    words: Words,
    layout: Layout,
    x_shape: tuple[int, ...],
    x_dtype: np.dtype,
    *,
    kernel_shape: Any,
    auto_pad: Any = None,
    ceil_mode: Any = 0,
    dilations: Any = None,
    pads: Any = None,
    strides: Any = None,
    **rest: Any,
) -> PoolProblem:
    """State a pooling; with `ceil_mode` its last window may hang over the padded input."""
    i = x_shape[2:]
    k = per_axis(words, words.size, tuple(kernel_shape), len(i))
    s = each_axis(words, words.strides, strides, len(k))
    d = each_axis(words, words.dilation, dilations, len(k))
    pairs = padding(words, auto_pad, pads, i, k, s, d)
    over = (0,) * len(k)
    if ceil_mode:
        befores, behinds = zip(*pairs, strict=True)
        over = tuple(map(overhang, i, map(spread, k, d), s, befores, behinds))
    padded = tuple((lo, hi + more) for (lo, hi), more in zip(pairs, over, strict=True))
    rest |= dict(strides=s, padding=padded, dilation=d, overhang=over)
    return pool_problem(words, layout, x_shape, x_dtype, k, **rest)


def positions(at: np.ndarray, x_shape: tuple[int, ...], storage_order: int) -> np.ndarray:
    """Turn positions in planes, row by row, into positions in the whole array, (n, c, *i).

    A `storage_order` of 1 counts the first spatial axis fastest, but still plane by plane. A window that
    meets no element keeps its -1.
    """
    n, c, *i = x_shape
    planes = np.arange(n * c).reshape(n, c, *(1,) * len(i)) * math.prod(i)
    inside = at
    if storage_order:
        inside = np.asarray(np.ravel_multi_index(np.unravel_index(np.maximum(at, 0), i), i, order="F"))
    return np.where(at < 0, at, inside + planes)


def _checked_weights(words, x_shape, w_shape, x_dtype, w_dtype, kernel_shape) -> str:
    """Refuse weights that do not go with the input; return both shapes as messages show them."""
    shapes = f"({words.x} {x_shape}, {words.w} {w_shape})"
    if len(x_shape) != len(w_shape) or len(x_shape) < 3:
        raise ValueError(
            f"{words.op}: `{words.x}` and `{words.w}` must have two axes and then the same spatial ones; "
            f"got {len(x_shape)} and {len(w_shape)} {shapes}"
        )
    if x_dtype != w_dtype:
        raise TypeError(
            f"{words.op}: `{words.w}` must have the dtype of `{words.x}`; got {w_dtype} and {x_dtype}"
        )
    if kernel_shape and tuple(kernel_shape) != w_shape[2:]:
        raise ValueError(
            f"{words.op}: `{words.size}` must be that of `{words.w}`; got {tuple(kernel_shape)} {shapes}"
        )
    return shapes
