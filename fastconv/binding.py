"""Arrays that are as planned, and small ones bound to a kernel: Python takes its part of the time there."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from fastconv.kernel import Kernel
from fastconv.problem import Layout, memory_order

LARGE = 1 << 22  # bytes of an array
LINE = 64  # bytes of the cache, and of the longest vectors


def bind(
    row: Kernel,
    problem: Any,
    layout: Layout,
    shapes: tuple[tuple[int, ...], tuple[int, ...]],
    prepared: Any,
    bias: np.ndarray | None,
    given: tuple[Any, ...],
) -> Callable[..., bool] | None:
    """Bind a row to a problem and weights, for contiguous inputs and outputs of `shapes`, a face's.

    Parameters
    ----------
    prepared, bias
        As `row.run` gets them.
    given
        Weights and bias of a caller, whose like will be handed over in each call; None if the row's
        are always those of now.

    Returns
    -------
    callable or None
        ``bound(x, w, bias, y)`` computes `y`, if all of these are as they have to be, and returns whether
        they are. None if the row cannot, or too much is to be done for it to matter.
    """
    arrays = tuple(zip(shapes, (problem.x_dtype, problem.y_dtype), strict=True))
    if row.bind is None or not all(0 < math.prod(shape) * dtype.itemsize < LARGE for shape, dtype in arrays):
        return None
    x, y = (np.empty(shape, dtype) for shape, dtype in arrays)
    views = x.transpose(layout.x), y.transpose(layout.y)
    if memory_order(views[0].shape, views[0].strides) != problem.x_order:
        return None
    return row.bind(problem, views[0], prepared, bias, views[1], (x, *given, y))


def later(_x: Any, _w: Any, _bias: Any, _y: Any) -> bool:
    """Stand for what is yet to be bound: most calls never come again."""
    return False


def is_plain(array: Any, shape: tuple[int, ...], dtype: np.dtype) -> bool:
    """Whether an array needs no further look: it is NumPy's own, and as planned."""
    if type(array) is not np.ndarray or array.shape != shape or array.dtype != dtype:
        return False
    flags = array.flags
    return flags.c_contiguous and flags.aligned


def maker(shape: tuple[int, ...], dtype: np.dtype) -> Callable[[], np.ndarray]:
    """Return what makes arrays; large ones begin at a line of the cache."""
    return partial(at_a_line if math.prod(shape) * dtype.itemsize >= LARGE else np.empty, shape, dtype)


def at_a_line(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Make an array that begins at a line of the cache, to be written by lines."""
    memory = np.empty(math.prod(shape) * dtype.itemsize + LINE, np.uint8)
    return np.ndarray(shape, dtype, memory, -memory.ctypes.data % LINE)
