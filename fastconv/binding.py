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
PLACE = np.dtype(np.int64)  # of positions in the input
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
        they are. Positions are written where a bias comes elsewhere: nothing sees to it that they overlap
        no `x`. None if the row cannot, or too much is to be done for it to matter.
    """
    arrays = [*zip(shapes, (problem.x_dtype, problem.y_dtype), strict=True)]
    is_pair = getattr(problem, "indices", False)
    if is_pair:
        arrays.append((shapes[1], PLACE))
    if row.bind is None or not all(0 < math.prod(shape) * dtype.itemsize < LARGE for shape, dtype in arrays):
        return None
    x, *results = (np.empty(shape, dtype) for shape, dtype in arrays)
    source, (y, *places) = x.transpose(layout.x), (result.transpose(layout.y) for result in results)
    if memory_order(source.shape, source.strides) != problem.x_order:
        return None
    if is_pair:
        return row.bind(problem, source, prepared, None, (y, *places), (x, None, results[1], results[0]))
    return row.bind(problem, source, prepared, bias, y, (x, *given, *results))


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
