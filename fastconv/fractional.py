"""Fractional max pooling: windows of one size whose distances are uneven, drawn from a random number.

Along an axis of `i` elements, with windows of `k`, output `q` of `o` begins at
``int((q + u) * a) - int(u * a)`` where ``a = (i - k) / (o - 1)``, and the last one ends with the axis: the
"pseudo-random" sequence of Graham, Fractional Max-Pooling (2014), as PyTorch computes it in the dtype of the
input. There is a number `u` from 0 to 1 for each image, channel and axis.
"""

from __future__ import annotations

import numpy as np

from fastconv.regions import largest


def starts(u: np.ndarray, i: int, k: int, o: int) -> np.ndarray:
    """Begin `o` windows, (*u.shape, o)."""
    if o == 0:
        return np.empty((*u.shape, 0), np.int64)
    u = u[..., None]
    step = u.dtype.type(i - k) / u.dtype.type(max(o - 1, 1))
    before = np.arange(o - 1).astype(u.dtype)
    inner = ((before + u) * step).astype(np.int64) - (u * step).astype(np.int64)
    last = np.full((*u.shape[:-1], 1), i - k)
    return np.concatenate((np.minimum(inner, i - k), last), axis=-1)


def pool(
    x: np.ndarray, k: tuple[int, ...], o: tuple[int, ...], samples: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return values and flat positions for ``(n, c, *i)``; `samples` are (n, c, rank)."""
    n, _, *i = x.shape
    samples = samples[:n]
    if len(k) == 2:
        samples = samples[..., ::-1]  # PyTorch's first number is of the last axis of images
    axes = zip(np.moveaxis(samples, -1, 0), i, k, o, strict=True)
    first = tuple(starts(*each) for each in axes)
    return largest(x, first, tuple(a + size for a, size in zip(first, k, strict=True)))
