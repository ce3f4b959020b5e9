"""Layers that only move numbers, or not even that."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastconv.layers.arguments import open_shape
from fastconv.layers.layer import Layer, Shape
from fastconv.layers.spatial import Spatial
from fastconv.problem import Layout, Window, check_size
from fastconv.problem.arguments import Pairs, padding_pairs


class ZeroPadding(Spatial):
    """Zeros around the spatial axes.

    Parameters
    ----------
    padding : int, or sequence with an int or a (before, after) pair per spatial axis
        None negative. A pair of ints is (before, after) where there is one spatial axis.
    data_format : {"channels_last", "channels_first"}, optional
    name, dtype, input_shape
        As of `Layer`.
    """

    def __init__(self, padding=1, data_format=None, **rest: Any):
        super().__init__(data_format=data_format, **rest)
        self.padding = self._pairs(padding)

    def call(self, x: np.ndarray) -> np.ndarray:
        """Copy the inputs into zeros."""
        check_size(self.words, self._output_shape(x.shape), x.dtype)
        return np.pad(x, self._in_layout(((0, 0), *self.padding, (0, 0))))

    def _output_shape(self, shape: Shape) -> Shape:
        self._check_rank(shape)
        n, *i, c = (shape[axis] for axis in self._layout.x)
        ones = (1,) * self.rank
        return self._in_layout((n, *Window(tuple(i), ones, ones, ones, ones, self.padding).padded, c))

    def _pairs(self, padding: Any) -> Pairs:
        both = self.rank == 1 and isinstance(padding, Sequence) and len(padding) == 2
        rule = (
            f"{self.words.op}: `padding` must be an int of at least 0, or one such int or (before, after) "
            f"pair for each of {self.rank} spatial axes; got {padding!r}"
        )
        try:
            pairs = padding_pairs(self.words, (padding,) if both else padding, self.rank)
        except (TypeError, ValueError) as error:
            raise type(error)(rule) from None
        if any(size < 0 for pair in pairs for size in pair):
            raise ValueError(rule)
        return pairs


class ZeroPadding1D(ZeroPadding):
    """`ZeroPadding` over one spatial axis: inputs (n, steps, c), or (n, c, steps)."""

    rank = 1


class ZeroPadding2D(ZeroPadding):
    """`ZeroPadding` over two spatial axes: inputs (n, rows, columns, c), or (n, c, rows, columns)."""

    rank = 2


class ZeroPadding3D(ZeroPadding):
    """`ZeroPadding` over three spatial axes: inputs (n, planes, rows, columns, c), or (n, c, ...)."""

    rank = 3


class Flatten(Layer):
    """Everything but the batch in one axis, channels varying fastest whatever the data format.

    Parameters
    ----------
    data_format : {"channels_last", "channels_first"}, optional
    name, dtype, input_shape
        As of `Layer`.
    """

    def __init__(self, data_format=None, **rest: Any):
        super().__init__(**rest)
        self.data_format = "channels_last" if data_format is None else data_format
        Layout.of(self.words, self.data_format, 2)

    def call(self, x: np.ndarray) -> np.ndarray:
        """View the inputs as (n, numbers) where memory allows it, else copy them."""
        shape = self._output_shape(x.shape)
        if self.data_format == "channels_first" and x.ndim > 2:
            x = np.moveaxis(x, 1, -1)
        return x.reshape(shape)

    def _output_shape(self, shape: Shape) -> Shape:
        if not shape:
            raise ValueError(f"{self.words.op}: `inputs` must have a batch axis; got shape {shape}")
        return shape[0], math.prod(shape[1:])


class Dropout(Layer):
    """The inputs: nothing is dropped but in training.

    Parameters
    ----------
    rate : float
        Kept as Keras has it; of no effect.
    noise_shape, seed
        Accepted and ignored.
    name, dtype, input_shape
        As of `Layer`.
    """

    def __init__(self, rate, noise_shape=None, seed=None, **rest: Any):  # noqa: ARG002 (Keras' arguments)
        super().__init__(**rest)
        self.rate = rate

    def call(self, x: np.ndarray) -> np.ndarray:
        """Return `x`."""
        return x

    def _output_shape(self, shape: Shape) -> Shape:
        return shape


class InputLayer(Layer):
    """The shape of a model's inputs, first among its layers.

    `Sequential` takes its shape, so that it can build all layers at once, and leaves it out.

    Parameters
    ----------
    shape : sequence of int, optional
        Of one input, without the batch; None where a size is unknown.
    batch_size : int, optional
    dtype : {"float32", "float64", "float16"}
    batch_shape : sequence of int, optional
        In place of `shape` and `batch_size`.
    name : str, optional
    """

    def __init__(self, shape=None, batch_size=None, dtype=None, *, batch_shape=None, name=None):
        super().__init__(dtype=dtype, name=name)
        if (shape is None) == (batch_shape is None):
            raise ValueError(
                f"{self.words.op}: either `shape` or `batch_shape` must be given; "
                f"got {shape} and {batch_shape}"
            )
        given = batch_shape if shape is None else (batch_size, *shape)
        self.batch_shape = open_shape(self.words, given)

    def call(self, x: np.ndarray) -> np.ndarray:
        """Return `x`."""
        return x

    def _output_shape(self, shape: Shape) -> Shape:
        return shape


Input = InputLayer
