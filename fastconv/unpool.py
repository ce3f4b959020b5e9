"""Max unpooling: values go back to where a max pooling found them; everything else is zero.

    y[n, c, at[n, c, o]] = x[n, c, o]

`at` is flat in the spatial axes of `y`. Where it names a place twice, the last value stays.
"""

from __future__ import annotations

import math

import numpy as np


def unpool(x: np.ndarray, at: np.ndarray, sizes: tuple[int, ...]) -> np.ndarray:
    """Lay ``(n, c, *o)`` out on axes of given sizes."""
    n, c, *_ = x.shape
    y = np.zeros((n, c, math.prod(sizes)), x.dtype)
    if x.size:
        np.put_along_axis(y, at.reshape(n, c, -1), x.reshape(n, c, -1), axis=2)
    return y.reshape(n, c, *sizes)
