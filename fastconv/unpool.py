"""Max unpooling: values go back to where a max pooling found them; everything else is zero.

    y[n, c, at[n, c, o]] = x[n, c, o]

`at` is flat in the spatial axes of `y`. Where it names a place twice, the last value stays.
"""

from __future__ import annotations

import math

import numpy as np


def unpool(x: np.ndarray, at: np.ndarray, sizes: tuple[int, ...]) -> np.ndarray:
    """Lay ``(n, c, *o)`` out on axes of given sizes."""
    n, c, *o = x.shape
    places = math.prod(sizes)
    y = np.zeros((n * c, places), x.dtype)
    first = np.arange(n * c)[:, None] * places  # of each plane
    y.reshape(-1)[(at.reshape(n * c, math.prod(o)) + first).reshape(-1)] = x.reshape(-1)
    return y.reshape(n, c, *sizes)
