"""What follows the sums of a convolution while they are in cache: the activations that are cheap there."""

from __future__ import annotations

from fastconv.backends.numba.jit import merged
from fastconv.backends.numba.tiles import at_least, at_most, leaked

FUSED = ("linear", "relu", "relu6", "leaky_relu")  # `activated` knows them by position
SLOPE = 0.2  # of leaky_relu below zero


@merged
def activated(tile, activation):
    """Return a tile of vectors with ``FUSED[activation]`` applied."""
    if activation == 1:
        tile = at_least(tile, 0)
    elif activation == 2:
        tile = at_most(at_least(tile, 0), 6)
    elif activation == 3:
        tile = leaked(tile, SLOPE)
    return tile
