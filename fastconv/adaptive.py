"""Adaptive pooling: a given number of windows, of uneven sizes, that together cover the input.

Output `o` of `m` along an axis of length `i` reduces inputs ``o*i // m`` up to, not including,
``ceil((o + 1)*i / m)``: the rule of PyTorch and Keras. One axis is reduced after another, which max
and sum allow.
"""

from __future__ import annotations

import math

import numpy as np

from fastconv.problem.pool import pool_dtypes

SHORT = 32  # neighbours in memory that NumPy's loops over them are too short for


@np.errstate(all="ignore")
def pool(x: np.ndarray, axes: tuple[int, ...], sizes: tuple[int, ...], reduction: str) -> np.ndarray:
    """Reduce each of `axes` to as many outputs as `sizes` says, by "max" or "mean"."""
    acc_dtype, y_dtype = pool_dtypes(reduction, x.dtype)
    if 0 in sizes:
        asked = dict(zip(axes, sizes, strict=True))
        return np.empty([asked.get(axis, n) for axis, n in enumerate(x.shape)], y_dtype)
    function = np.maximum if reduction == "max" else np.add
    y, counts = x.astype(acc_dtype, copy=False), np.ones((1,) * x.ndim, np.int64)
    for axis, m in zip(axes, sizes, strict=True):
        first, end = edges(x.shape[axis], m)
        along = [1] * x.ndim
        along[axis] = m
        counts = counts * (end - first).reshape(along)
        y = reduced(function, y, axis, first, end)
    if reduction == "mean":
        y = y / counts.astype(acc_dtype)
    return np.ascontiguousarray(y.astype(y_dtype, copy=False))


def edges(i: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where each of `m` windows over `i` inputs begins, and where it ends."""
    o = np.arange(m)
    return o * i // m, -(-(o + 1) * i // m)


def boxes(
    i: tuple[int, ...], sizes: tuple[int, ...]
) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """Return where the windows of every axis begin, and where they end."""
    first, end = zip(*map(edges, i, sizes), strict=True)
    return first, end


def reduced(function, x: np.ndarray, axis: int, first: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Reduce windows ``[first, end)`` of one axis, whichever way has the longer loops."""
    passes = int((end - first).max())
    if math.prod(x.shape[axis + 1 :]) < SHORT and passes < len(first):
        return _together(function, x, axis, first, end, passes)
    y = np.empty((*x.shape[:axis], len(first), *x.shape[axis + 1 :]), x.dtype)
    windows, results = np.moveaxis(x, axis, 0), np.moveaxis(y, axis, 0)  # views, so that nothing is copied
    for o in range(len(first)):
        function.reduce(windows[first[o] : end[o]], 0, x.dtype, out=results[o])
    return y


def _together(
    function, x: np.ndarray, axis: int, first: np.ndarray, end: np.ndarray, passes: int
) -> np.ndarray:
    """Reduce all windows of one axis together, one element of each a pass."""
    y = x.take(first, axis)
    here = [1] * x.ndim
    here[axis] = len(first)
    for step in range(1, passes):
        at = np.minimum(first + step, end - 1)
        function(y, x.take(at, axis), out=y, where=(first + step < end).reshape(here))
    return y
