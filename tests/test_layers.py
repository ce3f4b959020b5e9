"""Layers compute what the functions of those names do, with weights of Keras' shapes."""

import numpy as np
import pytest

import fastconv
from fastconv import layers

SIZES = {1: (11,), 2: (11, 8), 3: (5, 7, 6)}
FORMATS = ("channels_last", "channels_first")


def integers(shape, dtype="float32", seed=0):
    """Small integers: every sum is exact, so that the order of summation cannot matter."""
    return np.random.default_rng(seed).integers(-4, 5, shape).astype(dtype)


def inputs(rank, data_format="channels_last", c=4, dtype="float32"):
    shape = (2, *SIZES[rank], c) if data_format == "channels_last" else (2, c, *SIZES[rank])
    return integers(shape, dtype)


def filled(layer, x):
    """Build a layer for `x` and give it integers for weights, which are returned."""
    layer.build(x.shape)
    weights = [integers(w.shape, w.dtype, seed) for seed, w in enumerate(layer.get_weights(), 1)]
    layer.set_weights(weights)
    return weights


def by_rank(value, rank):
    return value if isinstance(value, str | int) else value[:rank]


CONV = {"strides": (2, 1, 3), "padding": "same", "dilation_rate": 1}
DILATED = {"strides": 1, "padding": "valid", "dilation_rate": (2, 3, 1)}
BOTH = {"strides": (3, 2, 1), "padding": "same", "dilation_rate": (1, 2, 3)}


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("options", [CONV, DILATED, BOTH], ids=["strided", "dilated", "both"])
@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("groups", [1, 2])
def test_conv(rank, groups, options, data_format):
    options = {key: by_rank(value, rank) for key, value in options.items()} | {"data_format": data_format}
    layer = getattr(layers, f"Conv{rank}D")(6, (3, 2, 1)[:rank], groups=groups, activation="relu", **options)
    x = inputs(rank, data_format)
    kernel, bias = filled(layer, x)

    y = layer(x)

    assert kernel.shape == (*(3, 2, 1)[:rank], 4 // groups, 6)
    np.testing.assert_array_equal(
        y, fastconv.conv(x, kernel, **options, bias=bias, activation="relu"), strict=True
    )
    assert layer.compute_output_shape(x.shape) == y.shape
    assert layer.compute_output_shape((None, *x.shape[1:])) == (None, *y.shape[1:])


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_conv_transpose(rank, padding, data_format):
    options = {
        "strides": (2, 3, 1)[:rank],
        "padding": padding,
        "output_padding": (1, 2, 0)[:rank],
        "data_format": data_format,
    }
    layer = getattr(layers, f"Conv{rank}DTranspose")(5, (3, 2, 1)[:rank], **options)
    x = inputs(rank, data_format)
    kernel, bias = filled(layer, x)

    y = layer(x)

    assert kernel.shape == (*(3, 2, 1)[:rank], 5, 4)
    np.testing.assert_array_equal(y, fastconv.conv_transpose(x, kernel, **options, bias=bias), strict=True)
    assert layer.compute_output_shape(x.shape) == y.shape


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("options", [CONV, DILATED], ids=["strided", "dilated"])
@pytest.mark.parametrize("rank", [1, 2])
def test_depthwise_and_separable(rank, options, data_format):
    options = {key: by_rank(value, rank) for key, value in options.items()} | {"data_format": data_format}
    x = inputs(rank, data_format)
    apart = getattr(layers, f"DepthwiseConv{rank}D")((3, 2)[:rank], depth_multiplier=3, **options)
    mixed = getattr(layers, f"SeparableConv{rank}D")(5, (3, 2)[:rank], depth_multiplier=3, **options)
    kernel, bias = filled(apart, x)
    depthwise, pointwise, offsets = filled(mixed, x)

    y, z = apart(x), mixed(x)

    assert [kernel.shape, bias.shape] == [(*(3, 2)[:rank], 4, 3), (12,)]
    assert [depthwise.shape, pointwise.shape] == [(*(3, 2)[:rank], 4, 3), (*(1, 1)[:rank], 12, 5)]
    np.testing.assert_array_equal(y, fastconv.depthwise_conv(x, kernel, **options, bias=bias), strict=True)
    np.testing.assert_array_equal(
        z, fastconv.separable_conv(x, depthwise, pointwise, **options, bias=offsets), strict=True
    )
    assert apart.compute_output_shape(x.shape) == y.shape
    assert mixed.compute_output_shape(x.shape) == z.shape


def test_causal_conv_sees_no_later_input():
    layer = layers.Conv1D(2, 3, padding="causal", dilation_rate=2, use_bias=False, seed=0)
    x = inputs(1)
    y = layer(x)

    x[:, 6:] += 1

    np.testing.assert_array_equal(layer(x)[:, :6], y[:, :6])
    assert (layer(x)[:, 6] != y[:, 6]).all()


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("strides", [None, (3, 1, 2)])
@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("kind", ["Max", "Average"])
def test_pooling(kind, rank, strides, padding, data_format):
    options = {
        "pool_size": (2, 3, 4)[:rank],
        "strides": strides and strides[:rank],
        "padding": padding,
        "data_format": data_format,
    }
    layer = getattr(layers, f"{kind}Pooling{rank}D")(**options)
    x = inputs(rank, data_format)

    y = layer(x)

    np.testing.assert_array_equal(y, getattr(fastconv, f"{kind.lower()}_pool")(x, **options), strict=True)
    assert layer.compute_output_shape((None, *x.shape[1:])) == (None, *y.shape[1:])


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize(("kind", "fn"), [("Max", np.max), ("Average", np.mean)])
def test_global_pooling(kind, fn, rank, keepdims, data_format):
    layer = getattr(layers, f"Global{kind}Pooling{rank}D")(data_format=data_format, keepdims=keepdims)
    x = inputs(rank, data_format, dtype="float64")
    space = tuple(range(1, rank + 1)) if data_format == "channels_last" else tuple(range(2, rank + 2))

    y = layer(x)

    np.testing.assert_allclose(y, fn(x, axis=space, keepdims=keepdims), rtol=2**-23)
    assert layer.compute_output_shape(x.shape) == y.shape


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("kind", ["max", "average"])
def test_adaptive_pooling(kind, rank, data_format):
    layer = getattr(layers, f"Adaptive{kind.title()}Pooling{rank}D")((4, 3, 2)[:rank], data_format)
    x = inputs(rank, data_format)

    y = layer(x)

    function = getattr(fastconv, f"adaptive_{kind}_pool")
    np.testing.assert_array_equal(y, function(x, (4, 3, 2)[:rank], data_format), strict=True)
    assert layer.compute_output_shape(x.shape) == y.shape


@pytest.mark.parametrize(
    ("layer", "x", "pads"),
    [
        (layers.ZeroPadding1D(), (2, 5, 3), [(0, 0), (1, 1), (0, 0)]),
        (layers.ZeroPadding1D((1, 2)), (2, 5, 3), [(0, 0), (1, 2), (0, 0)]),
        (layers.ZeroPadding1D((1, 2), "channels_first"), (2, 5, 3), [(0, 0), (0, 0), (1, 2)]),
        (layers.ZeroPadding2D((1, 2)), (2, 5, 4, 3), [(0, 0), (1, 1), (2, 2), (0, 0)]),
        (layers.ZeroPadding2D(((1, 2), (3, 0))), (2, 5, 4, 3), [(0, 0), (1, 2), (3, 0), (0, 0)]),
        (
            layers.ZeroPadding3D((1, 2, 0), "channels_first"),
            (2, 3, 5, 4, 3),
            [*[(0, 0)] * 2, (1, 1), (2, 2), (0, 0)],
        ),
    ],
    ids=str,
)
def test_zero_padding(layer, x, pads):
    y = layer(integers(x))

    np.testing.assert_array_equal(y, np.pad(integers(x), pads), strict=True)
    assert layer.compute_output_shape((None, *x[1:])) == (None, *y.shape[1:])


def test_flatten_puts_channels_last():
    x = np.arange(12, dtype=np.float32).reshape(1, 2, 2, 3)

    np.testing.assert_array_equal(layers.Flatten()(x), [range(12)])
    np.testing.assert_array_equal(
        layers.Flatten("channels_first")(x), [[0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11]]
    )
    assert layers.Flatten().compute_output_shape((None, 2, 2, 3)) == (None, 12)
    assert layers.Flatten()(np.ones(3)).shape == (3, 1)


def test_dropout_drops_nothing():
    x = inputs(2)

    np.testing.assert_array_equal(layers.Dropout(0.5)(x), x)
    assert layers.Dropout(0.5).get_weights() == []


@pytest.mark.parametrize("shape", [(2, 3), (2, 5, 3)])
def test_dense(shape):
    kernel, bias = np.array([[1, 2], [3, 4], [5, 6]]), np.array([10, -200])
    layer = layers.Dense(2, "relu", kernel_initializer=kernel, bias_initializer=bias)

    y = layer(np.ones(shape) * [1, 2, 3])

    np.testing.assert_array_equal(y, np.broadcast_to(np.float32([32, 0]), (*shape[:-1], 2)), strict=True)
    assert layer.compute_output_shape((None, *shape[1:])) == (None, *shape[1:-1], 2)


@pytest.mark.parametrize(("axis", "shape"), [(-1, (2, 5, 3)), (1, (2, 3, 5))])
def test_batch_normalization(axis, shape):
    layer = layers.BatchNormalization(axis, epsilon=0.0)
    layer.build((None, *shape[1:]))
    layer.set_weights([[2, 3, 4], [10, 20, 30], [1, 2, 3], [4, 1, 0.25]])

    y = np.moveaxis(layer(np.full(shape, 5)), axis, -1)

    # The first channel: 2 times (5 - 1) / 2, and 10.
    np.testing.assert_array_equal(y, np.broadcast_to(np.float32([14, 29, 46]), (2, 5, 3)), strict=True)


def test_batch_normalization_without_gamma_and_beta_has_two_weights():
    layer = layers.BatchNormalization(center=False, scale=False, moving_mean_initializer=[1], epsilon=3.0)

    np.testing.assert_array_equal(layer([[3], [7]]), np.float32([[1], [3]]))  # variance 1 and epsilon 3
    assert [w.shape for w in layer.get_weights()] == [(1,), (1,)]


def test_batch_normalization_keeps_digits_of_a_large_mean():
    statistics = {"moving_mean_initializer": [1e6], "moving_variance_initializer": [1e-6]}
    layer = layers.BatchNormalization(epsilon=0.0, **statistics)

    np.testing.assert_allclose(layer([[1e6 + 1]]), [[1e3]], rtol=2**-22)


def test_softmax_is_over_the_last_axis():
    y = layers.Activation("softmax")(np.add(np.log([[1, 3, 4], [2, 2, 1]]), [[1000], [-1000]]))

    np.testing.assert_allclose(y, [[0.125, 0.375, 0.5], [0.4, 0.4, 0.2]], rtol=2**-12)  # of exp(1000 + ...)


@pytest.mark.parametrize(
    ("alias", "name"), [("swish", "silu"), ("hard_swish", "hard_silu"), (None, "linear")]
)
def test_activation_aliases(alias, name):
    x = np.linspace(-5, 5, 7, dtype=np.float32)

    np.testing.assert_array_equal(layers.Activation(alias)(x), layers.Activation(name)(x))


@pytest.mark.parametrize("activation", ["softmax", "tanh", np.square])
def test_an_activation_may_follow_any_layer(activation):
    x = inputs(2)
    plain, active = (layers.Conv2D(3, 2, activation=a, seed=0) for a in (None, activation))

    np.testing.assert_allclose(active(x), layers.Activation(activation)(plain(x)), rtol=2**-20, atol=2**-20)


def test_aliases_are_the_same_classes():
    assert layers.Convolution2D is layers.Conv2D
    assert layers.MaxPool3D is layers.MaxPooling3D
    assert layers.AvgPool1D is layers.AveragePooling1D
    assert layers.GlobalAvgPool2D is layers.GlobalAveragePooling2D
    assert layers.SeparableConvolution1D is layers.SeparableConv1D
    assert layers.Convolution3DTranspose is layers.Conv3DTranspose


def test_default_names_are_keras():
    names = [
        layer.name for layer in (layers.Conv2DTranspose(1, 1), layers.GlobalMaxPool1D(), layers.Dense(1))
    ]

    assert names == ["conv2d_transpose", "global_max_pooling1d", "dense"]
    assert repr(layers.Dense(1, name="head")) == "<Dense 'head'>"
