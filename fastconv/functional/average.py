"""Average and power-average pooling in the words of ``torch.nn.functional``."""

from __future__ import annotations

import math

import numpy as np

from fastconv import calls, means
from fastconv.functional.batch import as_given, with_batch
from fastconv.functional.maximum import max_pool1d, max_pool2d, max_pool3d
from fastconv.plan import Plan
from fastconv.problem import Words, checked_array
from fastconv.problem.functional import checked_divisor, checked_norm, exact_size, flag, hanging_pool_problem


def _words(op: str) -> dict[int, Words]:
    return {r: Words(f"{op}{r}d", x="input", size="kernel_size", strides="stride") for r in (1, 2, 3)}


AVERAGE, POWER = _words("avg_pool"), _words("lp_pool")


def avg_pool1d(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    """Take the mean of every window of sequences: `avg_pool2d` with one spatial axis.

    Parameters
    ----------
    input : array_like, shape (n, c, i) or (c, i)
    kernel_size, stride, padding, ceil_mode, count_include_pad
        As in `avg_pool2d`.

    Returns
    -------
    ndarray, shape (n, c, o) or (c, o)

    Raises
    ------
    ValueError, TypeError : as `avg_pool2d`.

    Examples
    --------
    >>> fastconv.functional.avg_pool1d(np.array([[1.0, 5, 2, 4, 6]]), 2, ceil_mode=True)
    array([[3., 3., 6.]])
    """
    return _averages(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(
    input,
    kernel_size,
    stride=None,
    padding=0,
    ceil_mode=False,
    count_include_pad=True,
    divisor_override=None,
):
    """Take the mean of every window of images as ``torch.nn.functional.avg_pool2d`` does.

    ``y[n, c, o] = sum_k x[n, c, o*s + k - p] / divisor``

    Parameters
    ----------
    input : array_like, shape (n, c, i0, i1) or, without a batch, (c, i0, i1)
    kernel_size : int or sequence of int, one per spatial axis or one for all
    stride : int or sequence of int, optional
        `kernel_size` if not given.
    padding : int or sequence of int
        Zeros on either side; at most half of `kernel_size`.
    ceil_mode : bool
        Whether a last window may hang over the end; it must begin in the input or the padding before it.
    count_include_pad : bool
        Whether the divisor counts padding. What hangs over the padding it never counts.
    divisor_override : int, optional
        What to divide by instead.

    Returns
    -------
    ndarray, shape (n, c, o0, o1) or (c, o0, o1)
        Of the dtype of `input`, a float one or int64, in which quotients are rounded towards zero.

    Raises
    ------
    ValueError : shapes or options break a rule; the message names it.
    TypeError : an argument is of a type that cannot be meant.

    Examples
    --------
    >>> x = np.arange(12.0).reshape(1, 3, 4)
    >>> fastconv.functional.avg_pool2d(x, 2, stride=(1, 2))
    array([[[2.5, 4.5],
            [6.5, 8.5]]])
    """
    options = kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    return _averages(2, input, *options)


def avg_pool3d(
    input,
    kernel_size,
    stride=None,
    padding=0,
    ceil_mode=False,
    count_include_pad=True,
    divisor_override=None,
):
    """Take the mean of every window of volumes: `avg_pool2d` with three spatial axes.

    Parameters
    ----------
    input : array_like, shape (n, c, *i) or (c, *i)
    kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
        As in `avg_pool2d`.

    Returns
    -------
    ndarray, shape (n, c, *o) or (c, *o)

    Raises
    ------
    ValueError, TypeError : as `avg_pool2d`.

    Examples
    --------
    >>> fastconv.functional.avg_pool3d(np.ones((2, 4, 5, 6)), 2).shape
    (2, 2, 2, 3)
    """
    options = kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    return _averages(3, input, *options)


def lp_pool1d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """Take the power mean of every window of sequences: `lp_pool2d` with one spatial axis.

    Parameters
    ----------
    input : array_like, shape (n, c, i) or (c, i)
    norm_type, kernel_size, stride, ceil_mode
        As in `lp_pool2d`.

    Returns
    -------
    ndarray, shape (n, c, o) or (c, o)

    Raises
    ------
    ValueError, TypeError : as `lp_pool2d`.

    Examples
    --------
    >>> fastconv.functional.lp_pool1d(np.array([[3.0, 4, 6, 8]]), 2, 2)
    array([[ 5., 10.]])
    """
    return _power_means(1, max_pool1d, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """Take the power mean of every window of images as ``torch.nn.functional.lp_pool2d`` does.

    ``y[n, c, o] = (sum_k x[n, c, o*s + k] ** p) ** (1 / p)``; where a window hangs over, PyTorch's sum is
    the mean of what is there, times the size of a window.

    Parameters
    ----------
    input : array_like, shape (n, c, i0, i1) or, without a batch, (c, i0, i1)
    norm_type : number
        `p`; if infinite, the largest absolute value of a window is taken, or the smallest.
    kernel_size : int or sequence of int, one per spatial axis
    stride, ceil_mode
        As in `avg_pool2d`.

    Returns
    -------
    ndarray, shape (n, c, o0, o1) or (c, o0, o1)
        Of the dtype of `input`, a float one; float32 for int64, whose mean is rounded towards zero on the
        way. A root of a negative number is NaN.

    Raises
    ------
    ValueError, TypeError : as `avg_pool2d`.

    Examples
    --------
    >>> fastconv.functional.lp_pool2d(np.array([[[3.0, 4, 6, 8]]]), 2, (1, 2))
    array([[[ 5., 10.]]])
    """
    return _power_means(2, max_pool2d, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """Take the power mean of every window of volumes: `lp_pool2d` with three spatial axes.

    Parameters
    ----------
    input : array_like, shape (n, c, *i) or (c, *i)
    norm_type, kernel_size, stride, ceil_mode
        As in `lp_pool2d`.

    Returns
    -------
    ndarray, shape (n, c, *o) or (c, *o)

    Raises
    ------
    ValueError, TypeError : as `lp_pool2d`.

    Examples
    --------
    >>> fastconv.functional.lp_pool3d(np.ones((1, 2, 2, 4)), 3, 2)
    array([[[[2., 2.]]]])
    """
    return _power_means(3, max_pool3d, input, norm_type, kernel_size, stride, ceil_mode)


def _averages(rank, input, size, stride, padding, ceil_mode, include, override) -> np.ndarray:
    """Average an input that may lack a batch."""
    words = AVERAGE[rank]
    counted = "padded" if flag(words, "count_include_pad", include) else "real"
    divisor = counted if override is None else checked_divisor(words, override)
    return _means(words, rank, input, size, stride, padding, ceil_mode, divisor)[0]


def _power_means(rank, largest, input, p, size, stride, ceil_mode) -> np.ndarray:
    """Take power means of an input that may lack a batch; `largest` is the pooling of infinite powers."""
    words = POWER[rank]
    x = checked_array(words, words.x, input)
    p, size = checked_norm(words, p, x.dtype), exact_size(words, size, rank)
    if math.isinf(p):
        y = largest(means.signed(np.abs(x), p), size, stride, 0, 1, ceil_mode)
        return means.signed(y, p)
    y, ready = _means(words, rank, means.powers(x, p), size, stride, 0, ceil_mode, "padded")
    return means.roots(y, ready.problem.window.taps, p)


def _means(words, rank, input, size, stride, padding, ceil_mode, divisor) -> tuple[np.ndarray, Plan]:
    """Average an input that may lack a batch; return the plan that did it too."""
    x, has_batch = with_batch(words, rank, input)
    ceil = int(flag(words, "ceil_mode", ceil_mode))
    options = dict(size=size, strides=stride, padding=padding, ceil=ceil, divisor=divisor)
    function = "sum" if x.dtype.kind in "iu" else "mean"
    rest = "channels_first", options, function, "auto"
    ready, x = calls.reduction(words, hanging_pool_problem, x, *rest)
    y = ready.anew(x)
    if function == "sum":
        y = means.divided(ready.problem, y)
    return as_given(y, has_batch), ready
