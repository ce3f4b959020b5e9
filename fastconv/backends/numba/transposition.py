"""Copies between channels first and channels last, a square of vectors at a time, on all threads.

    y[n, q, c] = x[n, c, q]                    for matrices (c, q) one behind the other, and back

A square is as many rows as a vector has lanes. It is read row by row, transposed in registers and written
row by row, so that both sides move whole vectors; squares at the edges are masked.

    task      an image and a block of its matrix            parallel: each writes a block of its own
    square    along the rows of the block, one band of squares after the other
"""

from __future__ import annotations

from functools import cache

import numpy as np

from fastconv.backends.numba.jit import Loop, array, compiled, grain
from fastconv.backends.numba.simd import BYTES, lanes, pointer
from fastconv.backends.numba.squares import (
    load_corner,
    load_square,
    store_corner,
    store_square,
    transposed,
)

ELEMENT = 2e-10  # seconds to move an element, on one thread
BLOCK = 64  # rows and columns of a block: both sides of it stay in L2, and few pages are met at a time
FEW = BYTES // 8  # rows or columns, with which squares would be half empty


@compiled
def _blocks(first, end, x, y):
    """Transpose blocks of the matrices of `x`."""
    _, rows, columns = x.shape
    size = lanes(pointer(x))
    wide = (columns + BLOCK - 1) // BLOCK
    high = (rows + BLOCK - 1) // BLOCK
    for task in range(first, end):
        rest, row = divmod(task, high)  # so that threads write rows of their own
        n, column = divmod(rest, wide)
        source, target = pointer(x) + n * rows * columns, pointer(y) + n * rows * columns
        last_row, last_column = min(rows, (row + 1) * BLOCK), min(columns, (column + 1) * BLOCK)
        for q in range(column * BLOCK, last_column, size):
            for r in range(row * BLOCK, last_row, size):
                here, there = source + (r * columns + q), target + (q * rows + r)
                if r + size <= rows and q + size <= columns:
                    store_square(transposed(load_square(here, columns)), there, rows)
                else:
                    square = load_corner(here, columns, rows - r, columns - q)
                    store_corner(transposed(square), there, rows, columns - q, rows - r)


@cache
def _loop(dtype: np.dtype) -> Loop:
    """Compile for contiguous matrices of `dtype`."""
    return Loop(_blocks, array(dtype, 3), array(dtype, 3, writeable=True))


def transpose(x: np.ndarray, y: np.ndarray) -> bool:
    """Copy a matrix of each image, ``(n, a, b)`` to ``(n, b, a)``, if that gains anything.

    `b` of `x`, and either of `y`, may be several axes.
    """
    is_mine = x.dtype == y.dtype and x.dtype in (np.float32, np.float64) and x.size > 0
    if not (is_mine and all(a.flags.c_contiguous and a.flags.aligned for a in (x, y))):
        return False
    n, rows = x.shape[:2]
    columns = x.size // (n * rows)
    if min(rows, columns) < FEW:
        return False
    tasks = n * -(-rows // BLOCK) * -(-columns // BLOCK)
    matrices = x.reshape(n, rows, columns), y.reshape(n, columns, rows)
    _loop(x.dtype)(tasks, grain(tasks, x.size * ELEMENT / tasks), *matrices)
    return True
