"""Pooling and windows in the words of ``keras.ops``."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from functools import partial

import numpy as np

from fastconv import adaptive, calls, jitted, plan
from fastconv.problem import (
    Layout,
    PoolProblem,
    Words,
    check_size,
    checked_array,
    checked_dtype,
    per_axis,
    planned_shape,
    pool_problem,
    truth,
)
from fastconv.problem.pool import NAMED, REDUCTIONS, pool_dtypes
from fastconv.view import windows as view_windows

MAX, MIN, AVERAGE = Words("max_pool"), Words("min_pool"), Words("average_pool")
POOL, WINDOWS = Words("pool"), Words("windows", size="size")
ADAPTIVE_MAX = Words("adaptive_max_pool", size="output_size")
ADAPTIVE_AVERAGE = Words("adaptive_average_pool", size="output_size")


def max_pool(
    inputs,
    pool_size,
    strides=None,
    padding="valid",
    data_format="channels_last",
    *,
    dilation_rate=1,
    backend="auto",
    out=None,
):
    """Take the largest element of every window.

    ``y[n, o, c] = max_k x[n, o*s + k*d - before, c]`` over the elements that are not padding.

    Parameters
    ----------
    inputs : array_like, shape (n, *i, c), or (n, c, *i) with ``data_format="channels_first"``
        Any number of spatial axes.
    pool_size : int or sequence of int, one per spatial axis
    strides : int or sequence of int, one per spatial axis, optional
        `pool_size` if not given.
    padding : str, int, or sequence with an int or a (before, after) pair per spatial axis
        As in `conv`, without ``"causal"``.
    data_format : {"channels_last", "channels_first"}
    dilation_rate : int or sequence of int, one per spatial axis
    backend : str
        As in `conv`.
    out : ndarray, optional
        Where to write the result. It must not overlap `inputs`.

    Returns
    -------
    ndarray, shape (n, *o, c), or (n, c, *o) with ``data_format="channels_first"``
        ``o = (i + before + after - (k - 1) * d - 1) // s + 1``, in the dtype of `inputs`. A window
        with a NaN gives NaN. A window wholly in the padding gives the least number of the dtype. The
        sign of a zero is unspecified.

    Raises
    ------
    ValueError : shapes or options break a rule; the message names it.
    TypeError : an argument is of a type that cannot be meant.
    NotImplementedError : `backend` was named and cannot compute this; the message lists why.

    Examples
    --------
    >>> fastconv.max_pool(np.array([1, 5, 2, 3, 4]).reshape(1, 5, 1), 2)[0, :, 0]
    array([5, 3])
    """
    return _pool(MAX, inputs, pool_size, strides, padding, data_format, dilation_rate, "max", backend, out)


def min_pool(
    inputs,
    pool_size,
    strides=None,
    padding="valid",
    data_format="channels_last",
    *,
    dilation_rate=1,
    backend="auto",
    out=None,
):
    """Take the smallest element of every window.

    Parameters
    ----------
    inputs, pool_size, strides, padding, data_format, dilation_rate, backend, out
        As in `max_pool`.

    Returns
    -------
    ndarray, shape (n, *o, c), or (n, c, *o) with ``data_format="channels_first"``
        As of `max_pool`; a window wholly in the padding gives the greatest number of the dtype.

    Raises
    ------
    ValueError, TypeError, NotImplementedError : as `max_pool`.

    Examples
    --------
    >>> fastconv.min_pool(np.array([1, 5, 2, 3, 4]).reshape(1, 5, 1), 2)[0, :, 0]
    array([1, 2])
    """
    return _pool(MIN, inputs, pool_size, strides, padding, data_format, dilation_rate, "min", backend, out)


def average_pool(
    inputs,
    pool_size,
    strides=None,
    padding="valid",
    data_format="channels_last",
    *,
    dilation_rate=1,
    count_include_pad=False,
    backend="auto",
    out=None,
):
    """Take the mean of every window.

    Parameters
    ----------
    inputs, pool_size, strides, padding, data_format, dilation_rate, backend, out
        As in `max_pool`.
    count_include_pad : bool
        Whether padding counts, as zeros; if not, a sum is divided by the elements that are not
        padding.

    Returns
    -------
    ndarray, shape (n, *o, c), or (n, c, *o) with ``data_format="channels_first"``
        In the dtype of `inputs`, float64 for integers. float16 is summed in float32 and rounded once.
        A window wholly in the padding gives NaN.

    Raises
    ------
    ValueError, TypeError, NotImplementedError : as `max_pool`.

    Examples
    --------
    >>> x = np.array([1, 5, 2, 3, 4]).reshape(1, 5, 1)
    >>> fastconv.average_pool(x, 2, padding="same")[0, :, 0]
    array([3. , 2.5, 4. ])
    >>> fastconv.average_pool(x, 2, padding="same", count_include_pad=True)[0, :, 0]
    array([3. , 2.5, 2. ])
    """
    divisor = "padded" if truth(AVERAGE, "count_include_pad", count_include_pad) else "real"
    return _pool(
        AVERAGE,
        inputs,
        pool_size,
        strides,
        padding,
        data_format,
        dilation_rate,
        "mean",
        backend,
        out,
        divisor,
    )


def pool(
    inputs,
    pool_size,
    strides=None,
    padding="valid",
    data_format="channels_last",
    *,
    fn=np.max,
    dilation_rate=1,
    backend="auto",
):
    """Reduce every window with any function.

    Parameters
    ----------
    inputs, pool_size, strides, padding, data_format, dilation_rate, backend
        As in `max_pool`.
    fn : callable
        ``np.max``, ``np.min``, ``np.mean``, ``np.sum``, ``np.prod`` and the binary ufuncs run on the
        fast backends. Any other function is called for every window and channel with the elements
        that are not padding, as a 1-D array in row-major order, and returns one number; it is called
        once more, with ones, to learn the dtype of its result. One that ``numba.njit`` made is called
        by compiled code, on several threads.

    Returns
    -------
    ndarray, shape (n, *o, c), or (n, c, *o) with ``data_format="channels_first"``

    Raises
    ------
    ValueError, TypeError, NotImplementedError : as `max_pool`.

    Examples
    --------
    >>> x = np.array([1, 5, 2, 3, 4]).reshape(1, 5, 1)
    >>> fastconv.pool(x, 3, strides=1, fn=np.median)[0, :, 0]
    array([2., 3., 3.])
    """
    if not callable(fn):
        raise TypeError(f"pool: `fn` must be a function of a 1-D array; got {fn!r}")
    return _pool(
        POOL,
        inputs,
        pool_size,
        strides,
        padding,
        data_format,
        dilation_rate,
        _reduction(fn),
        backend,
        None,
    )


def adaptive_max_pool(inputs, output_size, data_format="channels_last"):
    """Take the largest element of each of `output_size` windows that together cover the input.

    Output `o` of `m` reduces inputs ``o*i // m`` up to, not including, ``ceil((o + 1) * i / m)``.

    Parameters
    ----------
    inputs : array_like, shape (n, *i, c), or (n, c, *i) with ``data_format="channels_first"``
    output_size : int or sequence of int, one per spatial axis
    data_format : {"channels_last", "channels_first"}

    Returns
    -------
    ndarray, shape (n, *output_size, c), or (n, c, *output_size) with ``"channels_first"``

    Raises
    ------
    ValueError, TypeError : as `max_pool`.

    Examples
    --------
    >>> fastconv.adaptive_max_pool(np.array([1, 5, 2, 3, 4]).reshape(1, 5, 1), 2)[0, :, 0]
    array([5, 4])
    """
    return _adaptive(ADAPTIVE_MAX, inputs, output_size, data_format, "max")


def adaptive_average_pool(inputs, output_size, data_format="channels_last"):
    """Take the mean of each of `output_size` windows that together cover the input.

    Parameters
    ----------
    inputs, output_size, data_format
        As in `adaptive_max_pool`.

    Returns
    -------
    ndarray, shape (n, *output_size, c), or (n, c, *output_size) with ``"channels_first"``
        Dtypes as of `average_pool`.

    Raises
    ------
    ValueError, TypeError : as `max_pool`.

    Examples
    --------
    >>> fastconv.adaptive_average_pool(np.array([1, 5, 3, 3, 4]).reshape(1, 5, 1), 2)[0, :, 0]
    array([3.        , 3.33333333])
    """
    return _adaptive(ADAPTIVE_AVERAGE, inputs, output_size, data_format, "mean")


def windows(inputs, size, strides=1, padding="valid", dilation_rate=1, data_format="channels_last"):
    """View every window of an array; nothing is copied but to pad.

    Parameters
    ----------
    inputs : array_like, shape (n, *i, c), or (n, c, *i) with ``data_format="channels_first"``
    size : int or sequence of int, one per spatial axis
    strides, padding, dilation_rate, data_format
        As in `max_pool`, but windows move by 1 if `strides` is not given. Padding is zeros.

    Returns
    -------
    ndarray, shape (n, *o, c, *size), or (n, c, *o, *size) with ``data_format="channels_first"``
        Read-only; it shares memory with `inputs` where nothing is padded.

    Raises
    ------
    ValueError, TypeError : as `max_pool`.

    Examples
    --------
    >>> fastconv.windows(np.arange(5).reshape(1, 5, 1), 3, strides=2)[0, :, 0]
    array([[0, 1, 2],
           [2, 3, 4]])
    """
    x = checked_array(WINDOWS, "inputs", inputs)
    layout = Layout.of(WINDOWS, data_format, x.ndim)
    problem = pool_problem(
        WINDOWS,
        layout,
        x.shape,
        x.dtype,
        size,
        strides=strides,
        padding=padding,
        dilation=dilation_rate,
    )
    view = view_windows(problem.window, x.transpose(layout.x)).view()
    view.flags.writeable = False
    taps = range(x.ndim, view.ndim)
    return view.transpose(*np.argsort(layout.y), *taps)


def plan_pool(
    input_shape,
    pool_size,
    strides=None,
    padding="valid",
    data_format="channels_last",
    *,
    reduction="max",
    dilation_rate=1,
    count_include_pad=False,
    dtype=np.float32,
    backend="auto",
):
    """Prepare a pooling once, to call it on many inputs of one shape.

    Parameters
    ----------
    input_shape : sequence of int
        Shape of the inputs, batch and channels included.
    pool_size, strides, padding, data_format, dilation_rate, count_include_pad, backend
        As in `average_pool`.
    reduction : {"max", "min", "mean", "sum", "prod"}
    dtype : dtype
        Of the inputs.

    Returns
    -------
    Plan
        ``plan(x, out=None)`` gives what the function of that reduction would.

    Raises
    ------
    ValueError, TypeError, NotImplementedError : as `max_pool`.

    Examples
    --------
    >>> plan = fastconv.plan_pool((1, 5, 1), 2, dtype=np.int64)
    >>> plan(np.array([1, 5, 2, 3, 4]).reshape(1, 5, 1))[0, :, 0]
    array([5, 3])
    """
    words = Words("plan_pool")
    if not isinstance(reduction, str) or reduction not in REDUCTIONS:
        raise ValueError(f"plan_pool: `reduction` must be one of {', '.join(REDUCTIONS)}; got {reduction!r}")
    shape = planned_shape(words, input_shape)
    layout = Layout.of(words, data_format, len(shape))
    problem = pool_problem(
        words,
        layout,
        shape,
        checked_dtype(words, "dtype", dtype, shape),
        pool_size,
        strides=strides,
        padding=padding,
        dilation=dilation_rate,
        reduction=reduction,
        divisor="padded" if truth(words, "count_include_pad", count_include_pad) else "real",
    )
    return plan.make(words, layout, problem, backend)


def _pool(
    words,
    inputs,
    size,
    strides,
    padding,
    data_format,
    dilation,
    reduction,
    backend,
    out,
    divisor="real",
) -> np.ndarray:
    """State a problem of a given array and compute it, or do again what an equal call did."""
    options = {
        "size": size,
        "strides": strides,
        "padding": padding,
        "dilation": dilation,
        "divisor": divisor,
    }
    state = pool_problem if type(reduction) is str else _general_problem
    ready, x = calls.reduction(words, state, inputs, data_format, options, reduction, backend)
    if out is None:
        return ready.anew(x)
    return ready.run(x, out, inputs if isinstance(inputs, np.ndarray) else None)


def _general_problem(words, layout, x_shape, x_dtype, *, reduction, **options) -> PoolProblem:
    """State the problem of a caller's function, which may result in another dtype."""
    problem = pool_problem(words, layout, x_shape, x_dtype, reduction=reduction, **options)
    return replace(problem, y_dtype=_result_dtype(reduction, problem))


def _reduction(fn):
    """Return the name of a function that has one, or something that computes it and may be hashed."""
    for known, name in NAMED.items():
        if fn is known:
            return name
    return fn if isinstance(fn, Hashable) else partial(fn)


def _result_dtype(fn, problem) -> np.dtype:
    """Learn the dtype that a caller's function results in; a binary ufunc must keep the input's."""
    if isinstance(fn, np.ufunc) and fn.nin == 2:
        if problem.identity is None and problem.init is None:
            _check_elements(problem, fn)
        try:
            fn.reduce(np.ones(2, problem.x_dtype), dtype=problem.acc_dtype)
        except TypeError as error:
            raise TypeError(
                "pool: `fn` must take and give the dtype of `inputs`; "
                f"got {fn.__name__} and {problem.x_dtype}"
            ) from error
        return problem.y_dtype
    if jitted.is_jitted(fn):
        return jitted.result_dtype(fn, np.ones(problem.window.taps, problem.x_dtype))
    result = np.asarray(fn(np.ones(problem.window.taps, problem.x_dtype)))
    if result.ndim or result.dtype.kind not in "biufc":
        raise TypeError(
            f"pool: `fn` must return one number for a 1-D array; got {result.dtype} of shape {result.shape}"
        )
    return result.dtype


def _check_elements(problem, fn) -> None:
    """Refuse windows without elements for a function that has no result for none."""
    _, counts = problem.divisor_factors()
    if any(along.size and along.min() == 0 for along in counts):
        raise ValueError(
            f"pool: `fn` must have an identity where a window holds no more than padding; got {fn.__name__} "
            f"and windows {problem.window.k} over {problem.window.i} padded by {problem.window.p}"
        )


def _in_layout(layout: Layout, shape: tuple[int, ...], sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Return `shape` with other spatial sizes."""
    new = dict(zip(layout.x[1:-1], sizes, strict=True))
    return tuple(new.get(axis, size) for axis, size in enumerate(shape))


def _adaptive(words, inputs, output_size, data_format, reduction) -> np.ndarray:
    """Pool by the table where windows are even, unevenly by NumPy elsewhere."""
    x = checked_array(words, "inputs", inputs)
    layout = Layout.of(words, data_format, x.ndim)
    spatial = layout.x[1:-1]
    sizes = per_axis(words, "output_size", output_size, len(spatial))
    even = tuple(divmod(x.shape[axis], m) for axis, m in zip(spatial, sizes, strict=True))
    check_size(words, _in_layout(layout, x.shape, sizes), pool_dtypes(reduction, x.dtype)[1])
    if 0 not in x.shape[1:] and any(rest for _, rest in even):
        return adaptive.pool(x, spatial, sizes, reduction)
    k = tuple(max(size, 1) for size, _ in even)
    return _pool(words, x, k, None, "valid", data_format, 1, reduction, "auto", None)
