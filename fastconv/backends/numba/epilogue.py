"""What follows the sums of a convolution while they are in cache: the activations that are cheap there."""

from __future__ import annotations

from fastconv.backends.numba.jit import inner
from fastconv.backends.numba.tiles import at_least, at_most, leaked

FUSED = ("linear", "relu", "relu6", "leaky_relu")  # `activate` knows them by position
SLOPE = 0.2  # of leaky_relu below zero


@inner
def activate(sums, activation):
    """Apply ``FUSED[activation]`` to every element of a contiguous array of two axes; NaN stays."""
    zero, six, slope = sums.dtype.type(0), sums.dtype.type(6), sums.dtype.type(SLOPE)
    rows, columns = sums.shape
    if activation == 1 or activation == 2:
        for r in range(rows):
            for j in range(columns):
                sums[r, j] = zero if sums[r, j] < zero else sums[r, j]
    if activation == 2:
        for r in range(rows):
            for j in range(columns):
                sums[r, j] = six if sums[r, j] > six else sums[r, j]
    if activation == 3:
        for r in range(rows):
            for j in range(columns):
                sums[r, j] = slope * sums[r, j] if sums[r, j] < zero else sums[r, j]


@inner
def activated(tile, activation):
    """Return a tile of vectors with ``FUSED[activation]`` applied."""
    if activation == 1:
        tile = at_least(tile, 0)
    elif activation == 2:
        tile = at_most(at_least(tile, 0), 6)
    elif activation == 3:
        tile = leaked(tile, SLOPE)
    return tile
