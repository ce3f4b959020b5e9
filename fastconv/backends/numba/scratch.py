"""Memory for what lives as long as a call: packed weights, and arrays brought into another order.

The system hands out memory a page at a time, when it is first written: a few hundred pages take longer than
packing the weights that fill them. So a thread keeps what it has used, and uses it again once nobody holds
it, be it a plan that kept its weights or a view of them.
"""

from __future__ import annotations

import math
import sys
import threading

import numpy as np

from fastconv.binding import LINE, at_a_line

LEAST = 1 << 16  # bytes; less than this is never given back to the system
LIMIT = 1 << 26  # bytes a thread keeps at most


class _Kept(threading.local):
    """What this thread has used, the latest last."""

    def __init__(self):
        self.arrays: list[np.ndarray] = []


_kept = _Kept()


def scratch(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Return an array that may hold anything, and that nobody else holds, for as long as it is held.

    Unless it is small, it begins at a line of the cache.
    """
    size = math.prod(shape) * dtype.itemsize + LINE
    if size < LEAST:
        return np.empty(shape, dtype)
    if size > LIMIT:
        return at_a_line(shape, dtype)
    arrays = _kept.arrays
    at = next(
        (i for i in range(len(arrays)) if arrays[i].nbytes == size and _holders(arrays, i) == _ALONE), None
    )
    arrays.append(np.empty(size, np.uint8) if at is None else arrays.pop(at))
    while sum(array.nbytes for array in arrays) > LIMIT:
        del arrays[0]
    return np.ndarray(shape, dtype, arrays[-1], -arrays[-1].ctypes.data % LINE)


def _holders(arrays: list, i: int) -> int:
    """Count who holds an array, as this interpreter counts; any view of it does."""
    return sys.getrefcount(arrays[i])


_ALONE = _holders([np.empty(1)], 0)  # none but the list
