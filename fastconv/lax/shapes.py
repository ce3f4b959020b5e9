"""Shapes and padding without computing: ``problem`` knows."""

from __future__ import annotations

from fastconv.lax.convolution import words
from fastconv.lax.dimensions import ConvDimensionNumbers, read
from fastconv.problem import Window, check_ranks, checked_sizes, general_window, transposed_pads, word_padding

PADS = words("padtype_to_pads", x="in_shape", w="window_shape")
GENERAL = words("conv_general_shape_tuple", x="lhs_shape", w="rhs_shape")
TRANSPOSE = words("conv_transpose_shape_tuple", x="lhs_shape", w="rhs_shape")


def padtype_to_pads(in_shape, window_shape, window_strides, padding):
    """Turn a word for padding into (low, high) pairs.

    Parameters
    ----------
    in_shape, window_shape, window_strides : sequence of int, one per axis
        Sizes of the input and of the windows, holes included, and how far they move.
    padding : {"VALID", "SAME", "SAME_LOWER"}, in any case

    Returns
    -------
    list of (low, high)

    Raises
    ------
    RuntimeError : the word is another one.
    TypeError, ValueError : an argument is of a type or length that cannot be meant.

    Examples
    --------
    >>> fastconv.lax.padtype_to_pads((5, 6), (3, 4), (1, 2), "SAME")
    [(1, 1), (1, 1)]
    """
    i, k = checked_sizes(PADS, "in_shape", in_shape), checked_sizes(PADS, "window_shape", window_shape)
    return list(word_padding(PADS, padding, i, k, window_strides))


def conv_general_shape_tuple(lhs_shape, rhs_shape, window_strides, padding, dimension_numbers):
    """Return the shape of a convolution's result.

    Parameters
    ----------
    lhs_shape, rhs_shape : sequence of int
    window_strides, padding
        As in `conv_general_dilated`.
    dimension_numbers : three str

    Returns
    -------
    tuple of int

    Raises
    ------
    ValueError, TypeError, RuntimeError : as `conv_general_dilated`.

    Examples
    --------
    >>> numbers = ("NHWC", "HWIO", "NHWC")
    >>> fastconv.lax.conv_general_shape_tuple((1, 5, 6, 2), (3, 3, 2, 4), (1, 2), "SAME", numbers)
    (1, 5, 3, 4)
    """
    x_shape, w_shape, numbers = _canonical(GENERAL, lhs_shape, rhs_shape, dimension_numbers)
    window = general_window(GENERAL, x_shape[2:], w_shape[2:], strides=window_strides, padding=padding)
    return _arranged(numbers, x_shape, w_shape, window)


def conv_transpose_shape_tuple(lhs_shape, rhs_shape, window_strides, padding, dimension_numbers):
    """Return the shape of a transposed convolution's result.

    Parameters
    ----------
    lhs_shape, rhs_shape : sequence of int
    window_strides : sequence of int
        Distances between neighbouring elements of the input.
    padding : {"SAME", "VALID"}, or a (low, high) pair per spatial axis
        Words are the padding of the convolution that is transposed, pairs that of the spread input.
    dimension_numbers : three str

    Returns
    -------
    tuple of int

    Raises
    ------
    ValueError, TypeError : as `conv_transpose`.

    Examples
    --------
    >>> numbers = ("NHWC", "HWIO", "NHWC")
    >>> fastconv.lax.conv_transpose_shape_tuple((1, 5, 6, 2), (3, 3, 2, 4), (1, 2), "SAME", numbers)
    (1, 5, 12, 4)
    """
    x_shape, w_shape, numbers = _canonical(TRANSPOSE, lhs_shape, rhs_shape, dimension_numbers)
    k = w_shape[2:]
    pads = (
        transposed_pads(TRANSPOSE, padding, k, window_strides, None) if isinstance(padding, str) else padding
    )
    spread = dict(strides=(1,) * len(k), padding=pads, base_dilation=window_strides)
    return _arranged(numbers, x_shape, w_shape, general_window(TRANSPOSE, x_shape[2:], k, **spread))


def _canonical(words, lhs_shape, rhs_shape, dimension_numbers):
    """Return shapes as (n, c, *i) and (f, c, *k), and the axes."""
    if isinstance(dimension_numbers, ConvDimensionNumbers) or dimension_numbers is None:
        raise TypeError(f"{words.op}: `dimension_numbers` must be three strings; got {dimension_numbers!r}")
    x_shape, w_shape = checked_sizes(words, words.x, lhs_shape), checked_sizes(words, words.w, rhs_shape)
    check_ranks(words, x_shape, w_shape)
    numbers = read(words.op, dimension_numbers, len(x_shape))
    return *(tuple(s[a] for a in spec) for s, spec in zip((x_shape, w_shape), numbers, strict=False)), numbers


def _arranged(numbers: ConvDimensionNumbers, x_shape, w_shape, window: Window) -> tuple[int, ...]:
    """Return the shape of a result, with its axes where they are to be."""
    return tuple(
        size for _, size in sorted(zip(numbers.out_spec, (x_shape[0], w_shape[0], *window.o), strict=True))
    )
