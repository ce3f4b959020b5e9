"""Max pooling in the words of ``torch.nn.functional``."""

from __future__ import annotations

import numpy as np

from fastconv import calls
from fastconv.functional.batch import as_given, with_batch
from fastconv.problem import Words, truth
from fastconv.problem.functional import flag, hanging_pool_problem


def _words(op: str) -> Words:
    return Words(op, x="input", size="kernel_size", strides="stride", dilation="dilation")


VALUES = {rank: _words(f"max_pool{rank}d") for rank in (1, 2, 3)}
BOTH = {rank: _words(f"max_pool{rank}d_with_indices") for rank in (1, 2, 3)}


def max_pool1d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """Take the largest element of every window of sequences: `max_pool2d` with one spatial axis.

    Parameters
    ----------
    input : array_like, shape (n, c, i) or (c, i)
        Integers only with `return_indices`, as in PyTorch.
    kernel_size, stride, padding, dilation, ceil_mode, return_indices
        As in `max_pool2d`.

    Returns
    -------
    ndarray, shape (n, c, o) or (c, o); or a pair of them with `return_indices`

    Raises
    ------
    ValueError, TypeError : as `max_pool2d`.

    Examples
    --------
    >>> fastconv.functional.max_pool1d(np.array([[1.0, 5, 2, 3, 4]]), 2, ceil_mode=True)
    array([[5., 3., 4.]])
    """
    options = kernel_size, stride, padding, dilation, ceil_mode
    return _pooled(1, return_indices, input, *options)


def max_pool2d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """Take the largest element of every window of images as ``torch.nn.functional.max_pool2d`` does.

    ``y[n, c, o] = max_k x[n, c, o*s + k*d - p]`` over the elements that are not padding.

    Parameters
    ----------
    input : array_like, shape (n, c, i0, i1) or, without a batch, (c, i0, i1)
    kernel_size : int or sequence of int, one per spatial axis or one for all
    stride : int or sequence of int, optional
        `kernel_size` if not given.
    padding : int or sequence of int
        On either side; at most half of `kernel_size`.
    dilation : int or sequence of int
    ceil_mode : bool
        Whether a last window may hang over the end; it must begin in the input or the padding before it.
    return_indices : bool
        Whether to return positions too.

    Returns
    -------
    ndarray, shape (n, c, o0, o1) or (c, o0, o1)
        ``o = (i + 2*p - (k - 1)*d - 1) // s + 1``, rounded up with `ceil_mode`; of the dtype of `input`, a
        float or integer one. A window with a NaN gives NaN.
    ndarray of int64, of the same shape, with `return_indices`
        Where each of them was: ``row * i1 + column``, for `max_unpool2d`. Of equal elements the first counts,
        but of NaNs the last. A window that meets no element has -1.

    Raises
    ------
    ValueError : shapes or options break a rule; the message names it.
    TypeError : an argument is of a type that cannot be meant.

    Examples
    --------
    >>> x = np.arange(12.0).reshape(1, 3, 4)
    >>> fastconv.functional.max_pool2d(x, 2, stride=(1, 2))
    array([[[ 5.,  7.],
            [ 9., 11.]]])
    >>> fastconv.functional.max_pool2d(-x, 2, stride=(1, 2), return_indices=True)[1]
    array([[[0, 2],
            [4, 6]]])
    """
    options = kernel_size, stride, padding, dilation, ceil_mode
    return _pooled(2, return_indices, input, *options)


def max_pool3d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """Take the largest element of every window of volumes: `max_pool2d` with three spatial axes.

    Parameters
    ----------
    input : array_like, shape (n, c, *i) or (c, *i)
    kernel_size, stride, padding, dilation, ceil_mode, return_indices
        As in `max_pool2d`.

    Returns
    -------
    ndarray, shape (n, c, *o) or (c, *o); or a pair of them with `return_indices`

    Raises
    ------
    ValueError, TypeError : as `max_pool2d`.

    Examples
    --------
    >>> fastconv.functional.max_pool3d(np.ones((2, 4, 5, 6)), 2).shape
    (2, 2, 2, 3)
    """
    options = kernel_size, stride, padding, dilation, ceil_mode
    return _pooled(3, return_indices, input, *options)


def max_pool1d_with_indices(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """Return what `max_pool1d` does with `return_indices`, whatever that is here.

    Examples
    --------
    >>> fastconv.functional.max_pool1d_with_indices(np.array([[1, 5, 2, 3]]), 2)
    (array([[5, 3]]), array([[1, 3]]))
    """
    return _both(1, input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool2d_with_indices(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """Return what `max_pool2d` does with `return_indices`, whatever that is here.

    Examples
    --------
    >>> fastconv.functional.max_pool2d_with_indices(np.array([[[1, 5], [2, 3]]]), 2)
    (array([[[5]]]), array([[[1]]]))
    """
    return _both(2, input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool3d_with_indices(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """Return what `max_pool3d` does with `return_indices`, whatever that is here.

    Examples
    --------
    >>> fastconv.functional.max_pool3d_with_indices(np.array([[[[1, 5], [2, 3]]]]), (1, 2, 2))
    (array([[[[5]]]]), array([[[[1]]]]))
    """
    return _both(3, input, kernel_size, stride, padding, dilation, ceil_mode)


def _pooled(rank, return_indices, *arguments):
    """Return maxima, and positions too if they are asked for."""
    return (_both if truth(VALUES[rank], "return_indices", return_indices) else _values)(rank, *arguments)


def _values(rank, input, *options) -> np.ndarray:
    """Pool an input that may lack a batch."""
    ready, x, has_batch = _planned(VALUES[rank], rank, input, 0, *options)
    y = ready.anew(x)
    return y if has_batch else y[0]


def _both(rank, input, *options) -> tuple[np.ndarray, np.ndarray]:
    """Pool an input that may lack a batch, into values and positions."""
    ready, x, has_batch = _planned(BOTH[rank], rank, input, 1, *options)
    return as_given(ready.with_indices(x), has_batch)


def _planned(words, rank, input, indices, size, stride, padding, dilation, ceil_mode):
    """Plan for an input; return it with a batch too, and whether it had one."""
    x, has_batch = with_batch(words, rank, input)
    ceil = int(flag(words, "ceil_mode", ceil_mode))
    options = dict(size=size, strides=stride, padding=padding, ceil=ceil, dilation=dilation, indices=indices)
    ready, x = calls.reduction(words, hanging_pool_problem, x, "channels_first", options, "max", "auto")
    return ready, x, has_batch
