"""Unshared convolution: every window position has weights of its own.

    y[n, o, f] = sum_j x[n, o, j] * w[o, j, f]

where `j` counts the channels of a window and, within each, its taps. One matrix product a position.
"""

from __future__ import annotations

import math

import numpy as np

from fastconv.problem import Window
from fastconv.view import windows


def patches(window: Window, x: np.ndarray) -> np.ndarray:
    """Lay what each window sees of ``(n, *i, c)`` side by side, ``(n, *o, c*k)``."""
    view = windows(window, x)
    return np.array(view, order="C").reshape(*view.shape[: 1 + window.rank], x.shape[-1] * window.taps)


@np.errstate(all="ignore")
def conv(window: Window, x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Multiply windows of ``(n, *i, c)`` with weights ``(*o, c*k, f)`` into ``(n, *o, f)``."""
    places = math.prod(window.o)
    seen = patches(window, x).reshape(x.shape[0], places, w.shape[-2])
    y = np.matmul(seen.transpose(1, 0, 2), w.reshape(places, *w.shape[-2:]))
    return y.transpose(1, 0, 2).reshape(x.shape[0], *window.o, w.shape[-1])
