"""Convolution layers, and what they share with the transposed and the depthwise ones."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from fastconv.layers.activation import activation_of
from fastconv.layers.arguments import padding_of, positive_int
from fastconv.layers.layer import OpenShape, Shape, Weights
from fastconv.layers.spatial import Planned
from fastconv.ops import plan_conv
from fastconv.plan import Plan
from fastconv.problem import ConvProblem, conv_problem, per_axis, truth


class Convolution(Planned):
    """What every layer with a learnt window has: the window, the bias and the activation.

    Its weights are one or two kernels, then the bias if there is one.
    """

    _state: ClassVar[Callable[..., ConvProblem]] = staticmethod(conv_problem)
    _more_paddings: ClassVar[tuple[str, ...]] = ()

    filters: int

    def __init__(
        self,
        initializers: dict[str, Any],
        kernel_size: Any,
        strides: Any,
        padding: Any,
        data_format: str | None,
        dilation_rate: Any,
        activation: Any,
        use_bias: bool,
        bias_initializer: Any,
        **rest: Any,
    ):
        bias = {"bias": bias_initializer} if truth(self.words, "use_bias", use_bias) else {}
        super().__init__(initializers | bias, data_format=data_format, **rest)
        self.kernel_size = per_axis(self.words, "kernel_size", kernel_size, self.rank)
        self.strides = per_axis(self.words, "strides", strides, self.rank)
        self.padding = padding_of(self.words, padding, self.rank, *self._more_paddings)
        self.dilation_rate = per_axis(self.words, "dilation_rate", dilation_rate, self.rank)
        self.activation = activation_of(self.words, activation)
        self.use_bias = use_bias

    @abstractmethod
    def _kernel_shapes(self, channels: int) -> dict[str, Shape]:
        """Name the kernels for inputs of so many channels, with their shapes."""

    @abstractmethod
    def _plan(
        self, shape: Shape, kernels: Weights, bias: np.ndarray | None, backend: str
    ) -> tuple[Plan, ...]:
        """Plan for inputs of a checked shape."""

    def _outputs(self, _channels: int) -> int:
        """Channels of the output for inputs of so many channels."""
        return self.filters

    def _weight_shapes(self, shape: OpenShape) -> dict[str, Shape]:
        channels = self._channels(shape)
        bias = {"bias": (self._outputs(channels),)} if self.use_bias else {}
        return self._kernel_shapes(channels) | bias

    def _problem(self, shape: Shape, **options: Any) -> ConvProblem:
        """State the problem of the first kernel for inputs of a shape."""
        return self._state(
            self.words,
            self._layout,
            shape,
            next(iter(self._weight_shapes(shape).values())),
            strides=self.strides,
            padding=self.padding,
            dilation=self.dilation_rate,
            x_dtype=self.dtype,
            w_dtype=self.dtype,
            **options,
        )

    def _options(self) -> dict[str, Any]:
        """Describe the window to a function that plans."""
        return dict(
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )

    def _output_shape(self, shape: Shape) -> Shape:
        return self._in_layout(self._problem(shape).y_shape)

    def _make_plans(self, shape: Shape, backend: str, weights: Weights) -> tuple[Plan, ...]:
        kernels, bias = (weights[:-1], weights[-1]) if self.use_bias else (weights, None)
        return self._plan(shape, kernels, bias, backend)


class Conv(Convolution):
    """Convolution with learnt filters.

    Parameters
    ----------
    filters : int
        Channels of the output.
    kernel_size : int or sequence of int, one per spatial axis
    strides, padding, data_format, dilation_rate
        As of ``fastconv.conv``; "causal" is for `Conv1D`. Strides and dilation may go together, which
        Keras' layers refuse.
    groups : int
        Parts that the channels are split in, each convolved with ``filters / groups`` of the filters.
    activation : str or callable, optional
        As of `Activation`.
    use_bias : bool
    kernel_initializer, bias_initializer : str, callable or array_like
        A name of `fastconv.layers.initializers`, a function of shape and dtype, or the weight itself.
    name, dtype, input_shape, seed
        As of `Layer`.

    Notes
    -----
    Weights: kernel (*kernel_size, channels / groups, filters), bias (filters,).
    """

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
        groups=1,
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
        self.groups = positive_int(self.words, "groups", groups)
        if self.filters % self.groups:
            raise ValueError(
                f"{self.words.op}: `filters` must be a multiple of `groups`; got {filters} and {groups}"
            )

    def _kernel_shapes(self, channels: int) -> dict[str, Shape]:
        if channels % self.groups:
            raise ValueError(
                f"{self.words.op}: the channels of `inputs` must be a multiple of `groups`; "
                f"got {channels} and {self.groups}"
            )
        return {"kernel": (*self.kernel_size, channels // self.groups, self.filters)}

    def _plan(self, shape, kernels, bias, backend):
        plan = plan_conv(
            shape, kernels[0], **self._options(), bias=bias, activation=self.activation, backend=backend
        )
        return (plan,)


class Conv1D(Conv):
    """`Conv` over one spatial axis: inputs (n, steps, c), or (n, c, steps)."""

    rank = 1
    _more_paddings = ("causal",)


class Conv2D(Conv):
    """`Conv` over two spatial axes: inputs (n, rows, columns, c), or (n, c, rows, columns).

    Examples
    --------
    >>> from fastconv import layers
    >>> layers.Conv2D(4, (2, 2), strides=2)(np.ones((1, 28, 28, 3))).shape
    (1, 14, 14, 4)
    """

    rank = 2


class Conv3D(Conv):
    """`Conv` over three spatial axes: inputs (n, planes, rows, columns, c), or (n, c, ...)."""

    rank = 3


Convolution1D, Convolution2D, Convolution3D = Conv1D, Conv2D, Conv3D
