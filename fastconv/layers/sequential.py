"""Layers one after another, as a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, count, islice
from typing import Any

import numpy as np

from fastconv.layers import keras_models
from fastconv.layers.arguments import open_shape, positive_int
from fastconv.layers.layer import Layer, OpenShape
from fastconv.layers.reshaping import InputLayer
from fastconv.layers.summary import table
from fastconv.problem import Words, checked_array

WORDS = Words("Sequential")


class Sequential:
    """A model whose layers each take what the one before gives.

    Parameters
    ----------
    layers : sequence of Layer
        A `Sequential` among them stands for its layers. An `InputLayer` in front, or `input_shape` of
        the first layer, builds the model at once; else the first call does.
    name : str, optional

    Attributes
    ----------
    layers : tuple of Layer
        Without an `InputLayer`.
    names : tuple of str
        Of the layers, numbered where several that were given no name are of one class.

    Examples
    --------
    >>> from fastconv import layers
    >>> model = layers.Sequential([layers.Conv2D(4, 2, strides=2), layers.MaxPool2D()])
    >>> x = np.ones((1, 28, 28, 3), np.float32)
    >>> [y.shape for y in model.features(x)]
    [(1, 14, 14, 4), (1, 7, 7, 4)]
    """

    def __init__(self, layers: Sequence[Any], name: str | None = None):
        self.name = "sequential" if name is None else name
        if isinstance(layers, str) or not isinstance(layers, Sequence):
            raise TypeError(f"Sequential: `layers` must be a sequence of layers; got {layers!r}")
        flat = [
            inner
            for layer in layers
            for inner in (layer.layers if isinstance(layer, Sequential) else [layer])
        ]
        for layer in flat:
            if not isinstance(layer, Layer):
                raise TypeError(f"Sequential: `layers` must be layers of fastconv; got {layer!r}")
        self.layers: tuple[Layer, ...] = tuple(flat[1:] if flat and isinstance(flat[0], InputLayer) else flat)
        if not self.layers:
            raise ValueError(f"Sequential: `layers` must have at least one layer; got {list(layers)}")
        self.names = _unique_names(self.layers)
        self.input_shape: OpenShape | None = None
        given = _given_shape(flat[0])
        if given is not None and None not in given[1:]:
            self.build(given)

    def __call__(self, inputs: Any) -> np.ndarray:
        """Return the last layer's output.

        Parameters
        ----------
        inputs : array_like
            Of real numbers, in the shape that the first layer takes: batch first.

        Raises
        ------
        ValueError, TypeError : as the layers raise them; a note says which layer it was.
        """
        for y in self._outputs(inputs):
            output = y
        return output

    def features(self, inputs: Any) -> list[np.ndarray]:
        """Return every layer's output, in order."""
        return list(self._outputs(inputs))

    def predict(self, x: Any, batch_size: int = 32) -> np.ndarray:
        """Return the last layer's output, computed for `batch_size` inputs at a time."""
        step = positive_int(WORDS, "batch_size", batch_size)
        array = checked_array(WORDS, "x", x)
        if array.ndim == 0:
            raise ValueError(f"Sequential: `x` must have a batch axis; got shape {array.shape}")
        parts = [self(array[start : start + step]) for start in range(0, max(len(array), 1), step)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make the weights of all layers for inputs of a shape, whose batch may be None."""
        given = open_shape(WORDS, input_shape)
        for number, shape in enumerate([given, *self.output_shapes(given)[:-1]]):
            with self._noting(number):
                self.layers[number].build(shape)
        self.input_shape = given

    @property
    def built(self) -> bool:
        """Whether every layer is."""
        return all(layer.built for layer in self.layers)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> OpenShape:
        """Shape of the output for inputs of a shape, whose batch may be None."""
        return self.output_shapes(input_shape)[-1]

    def output_shapes(self, input_shape: Sequence[int | None]) -> list[OpenShape]:
        """Shapes of all layers' outputs for inputs of a shape, whose batch may be None."""
        shapes = []
        shape = open_shape(WORDS, input_shape)
        for number, layer in enumerate(self.layers):
            with self._noting(number):
                shape = layer.compute_output_shape(shape)
            shapes.append(shape)
        return shapes

    def get_weights(self) -> list[np.ndarray]:
        """Copy the weights of all layers, in Keras' order and shapes."""
        return [weight for layer in self.layers for weight in layer.get_weights()]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replace the weights of all layers with copies of arrays, or none if one does not fit."""
        counts = [len(layer.weight_names) for layer in self.layers]
        if len(weights) != sum(counts):
            raise ValueError(f"Sequential: `weights` must be {sum(counts)} arrays; got {len(weights)}")
        rest = iter(weights)
        checked = []
        for number, several in enumerate(counts):
            with self._noting(number):
                checked.append(self.layers[number].checked_weights(list(islice(rest, several))))
        for layer, arrays in zip(self.layers, checked, strict=True):
            layer.keep(arrays)

    def count_params(self) -> int:
        """Count the numbers in the weights of all layers."""
        return sum(layer.count_params() for layer in self.layers)

    def summary(self, print_fn: Callable[[str], object] = print) -> None:
        """Print a table of the layers: name and class, shape of the output, numbers in the weights.

        Parameters
        ----------
        print_fn : callable
            Gets the table as one string.
        """
        shapes: list[Any] = ["?"] * len(self.layers)
        if self.input_shape is not None:
            shapes = self.output_shapes(self.input_shape)
        rows = [
            (
                f"{name} ({type(layer).__name__})",
                str(shape),
                f"{layer.count_params():,}" if layer.built else "?",
            )
            for name, layer, shape in zip(self.names, self.layers, shapes, strict=True)
        ]
        counts = [(layer.count_params(), layer.dtype.itemsize) for layer in self.layers if layer.built]
        params, nbytes = sum(n for n, _ in counts), sum(n * itemsize for n, itemsize in counts)
        print_fn(table(self.name, rows, params, nbytes))

    @classmethod
    def from_keras(cls, model: Any) -> Sequential:
        """Make a model of a Keras model, with its weights.

        Parameters
        ----------
        model : keras.Sequential, or a functional keras.Model without branches
            Built, of layers that are in `fastconv.layers`; models inside it are opened up. Any
            backend of Keras 3 will do.

        Raises
        ------
        TypeError : `model` is something else.
        ValueError : it is not built or it branches, or a layer, which the message names, is not of
            `fastconv.layers`.

        Notes
        -----
        The result shares nothing with `model` and computes without Keras.
        """
        return cls(keras_models.layers_of(model), name=model.name)

    def __repr__(self) -> str:
        """Name the model and its layers."""
        return f"<Sequential {self.name!r}: {', '.join(self.names)}>"

    def _outputs(self, inputs: Any) -> Iterator[np.ndarray]:
        """Compute one layer after another."""
        x = inputs if hasattr(inputs, "shape") else checked_array(WORDS, "inputs", inputs)
        if self.input_shape is None:
            self.build(x.shape)
        for number, layer in enumerate(self.layers):
            with self._noting(number):
                x = layer(x)
            yield x

    @contextmanager
    def _noting(self, number: int) -> Iterator[None]:
        """Add to an error which layer it comes from."""
        try:
            yield
        except (TypeError, ValueError, NotImplementedError) as error:
            error.add_note(f"in layer {self.names[number]!r}, number {number + 1} of {self.name!r}")
            raise


def _unique_names(layers: Sequence[Layer]) -> tuple[str, ...]:
    """Name every layer: as it was named, or by its class and a number where that is taken."""
    given = [layer.name for layer in layers if layer.named]
    for name, times in Counter(given).items():
        if times > 1:
            raise ValueError(f"Sequential: `layers` must have names of their own; got {name!r} {times} times")
    if len({id(layer) for layer in layers}) < len(layers):
        raise ValueError("Sequential: `layers` must be different objects; got one of them twice")
    names: list[str] = []
    for layer in layers:
        numbered = (f"{layer.name}_{number}" for number in count(1))
        names.append(
            layer.name
            if layer.named
            else next(name for name in chain([layer.name], numbered) if name not in (*given, *names))
        )
    return tuple(names)


def _given_shape(first: Layer) -> OpenShape | None:
    """Shape that the first layer says the inputs have, if it does."""
    if isinstance(first, InputLayer):
        return first.batch_shape
    return None if first.input_shape is None else (None, *first.input_shape)
