"""Patches: what each window sees, laid out as channels; and convolution with weights of each window's own."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv import local
from fastconv.lax.convolution import words
from fastconv.lax.dimensions import layout
from fastconv.lax.precision import check_precision
from fastconv.problem import Layout, Window, Words, check_local, checked_array, general_dtypes, patches_window

PATCHES = words("conv_general_dilated_patches", w="filter_shape")
LOCAL = words("conv_general_dilated_local")


def conv_general_dilated_patches(
    lhs,
    filter_shape,
    window_strides,
    padding,
    lhs_dilation=None,
    rhs_dilation=None,
    dimension_numbers=None,
    precision=None,
    preferred_element_type=None,
):
    """Lay out what each window of a convolution sees as channels.

    Parameters
    ----------
    lhs : array_like, shape (n, c, *i), or as `dimension_numbers` say
    filter_shape : sequence of int, one per spatial axis
        Size of the window.
    window_strides, padding, lhs_dilation, rhs_dilation, dimension_numbers, precision
        As in `conv_general_dilated`.
    preferred_element_type : dtype, optional
        Of the result.

    Returns
    -------
    ndarray, shape (n, c * prod(filter_shape), *o), or as `dimension_numbers` say
        Channels count those of `lhs` and, within each, the taps in the order of the kernel's spatial letters.

    Raises
    ------
    ValueError, TypeError, RuntimeError : as `conv_general_dilated`.

    Examples
    --------
    >>> x = np.arange(4).reshape(1, 1, 4)
    >>> fastconv.lax.conv_general_dilated_patches(x, (2,), (1,), "VALID")[0]
    array([[0, 1, 2],
           [1, 2, 3]])
    """
    check_precision(PATCHES.op, precision)
    steps = filter_shape, window_strides, padding, lhs_dilation, rhs_dilation
    x, window, where = _seen(PATCHES, lhs, *steps, dimension_numbers)
    _, dtype = general_dtypes(PATCHES, x.dtype, x.dtype, preferred_element_type)
    y = local.patches(window, x.transpose(where.x))
    return np.ascontiguousarray(y.transpose(np.argsort(where.y)), dtype)


def conv_general_dilated_local(
    lhs,
    rhs,
    window_strides,
    padding,
    filter_shape,
    lhs_dilation=None,
    rhs_dilation=None,
    dimension_numbers=None,
    precision=None,
):
    """Convolve with a kernel of its own at every position: a locally connected layer.

    Parameters
    ----------
    lhs : array_like, shape (n, c, *i), or as `dimension_numbers` say
    rhs : array_like, shape (f, c * prod(filter_shape), *o), or as `dimension_numbers` say
        Spatial axes are those of the result; the input channels are those of `conv_general_dilated_patches`.
    filter_shape : sequence of int, one per spatial axis
    window_strides, padding, lhs_dilation, rhs_dilation, dimension_numbers, precision
        As in `conv_general_dilated`.

    Returns
    -------
    ndarray, shape (n, f, *o), or as `dimension_numbers` say

    Raises
    ------
    ValueError, TypeError, RuntimeError : as `conv_general_dilated`.

    Examples
    --------
    >>> x, w = np.array([[[1.0, 2.0, 3.0]]]), np.array([[[1.0, 10.0], [0.0, 1.0]]])
    >>> fastconv.lax.conv_general_dilated_local(x, w, (1,), "VALID", (2,))
    array([[[ 1., 23.]]])
    """
    check_precision(LOCAL.op, precision)
    steps = filter_shape, window_strides, padding, lhs_dilation, rhs_dilation
    x, window, where = _seen(LOCAL, lhs, *steps, dimension_numbers)
    w = checked_array(LOCAL, "rhs", rhs)
    kernel_axes = layout(LOCAL.op, dimension_numbers, x.ndim)[1]
    acc_dtype, dtype = check_local(LOCAL, window, x, w, x.shape[where.x[-1]], kernel_axes)
    w = w.transpose(kernel_axes).astype(acc_dtype, copy=False)
    y = local.conv(window, x.transpose(where.x).astype(acc_dtype, copy=False), w)
    with np.errstate(all="ignore"):  # float16 overflows
        return np.ascontiguousarray(y.transpose(np.argsort(where.y)), dtype)


def _seen(
    words: Words,
    lhs: Any,
    size: Any,
    strides: Any,
    padding: Any,
    lhs_dilation: Any,
    rhs_dilation: Any,
    dimension_numbers: Any,
) -> tuple[np.ndarray, Window, Layout]:
    """Return the input as it was checked, the window that slides over it, and where the axes are."""
    x = checked_array(words, "lhs", lhs)
    where, _ = layout(words.op, dimension_numbers, x.ndim)
    options = dict(strides=strides, padding=padding, base_dilation=lhs_dilation, dilation=rhs_dilation)
    return x, patches_window(words, where, x.shape, size, **options), where
