"""Problems as ONNX states them: by the attributes of its operators, those of every version.

Channels come first. Padding is all begins, then all ends; `auto_pad` may ask for it in words instead.
Attributes that are not there are None, or empty.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.problem.arguments import Layout, Pairs, Words, padding_pairs, per_axis, resolve_padding
from fastconv.problem.conv import ConvProblem, stated
from fastconv.problem.window import Window

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
