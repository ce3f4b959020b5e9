"""Transposed convolution layers."""

from __future__ import annotations

from typing import Any

from fastconv.layers.arguments import positive_int
from fastconv.layers.convolution import Convolution
from fastconv.layers.layer import Shape
from fastconv.ops import plan_conv_transpose
from fastconv.problem import ConvProblem, conv_transpose_problem, per_axis


class ConvTranspose(Convolution):
    """Transposed convolution with learnt filters: every input adds a scaled filter to the output.

    Parameters
    ----------
    filters : int
        Channels of the output.
    kernel_size : int or sequence of int, one per spatial axis
    strides, padding, output_padding, data_format, dilation_rate
        As of ``fastconv.conv_transpose``.
    activation, use_bias, kernel_initializer, bias_initializer, name, dtype, input_shape, seed
        As of `Conv`.

    Notes
    -----
    Weights: kernel (*kernel_size, filters, channels), bias (filters,).
    """

    _state = staticmethod(conv_transpose_problem)

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        output_padding=None,
        data_format=None,
        dilation_rate=1,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        **rest,
    ):
        super().__init__(
            {"kernel": kernel_initializer},
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
        self.output_padding = output_padding
        if output_padding is not None:
            self.output_padding = per_axis(self.words, "output_padding", output_padding, self.rank, least=0)

    def _kernel_shapes(self, channels: int) -> dict[str, Shape]:
        return {"kernel": (*self.kernel_size, self.filters, channels)}

    def _problem(self, shape: Shape, **options: Any) -> ConvProblem:
        return super()._problem(shape, output_padding=self.output_padding, **options)

    def _plan(self, shape, kernels, bias, backend):
        plan = plan_conv_transpose(
            shape,
            kernels[0],
            **self._options(),
            output_padding=self.output_padding,
            bias=bias,
            activation=self.activation,
            backend=backend,
        )
        return (plan,)


class Conv1DTranspose(ConvTranspose):
    """`ConvTranspose` over one spatial axis: inputs (n, steps, c), or (n, c, steps)."""

    rank = 1


class Conv2DTranspose(ConvTranspose):
    """`ConvTranspose` over two spatial axes: inputs (n, rows, columns, c), or (n, c, rows, columns)."""

    rank = 2


class Conv3DTranspose(ConvTranspose):
    """`ConvTranspose` over three spatial axes; `data_format` comes before `output_padding`, as in Keras."""

    rank = 3

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        output_padding=None,
        dilation_rate=1,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        **rest,
    ):
        super().__init__(
            filters,
            kernel_size,
            strides,
            padding,
            output_padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            **rest,
        )


Convolution1DTranspose, Convolution2DTranspose = Conv1DTranspose, Conv2DTranspose
Convolution3DTranspose = Conv3DTranspose
