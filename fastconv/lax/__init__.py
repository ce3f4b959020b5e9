"""Convolutions and reductions over windows in the words of ``jax.lax``, on NumPy arrays.

Names, signatures, defaults and results are JAX's with 64-bit types enabled. Beyond it, floats of different
sizes mix: they are promoted as NumPy would. A computation of `reduce_window` may be one of the functions
here, any binary NumPy ufunc, or any function of two values.

>>> x = np.arange(6.0).reshape(1, 1, 6)
>>> fastconv.lax.conv(x, np.ones((1, 1, 3)), window_strides=(1,), padding="SAME")
array([[[ 1.,  3.,  6.,  9., 12.,  9.]]])
>>> fastconv.lax.reduce_window(np.arange(5), 0, fastconv.lax.add, window_dimensions=(2,))
array([1, 3, 5, 7])
"""

from numpy import add, bitwise_and, bitwise_or, bitwise_xor
from numpy import maximum as max
from numpy import minimum as min
from numpy import multiply as mul

from fastconv.lax.convolution import (
    conv,
    conv_general_dilated,
    conv_transpose,
    conv_with_general_padding,
)
from fastconv.lax.dimensions import ConvDimensionNumbers, conv_dimension_numbers
from fastconv.lax.patches import conv_general_dilated_local, conv_general_dilated_patches
from fastconv.lax.precision import Precision
from fastconv.lax.reduction import reduce_window
from fastconv.lax.shapes import conv_general_shape_tuple, conv_transpose_shape_tuple, padtype_to_pads

__all__ = [
    "ConvDimensionNumbers",
    "Precision",
    "add",
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "conv",
    "conv_dimension_numbers",
    "conv_general_dilated",
    "conv_general_dilated_local",
    "conv_general_dilated_patches",
    "conv_general_shape_tuple",
    "conv_transpose",
    "conv_transpose_shape_tuple",
    "conv_with_general_padding",
    "max",
    "min",
    "mul",
    "padtype_to_pads",
    "reduce_window",
]
