"""Dimension numbers: which axis of an array is what, as three strings or as axes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from fastconv.problem import Layout

LETTERS = ("N", "C"), ("O", "I"), ("N", "C")


class ConvDimensionNumbers(NamedTuple):
    """Axes of a convolution's arrays: batch, channels, the spatial ones; of the kernel, out, in and those.

    Spatial axes are in one order in all three, which strides, padding and dilations follow.
    """

    lhs_spec: Sequence[int]
    rhs_spec: Sequence[int]
    out_spec: Sequence[int]


def conv_dimension_numbers(lhs_shape, rhs_shape, dimension_numbers) -> ConvDimensionNumbers:
    """Turn dimension numbers of any form into axes.

    Parameters
    ----------
    lhs_shape, rhs_shape : sequence of int
        Shapes of the input and of the kernel.
    dimension_numbers : None, ConvDimensionNumbers, or three str
        Strings have a letter for each axis: "N" and "C" of batch and channels of the input and of the
        result, "O" and "I" of the kernel's, and any others for spatial axes, which may be in another order
        in each. None means ``("NCHW", "OIHW", "NCHW")``, with as many spatial axes as there are.

    Returns
    -------
    ConvDimensionNumbers

    Raises
    ------
    TypeError : the strings do not say where each axis is.

    Examples
    --------
    >>> fastconv.lax.conv_dimension_numbers((1, 8, 9, 3), (2, 2, 3, 4), ("NHWC", "HWIO", "NHWC"))
    ConvDimensionNumbers(lhs_spec=(0, 3, 1, 2), rhs_spec=(3, 2, 0, 1), out_spec=(0, 3, 1, 2))
    """
    if isinstance(dimension_numbers, ConvDimensionNumbers):
        return dimension_numbers
    if len(lhs_shape) != len(rhs_shape):
        raise TypeError(
            "conv_dimension_numbers: `lhs_shape` and `rhs_shape` must have the same length; "
            f"got {len(lhs_shape)} and {len(rhs_shape)}"
        )
    return read("conv_dimension_numbers", dimension_numbers, len(lhs_shape))


def read(op: str, dimension_numbers: Any, ndim: int | None) -> ConvDimensionNumbers:
    """Read dimension numbers of arrays of `ndim` axes, or of any number if that is None."""
    if dimension_numbers is None and ndim is not None:
        axes = tuple(range(ndim))
        return ConvDimensionNumbers(axes, axes, axes)
    rule = f"{op}: `dimension_numbers` must be"
    if not isinstance(dimension_numbers, (tuple, list)) or len(dimension_numbers) != 3:
        raise TypeError(f"{rule} None, ConvDimensionNumbers or three strings; got {dimension_numbers!r}")
    if isinstance(dimension_numbers, ConvDimensionNumbers) and ndim is not None:
        return _checked(rule, dimension_numbers, ndim)
    if not all(isinstance(spec, str) for spec in dimension_numbers):
        raise TypeError(f"{rule} three strings; got {dimension_numbers!r}")
    if ndim is not None and any(len(spec) != ndim for spec in dimension_numbers):
        raise TypeError(f"{rule} strings of a letter for each of {ndim} axes; got {dimension_numbers!r}")
    for spec, letters in zip(dimension_numbers, LETTERS, strict=True):
        if len(set(spec)) != len(spec) or not set(letters) <= set(spec):
            raise TypeError(
                f"{rule} strings with {' and '.join(letters)} and no letter twice; got {spec!r} "
                f"in {dimension_numbers!r}"
            )
    lhs, rhs, out = dimension_numbers
    if not set(lhs) - set("NC") == set(rhs) - set("OI") == set(out) - set("NC"):
        raise TypeError(f"{rule} strings with the same spatial letters; got {dimension_numbers!r}")
    spatial = [letter for letter in rhs if letter not in "OI"]
    specs = zip(dimension_numbers, LETTERS, strict=True)
    return ConvDimensionNumbers(*(tuple(map(spec.index, (*letters, *spatial))) for spec, letters in specs))


def _checked(rule: str, numbers: ConvDimensionNumbers, ndim: int) -> ConvDimensionNumbers:
    """Return axes as tuples of ints, if each spec has every axis once."""
    for spec in numbers:
        if sorted(spec) != list(range(ndim)):
            raise ValueError(
                f"{rule} each of {ndim} axes once in every spec; got {tuple(spec)} in {numbers!r}"
            )
    return ConvDimensionNumbers(*map(tuple, numbers))


def layout(op: str, dimension_numbers: Any, ndim: int) -> tuple[Layout, tuple[int, ...]]:
    """Return where the axes of input and result are, and the kernel's axes as ``(*k, in, out)``."""
    try:
        hash(dimension_numbers)
    except TypeError:
        dimension_numbers = read(op, dimension_numbers, ndim)
    return _layout(op, dimension_numbers, ndim)


@lru_cache(maxsize=256)
def _layout(op: str, dimension_numbers: Any, ndim: int) -> tuple[Layout, tuple[int, ...]]:
    if ndim < 2:
        raise TypeError(f"{op}: `lhs` must have a batch and a channel axis; got {ndim} axes")
    lhs, rhs, out = read(op, dimension_numbers, ndim)
    x, y = ((spec[0], *spec[2:], spec[1]) for spec in (lhs, out))
    return Layout(x, y), (*rhs[2:], rhs[1], rhs[0])
