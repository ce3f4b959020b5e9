"""The largest element of each of many regions of an array, and where it is.

    y[n, c, o] = max x[n, c, q]   over  first[o] <= q < end[o]   on every axis

Regions are boxes, uneven ones too, that may differ from image to image and channel to channel. One element
of every region is compared at a time; one that is shorter than others meets its last elements repeatedly.
"""

from __future__ import annotations

import math

import numpy as np

Edges = tuple[np.ndarray, ...]  # one an axis, (o,) or (n, c, o)


def largest(x: np.ndarray, first: Edges, end: Edges) -> tuple[np.ndarray, np.ndarray]:
    """Return values and flat positions in the spatial axes of ``(n, c, *i)``.

    Of equal elements the first counts, but of NaNs the last, as in PyTorch.
    """
    n, c, *i = x.shape
    o = tuple(edges.shape[-1] for edges in first)
    if 0 in (n, c, *o):
        return np.empty((n, c, *o), x.dtype), np.empty((n, c, *o), np.int64)
    flat = x.reshape(n, c, -1)
    values, positions = np.zeros((n, c, math.prod(o)), x.dtype), np.full((n, c, math.prod(o)), -1)
    for tap in np.ndindex(*(int((b - a).max()) for a, b in zip(first, end, strict=True))):
        met = [np.minimum(a + t, b - 1) for a, b, t in zip(first, end, tap, strict=True)]
        at = _flat(met, i).reshape(*_shared(met), -1)
        seen = np.take_along_axis(flat, at, axis=2)
        better = (seen > values) | (seen != seen) | (positions < 0)
        np.copyto(values, seen, where=better)
        np.copyto(positions, at, where=better)
    return values.reshape(n, c, *o), positions.reshape(n, c, *o)


def _shared(met: list[np.ndarray]) -> tuple[int, int]:
    """Images and channels that positions are for: one of each where they are the same for all."""
    n, c, *_ = np.broadcast_shapes((1, 1), *(at.shape[:-1] for at in met))
    return n, c


def _flat(met: list[np.ndarray], i: list[int]) -> np.ndarray:
    """Combine positions on each axis to flat ones, (..., *o)."""
    rank = len(met)
    total: np.ndarray | int = 0
    for axis, (at, size) in enumerate(zip(met, i, strict=True)):
        shape = [1] * rank
        shape[axis] = at.shape[-1]
        total = total * size + at.reshape(*at.shape[:-1], *shape)
    return np.asarray(total)
