"""Activations by Keras' names, and the layer that is nothing but one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastconv.activations import FUNCTIONS
from fastconv.layers.layer import Layer, Shape
from fastconv.problem import Words

Function = Callable[[np.ndarray], np.ndarray]


def softmax(x: np.ndarray) -> np.ndarray:
    """Return ``exp(x) / sum(exp(x))`` over the last axis."""
    powers = np.exp(x - x.max(axis=-1, keepdims=True, initial=-np.inf))
    return powers / powers.sum(axis=-1, keepdims=True)


ALIASES = {None: "linear", "swish": "silu", "hard_swish": "hard_silu"}
NAMES = (*FUNCTIONS, "softmax", *filter(None, ALIASES))


def activation_of(words: Words, activation: Any) -> str | Function:
    """Return what a plan takes: a name of `FUNCTIONS`, or a function."""
    if callable(activation):
        return activation
    name = ALIASES.get(activation, activation) if isinstance(activation, str | None) else None
    if name == "softmax":
        return softmax
    if name not in FUNCTIONS:
        raise ValueError(
            f"{words.op}: `activation` must be None, a callable or one of {', '.join(NAMES)}; "
            f"got {activation!r}"
        )
    return name


@np.errstate(all="ignore")
def activated(words: Words, activation: str | Function, x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Apply what `activation_of` gave and round the result to `dtype`."""
    function = FUNCTIONS[activation] if isinstance(activation, str) else activation
    y = np.asarray(function(x))
    if y.shape != x.shape or not np.can_cast(y.dtype, dtype, "same_kind"):
        raise ValueError(
            f"{words.op}: `activation` must keep shape {x.shape} and kind of {dtype}; "
            f"got {y.shape} of {y.dtype}"
        )
    return y.astype(dtype, copy=False)


class Activation(Layer):
    """A function of every element, or "softmax" over the last axis.

    Parameters
    ----------
    activation : str or callable
        A name as for ``fastconv.conv``, "softmax", "swish" or "hard_swish"; or a function of an array
        that keeps its shape.
    name, dtype, input_shape
        As of every `Layer`.
    """

    def __init__(self, activation, **rest):
        super().__init__(**rest)
        self.activation = activation_of(self.words, activation)

    def call(self, x: np.ndarray) -> np.ndarray:
        """Apply the activation, in float32 where the layer's dtype is float16."""
        return activated(self.words, self.activation, x.astype(self.compute_dtype, copy=False), self.dtype)

    def _output_shape(self, shape: Shape) -> Shape:
        return shape
