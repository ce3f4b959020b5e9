"""Depthwise and separable convolution layers."""

from __future__ import annotations

import numpy as np

from fastconv.layers.arguments import positive_int
from fastconv.layers.convolution import Convolution
from fastconv.layers.layer import Shape
from fastconv.ops import plan_conv
from fastconv.problem import depthwise_problem


def _grouped(kernel: np.ndarray) -> np.ndarray:
    """View a depthwise kernel (*k, c, m) as that of a convolution in c groups, (*k, 1, c*m)."""
    return kernel.reshape(*kernel.shape[:-2], 1, -1)


class DepthwiseConv(Convolution):
    """Convolution of every channel with learnt filters of its own.

    Parameters
    ----------
    kernel_size : int or sequence of int, one per spatial axis
    strides, padding : as of `Conv`
    depth_multiplier : int
        Filters for each channel.
    data_format, dilation_rate, activation, use_bias : as of `Conv`
    depthwise_initializer, bias_initializer, name, dtype, input_shape, seed
        As of `Conv`.

    Notes
    -----
    Weights: kernel (*kernel_size, channels, depth_multiplier), bias (channels * depth_multiplier,).
    """

    _state = staticmethod(depthwise_problem)

    def __init__(
        self,
        kernel_size,
        strides=1,
        padding="valid",
        depth_multiplier=1,
        data_format=None,
        dilation_rate=1,
        activation=None,
        use_bias=True,
        depthwise_initializer="glorot_uniform",
        bias_initializer="zeros",
        **rest,
    ):
        super().__init__(
            {"depthwise": depthwise_initializer},
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            bias_initializer,
            **rest,
        )
        self.depth_multiplier = positive_int(self.words, "depth_multiplier", depth_multiplier)

    def _outputs(self, channels: int) -> int:
        return channels * self.depth_multiplier

    def _kernel_shapes(self, channels: int) -> dict[str, Shape]:
        return {"depthwise": (*self.kernel_size, channels, self.depth_multiplier)}

    def _plan(self, shape, kernels, bias, backend):
        plan = plan_conv(
            shape,
            _grouped(kernels[0]),
            **self._options(),
            bias=bias,
            activation=self.activation,
            backend=backend,
        )
        return (plan,)


class DepthwiseConv1D(DepthwiseConv):
    """`DepthwiseConv` over one spatial axis: inputs (n, steps, c), or (n, c, steps)."""

    rank = 1


class DepthwiseConv2D(DepthwiseConv):
    """`DepthwiseConv` over two spatial axes: inputs (n, rows, columns, c), or (n, c, rows, columns)."""

    rank = 2


class SeparableConv(Convolution):
    """Depthwise convolution, then a mixing of the channels at each position.

    Parameters
    ----------
    filters : int
        Channels of the output.
    kernel_size, strides, padding, data_format, dilation_rate
        Of the depthwise step, as of `Conv`.
    depth_multiplier : int
        Filters for each channel in the depthwise step.
    activation, use_bias
        Of the mixing, as of `Conv`.
    depthwise_initializer, pointwise_initializer, bias_initializer, name, dtype, input_shape, seed
        As of `Conv`.

    Notes
    -----
    Weights: depthwise kernel (*kernel_size, channels, depth_multiplier), pointwise kernel
    (*1, channels * depth_multiplier, filters), bias (filters,).
    """

    _state = staticmethod(depthwise_problem)

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
        depth_multiplier=1,
        activation=None,
        use_bias=True,
        depthwise_initializer="glorot_uniform",
        pointwise_initializer="glorot_uniform",
        bias_initializer="zeros",
        **rest,
    ):
        super().__init__(
            {"depthwise": depthwise_initializer, "pointwise": pointwise_initializer},
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            bias_initializer,
            **rest,
        )
        self.filters = positive_int(self.words, "filters", filters)
        self.depth_multiplier = positive_int(self.words, "depth_multiplier", depth_multiplier)

    def _kernel_shapes(self, channels: int) -> dict[str, Shape]:
        mixed = channels * self.depth_multiplier
        return {
            "depthwise": (*self.kernel_size, channels, self.depth_multiplier),
            "pointwise": (*(1,) * self.rank, mixed, self.filters),
        }

    def _output_shape(self, shape: Shape) -> Shape:
        *positions, _ = self._problem(shape).y_shape
        return self._in_layout((*positions, self.filters))

    def _plan(self, shape, kernels, bias, backend):
        depthwise, pointwise = kernels
        apart = plan_conv(shape, _grouped(depthwise), **self._options(), backend=backend)
        together = plan_conv(
            apart.y_shape,
            pointwise,
            data_format=self.data_format,
            bias=bias,
            activation=self.activation,
            backend=backend,
        )
        return apart, together


class SeparableConv1D(SeparableConv):
    """`SeparableConv` over one spatial axis: inputs (n, steps, c), or (n, c, steps)."""

    rank = 1


class SeparableConv2D(SeparableConv):
    """`SeparableConv` over two spatial axes: inputs (n, rows, columns, c), or (n, c, rows, columns)."""

    rank = 2


SeparableConvolution1D, SeparableConvolution2D = SeparableConv1D, SeparableConv2D
