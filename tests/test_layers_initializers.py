"""Initial weights: of the variance that their names say, the same for the same seed, or given."""

import numpy as np
import pytest

from fastconv import layers

# Kernel (3, 2, 20, 80): 120 inputs and 480 outputs, 9600 numbers.
FANS = {"glorot": 2 / (120 + 480), "he": 2 / 120, "lecun": 1 / 120}


def kernel(initializer, **options):
    layer = layers.Conv2D(80, (3, 2), kernel_initializer=initializer, input_shape=(9, 9, 20), **options)
    return layer.get_weights()[0]


@pytest.mark.parametrize(("family", "variance"), FANS.items())
def test_uniform(family, variance):
    w = kernel(f"{family}_uniform", seed=0)

    limit = np.sqrt(3 * variance)
    assert 0.99 * limit < np.abs(w).max() <= limit
    # The standard error of a variance of 9600 uniform numbers is 0.9 %.
    np.testing.assert_allclose(w.var(), variance, rtol=0.05)


@pytest.mark.parametrize(("family", "variance"), FANS.items())
def test_normal(family, variance):
    w = kernel(f"{family}_normal", seed=0)

    # A normal variable cut off at 2 has standard deviation 0.8796.
    assert np.abs(w).max() <= 2 * np.sqrt(variance) / 0.8796
    np.testing.assert_allclose(w.var(), variance, rtol=0.05)
    assert abs(w.mean()) < 4 * np.sqrt(variance / w.size)


def test_seed():
    np.testing.assert_array_equal(kernel("he_normal", seed=3), kernel("he_normal", seed=3))
    assert (kernel("he_normal", seed=3) != kernel("he_normal", seed=4)).any()
    assert (kernel("he_normal") != kernel("he_normal")).any()


def test_two_kernels_of_a_layer_differ():
    layer = layers.SeparableConv2D(4, 1, depth_multiplier=4, input_shape=(9, 9, 1), seed=0)
    depthwise, pointwise, _ = layer.get_weights()

    assert (depthwise.ravel() != pointwise.ravel()[:4]).any()


def test_zeros_and_ones():
    layer = layers.Dense(2, kernel_initializer="ones", bias_initializer="zeros", input_shape=(3,))

    kernel, bias = layer.get_weights()
    np.testing.assert_array_equal(kernel, np.ones((3, 2), np.float32), strict=True)
    np.testing.assert_array_equal(bias, np.zeros(2, np.float32), strict=True)


def test_an_array_is_copied():
    given = np.arange(6, dtype=np.float32).reshape(3, 2)
    layer = layers.Dense(2, kernel_initializer=given, use_bias=False, input_shape=(3,))
    layer.get_weights()

    given[...] = 0

    np.testing.assert_array_equal(layer.get_weights()[0], np.float32([[0, 1], [2, 3], [4, 5]]), strict=True)


def test_a_function_gets_shape_and_dtype():
    layer = layers.Dense(
        2, kernel_initializer=np.ones, bias_initializer=lambda *got: np.full(*got[:1], 7, got[1])
    )

    np.testing.assert_array_equal(layer([[1, 2, 3]]), np.float32([[13, 13]]), strict=True)


def test_a_bias_may_be_drawn():
    layer = layers.Dense(64, bias_initializer="glorot_uniform", input_shape=(3,), seed=0)

    bias = layer.get_weights()[1]
    assert 0 < np.abs(bias).max() <= np.sqrt(3 / 64)
