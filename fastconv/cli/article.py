"""``article``: the check this library grew from.

An article re-implemented a Keras model, `Conv2D` and `MaxPool2D`, as loops in NumPy, and compared its
outputs with those of Keras and of ``jax.lax`` by ``np.isclose(atol=1e-6)``. This command does so with
every backend, and shows right what the article's loops got wrong.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np

import fastconv
from fastconv.cli import peers, table
from fastconv.cli.peers import Outputs
from fastconv.layers import Sequential

ATOL = 1e-6  # the article's


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """Declare nothing: the check is always the same."""


def run(_args: argparse.Namespace) -> int:
    """Print step by step what agrees with what; return 0 if all does, else 1."""
    x = np.random.default_rng(0).standard_normal((1, 28, 28, 3)).astype(np.float32)
    print("The article's model on randn(1, 28, 28, 3), float32:")
    print("  Conv2D(filters=4, kernel_size=(2, 2), strides=(2, 2), padding='valid')")
    print("  MaxPool2D(pool_size=(2, 2), strides=(2, 2))\n")
    reference, others = _everyone(x)
    verdicts = [*_shapes(reference), *agreement(reference, others), *_mistakes()]
    right = sum(verdicts)
    print(f"\n{right} of {len(verdicts)} checks are right.")
    return 0 if right == len(verdicts) else 1


def _everyone(x: np.ndarray) -> tuple[Outputs, list[Outputs]]:
    """Compute the model with all there is; the first is what the others are compared with."""
    model, no_keras = peers.attempt(peers.keras_model, x)
    if isinstance(model, peers.KerasModel):
        kernels, biases = model.kernels, model.biases
        print(f"Keras {model.version} gives kernels {kernels.shape} and biases {biases.shape}.")
    else:
        kernels, biases = _weights()
        print(f"Keras is missing ({no_keras}): weights are drawn here.")
    jax, no_jax = peers.attempt(peers.jax_outputs, x, kernels, biases)
    if not isinstance(jax, Outputs):
        print(f"JAX is missing ({no_jax}).")
    if no_keras or no_jax:
        print("  pip install 'fastconv[parity]' installs both.")
    asked = [_outputs(x, kernels, biases, backend) for backend in fastconv.backends()]
    if isinstance(model, peers.KerasModel):
        with fastconv.use_backend("auto"):  # whatever the environment says
            converted = Sequential.from_keras(model.model).features(x)
        asked = [model.outputs, *asked, Outputs("fastconv.layers, from Keras", *converted)]
    asked += [jax] if isinstance(jax, Outputs) else []
    return asked[0], asked[1:]


def _weights() -> tuple[np.ndarray, np.ndarray]:
    """Draw kernels as Keras does, uniformly in Glorot's limits, and biases."""
    rng = np.random.default_rng(1)
    limit = np.sqrt(6 / (2 * 2 * 3 + 2 * 2 * 4))
    kernels = rng.uniform(-limit, limit, (2, 2, 3, 4)).astype(np.float32)
    return kernels, rng.normal(0, 0.05, 4).astype(np.float32)


def _outputs(x: np.ndarray, kernels: np.ndarray, biases: np.ndarray, backend: str) -> Outputs:
    """Compute the model with one of our backends."""
    features = fastconv.conv(x, kernels, strides=2, bias=biases, backend=backend)
    pooled = fastconv.max_pool(features, 2, strides=2, backend=backend)
    name = "fastconv, the loops (naive)" if backend == "naive" else f"fastconv, {backend}"
    return Outputs(name, features, pooled)


def _shapes(reference: Outputs) -> Iterator[bool]:
    """Check the article's shapes."""
    print(f"\nShapes, by {reference.by}")
    expected = ("conv", reference.features, (1, 14, 14, 4)), ("pool", reference.pooled, (1, 7, 7, 4))
    for name, y, shape in expected:
        yield _say(y.shape == shape, f"{name}: {y.shape}, the article has {shape}")


def agreement(reference: Outputs, others: list[Outputs]) -> Iterator[bool]:
    """Compare every output with the reference's."""
    print(f"\nCompared with {reference.by}, all |difference| <= {ATOL:g}")
    for other in others:
        pairs = (reference.features, other.features), (reference.pooled, other.pooled)
        same = [a.shape == b.shape and bool(np.isclose(a, b, rtol=0, atol=ATOL).all()) for a, b in pairs]
        apart = [f"{np.abs(a - b).max():.1e}" if a.shape == b.shape else f"{b.shape}" for a, b in pairs]
        yield _say(all(same), f"{other.by:<28} conv {apart[0]:<8} pool {apart[1]}")


def _mistakes() -> Iterator[bool]:
    """Show right, with every backend, what the article's loops got wrong."""
    print("\nWhat the article's loops got wrong, here by every backend")
    image = np.arange(1.0, 10).reshape(1, 3, 3, 1)
    sums = [fastconv.conv(image, np.ones((2, 2, 1, 1)), 2, backend=name) for name in fastconv.backends()]
    right = all(y.shape == (1, 1, 1, 1) and y.item() == 1 + 2 + 4 + 5 for y in sums)
    theirs = 1 + (3 - 2 + 1) // 2
    yield _say(right, f"3x3 image, 2x2 window, stride 2: output {_size(sums[0])}; theirs {theirs}x{theirs}")

    image = np.arange(28.0 * 28).reshape(1, 28, 28, 1)
    tops = [fastconv.max_pool(image, 2, 2, backend=name) for name in fastconv.backends()]
    right = all(np.array_equal(y, image[:, 1::2, 1::2]) for y in tops)
    theirs = (28 - 2 + 1) // 2
    yield _say(right, f"28x28 image, 2x2 pool, stride 2: output {_size(tops[0])}; theirs {theirs}x{theirs}")

    batch = np.random.default_rng(2).integers(-8, 9, (3, 28, 28, 3)).astype(float)
    right = all(_image_by_image(batch, name) for name in fastconv.backends())
    yield _say(right, "3 images: each as if it were alone; theirs only the first")


def _image_by_image(batch: np.ndarray, backend: str) -> bool:
    """Whether each image of a batch gives what it gives alone."""
    kernels = np.random.default_rng(3).integers(-8, 9, (2, 2, 3, 4)).astype(float)
    together = fastconv.conv(batch, kernels, 2, backend=backend)
    alone = [fastconv.conv(image[None], kernels, 2, backend=backend) for image in batch]
    return np.array_equal(together, np.concatenate(alone))


def _size(y: np.ndarray) -> str:
    """Write the spatial size of an output."""
    return table.shape(y.shape[1:-1])


def _say(right: bool, what: str) -> bool:
    """Print a check and how it went."""
    print(f"  {'agrees ' if right else 'DIFFERS'}  {what}")
    return right
