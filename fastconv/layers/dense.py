"""Dense layers."""

from __future__ import annotations

import numpy as np

from fastconv.layers.activation import activated, activation_of
from fastconv.layers.arguments import positive_int
from fastconv.layers.layer import Layer, OpenShape, Shape
from fastconv.problem import truth


class Dense(Layer):
    """Every output a weighted sum of all channels: ``activation(x @ kernel + bias)``.

    It is a product of matrices, which is NumPy's on every backend.

    Parameters
    ----------
    units : int
        Channels of the output.
    activation, use_bias, kernel_initializer, bias_initializer, name, dtype, input_shape, seed
        As of `Conv`.

    Notes
    -----
    Inputs (n, ..., channels). Weights: kernel (channels, units), bias (units,).
    """

    def __init__(
        self,
        units,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        **rest,
    ):
        bias = {"bias": bias_initializer} if truth(self.words, "use_bias", use_bias) else {}
        super().__init__({"kernel": kernel_initializer} | bias, **rest)
        self.units = positive_int(self.words, "units", units)
        self.activation = activation_of(self.words, activation)
        self.use_bias = use_bias

    @np.errstate(all="ignore")
    def call(self, x: np.ndarray) -> np.ndarray:
        """Multiply by the kernel, in float32 where the layer's dtype is float16."""
        weights = self._present()
        self._check_channels(x.shape, weights)
        kernel, *bias = (weight.astype(self.compute_dtype, copy=False) for weight in weights)
        y = x.astype(self.compute_dtype, copy=False) @ kernel
        for numbers in bias:
            y += numbers
        return activated(self.words, self.activation, y, self.dtype)

    def _weight_shapes(self, shape: OpenShape) -> dict[str, Shape]:
        if len(shape) < 2:
            raise ValueError(
                f"{self.words.op}: `inputs` must have a batch and a channel axis; got shape {shape}"
            )
        bias: dict[str, Shape] = {"bias": (self.units,)} if self.use_bias else {}
        return {"kernel": (self._size(shape, -1), self.units)} | bias

    def _output_shape(self, shape: Shape) -> Shape:
        self._weight_shapes(shape)
        return (*shape[:-1], self.units)
