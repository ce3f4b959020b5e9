"""The article's own check: every backend against a Keras model and lax, on one batch of random images."""

import numpy as np
import pytest

import fastconv

pytestmark = pytest.mark.parity

ATOL = 1e-6


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).standard_normal((3, 28, 28, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def weights():
    rng = np.random.default_rng(1)
    return rng.uniform(-0.5, 0.5, (2, 2, 3, 4)).astype(np.float32), rng.uniform(-1, 1, 4).astype(np.float32)


@pytest.fixture(scope="module")
def features(keras, images, weights):
    """What each layer of the article's model gives."""
    layers = [
        keras.layers.Conv2D(filters=4, kernel_size=(2, 2), strides=(2, 2), padding="VALID"),
        keras.layers.MaxPool2D(pool_size=(2, 2), strides=(2, 2)),
    ]
    model = keras.Sequential([keras.Input((28, 28, 3)), *layers])
    layers[0].set_weights(weights)
    outputs = keras.Model(model.inputs, [layer.output for layer in layers])([images])
    return [keras.ops.convert_to_numpy(output) for output in outputs]


@pytest.mark.parametrize("backend", fastconv.backends())
def test_layers_equal_those_of_keras(backend, features, images, weights):
    kernels, bias = weights

    convolved = fastconv.conv(images, kernels, strides=(2, 2), bias=bias, backend=backend)
    pooled = fastconv.max_pool(convolved, (2, 2), strides=(2, 2), backend=backend)

    assert (convolved.shape, pooled.shape) == ((3, 14, 14, 4), (3, 7, 7, 4))
    np.testing.assert_allclose(convolved, features[0], rtol=0, atol=ATOL)
    np.testing.assert_allclose(pooled, features[1], rtol=0, atol=ATOL)


@pytest.mark.parametrize("backend", fastconv.backends())
def test_conv_equals_that_of_lax(backend, jax, images, weights):
    kernels, _ = weights
    theirs = jax.lax.conv_general_dilated(
        images, kernels, (2, 2), "valid", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )

    ours = fastconv.conv(images, kernels, (2, 2), backend=backend)

    np.testing.assert_allclose(ours, theirs, rtol=0, atol=ATOL)


@pytest.mark.parametrize("backend", fastconv.backends())
def test_pool_equals_that_of_lax(backend, jax, images):
    theirs = jax.lax.reduce_window(images, -np.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "valid")

    ours = fastconv.max_pool(images, (2, 2), backend=backend)

    np.testing.assert_allclose(ours, theirs, rtol=0, atol=ATOL)
