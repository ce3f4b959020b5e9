"""The functions of Keras' NumPy backend that move windows, computed by fastconv.

Names, arguments and defaults are Keras', as are the sentences of errors that its own tests look at. What
Keras hands over is more than arrays: `kernel` may be a ``keras.Variable`` and `strides` a list. Weights are
prepared anew in every call, since whoever holds a variable's array may write into it.
"""

from __future__ import annotations

import keras
import numpy as np
from keras.src.backend import standardize_data_format
from keras.src.backend.common.backend_utils import (
    check_conv_input_channels,
    check_conv_transpose_input_channels,
)

from fastconv import calls, ops
from fastconv import fold as folding
from fastconv.problem import Words, conv_problem, conv_transpose_problem, depthwise_problem, pool_problem
from fastconv.problem.arrangement import block_window, check_blocks

CONV, DEPTHWISE, TRANSPOSE, MAX, AVERAGE = (
    Words(op, allow_empty=True)
    for op in ("conv", "depthwise_conv", "conv_transpose", "max_pool", "average_pool")
)
UNFOLD, FOLD = (Words(op, x=x, size="kernel_size") for op, x in (("unfold", "input"), ("fold", "x")))


def conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """Convolve inputs with a kernel, in as many groups as it has fewer channels."""
    x, w, data_format = _array(inputs), _array(kernel), _format(data_format)
    channels, of_kernel = x.shape[_channels(data_format)], w.shape[-2]
    if channels % of_kernel:
        raise ValueError(
            "The number of input channels must be evenly divisible by kernel's in_channels. Received input "
            f"channels {channels} and kernel in_channels {of_kernel}. "
        )
    y = _convolved(CONV, conv_problem, x, w, data_format, strides, padding, dilation_rate)
    if y.size == 0 and x.size != 0:
        raise ValueError(
            "The convolution operation resulted in an empty output. This can happen if the input is too "
            "small for the given kernel size, strides, dilation rate, and padding mode. Please check the "
            "input shape and convolution parameters."
        )
    return y


def depthwise_conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """Convolve every channel with filters of its own."""
    x, w, data_format = _array(inputs), _array(kernel), _format(data_format)
    check_conv_input_channels(x, w, data_format)
    return _convolved(DEPTHWISE, depthwise_problem, x, w, data_format, strides, padding, dilation_rate)


def separable_conv(
    inputs, depthwise_kernel, pointwise_kernel, strides=1, padding="valid", data_format=None, dilation_rate=1
):
    """Convolve every channel with filters of its own, then mix the channels at each position."""
    middle = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(middle, pointwise_kernel, data_format=data_format)


def conv_transpose(
    inputs, kernel, strides=1, padding="valid", output_padding=None, data_format=None, dilation_rate=1
):
    """Transpose the convolution that has this kernel."""
    if isinstance(output_padding, str):  # Keras' symbolic ConvTranspose has the two the wrong way around
        padding, output_padding = output_padding, padding
    x, w, data_format = _array(inputs), _array(kernel), _format(data_format)
    check_conv_transpose_input_channels(x, w, data_format)
    rest = data_format, strides, padding, dilation_rate
    return _convolved(TRANSPOSE, conv_transpose_problem, x, w, *rest, output_padding=_plain(output_padding))


def max_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    """Take the largest element of every window."""
    return _pooled(MAX, "max", inputs, pool_size, strides, padding, data_format)


def average_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    """Take the mean of every window's elements that are not padding."""
    return _pooled(AVERAGE, "mean", inputs, pool_size, strides, padding, data_format)


def adaptive_max_pool(inputs, output_size, data_format=None):
    """Take the largest element of each of `output_size` windows that together cover the input."""
    return ops.adaptive_max_pool(_array(inputs), _plain(output_size), _format(data_format))


def adaptive_average_pool(inputs, output_size, data_format=None):
    """Take the mean of each of `output_size` windows that together cover the input."""
    return ops.adaptive_average_pool(_array(inputs), _plain(output_size), _format(data_format))


def unfold(input, kernel_size, dilation=1, padding=0, stride=1):
    """Lay the blocks of images that a window sees side by side."""
    x = _array(input)
    return folding.unfold(block_window(UNFOLD, x.shape[2:], kernel_size, dilation, padding, stride), x)


def fold(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """Add blocks up to images: the transpose of `unfold`."""
    x, sizes = _array(x), (output_size,) * 2 if isinstance(output_size, int) else tuple(output_size)
    window = block_window(FOLD, sizes, kernel_size, dilation, padding, stride)
    check_blocks(FOLD, window, x.shape)
    return folding.fold(window, x)


# By the module of Keras' NumPy backend they are in.
FUNCTIONS = {
    "nn": (
        *(conv, depthwise_conv, separable_conv, conv_transpose),
        *(max_pool, average_pool, adaptive_max_pool, adaptive_average_pool),
        *(unfold, fold),
    )
}


def _convolved(words, state, x, w, data_format, strides, padding, dilation, **more) -> np.ndarray:
    """Compute what `state` states."""
    options = dict(strides=_plain(strides), padding=_plain(padding), dilation=_plain(dilation), **more)
    return calls.convolve(words, state, x, w, data_format, options, None, None, "auto", None)


def _pooled(words, reduction, inputs, size, strides, padding, data_format) -> np.ndarray:
    """Reduce windows."""
    if isinstance(padding, str) and padding.lower() not in ("valid", "same"):
        raise ValueError(f"Invalid padding '{padding}', must be 'same' or 'valid'.")
    options = dict(size=_plain(size), strides=_plain(strides), padding=_plain(padding), dilation=1)
    options["divisor"] = "real"
    arguments = _array(inputs), _format(data_format), options, reduction, "auto"
    ready, x = calls.reduction(words, pool_problem, *arguments)
    return ready.anew(x)


def _array(value) -> np.ndarray:
    """Take what Keras calls a tensor: an array, a variable, or lists that become floats of its choice."""
    return value if type(value) is np.ndarray else keras.ops.convert_to_tensor(value)


def _format(data_format: str | None) -> str:
    """Read a data format as Keras does, whose configuration says what None is."""
    return standardize_data_format(data_format)


def _channels(data_format: str) -> int:
    """Say which axis the channels are."""
    return -1 if data_format == "channels_last" else 1


def _plain(option):
    """Make a key of an option: a tuple of a list, lower case of a word."""
    if isinstance(option, str):
        return option.lower()
    return tuple(map(_plain, option)) if isinstance(option, (list, tuple)) else option
