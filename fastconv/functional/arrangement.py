"""What moves elements about, in the words of ``torch.nn.functional``."""

from __future__ import annotations

import numpy as np

from fastconv import fold as folding
from fastconv import padding, shuffle, unpool
from fastconv.functional.batch import as_given, checked_batch
from fastconv.problem import Words, check_size, checked_array, per_axis
from fastconv.problem.arrangement import (
    block_window,
    check_blocks,
    check_frame,
    check_not_empty,
    check_positions,
    checked_fill,
    checked_pads,
    shuffled_channels,
    unpooled_sizes,
    unshuffled_sizes,
)
from fastconv.problem.functional import check_dtype, number


def _words(op: str, size: str = "kernel_size") -> Words:
    return Words(op, x="input", size=size, strides="stride", dilation="dilation")


FOLD, UNFOLD, PAD = map(_words, ("fold", "unfold", "pad"))
SHUFFLE, UNSHUFFLE = _words("pixel_shuffle", "upscale_factor"), _words("pixel_unshuffle", "downscale_factor")
UNPOOL = {rank: _words(f"max_unpool{rank}d") for rank in (1, 2, 3)}


def unfold(input, kernel_size, dilation=1, padding=0, stride=1):
    """Lay the blocks of images that a window sees side by side, as ``torch.nn.functional.unfold`` does.

    ``y[n, (c, k), o] = x[n, c, o*s + k*d - p]``

    Parameters
    ----------
    input : array_like, shape (n, c, i0, i1) or, without a batch, (c, i0, i1)
        Of a float or complex dtype, or bool.
    kernel_size, dilation, padding, stride : int or sequence of 2 ints
        Padding is zeros on either side.

    Returns
    -------
    ndarray, shape (n, c * k0 * k1, o0 * o1), or without `n`
        ``o = (i + 2*p - (k - 1)*d - 1) // s + 1``

    Raises
    ------
    ValueError : shapes or options break a rule; the message names it.
    TypeError : an argument is of a type that cannot be meant.

    Examples
    --------
    >>> fastconv.functional.unfold(np.arange(6.0).reshape(1, 2, 3), 2)
    array([[0., 1.],
           [1., 2.],
           [3., 4.],
           [4., 5.]])
    """
    x, has_batch = checked_batch(UNFOLD, 2, input)
    check_not_empty(UNFOLD, x.shape)
    window = block_window(UNFOLD, x.shape[2:], kernel_size, dilation, padding, stride)
    check_frame(UNFOLD, window, x)
    return as_given(folding.unfold(window, x), has_batch)


def fold(input, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """Add blocks up to images, as ``torch.nn.functional.fold`` does: the transpose of `unfold`.

    ``y[n, c, o*s + k*d - p] += x[n, (c, k), o]``

    Parameters
    ----------
    input : array_like, shape (n, c * k0 * k1, o0 * o1) or, without a batch, (c * k0 * k1, o0 * o1)
        Of a float or complex dtype, or bool.
    output_size : int or sequence of 2 ints
    kernel_size, dilation, padding, stride
        As in `unfold`.

    Returns
    -------
    ndarray, shape (n, c, *output_size) or (c, *output_size)

    Raises
    ------
    ValueError, TypeError : as `unfold`.

    Examples
    --------
    >>> fastconv.functional.fold(np.ones((4, 2)), (2, 3), 2)
    array([[[1., 2., 1.],
            [1., 2., 1.]]])
    """
    x, has_batch = checked_batch(FOLD, 1, input)
    sizes = per_axis(FOLD, "output_size", output_size, 2)
    window = block_window(FOLD, sizes, kernel_size, dilation, padding, stride)
    check_blocks(FOLD, window, x.shape)
    check_frame(FOLD, window, x)
    return as_given(folding.fold(window, x), has_batch)


def pad(input, pad, mode="constant", value=None):
    """Pad or crop the last axes of an array, as ``torch.nn.functional.pad`` does.

    Parameters
    ----------
    input : array_like, any shape with ``mode="constant"``; else (n, c, *i) or (c, *i), 1 to 3 spatial axes
    pad : sequence of int
        ``(before, after)`` of the last axis, then of the one before it, and so on. Negative numbers crop.
    mode : {"constant", "reflect", "replicate", "circular"}
        What to pad with: `value`, or the axis mirrored at its edge elements, those repeated, or the
        other end of what cropping left. The first works on any number of axes, the others on all but
        batch and channels.
    value : number, optional
        0 if not given; an integer dtype keeps what is before its point.

    Returns
    -------
    ndarray

    Raises
    ------
    ValueError, TypeError : as `unfold`.

    Examples
    --------
    >>> x = np.array([[1, 2, 3, 4]])
    >>> fastconv.functional.pad(x, (2, 1), "reflect")
    array([[3, 2, 1, 2, 3, 4, 3]])
    >>> fastconv.functional.pad(x, (-1, 1, 0, 1), value=9)
    array([[2, 3, 4, 9],
           [9, 9, 9, 9]])
    """
    x = checked_array(PAD, "input", input)
    pairs = checked_pads(PAD, x.shape, pad, mode)
    if mode in ("reflect", "replicate"):
        check_dtype(PAD, x.dtype)
    return padding.pad(x, pairs, mode, checked_fill(PAD, mode, value, x.dtype))


def pixel_shuffle(input, upscale_factor):
    """Turn channels into pixels, as ``torch.nn.functional.pixel_shuffle`` does.

    ``y[..., c, h*r + a, w*r + b] = x[..., (c*r + a)*r + b, h, w]``

    Parameters
    ----------
    input : array_like, shape (..., c * r * r, h, w)
    upscale_factor : int
        `r` above.

    Returns
    -------
    ndarray, shape (..., c, h * r, w * r)

    Raises
    ------
    ValueError, TypeError : as `unfold`.

    Examples
    --------
    >>> fastconv.functional.pixel_shuffle(np.arange(4).reshape(4, 1, 1), 2)
    array([[[0, 1],
            [2, 3]]])
    """
    x = checked_array(SHUFFLE, "input", input)
    r = number(SHUFFLE, SHUFFLE.size, upscale_factor)
    return shuffle.shuffle(x, shuffled_channels(SHUFFLE, x.shape, r), r)


def pixel_unshuffle(input, downscale_factor):
    """Turn pixels into channels, as ``torch.nn.functional.pixel_unshuffle`` does: undo `pixel_shuffle`.

    Parameters
    ----------
    input : array_like, shape (..., c, h * r, w * r)
    downscale_factor : int
        `r` above.

    Returns
    -------
    ndarray, shape (..., c * r * r, h, w)

    Raises
    ------
    ValueError, TypeError : as `unfold`.

    Examples
    --------
    >>> fastconv.functional.pixel_unshuffle(np.arange(4).reshape(1, 2, 2), 2)[:, 0, 0]
    array([0, 1, 2, 3])
    """
    x = checked_array(UNSHUFFLE, "input", input)
    r = number(UNSHUFFLE, UNSHUFFLE.size, downscale_factor)
    return shuffle.unshuffle(x, *unshuffled_sizes(UNSHUFFLE, x.shape, r), r)


def max_unpool1d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Put maxima of sequences back where they were: `max_unpool2d` with one spatial axis.

    Parameters
    ----------
    input, indices : array_like, shape (n, c, o) or (c, o)
    kernel_size, stride, padding, output_size
        As in `max_unpool2d`.

    Returns
    -------
    ndarray, shape (n, c, i) or (c, i)

    Raises
    ------
    ValueError, TypeError : as `max_unpool2d`.

    Examples
    --------
    >>> fastconv.functional.max_unpool1d(np.array([[5.0, 4]]), np.array([[1, 3]]), 2)
    array([[0., 5., 0., 4.]])
    """
    return _unpool(1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Put maxima of images back where they were, zeros elsewhere: as ``torch.nn.functional.max_unpool2d``.

    Parameters
    ----------
    input : array_like, shape (n, c, o0, o1) or, without a batch, (c, o0, o1)
        Of a float dtype.
    indices : array_like of int64, of the same shape
        Where each element goes, as `max_pool2d` returns it; of two that go to one place the last stays.
    kernel_size, stride, padding : int or sequence of 2 ints
        Of the pooling that is undone. `stride` is `kernel_size` if not given.
    output_size : sequence of int, optional
        Spatial sizes of the result, or its whole shape; within a stride of what the other options give.

    Returns
    -------
    ndarray, shape (n, c, i0, i1) or (c, i0, i1)
        ``i = (o - 1)*s + k - 2*p`` if `output_size` is not given.

    Raises
    ------
    ValueError : shapes or options break a rule; the message names it.
    TypeError : an argument is of a type that cannot be meant.

    Examples
    --------
    >>> y, at = fastconv.functional.max_pool2d(np.arange(4.0).reshape(1, 2, 2), 2, return_indices=True)
    >>> fastconv.functional.max_unpool2d(y, at, 2)
    array([[[0., 0.],
            [0., 3.]]])
    """
    return _unpool(2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Put maxima of volumes back where they were: `max_unpool2d` with three spatial axes.

    Parameters
    ----------
    input, indices : array_like, shape (n, c, *o) or (c, *o)
    kernel_size, stride, padding, output_size
        As in `max_unpool2d`.

    Returns
    -------
    ndarray, shape (n, c, *i) or (c, *i)

    Raises
    ------
    ValueError, TypeError : as `max_unpool2d`.

    Examples
    --------
    >>> x, at = np.ones((1, 1, 1, 1)), np.array([[[[7]]]])
    >>> fastconv.functional.max_unpool3d(x, at, 2)[0, 1]
    array([[0., 0.],
           [0., 1.]])
    """
    return _unpool(3, input, indices, kernel_size, stride, padding, output_size)


def _unpool(rank, input, indices, size, stride, padding, output_size) -> np.ndarray:
    """Unpool an input that may lack a batch."""
    words = UNPOOL[rank]
    x, has_batch = checked_batch(words, rank, input)
    at = checked_array(words, "indices", indices)
    sizes = unpooled_sizes(words, x.shape[2:], size, stride, padding, output_size)
    check_size(words, (*x.shape[:2], *sizes), x.dtype)
    check_positions(words, x if has_batch else x[0], at, sizes)
    return as_given(unpool.unpool(x, at.reshape(x.shape), sizes), has_batch)
