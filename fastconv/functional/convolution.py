"""Convolutions in the words of ``torch.nn.functional``."""

from __future__ import annotations

import numpy as np

from fastconv import calls
from fastconv.functional.batch import with_batch
from fastconv.problem import Words, checked_array
from fastconv.problem.functional import (
    check_same_dtype,
    grouped_conv_problem,
    grouped_transpose_problem,
)


def _words(op: str) -> Words:
    return Words(op, x="input", w="weight", strides="stride", dilation="dilation")


CONV1D, CONV2D, CONV3D = map(_words, ("conv1d", "conv2d", "conv3d"))
TRANSPOSE1D, TRANSPOSE2D, TRANSPOSE3D = map(
    _words, ("conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
)


def conv1d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolve sequences: `conv2d` with one spatial axis.

    Parameters
    ----------
    input : array_like, shape (n, g * ic, i) or (g * ic, i)
    weight : array_like, shape (g * oc, ic, k)
    bias, stride, padding, dilation, groups
        As in `conv2d`.

    Returns
    -------
    ndarray, shape (n, g * oc, o) or (g * oc, o)

    Raises
    ------
    ValueError, TypeError : as `conv2d`.

    Examples
    --------
    >>> fastconv.functional.conv1d(np.ones((1, 5)), np.ones((1, 1, 3)), padding="same")
    array([[2., 3., 3., 3., 2.]])
    """
    return _forward(CONV1D, 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolve images as ``torch.nn.functional.conv2d`` does.

    ``y[n, f, o] = bias[f] + sum_{c, k} x[n, c, o*s + k*d - p] * w[f, c, k]`` over the channels of the group
    that output `f` is of.

    Parameters
    ----------
    input : array_like, shape (n, g * ic, i0, i1) or, without a batch, (g * ic, i0, i1)
    weight : array_like, shape (g * oc, ic, k0, k1)
    bias : array_like, shape (g * oc,), optional
    stride : int or sequence of int, one per spatial axis or one for all
    padding : int, sequence of int, "valid" or "same"
        Zeros on either side. "same" keeps the spatial sizes, pads the end more where the total is odd,
        and goes with a stride of 1 alone.
    dilation : int or sequence of int, one per spatial axis or one for all
        Distance between neighbouring taps of the weights in the input.
    groups : int
        `g` above.

    Returns
    -------
    ndarray, shape (n, g * oc, o0, o1) or (g * oc, o0, o1)
        ``o = (i + 2*p - (k - 1)*d - 1) // s + 1``, of the dtype that all arguments share: a float or complex
        dtype or an integer one, in which sums wrap around.

    Raises
    ------
    ValueError : shapes or options break a rule; the message names it.
    TypeError : an argument is of a type that cannot be meant, or of another dtype than `input`.

    Examples
    --------
    >>> x, w = np.ones((1, 2, 4, 5)), np.ones((3, 2, 2, 2))
    >>> fastconv.functional.conv2d(x, w, stride=2)[0, 0]
    array([[8., 8.],
           [8., 8.]])
    """
    return _forward(CONV2D, 2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolve volumes: `conv2d` with three spatial axes.

    Parameters
    ----------
    input : array_like, shape (n, g * ic, *i) or (g * ic, *i)
    weight : array_like, shape (g * oc, ic, *k)
    bias, stride, padding, dilation, groups
        As in `conv2d`.

    Returns
    -------
    ndarray, shape (n, g * oc, *o) or (g * oc, *o)

    Raises
    ------
    ValueError, TypeError : as `conv2d`.

    Examples
    --------
    >>> fastconv.functional.conv3d(np.ones((2, 4, 5, 6)), np.ones((3, 2, 2, 2, 2))).shape
    (3, 3, 4, 5)
    """
    return _forward(CONV3D, 3, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """Transpose a convolution of sequences: `conv_transpose2d` with one spatial axis.

    Parameters
    ----------
    input : array_like, shape (n, g * ic, i) or (g * ic, i)
    weight : array_like, shape (g * ic, oc, k)
    bias, stride, padding, output_padding, groups, dilation
        As in `conv_transpose2d`.

    Returns
    -------
    ndarray, shape (n, g * oc, o) or (g * oc, o)

    Raises
    ------
    ValueError, TypeError : as `conv_transpose2d`.

    Examples
    --------
    >>> fastconv.functional.conv_transpose1d([[1.0, 2.0]], [[[1.0, 10.0]]], stride=2)
    array([[ 1., 10.,  2., 20.]])
    """
    return _transpose(TRANSPOSE1D, 1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """Transpose a convolution of images as ``torch.nn.functional.conv_transpose2d`` does.

    ``y[n, f, i*s + k*d - p] += x[n, c, i] * w[c, f, k]`` for every input of the group that output `f` is of,
    then bias: the gradient of `conv2d` with respect to its input, used for upsampling.

    Parameters
    ----------
    input : array_like, shape (n, g * ic, i0, i1) or, without a batch, (g * ic, i0, i1)
    weight : array_like, shape (g * ic, oc, k0, k1)
    bias : array_like, shape (g * oc,), optional
    stride, dilation : int or sequence of int, one per spatial axis or one for all
    padding : int or sequence of int
        Outputs taken off either side.
    output_padding : int or sequence of int, less than stride or dilation
        Outputs added at the end.
    groups : int
        `g` above.

    Returns
    -------
    ndarray, shape (n, g * oc, o0, o1) or (g * oc, o0, o1)
        ``o = (i - 1)*s - 2*p + (k - 1)*d + 1 + output_padding``, of the dtype that all arguments share: a
        float or complex dtype or int64, in which sums wrap around.

    Raises
    ------
    ValueError, TypeError : as `conv2d`.

    Examples
    --------
    >>> x, w = np.ones((1, 2, 2)), np.ones((1, 1, 2, 3))
    >>> fastconv.functional.conv_transpose2d(x, w, stride=(1, 2))
    array([[[1., 1., 2., 1., 1.],
            [2., 2., 4., 2., 2.],
            [1., 1., 2., 1., 1.]]])
    """
    return _transpose(TRANSPOSE2D, 2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """Transpose a convolution of volumes: `conv_transpose2d` with three spatial axes.

    Parameters
    ----------
    input : array_like, shape (n, g * ic, *i) or (g * ic, *i)
    weight : array_like, shape (g * ic, oc, *k)
    bias, stride, padding, output_padding, groups, dilation
        As in `conv_transpose2d`.

    Returns
    -------
    ndarray, shape (n, g * oc, *o) or (g * oc, *o)

    Raises
    ------
    ValueError, TypeError : as `conv_transpose2d`.

    Examples
    --------
    >>> x, w = np.ones((2, 4, 5, 6)), np.ones((2, 3, 2, 2, 2))
    >>> fastconv.functional.conv_transpose3d(x, w, stride=2).shape
    (3, 8, 10, 12)
    """
    return _transpose(TRANSPOSE3D, 3, input, weight, bias, stride, padding, output_padding, groups, dilation)


def _forward(words, rank, input, weight, bias, stride, padding, dilation, groups) -> np.ndarray:
    """Convolve by weights of `rank` taps' axes."""
    options = dict(strides=stride, padding=padding, dilation=dilation, groups=groups)
    return _convolve(words, grouped_conv_problem, rank, input, weight, bias, options)


def _transpose(
    words, rank, input, weight, bias, stride, padding, output_padding, groups, dilation
) -> np.ndarray:
    """Transpose a convolution by weights of `rank` taps' axes."""
    options = dict(strides=stride, padding=padding, output_padding=output_padding, groups=groups)
    options["dilation"] = dilation
    return _convolve(words, grouped_transpose_problem, rank, input, weight, bias, options)


def _convolve(words, state, rank, input, weight, bias, options) -> np.ndarray:
    """Compute what `state` states, for an input that may lack a batch."""
    x, has_batch = with_batch(words, rank, input)
    w = weight if type(weight) is np.ndarray else checked_array(words, words.w, weight)
    if bias is not None:
        bias = bias if type(bias) is np.ndarray else checked_array(words, "bias", bias)
        check_same_dtype(words, "bias", bias.dtype, x.dtype)
    y = calls.convolve(words, state, x, w, "channels_first", options, bias, None, "auto", None)
    return y if has_batch else y[0]
