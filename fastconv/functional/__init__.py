"""The functions of ``torch.nn.functional`` that move windows, on NumPy arrays.

Names, arguments, defaults, results and dtypes are PyTorch's (2.13, on the CPU): channels come before the
spatial axes, an input may lack a batch, and there is a function for each number of spatial axes. What
PyTorch refuses raises ValueError or TypeError here.
"""

from fastconv.functional.convolution import (
    conv1d,
    conv2d,
    conv3d,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
)
from fastconv.functional.maximum import (
    max_pool1d,
    max_pool1d_with_indices,
    max_pool2d,
    max_pool2d_with_indices,
    max_pool3d,
    max_pool3d_with_indices,
)

__all__ = [
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "max_pool1d",
    "max_pool1d_with_indices",
    "max_pool2d",
    "max_pool2d_with_indices",
    "max_pool3d",
    "max_pool3d_with_indices",
]
