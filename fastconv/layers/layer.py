"""What every layer has: a name, a dtype, and weights that are made for the first input's shape."""

from __future__ import annotations

import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from fastconv.layers.arguments import float_dtype, open_shape
from fastconv.layers.initializers import check_initializer, initial
from fastconv.problem import Words, checked_array, planned_shape

Shape = tuple[int, ...]
OpenShape = tuple[int | None, ...]
Weights = tuple[np.ndarray, ...]

# Two threads that call a new layer at once must find the same weights in it. One lock for all layers,
# since building is rare; reentrant, since an initialiser may itself use layers.
_building = threading.RLock()


class Layer(ABC):
    """A function of arrays, with weights if it has any; for inference only.

    Parameters
    ----------
    name : str, optional
        The class' name in snake case if not given.
    dtype : {"float32", "float64", "float16"}
        Of weights, computation and outputs. Inputs of any real dtype are cast to it first, also
        integers, which Keras leaves as they are where there are no weights. float16 is computed in
        float32 and rounded once.
    input_shape : sequence of int, optional
        Shape of one input, without the batch, so that the weights can be made before the first call.
    seed : int, optional
        Of the random numbers in the initial weights; others every time if not given.
    **training
        ``trainable``, ``autocast``, regularisers and constraints are accepted and ignored: they matter
        only to training.

    Notes
    -----
    Weights are made once, for the channels of the first input: at the first call, by `build`, or as
    soon as they are asked for where `input_shape` was given. Any number of threads may call a layer at
    once. Layers that change no number (`Flatten`, `Dropout`, a linear `Activation`) may return views of their
    inputs.
    """

    words: ClassVar[Words] = Words("Layer")

    def __init_subclass__(cls, **rest: Any):
        super().__init_subclass__(**rest)
        cls.words = Words(cls.__name__)

    def __init__(
        self,
        initializers: Mapping[str, Any] | None = None,
        *,
        name: str | None = None,
        dtype: Any = None,
        input_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **training: Any,
    ):
        for unknown in training:
            if not re.fullmatch(r"trainable|autocast|\w+_(regularizer|constraint)", unknown):
                raise TypeError(f"{self.words.op}: got an unknown argument {unknown!r}")
        self.named = name is not None
        self.name = name if name is not None else snake_case(type(self).__name__)
        self.dtype = float_dtype(self.words, dtype)
        self.compute_dtype = np.result_type(self.dtype, np.float32)
        self.input_shape = None if input_shape is None else open_shape(self.words, input_shape)
        self.seed = seed
        self._initializers = dict(initializers or {})
        for weight, initializer in self._initializers.items():
            check_initializer(self.words, f"{weight}_initializer", initializer)
        self._weights: Weights | None = None
        if not self._initializers:
            self.keep(())

    def __call__(self, inputs: Any) -> np.ndarray:
        """Compute the layer's output.

        Parameters
        ----------
        inputs : array_like, of real numbers

        Returns
        -------
        ndarray, of the layer's dtype

        Raises
        ------
        ValueError, TypeError : `inputs` is not what the layer can take; the message names the rule.
        """
        array = checked_array(self.words, "inputs", inputs)
        if array.dtype.kind == "c":
            raise TypeError(f"{self.words.op}: `inputs` must hold real numbers; got {array.dtype}")
        if self._weights is None:
            self.build(array.shape)
        with np.errstate(all="ignore"):
            x = array.astype(self.dtype, copy=False)
        return self.call(x)

    @abstractmethod
    def call(self, x: np.ndarray) -> np.ndarray:
        """Compute the output of a checked `x` in the layer's dtype."""

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make the weights for inputs of a shape, batch included, if there are none yet.

        Only the channels matter; other sizes may be None.

        Raises
        ------
        ValueError, TypeError : the layer, or the weights it has, cannot take such inputs.
        """
        with _building:
            given = open_shape(self.words, input_shape)
            if self._weights is not None:
                self._check_channels(given, self._weights)
                return
            rng = np.random.default_rng(self.seed)
            shapes = self._weight_shapes(given)
            self.keep(
                tuple(
                    initial(self.words, f"{key}_initializer", self._initializers[key], shape, self.dtype, rng)
                    for key, shape in shapes.items()
                )
            )

    @property
    def built(self) -> bool:
        """Whether there are weights, or the layer has none."""
        return self._weights is not None

    @property
    def weight_names(self) -> tuple[str, ...]:
        """What the weights are called, in Keras' order; also before they are made."""
        return tuple(self._initializers)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> OpenShape:
        """Shape of the output for inputs of a shape; the batch, which comes first, may be None.

        Raises
        ------
        ValueError, TypeError : the layer cannot take such inputs; the message names the rule.
        """
        batch, sizes = tuple(input_shape[:1]), tuple(input_shape[1:])
        shape = planned_shape(self.words, (*(1 if size is None else size for size in batch), *sizes))
        return (*batch, *self._output_shape(shape)[1:])

    def get_weights(self) -> list[np.ndarray]:
        """Copy the weights, in Keras' order and shapes."""
        return [weight.copy() for weight in self._present()]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replace the weights with copies of arrays in Keras' order and shapes."""
        self.keep(self.checked_weights(weights))

    def count_params(self) -> int:
        """Count the numbers in the weights."""
        return sum(weight.size for weight in self._present())

    def __repr__(self) -> str:
        """Name the layer and its class."""
        return f"<{type(self).__name__} {self.name!r}>"

    def _weight_shapes(self, shape: OpenShape) -> dict[str, Shape]:  # noqa: ARG002 (for subclasses)
        """Name the weights for inputs of `shape`, in order, with their shapes."""
        return {}

    @abstractmethod
    def _output_shape(self, shape: Shape) -> Shape:
        """Shape of the output for inputs of `shape`, or an error."""

    def _size(self, shape: OpenShape, axis: int) -> int:
        """Size of an axis of the inputs that the weights' shapes depend on."""
        size = shape[axis] if -len(shape) <= axis < len(shape) else None
        if size is None:
            raise ValueError(
                f"{self.words.op}: `input_shape` must have a known size of axis {axis}; got {shape}"
            )
        return size

    def _present(self) -> Weights:
        """Return the weights, made now if that is possible."""
        if self._weights is None and self.input_shape is not None:
            self.build((None, *self.input_shape))
        if self._weights is None:
            raise ValueError(
                f"{self.words.op}: {self.name!r} must be called, or built with `build(input_shape)`, before "
                "its weights are asked for"
            )
        return self._weights

    def checked_weights(self, weights: Sequence[Any]) -> Weights:
        """Copy arrays that can stand in for the weights."""
        present = self._present()
        arrays = [checked_array(self.words, "weights", weight) for weight in weights]
        wanted, given = ([array.shape for array in each] for each in (present, arrays))
        if wanted != given:
            raise ValueError(
                f"{self.words.op}: `weights` must be {len(wanted)} arrays of shapes {wanted}; "
                f"got {len(given)} of shapes {given}"
            )
        if any(array.dtype.kind == "c" for array in arrays):
            raise TypeError(f"{self.words.op}: `weights` must hold real numbers; got complex ones")
        with np.errstate(all="ignore"):
            return tuple(array.astype(self.dtype) for array in arrays)

    def _check_channels(self, shape: OpenShape, weights: Weights) -> None:
        """Refuse inputs of other channels than the weights are for."""
        wanted = tuple(self._weight_shapes(shape).values())
        shapes = tuple(weight.shape for weight in weights)
        if wanted != shapes:
            raise ValueError(
                f"{self.words.op}: `inputs` must have the channels that {self.name!r} was built for; "
                f"got {shape} (weights {', '.join(map(str, shapes))})"
            )

    def keep(self, weights: Weights) -> None:
        """Take up weights that are the layer's own."""
        self._weights = weights


def snake_case(name: str) -> str:
    """Spell a class' name as Keras names its layers: "SeparableConv2D" is "separable_conv2d"."""
    return re.sub(r"(?<=.)(?=[A-Z][a-z])", "_", name).lower()
