"""Convolutions, as ``jax.lax`` has them."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.calls import convolve
from fastconv.lax.dimensions import ConvDimensionNumbers, layout
from fastconv.lax.precision import check_precision
from fastconv.problem import (
    Words,
    check_batch_groups,
    check_ranks,
    checked_array,
    general_conv_problem,
    transposed_pads,
    truth,
)


def words(op: str, **names: str) -> Words:
    """Name arguments as JAX does."""
    usual = dict(x="lhs", w="rhs", strides="window_strides", dilation="rhs_dilation", base="lhs_dilation")
    return Words(op, **usual | names, allow_empty=True)


GENERAL = words("conv_general_dilated")
CONV = words("conv")
PADDED = words("conv_with_general_padding")
TRANSPOSE = words("conv_transpose", strides="strides")

DEFAULTS = (("NC", "IO"), ("NHC", "HIO"), ("NHWC", "HWIO"), ("NHWDC", "HWDIO"))  # of conv_transpose, by rank


def conv_general_dilated(
    lhs,
    rhs,
    window_strides,
    padding,
    lhs_dilation=None,
    rhs_dilation=None,
    dimension_numbers=None,
    feature_group_count=1,
    batch_group_count=1,
    precision=None,
    preferred_element_type=None,
    out_sharding=None,
):
    """Convolve arrays of any number of spatial axes, in any order of axes.

    Parameters
    ----------
    lhs : array_like, shape (n, c, *i), or as `dimension_numbers` say
    rhs : array_like, shape (f, c / feature_group_count, *k), or as `dimension_numbers` say
        The kernel; it is not flipped.
    window_strides : sequence of int, one per spatial axis
    padding : {"VALID", "SAME", "SAME_LOWER"}, in any case, or a (low, high) pair per spatial axis
        The odd element of "SAME" goes to the end, that of "SAME_LOWER" to the beginning. Negative numbers
        crop.
    lhs_dilation : sequence of int, one per spatial axis, optional
        Distance between neighbouring elements of `lhs`, zeros being put between them.
    rhs_dilation : sequence of int, one per spatial axis, optional
        Distance between neighbouring taps of `rhs`.
    dimension_numbers : None, ConvDimensionNumbers, or three str, optional
        See `conv_dimension_numbers`. Strides, padding and dilations follow the spatial letters of `rhs`.
    feature_group_count : int
        Groups that the channels of `lhs` and of the result are divided into.
    batch_group_count : int
        Groups that the batch of `lhs` and the channels of the result are divided into.
    precision : None, Precision, str, or two of them
        Has no effect.
    preferred_element_type : dtype, optional
        What to sum in and to give: of the same kind and no narrower, or a float for integers.
    out_sharding : None

    Returns
    -------
    ndarray, shape (n, f, *o), or as `dimension_numbers` say
        In the dtype of the arrays; of floats of different sizes, promoted as NumPy does. Integers wrap
        around; float16 and bfloat16 are summed in float32 and rounded once.

    Raises
    ------
    ValueError, TypeError : as JAX; RuntimeError for a word that is no padding.

    Examples
    --------
    >>> x, w = np.ones((1, 5, 6, 2), np.float32), np.ones((3, 3, 2, 4), np.float32)
    >>> numbers = ("NHWC", "HWIO", "NHWC")
    >>> fastconv.lax.conv_general_dilated(x, w, (1, 2), "SAME", dimension_numbers=numbers).shape
    (1, 5, 3, 4)
    """
    if out_sharding is not None:
        raise TypeError(
            f"conv_general_dilated: `out_sharding` must be None, there being one device; got {out_sharding!r}"
        )
    steps = window_strides, padding, lhs_dilation, rhs_dilation
    if isinstance(batch_group_count, (int, np.integer)) and batch_group_count == 1:
        groups = feature_group_count
        return _convolve(
            GENERAL, lhs, rhs, *steps, dimension_numbers, groups, precision, preferred_element_type
        )
    lhs, numbers = _regrouped(lhs, rhs, dimension_numbers, feature_group_count, batch_group_count)
    return _convolve(GENERAL, lhs, rhs, *steps, numbers, batch_group_count, precision, preferred_element_type)


def conv(lhs, rhs, window_strides, padding, precision=None, preferred_element_type=None):
    """Convolve ``(n, c, *i)`` with ``(f, c, *k)`` into ``(n, f, *o)``.

    Parameters
    ----------
    lhs, rhs, window_strides, padding, precision, preferred_element_type
        As in `conv_general_dilated`.

    Returns
    -------
    ndarray, shape (n, f, *o)

    Raises
    ------
    ValueError, TypeError, RuntimeError : as `conv_general_dilated`.

    Examples
    --------
    >>> fastconv.lax.conv(np.ones((1, 1, 5)), np.ones((1, 1, 3)), (2,), "VALID")
    array([[[3., 3.]]])
    """
    steps = window_strides, padding, None, None
    return _convolve(CONV, lhs, rhs, *steps, None, 1, precision, preferred_element_type)


def conv_with_general_padding(
    lhs,
    rhs,
    window_strides,
    padding,
    lhs_dilation,
    rhs_dilation,
    precision=None,
    preferred_element_type=None,
):
    """Convolve ``(n, c, *i)`` with ``(f, c, *k)`` into ``(n, f, *o)``, dilated.

    Parameters
    ----------
    lhs, rhs, window_strides, padding, lhs_dilation, rhs_dilation, precision, preferred_element_type
        As in `conv_general_dilated`.

    Returns
    -------
    ndarray, shape (n, f, *o)

    Raises
    ------
    ValueError, TypeError, RuntimeError : as `conv_general_dilated`.

    Examples
    --------
    >>> x, w = np.arange(4.0).reshape(1, 1, 4), np.ones((1, 1, 2))
    >>> fastconv.lax.conv_with_general_padding(x, w, (1,), [(0, 1)], None, (2,))
    array([[[2., 4., 2.]]])
    """
    steps = window_strides, padding, lhs_dilation, rhs_dilation
    return _convolve(PADDED, lhs, rhs, *steps, None, 1, precision, preferred_element_type)


def conv_transpose(
    lhs,
    rhs,
    strides,
    padding,
    rhs_dilation=None,
    dimension_numbers=None,
    transpose_kernel=False,
    precision=None,
    preferred_element_type=None,
    use_consistent_padding=False,
):
    """Convolve an input whose elements are spread by `strides`: the transpose of a convolution.

    Parameters
    ----------
    lhs : array_like, shape (n, *i, c), or as `dimension_numbers` say
    rhs : array_like, shape (*k, c, f), or as `dimension_numbers` say
        Not flipped.
    strides : sequence of int, one per spatial axis
    padding : {"SAME", "VALID"}, or a (low, high) pair per spatial axis
        Words are the padding of the convolution that is transposed, pairs that of the spread input.
    rhs_dilation, precision, preferred_element_type
        As in `conv_general_dilated`.
    dimension_numbers : ConvDimensionNumbers or three str, optional
        ``("NHWC", "HWIO", "NHWC")`` by default, of up to 3 spatial axes.
    transpose_kernel : bool
        Flip the kernel and exchange its channels: it is that of the convolution which is transposed, as in
        Keras and PyTorch.
    use_consistent_padding : bool
        Pairs too are the padding of the convolution that is transposed, as in PyTorch.

    Returns
    -------
    ndarray, shape (n, *o, f), or as `dimension_numbers` say
        ``o = i * s`` for "SAME", ``i * s + max(k - s, 0)`` for "VALID".

    Raises
    ------
    ValueError, TypeError, RuntimeError : as `conv_general_dilated`.

    Examples
    --------
    >>> x, w = np.array([1.0, 2.0]).reshape(1, 2, 1), np.array([1.0, 10.0]).reshape(2, 1, 1)
    >>> fastconv.lax.conv_transpose(x, w, (2,), "VALID")[0, :, 0]
    array([10.,  1., 20.,  2.])
    >>> fastconv.lax.conv_transpose(x, w, (2,), "VALID", transpose_kernel=True)[0, :, 0]
    array([ 1., 10.,  2., 20.])
    """
    lhs, rhs = (checked_array(TRANSPOSE, name, a) for name, a in (("lhs", lhs), ("rhs", rhs)))
    check_ranks(TRANSPOSE, lhs.shape, rhs.shape)
    rank = lhs.ndim - 2
    if dimension_numbers is None:
        if rank >= len(DEFAULTS):
            raise ValueError(
                "conv_transpose: `dimension_numbers` must be given for more than 3 spatial axes; "
                f"got None for {rank} (lhs {lhs.shape})"
            )
        x_letters, w_letters = DEFAULTS[rank]
        dimension_numbers = x_letters, w_letters, x_letters
    _, (*taps, inner, outer) = layout("conv_transpose", dimension_numbers, lhs.ndim)
    is_consistent = truth(TRANSPOSE, "use_consistent_padding", use_consistent_padding)
    if is_consistent or (isinstance(padding, str) and padding in ("SAME", "VALID")):
        k = tuple(rhs.shape[a] for a in taps)
        padding = transposed_pads(TRANSPOSE, padding, k, strides, rhs_dilation)
    if truth(TRANSPOSE, "transpose_kernel", transpose_kernel):
        rhs = np.flip(rhs, tuple(taps)).swapaxes(inner, outer)
    steps = (1,) * rank, padding, strides, rhs_dilation
    return _convolve(TRANSPOSE, lhs, rhs, *steps, dimension_numbers, 1, precision, preferred_element_type)


def _convolve(
    words: Words,
    lhs: Any,
    rhs: Any,
    strides: Any,
    padding: Any,
    lhs_dilation: Any,
    rhs_dilation: Any,
    dimension_numbers: Any,
    groups: Any,
    precision: Any,
    result: Any,
) -> np.ndarray:
    """Translate axes and options, and compute."""
    if precision is not None:
        check_precision(words.op, precision)
    if type(lhs) is not np.ndarray:
        lhs = checked_array(words, words.x, lhs)
    if type(rhs) is not np.ndarray or rhs.dtype.kind not in "biufc":
        rhs = checked_array(words, words.w, rhs)
    check_ranks(words, lhs.shape, rhs.shape)
    where, kernel_axes = layout(words.op, dimension_numbers, lhs.ndim)
    options = dict(
        strides=hashable(strides),
        padding=hashable(padding),
        base_dilation=hashable(lhs_dilation),
        dilation=hashable(rhs_dilation),
        groups=groups,
        result=result if result is None else named(words, result),
        written=rhs.shape,
    )
    rhs = rhs.transpose(kernel_axes)
    return convolve(words, general_conv_problem, lhs, rhs, where, options, None, None, "auto", None)


def hashable(option: Any) -> Any:
    """Return lists as tuples: then a call can be recalled by its options."""
    if type(option) is not list:
        return option
    return tuple(tuple(each) if type(each) is list else each for each in option)


def named(words: Words, dtype: Any) -> Any:
    """Return a dtype by its name."""
    try:
        return np.dtype(dtype).name
    except TypeError:
        raise TypeError(f"{words.op}: `preferred_element_type` must name a dtype; got {dtype!r}") from None


def _regrouped(lhs, rhs, dimension_numbers, features, groups):
    """Lay groups of the batch side by side as groups of channels, and say where the axes are then."""
    x, w = (checked_array(GENERAL, name, a) for name, a in (("lhs", lhs), ("rhs", rhs)))
    check_ranks(GENERAL, x.shape, w.shape)
    where, kernel_axes = layout(GENERAL.op, dimension_numbers, x.ndim)
    n, outputs = x.shape[where.x[0]], w.shape[kernel_axes[-1]]
    check_batch_groups(GENERAL, n, outputs, groups, features, f"(lhs {x.shape}, rhs {w.shape})")
    x = np.concatenate(np.split(x.transpose(where.x), groups), axis=-1)
    *spatial, inner, outer = kernel_axes
    numbers = ConvDimensionNumbers(
        (0, x.ndim - 1, *range(1, x.ndim - 1)),
        (outer, inner, *spatial),
        (where.y[0], where.y[-1], *where.y[1:-1]),
    )
    return x, numbers
