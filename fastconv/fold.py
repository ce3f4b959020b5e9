"""Blocks of an image side by side, and back: im2col and col2im, for any number of axes.

    unfold  y[n, (c, k), o] = x[n, c, o*s + k*d - p]      zero in the padding
    fold    y[n, c, o*s + k*d - p] += x[n, (c, k), o]     its transpose: blocks that overlap add up

where ``(c, k)`` counts channels and, within each, the taps of a window, and `o` its places.
"""

from __future__ import annotations

import math

import numpy as np

from fastconv.problem import Window
from fastconv.problem.dtypes import accumulator
from fastconv.view import windows


def unfold(window: Window, x: np.ndarray) -> np.ndarray:
    """Lay what each window sees of ``(n, c, *i)`` out as (n, c * taps, places)."""
    n, c, *_ = x.shape
    rank = window.rank
    view = windows(window, np.moveaxis(x, 1, -1))  # n *o c *k
    places, taps = range(1, 1 + rank), range(2 + rank, 2 + 2 * rank)
    columns = np.array(view.transpose(0, 1 + rank, *taps, *places), order="C")
    return columns.reshape(n, c * window.taps, math.prod(window.o))


@np.errstate(all="ignore")
def fold(window: Window, x: np.ndarray) -> np.ndarray:
    """Add ``(n, c * taps, places)`` up to (n, c, *i); floats of 16 bits in float32, rounded once."""
    n, channels, _ = x.shape
    c = channels // window.taps
    blocks = x.reshape(n, c, *window.k, *window.o)
    frame = np.zeros((n, c, *window.padded), accumulator(x.dtype))
    both = slice(None), slice(None)  # of images and channels
    for tap in np.ndindex(window.k):
        steps = zip(tap, window.d, window.s, window.o, strict=True)
        at = (slice(t * d, t * d + (o - 1) * s + 1, s) for t, d, s, o in steps)
        frame[(*both, *at)] += blocks[(*both, *tap)]
    inside, _ = zip(*window.fill(), strict=True)
    return np.ascontiguousarray(frame[(*both, *inside)], x.dtype)
