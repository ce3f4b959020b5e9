"""A strided view of every window of an array: nothing is copied but to pad."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from fastconv.problem.window import Window, spread

# Bytes a view may have: windows with all that lies between their taps, of which few are kept, may have more.
COUNTABLE = np.iinfo(np.intp).max


def padded(window: Window, x: np.ndarray, fill) -> np.ndarray:
    """Lay ``(n, *i, c)`` out on the axes the window slides over, `fill` in padding and holes."""
    if window.is_plain:
        return x
    frame = np.full((x.shape[0], *window.padded, x.shape[-1]), fill, x.dtype)
    slots, inputs = zip(*window.fill(), strict=True)
    frame[(slice(None), *slots)] = x[(slice(None), *inputs)]
    return frame


def along(x: np.ndarray, axis: int, k: int, s: int, d: int) -> np.ndarray:
    """View one axis as windows of `k` taps: it counts the windows, a new last axis the taps."""
    if x.nbytes * spread(k, d) <= COUNTABLE:
        view = sliding_window_view(x, spread(k, d), axis)
        return view[(slice(None),) * axis + (slice(None, None, s),)][..., ::d]
    shape, strides, step = list(x.shape), list(x.strides), x.strides[axis]
    shape[axis], strides[axis] = (shape[axis] - spread(k, d)) // s + 1, s * step
    return as_strided(x, (*shape, k), (*strides, d * step), writeable=False)


def windows(window: Window, x: np.ndarray, fill=0) -> np.ndarray:
    """View ``(n, *i, c)`` as ``(n, *o, c, *k)``."""
    if 0 in window.o or 0 in window.k:
        return np.empty((x.shape[0], *window.o, x.shape[-1], *window.k), x.dtype)
    view = padded(window, x, fill)
    for axis in range(window.rank):
        view = along(view, 1 + axis, window.k[axis], window.s[axis], window.d[axis])
    return view
