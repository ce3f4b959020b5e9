"""Reductions over windows, as ``jax.lax`` has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastconv import dispatch, plan
from fastconv.calls import are_plain, recall, remember
from fastconv.lax.convolution import hashable
from fastconv.lax.trees import TREES, flatten, unflatten
from fastconv.problem import (
    Words,
    check_reduced,
    checked_array,
    checked_init,
    fold_problem,
    memory_order,
    pool_view,
    reduction_problem,
    reduction_start,
    reduction_window,
)

WORDS = Words(
    "reduce_window",
    x="operand",
    size="window_dimensions",
    strides="window_strides",
    dilation="window_dilation",
    allow_empty=True,
)
NAMES: dict[Any, str] = {np.add: "sum", np.multiply: "prod", np.maximum: "max", np.minimum: "min"}


def reduce_window(
    operand,
    init_value,
    computation,
    window_dimensions,
    window_strides=None,
    padding="VALID",
    base_dilation=None,
    window_dilation=None,
):
    """Reduce every window of an array, or of several at once, by any function of two values.

    Parameters
    ----------
    operand : ndarray of any shape, or a tuple, list or dict of ndarrays of one shape
    init_value : scalar of the operand's dtype, or a tree of them like `operand`
        Every window starts from it, once. A number of Python's takes the operand's dtype.
    computation : callable
        ``computation(accumulated, element)``: `fastconv.lax.add`, `mul`, `max`, `min`, `bitwise_and`,
        `bitwise_or`, `bitwise_xor`, a binary ufunc, or any function of two values, or of two trees of them
        like `operand`, that returns one. It is called with the elements that are no padding, in row-major
        order, and with whole arrays of them if it does the same to those.
    window_dimensions : sequence of int, one per axis
    window_strides : sequence of int, one per axis, optional
        1 where they are not given.
    padding : {"VALID", "SAME", "SAME_LOWER"}, in any case, or a (low, high) pair per axis
        Padding is no element of any window. Negative numbers crop.
    base_dilation, window_dilation : sequence of int, one per axis, optional
        Distances between neighbouring elements of the operand, and of a window.

    Returns
    -------
    ndarray, or a tree of them like `operand`
        In the operand's dtype. Sums and products of float16 and bfloat16 by `add` and `mul` are taken in
        float32 and rounded once.

    Raises
    ------
    ValueError, TypeError : as JAX; RuntimeError for a word that is no padding.

    Examples
    --------
    >>> x = np.array([3.0, 1.0, 4.0, 1.0, 5.0])
    >>> fastconv.lax.reduce_window(x, -np.inf, fastconv.lax.max, (3,))
    array([4., 4., 5.])
    >>> def larger(a, b):  # with its position
    ...     keep = a[0] >= b[0]
    ...     return np.where(keep, a[0], b[0]), np.where(keep, a[1], b[1])
    >>> fastconv.lax.reduce_window((x, np.arange(5)), (-np.inf, -1), larger, (3,))[1]
    array([2, 2, 4])
    """
    steps = dict(
        size=hashable(window_dimensions),
        strides=hashable(window_strides),
        padding=hashable(padding),
        base_dilation=hashable(base_dilation),
        dilation=hashable(window_dilation),
    )
    name = NAMES.get(computation) if isinstance(computation, np.ufunc) else None
    if name and isinstance(operand, np.ndarray) and not isinstance(init_value, TREES):
        return _named(operand, init_value, name, steps)
    return _folded(operand, init_value, computation, steps)


def _named(operand: np.ndarray, init_value: Any, name: str, steps: dict[str, Any]) -> np.ndarray:
    """Reduce by a function that has kernels of its own, as a pooling; or do again what an equal call did."""
    key = None
    if type(operand) is np.ndarray and are_plain(steps.values()):
        shapes = operand.shape, operand.strides, operand.dtype
        start = type(init_value), repr(init_value)
        key = WORDS.op, name, dispatch.wanted_backend("auto"), *shapes, *start, *steps.values()
        known = recall(key)
        if known and operand.flags.aligned:
            ready, shape, o = known
            return ready.anew(operand.reshape(shape)).reshape(o)
    array = checked_array(WORDS, "operand", operand)
    check_reduced(WORDS, name, array.dtype)
    window = reduction_window(WORDS, array.shape, **steps)
    init = reduction_start(WORDS, name, init_value, array.dtype)
    shape, layout, inner = pool_view(window)
    x = array.reshape(shape)
    canonical = x.transpose(layout.x)
    order = memory_order(canonical.shape, canonical.strides)
    problem = reduction_problem(WORDS, layout, shape, inner, array.dtype, name, init, order)
    ready = plan.make(WORDS, layout, problem, "auto")
    if key and array is operand:
        remember(key, (ready, shape, window.o))
    return ready.anew(x).reshape(window.o)


def _folded(operand: Any, init_value: Any, computation: Callable, steps: dict[str, Any]) -> Any:
    """Fold arrays by any function, tap by tap."""
    if not callable(computation):
        raise TypeError(f"reduce_window: `computation` must be a function of two; got {computation!r}")
    operands, form = flatten(operand)
    inits, other = flatten(init_value)
    if form != other or not operands:
        raise ValueError(
            "reduce_window: `init_value` must have a number for each array of `operand`, at least one, in "
            f"the same tuples, lists or dicts; got {len(inits)} for {len(operands)}"
        )
    x = tuple(checked_array(WORDS, "operand", array) for array in operands)
    dtypes = tuple(array.dtype for array in x)
    if isinstance(computation, np.ufunc):
        for dtype in dtypes:
            check_reduced(WORDS, computation.__name__, dtype)
    if any(array.shape != x[0].shape for array in x):
        raise ValueError(
            f"reduce_window: `operand` must have arrays of one shape; got {[array.shape for array in x]}"
        )
    window = reduction_window(WORDS, x[0].shape, **steps)
    starts = tuple(checked_init(WORDS, init, dtype) for init, dtype in zip(inits, dtypes, strict=True))
    problem = fold_problem(WORDS, window, dtypes, starts, _flat(computation, form))
    return unflatten(form, plan.fold(WORDS, problem, x))


def _flat(computation: Callable, form: Any) -> Callable:
    """Return a function of lists of leaves that does what `computation` does with trees."""

    def reduction(accumulated, elements):
        results, got = flatten(computation(unflatten(form, accumulated), unflatten(form, elements)))
        if got != form:
            raise ValueError(
                "reduce_window: `computation` must return a tree like `operand`; "
                f"got {len(results)} values in another form for {len(elements)}"
            )
        return tuple(results)

    reduction.__name__ = getattr(computation, "__name__", "fn")
    return reduction
