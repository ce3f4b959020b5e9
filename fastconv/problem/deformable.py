"""Deformable convolutions: convolutions whose taps are moved, each place's by offsets of its own.

There are as many groups of channels as the weights leave, and as many groups of offsets as the offsets have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastconv.problem.arguments import Words, check_size, checked_sides, per_axis
from fastconv.problem.arrangement import check_not_empty
from fastconv.problem.dtypes import accumulator, kind, promoted
from fastconv.problem.window import Window


@dataclass(frozen=True, slots=True)
class DeformProblem:
    """A window before its taps are moved, and what else there is to know of ``y[n, (g, oc), *o]``."""

    window: Window
    n: int
    g: int
    ic: int  # of a group
    oc: int  # of a group
    og: int  # groups of offsets
    acc_dtype: np.dtype
    y_dtype: np.dtype

    @property
    def c(self) -> int:
        """Channels of the input."""
        return self.g * self.ic

    @property
    def offset_shape(self) -> tuple[int, ...]:
        """How far taps are moved along each axis, axes fastest of what is not a place."""
        return (self.n, self.og * self.window.taps * self.window.rank, *self.window.o)

    @property
    def mask_shape(self) -> tuple[int, ...]:
        """What taps are multiplied by."""
        return (self.n, self.og * self.window.taps, *self.window.o)


def deform_problem(
    words: Words,
    x: np.ndarray,
    w: np.ndarray,
    offset: np.ndarray,
    mask: np.ndarray | None,
    *,
    strides: Any,
    padding: Any,
    dilation: Any,
) -> DeformProblem:
    """State the deformable convolution of ``(n, c, *i)`` with weights ``(g*oc, ic, *k)``."""
    shapes = f"({words.x} {x.shape}, {words.w} {w.shape})"
    if x.ndim < 3 or w.ndim != x.ndim:
        raise ValueError(
            f"{words.op}: `{words.x}` must have a batch, channels and spatial axes, and `{words.w}` outputs "
            f"and inputs before as many; got {x.ndim} axes and {w.ndim} {shapes}"
        )
    for name, array in ((words.x, x), (words.w, w), ("offset", offset), ("mask", mask)):
        if array is not None and kind(array.dtype) != "f":
            raise TypeError(f"{words.op}: `{name}` must be of a float dtype; got {array.dtype}")
    check_not_empty(words, x.shape)
    check_not_empty(words._replace(x=words.w), w.shape, 0)
    window = _window(words, x.shape[2:], w.shape[2:], strides, padding, dilation)
    outputs, ic = w.shape[:2]
    c = x.shape[1]
    if c % ic or outputs % (c // ic):
        raise ValueError(
            f"{words.op}: the channels of `{words.x}` and of `{words.w}` must go into groups, all alike; got "
            f"{c}, of which {words.w} takes {ic} for {outputs} outputs {shapes}"
        )
    dtype = promoted(x.dtype, w.dtype)
    og = _offset_groups(words, window, x.shape, offset.shape)
    p = DeformProblem(window, len(x), c // ic, ic, outputs * ic // c, og, accumulator(dtype), dtype)
    if mask is not None and mask.shape != p.mask_shape:
        raise ValueError(
            f"{words.op}: `mask` must have a number for each tap of {og} group{'s' * (og > 1)} and each "
            f"place, {p.mask_shape}; got {mask.shape} {shapes}"
        )
    check_size(words, (len(x), outputs, *window.o), p.acc_dtype)
    return p


def _window(words: Words, i: tuple[int, ...], k: tuple[int, ...], *options: Any) -> Window:
    """Lay the window out as it is before its taps are moved; `options` are strides, padding and dilation."""
    rank = len(i)
    strides, padding, dilation = options
    s = per_axis(words, words.strides, strides, rank)
    d = per_axis(words, words.dilation, dilation, rank)
    window = Window(i, k, s, d, (1,) * rank, checked_sides(words, padding, rank))
    if 0 in window.o:
        raise ValueError(
            f"{words.op}: `{words.w}` must fit in the padded `{words.x}` on every axis; got a window of "
            f"extent {window.extent} over {i} padded to {window.padded}"
        )
    return window


def _offset_groups(words: Words, window: Window, x: tuple[int, ...], offset: tuple[int, ...]) -> int:
    """Count the groups that offsets are for, each of as many channels."""
    numbers = window.taps * window.rank
    if len(offset) != len(x) or (offset[0], *offset[2:]) != (x[0], *window.o) or offset[1] % numbers:
        raise ValueError(
            f"{words.op}: `offset` must have {numbers} numbers for each group and each place, "
            f"({x[0]}, groups * {numbers}, {', '.join(map(str, window.o))}); got {offset} ({words.x} {x})"
        )
    groups = offset[1] // numbers
    if groups == 0 or x[1] % groups:
        raise ValueError(
            f"{words.op}: the groups of `offset` must be as many channels each; got {groups} for {x[1]} "
            f"channels ({words.x} {x}, offset {offset})"
        )
    return groups
