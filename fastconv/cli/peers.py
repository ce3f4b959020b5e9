"""What Keras and JAX make of the article's model. Slow to import, so only the command `article` does."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Outputs(NamedTuple):
    """What one library computes, with the name of the function that did."""

    by: str
    features: np.ndarray  # (n, 14, 14, 4)
    pooled: np.ndarray  # (n, 7, 7, 4)


class KerasModel(NamedTuple):
    """A Keras model, its weights and its layers' outputs."""

    version: str
    model: Any
    kernels: np.ndarray  # (2, 2, 3, 4)
    biases: np.ndarray  # (4,)
    outputs: Outputs


def attempt(peer: Callable, *arguments) -> tuple[object, str | None]:
    """Ask a peer, or return why it cannot be asked."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    try:
        return peer(*arguments), None
    except ImportError as error:
        return None, str(error)


def keras_model(x: np.ndarray) -> KerasModel:
    """Build the article's model in Keras and take its intermediate outputs for `x`."""
    keras = importlib.import_module("keras")
    keras.utils.set_random_seed(0)
    layers = [
        keras.Input(x.shape[1:]),
        keras.layers.Conv2D(
            filters=4,
            kernel_size=(2, 2),
            strides=(2, 2),
            padding="valid",
            data_format="channels_last",
            bias_initializer="random_normal",  # zeros would hide a bias that is not added
        ),
        keras.layers.MaxPool2D(pool_size=(2, 2), strides=(2, 2), data_format="channels_last"),
    ]
    model = keras.Sequential(layers)
    every = keras.Model(model.inputs, [layer.output for layer in model.layers])
    features, pooled = (np.asarray(keras.ops.convert_to_numpy(y)) for y in every([x]))
    kernels, biases = (np.asarray(w) for w in model.get_weights())
    name = f"keras on {keras.backend.backend()}"
    return KerasModel(keras.__version__, model, kernels, biases, Outputs(name, features, pooled))


def jax_outputs(x: np.ndarray, kernels: np.ndarray, biases: np.ndarray) -> Outputs:
    """Compute the article's two layers with the functions of ``jax.lax``."""
    lax = importlib.import_module("jax").lax
    product = lax.conv_general_dilated(
        x, kernels, (2, 2), "valid", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    features = product + biases
    pooled = lax.reduce_window(features, -np.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "valid")
    return Outputs("jax.lax", np.asarray(features), np.asarray(pooled))
