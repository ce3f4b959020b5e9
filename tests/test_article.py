"""The computation that this package began with: 28x28 images, a 2x2 convolution, a 2x2 maximum.

It is done here once more as its author did, by loops over positions and filters, with its three
mistakes made right: each has a test of its own, with results worked out by hand.
"""

import numpy as np
import pytest

import fastconv

BACKENDS = fastconv.backends()


def conv2d(x, kernel, strides):
    """One image (h, w, c) by one filter (k, l, c), wherever the filter fits."""
    (h, w, _), (k, l, _), (s, t) = x.shape, kernel.shape, strides  # noqa: E741
    y = np.zeros(((h - k) // s + 1, (w - l) // t + 1), x.dtype)
    for i, j in np.ndindex(y.shape):
        y[i, j] = np.sum(kernel * x[i * s : i * s + k, j * t : j * t + l, :])
    return y


def pool2d(x, pool_size, strides, fn=np.max):
    """One feature map (h, w), wherever the window fits."""
    (h, w), (k, l), (s, t) = x.shape, pool_size, strides  # noqa: E741
    y = np.zeros(((h - k) // s + 1, (w - l) // t + 1), x.dtype)
    for i, j in np.ndindex(y.shape):
        y[i, j] = fn(x[i * s : i * s + k, j * t : j * t + l])
    return y


@pytest.fixture
def model():
    """Images, kernel and biases as the article's layers have them: Keras draws them so."""
    rng = np.random.default_rng(0)
    limit = np.sqrt(6 / (2 * 2 * 3 + 2 * 2 * 4))
    x = rng.standard_normal((1, 28, 28, 3)).astype(np.float32)
    w = rng.uniform(-limit, limit, (2, 2, 3, 4)).astype(np.float32)
    return x, w, rng.uniform(-1, 1, 4).astype(np.float32)


@pytest.mark.parametrize("backend", BACKENDS)
def test_convolution_is_the_articles(model, backend):
    x, w, b = model
    expected = np.stack([conv2d(x[0], w[..., f], (2, 2)) + b[f] for f in range(4)], axis=-1)

    y = fastconv.conv(x, w, strides=2, bias=b, backend=backend)

    assert y.shape == (1, 14, 14, 4)
    np.testing.assert_allclose(y[0], expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("fn", "name"), [(np.max, "max_pool"), (np.mean, "average_pool"), (np.min, "min_pool")]
)
def test_pooling_is_the_articles(model, backend, fn, name):
    x, w, b = model
    features = fastconv.conv(x, w, strides=2, bias=b, backend="naive")
    expected = np.stack([pool2d(features[0, ..., f], (2, 2), (2, 2), fn) for f in range(4)], axis=-1)

    y = getattr(fastconv, name)(features, 2, backend=backend)

    assert y.shape == (1, 7, 7, 4)
    np.testing.assert_allclose(y[0], expected, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(fastconv.pool(features, 2, fn=fn, backend=backend), y)


@pytest.mark.parametrize("backend", BACKENDS)
def test_stride_that_divides_the_rest_gives_no_extra_row(backend):
    """A 2x2 window moving by 2 fits once into 3x3; the article has 2x2, a row and a column of it zeros."""
    x = np.arange(1.0, 10).reshape(1, 3, 3, 1)  # 1 2 3 / 4 5 6 / 7 8 9
    w = np.array([[1.0, 2], [3, 4]]).reshape(2, 2, 1, 1)

    y = fastconv.conv(x, w, strides=2, backend=backend)

    # 1*1 + 2*2 + 4*3 + 5*4
    np.testing.assert_array_equal(y, np.full((1, 1, 1, 1), 37.0))


@pytest.mark.parametrize("backend", BACKENDS)
def test_pool_loses_no_last_row(backend):
    """A 2x2 window moving by 2 fits 14 times into 28; the article has 13."""
    x = np.arange(784.0).reshape(1, 28, 28, 1)

    y = fastconv.max_pool(x, 2, 2, backend=backend)

    assert y.shape == (1, 14, 14, 1)
    # The largest of a window is its last: row 2i + 1, column 2j + 1.
    i, j = np.indices((14, 14))
    np.testing.assert_array_equal(y[0, ..., 0], 28.0 * (2 * i + 1) + (2 * j + 1))
    assert y[0, 13, 13, 0] == 783


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_image_of_a_batch_is_computed(backend):
    """The article computes the first."""
    x = np.array([[1.0, 2, 3], [10, 20, 30], [-5, 0, 5]]).reshape(3, 3, 1)
    w = np.array([1.0, -1]).reshape(2, 1, 1)

    y = fastconv.conv(x, w, backend=backend)
    z = fastconv.max_pool(x, 2, 1, backend=backend)

    np.testing.assert_array_equal(y[..., 0], [[-1, -1], [-10, -10], [-5, -5]])
    np.testing.assert_array_equal(z[..., 0], [[2, 3], [20, 30], [0, 5]])
