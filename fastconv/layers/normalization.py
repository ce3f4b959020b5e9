"""Batch normalization with the statistics that training left."""

from __future__ import annotations

import numpy as np

from fastconv.layers.layer import Layer, OpenShape, Shape
from fastconv.problem import truth


class BatchNormalization(Layer):
    """``gamma * (x - moving_mean) / sqrt(moving_variance + epsilon) + beta`` for every channel.

    Parameters
    ----------
    axis : int
        The channels' axis: -1, or 1 with ``data_format="channels_first"``.
    momentum : float
        Of training; of no effect.
    epsilon : float
    center, scale : bool
        Whether there is a beta, and a gamma.
    beta_initializer, gamma_initializer, moving_mean_initializer, moving_variance_initializer
        As of `Conv`.
    name, dtype, input_shape, seed
        As of `Layer`.

    Notes
    -----
    Weights, each (channels,): gamma and beta if there are any, moving mean, moving variance.
    """

    def __init__(
        self,
        axis=-1,
        momentum=0.99,
        epsilon=1e-3,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        moving_mean_initializer="zeros",
        moving_variance_initializer="ones",
        **rest,
    ):
        gamma = {"gamma": gamma_initializer} if truth(self.words, "scale", scale) else {}
        beta = {"beta": beta_initializer} if truth(self.words, "center", center) else {}
        moving = {"moving_mean": moving_mean_initializer, "moving_variance": moving_variance_initializer}
        super().__init__(gamma | beta | moving, **rest)
        if isinstance(axis, bool) or not isinstance(axis, int):
            raise TypeError(f"{self.words.op}: `axis` must be an int; got {axis!r}")
        self.axis, self.momentum, self.epsilon = axis, float(momentum), float(epsilon)
        self.center, self.scale = center, scale

    @np.errstate(all="ignore")
    def call(self, x: np.ndarray) -> np.ndarray:
        """Normalize, in float32 where the layer's dtype is float16."""
        weights = self._present()
        self._check_channels(x.shape, weights)
        along = [1] * x.ndim
        along[self.axis] = -1
        arrays = (weight.astype(self.compute_dtype, copy=False).reshape(along) for weight in weights)
        named = dict(zip(self.weight_names, arrays, strict=True))
        factor = 1 / np.sqrt(named["moving_variance"] + self.compute_dtype.type(self.epsilon))
        # The mean goes first: folded into beta it would cost digits where it is large.
        y = x.astype(self.compute_dtype, copy=False) - named["moving_mean"]
        y *= factor * named.get("gamma", self.compute_dtype.type(1))
        if "beta" in named:
            y += named["beta"]
        return y.astype(self.dtype, copy=False)

    def _weight_shapes(self, shape: OpenShape) -> dict[str, Shape]:
        return dict.fromkeys(self.weight_names, (self._size(shape, self.axis),))

    def _output_shape(self, shape: Shape) -> Shape:
        self._weight_shapes(shape)
        return shape
