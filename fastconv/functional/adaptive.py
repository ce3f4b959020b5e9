"""Pooling to a given size in the words of ``torch.nn.functional``: adaptive and fractional."""

from __future__ import annotations

import numpy as np

from fastconv import adaptive, calls, fractional, regions
from fastconv.functional.batch import as_given, checked_batch
from fastconv.problem import Words, checked_array, pool_problem, truth
from fastconv.problem.arrangement import (
    adaptive_sizes,
    check_not_empty,
    check_samples,
    even_size,
    fractional_sizes,
)


def _words(op: str, ranks: tuple[int, ...] = (1, 2, 3)) -> dict[int, Words]:
    return {rank: Words(f"{op}{rank}d", x="input", size="kernel_size") for rank in ranks}


AVERAGE, MAX = _words("adaptive_avg_pool"), _words("adaptive_max_pool")
FRACTIONAL = _words("fractional_max_pool", (2, 3))


def adaptive_avg_pool1d(input, output_size):
    """Take means of windows that together cover sequences: `adaptive_avg_pool2d` with one spatial axis.

    Parameters
    ----------
    input : array_like, shape (n, c, i) or (c, i)
    output_size : int

    Returns
    -------
    ndarray, shape (n, c, output_size) or (c, output_size)

    Raises
    ------
    ValueError, TypeError : as `adaptive_avg_pool2d`.

    Examples
    --------
    >>> fastconv.functional.adaptive_avg_pool1d(np.array([[1.0, 5, 3, 3, 4]]), 2)
    array([[3.        , 3.33333333]])
    """
    return _averages(1, input, output_size)


def adaptive_avg_pool2d(input, output_size):
    """Take means of windows that together cover images, as ``torch.nn.functional.adaptive_avg_pool2d`` does.

    Output `o` of `m` reduces inputs ``o*i // m`` up to, not including, ``ceil((o + 1) * i / m)``.

    Parameters
    ----------
    input : array_like, shape (n, c, i0, i1) or, without a batch, (c, i0, i1)
        Of a float dtype.
    output_size : int, or sequence with an int or None per spatial axis
        None is the input's size.

    Returns
    -------
    ndarray, shape (n, c, *output_size) or (c, *output_size)

    Raises
    ------
    ValueError : shapes or options break a rule; the message names it.
    TypeError : an argument is of a type that cannot be meant.

    Examples
    --------
    >>> fastconv.functional.adaptive_avg_pool2d(np.arange(12.0).reshape(1, 3, 4), (1, None))
    array([[[4., 5., 6., 7.]]])
    """
    return _averages(2, input, output_size)


def adaptive_avg_pool3d(input, output_size):
    """Take means of windows that together cover volumes: `adaptive_avg_pool2d` with three spatial axes.

    Parameters
    ----------
    input : array_like, shape (n, c, *i) or (c, *i)
    output_size
        As in `adaptive_avg_pool2d`.

    Returns
    -------
    ndarray, shape (n, c, *output_size) or (c, *output_size)

    Raises
    ------
    ValueError, TypeError : as `adaptive_avg_pool2d`.

    Examples
    --------
    >>> fastconv.functional.adaptive_avg_pool3d(np.ones((2, 4, 5, 6)), 3).shape
    (2, 3, 3, 3)
    """
    return _averages(3, input, output_size)


def adaptive_max_pool1d(input, output_size, return_indices=False):
    """Take maxima of windows that together cover sequences: `adaptive_max_pool2d` with one spatial axis.

    Parameters
    ----------
    input : array_like, shape (n, c, i) or (c, i)
    output_size : int
    return_indices : bool

    Returns
    -------
    ndarray, shape (n, c, output_size) or (c, output_size); or a pair of them with `return_indices`

    Raises
    ------
    ValueError, TypeError : as `adaptive_avg_pool2d`.

    Examples
    --------
    >>> fastconv.functional.adaptive_max_pool1d(np.array([[1.0, 5, 2, 3, 4]]), 2)
    array([[5., 4.]])
    """
    return _maxima(1, input, output_size, return_indices)


def adaptive_max_pool2d(input, output_size, return_indices=False):
    """Take maxima of windows that together cover images, as ``torch.nn.functional.adaptive_max_pool2d`` does.

    Parameters
    ----------
    input, output_size
        As in `adaptive_avg_pool2d`, which has the windows too.
    return_indices : bool
        Whether to return positions too, as `max_pool2d` has them.

    Returns
    -------
    ndarray, shape (n, c, *output_size) or (c, *output_size); or a pair of them with `return_indices`

    Raises
    ------
    ValueError, TypeError : as `adaptive_avg_pool2d`.

    Examples
    --------
    >>> x = np.arange(12.0).reshape(1, 3, 4)
    >>> fastconv.functional.adaptive_max_pool2d(x, 2, return_indices=True)[1]
    array([[[ 5,  7],
            [ 9, 11]]])
    """
    return _maxima(2, input, output_size, return_indices)


def adaptive_max_pool3d(input, output_size, return_indices=False):
    """Take maxima of windows that together cover volumes: `adaptive_max_pool2d` with three spatial axes.

    Parameters
    ----------
    input : array_like, shape (n, c, *i) or (c, *i)
    output_size, return_indices
        As in `adaptive_max_pool2d`.

    Returns
    -------
    ndarray, shape (n, c, *output_size) or (c, *output_size); or a pair of them with `return_indices`

    Raises
    ------
    ValueError, TypeError : as `adaptive_avg_pool2d`.

    Examples
    --------
    >>> fastconv.functional.adaptive_max_pool3d(np.ones((2, 4, 5, 6)), (None, 1, 2)).shape
    (2, 4, 1, 2)
    """
    return _maxima(3, input, output_size, return_indices)


def adaptive_max_pool1d_with_indices(input, output_size, return_indices=False):
    """Return what `adaptive_max_pool1d` does with `return_indices`, whatever that is here.

    Examples
    --------
    >>> fastconv.functional.adaptive_max_pool1d_with_indices(np.array([[1.0, 5, 2]]), 1)
    (array([[5.]]), array([[1]]))
    """
    return _maxima(1, input, output_size, True)


def adaptive_max_pool2d_with_indices(input, output_size, return_indices=False):
    """Return what `adaptive_max_pool2d` does with `return_indices`, whatever that is here.

    Examples
    --------
    >>> fastconv.functional.adaptive_max_pool2d_with_indices(np.array([[[1.0, 5], [2, 3]]]), 1)
    (array([[[5.]]]), array([[[1]]]))
    """
    return _maxima(2, input, output_size, True)


def adaptive_max_pool3d_with_indices(input, output_size, return_indices=False):
    """Return what `adaptive_max_pool3d` does with `return_indices`, whatever that is here.

    Examples
    --------
    >>> fastconv.functional.adaptive_max_pool3d_with_indices(np.array([[[[1.0, 5], [2, 3]]]]), 1)
    (array([[[[5.]]]]), array([[[[1]]]]))
    """
    return _maxima(3, input, output_size, True)


def fractional_max_pool2d(
    input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None
):
    """Take maxima of windows of one size at uneven distances, as PyTorch's ``fractional_max_pool2d`` does.

    Parameters
    ----------
    input : array_like, shape (n, c, i0, i1) or, without a batch, (c, i0, i1)
        Of a float dtype.
    kernel_size : int or sequence of int, one per spatial axis
    output_size : int or sequence of int, one per spatial axis, optional
    output_ratio : sequence of numbers from 0 to 1, one per spatial axis, optional
        Of the output's size to the input's, where `output_size` is not given.
    return_indices : bool
        Whether to return positions too, as `max_pool2d` has them.
    _random_samples : array_like, shape (n, c, 2), optional
        Numbers from 0 to 1, in the dtype of `input`, that distances are drawn from: the first along the
        last axis. They are random if not given.

    Returns
    -------
    ndarray, shape (n, c, *output_size) or (c, *output_size); or a pair of them with `return_indices`

    Raises
    ------
    ValueError : shapes or options break a rule; the message names it.
    TypeError : an argument is of a type that cannot be meant.

    Examples
    --------
    >>> x = np.arange(25.0).reshape(1, 5, 5)
    >>> fastconv.functional.fractional_max_pool2d(x, 2, 2, _random_samples=np.full((1, 1, 2), 0.5))
    array([[[ 6.,  9.],
            [21., 24.]]])
    """
    options = kernel_size, output_size, output_ratio, return_indices, _random_samples
    return _fractional(2, input, *options)


def fractional_max_pool3d(
    input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None
):
    """Take maxima of windows of one size at uneven distances, as PyTorch's ``fractional_max_pool3d`` does.

    Parameters
    ----------
    input : array_like, shape (n, c, *i) or, without a batch, (c, *i)
    kernel_size, output_size, output_ratio, return_indices
        As in `fractional_max_pool2d`; one ratio may stand for all axes, and there must be one element more
        on every axis than windows and outputs add up to.
    _random_samples : array_like, shape (n, c, 3), optional
        As in `fractional_max_pool2d`, but the first numbers are along the first axis.

    Returns
    -------
    ndarray, shape (n, c, *output_size) or (c, *output_size); or a pair of them with `return_indices`

    Raises
    ------
    ValueError, TypeError : as `fractional_max_pool2d`.

    Examples
    --------
    >>> fastconv.functional.fractional_max_pool3d(np.ones((2, 6, 5, 4)), 2, output_ratio=0.5).shape
    (2, 3, 2, 2)
    """
    options = kernel_size, output_size, output_ratio, return_indices, _random_samples
    return _fractional(3, input, *options)


def fractional_max_pool2d_with_indices(
    input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None
):
    """Return what `fractional_max_pool2d` does with `return_indices`, whatever that is here.

    Examples
    --------
    >>> fastconv.functional.fractional_max_pool2d_with_indices(np.array([[[1.0, 5], [2, 3]]]), 2, 1)
    (array([[[5.]]]), array([[[1]]]))
    """
    return _fractional(2, input, kernel_size, output_size, output_ratio, True, _random_samples)


def fractional_max_pool3d_with_indices(
    input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None
):
    """Return what `fractional_max_pool3d` does with `return_indices`, whatever that is here.

    Examples
    --------
    >>> fastconv.functional.fractional_max_pool3d_with_indices(np.ones((1, 2, 2, 2)), 1, 1)
    (array([[[[1.]]]]), array([[[[7]]]]))
    """
    return _fractional(3, input, kernel_size, output_size, output_ratio, True, _random_samples)


def _checked(words, rank, input) -> tuple[np.ndarray, bool]:
    """Return an input with a batch, and whether it had one; nothing else of it may be empty."""
    x, has_batch = checked_batch(words, rank, input)
    check_not_empty(words, x.shape)
    return x, has_batch


def _averages(rank, input, output_size) -> np.ndarray:
    """Average windows of an input that may lack a batch."""
    words = AVERAGE[rank]
    x, has_batch = _checked(words, rank, input)
    sizes = adaptive_sizes(words, x, output_size)
    k = even_size(x.shape[2:], sizes)
    if k is None:
        y = adaptive.pool(x, tuple(range(2, x.ndim)), sizes, "mean")
    else:
        ready, x = _even(words, x, k, "mean", 0)
        y = ready.anew(x)
    return as_given(y, has_batch)


def _maxima(rank, input, output_size, return_indices):
    """Take maxima of windows of an input that may lack a batch."""
    words = MAX[rank]
    return_indices = truth(words, "return_indices", return_indices)
    x, has_batch = _checked(words, rank, input)
    sizes = adaptive_sizes(words, x, output_size)
    k = even_size(x.shape[2:], sizes)
    if k is not None:
        ready, x = _even(words, x, k, "max", int(return_indices))
        y = ready.with_indices(x) if return_indices else ready.anew(x)
    elif return_indices:
        y = regions.largest(x, *adaptive.boxes(x.shape[2:], sizes))
    else:
        y = adaptive.pool(x, tuple(range(2, x.ndim)), sizes, "max")
    return as_given(y, has_batch)


def _even(words, x, k, function, indices):
    """Plan windows that are all of one size."""
    options = dict(size=k, indices=indices)
    return calls.reduction(words, pool_problem, x, "channels_first", options, function, "auto")


def _fractional(rank, input, size, output_size, output_ratio, return_indices, samples):
    """Take maxima of unevenly spaced windows of an input that may lack a batch."""
    words = FRACTIONAL[rank]
    return_indices = truth(words, "return_indices", return_indices)
    x, has_batch = _checked(words, rank, input)
    k, o = fractional_sizes(words, x.shape[2:], size, output_size, output_ratio)
    if samples is None:
        samples = np.random.default_rng().random((*x.shape[:2], rank)).astype(x.dtype)
    samples = checked_array(words, "_random_samples", samples)
    check_samples(words, samples, x)
    y = fractional.pool(x, k, o, samples)
    return as_given(y if return_indices else y[0], has_batch)
