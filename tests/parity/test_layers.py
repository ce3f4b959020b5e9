"""Every layer, and models of them, equal those of Keras with the same weights."""

import inspect
import itertools

import numpy as np
import pytest

import fastconv
from fastconv import layers

pytestmark = [
    pytest.mark.parity,
    # Keras' variables, when they are read (keras 3.15.1 under NumPy 2).
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"),
]

SIZES = {1: (12,), 2: (9, 8), 3: (5, 7, 6)}
FORMATS = ("channels_last", "channels_first")
LAST, FIRST = FORMATS


def first(values, rank):
    """Cut a value for each of three axes down to `rank` axes."""
    return values[:rank] if isinstance(values, tuple) else values


def spread(kind, ranks, *options, formats=FORMATS):
    """Cases of a kind of layer: each set of options at each rank in each data format."""
    return [
        pytest.param(
            kind.format(rank),
            {key: first(value, rank) for key, value in chosen.items()} | {"data_format": data_format},
            id=f"{kind.format(rank)}-{number}-{data_format}",
        )
        for (number, chosen), rank, data_format in itertools.product(enumerate(options), ranks, formats)
    ]


WINDOW = (3, 2, 4)
LEARNT = [
    *spread(
        "Conv{}D",
        (1, 2, 3),
        {"filters": 6, "kernel_size": WINDOW},
        {"filters": 6, "kernel_size": WINDOW, "strides": (2, 3, 1), "padding": "same", "activation": "relu"},
        {"filters": 6, "kernel_size": WINDOW, "strides": (2, 1, 3), "padding": "VALID", "use_bias": False},
        {"filters": 6, "kernel_size": WINDOW, "dilation_rate": (2, 3, 1), "padding": "same"},
    ),
    # XLA has no convolution in groups with the channels first, on the CPU.
    *spread("Conv{}D", (1, 2, 3), {"filters": 6, "kernel_size": WINDOW, "groups": 2}, formats=[LAST]),
    *spread(
        "Conv{}D",
        (1,),
        {"filters": 5, "kernel_size": 3, "padding": "causal", "dilation_rate": 2},
        formats=[LAST],
    ),
    *spread(
        "DepthwiseConv{}D",
        (1, 2),
        {"kernel_size": WINDOW, "depth_multiplier": 3, "padding": "same"},
        {"kernel_size": WINDOW, "strides": 2, "activation": "relu6"},
        {"kernel_size": WINDOW, "dilation_rate": 2, "use_bias": False},
    ),
    *spread(
        "SeparableConv{}D",
        (1, 2),
        {"filters": 5, "kernel_size": WINDOW, "depth_multiplier": 3, "padding": "same"},
        {"filters": 5, "kernel_size": WINDOW, "strides": 2, "activation": "relu"},
        {"filters": 5, "kernel_size": WINDOW, "dilation_rate": 2, "use_bias": False},
    ),
    *spread(
        "Conv{}DTranspose",
        (1, 2, 3),
        {"filters": 5, "kernel_size": WINDOW},
        {"filters": 5, "kernel_size": WINDOW, "strides": (2, 3, 1), "padding": "same", "activation": "relu"},
        {"filters": 5, "kernel_size": WINDOW, "strides": (2, 3, 2), "output_padding": (1, 2, 0)},
        {"filters": 5, "kernel_size": WINDOW, "strides": (3, 2, 3), "output_padding": 1, "padding": "same"},
        {"filters": 5, "kernel_size": WINDOW, "dilation_rate": (2, 3, 1), "use_bias": False},
    ),
]
UNLEARNT = [
    *spread(
        "MaxPooling{}D",
        (1, 2, 3),
        {},
        {"pool_size": WINDOW, "strides": (2, 1, 3), "padding": "same"},
        {"pool_size": WINDOW, "padding": "valid"},
    ),
    *spread(
        "AveragePooling{}D",
        (1, 2, 3),
        {"pool_size": 2},
        {"pool_size": WINDOW, "strides": (2, 1, 3), "padding": "same"},
    ),
    *spread("GlobalMaxPooling{}D", (1, 2, 3), {}, {"keepdims": True}),
    *spread("GlobalAveragePooling{}D", (1, 2, 3), {}, {"keepdims": True}),
    *spread("AdaptiveMaxPooling{}D", (1, 2, 3), {"output_size": (4, 3, 2)}, {"output_size": 1}),
    *spread("AdaptiveAveragePooling{}D", (1, 2, 3), {"output_size": (4, 3, 2)}, {"output_size": 1}),
    *spread(
        "ZeroPadding{}D",
        (2, 3),
        {"padding": 2},
        {"padding": (1, 2, 0)},
        {"padding": ((1, 2), (0, 3), (2, 1))},
    ),
    *spread("ZeroPadding{}D", (1,), {}, {"padding": 2}),
    pytest.param("ZeroPadding1D", {"padding": (1, 3), "data_format": LAST}, id="ZeroPadding1D-pair"),
]


def inputs(rank, data_format, dtype="float32"):
    shape = (2, *SIZES[rank], 4) if data_format == LAST else (2, 4, *SIZES[rank])
    return integers(shape, 0).astype(dtype)


def integers(shape, seed):
    """Small integers, of which every sum is exact in any order."""
    return np.random.default_rng(seed).integers(-4, 5, shape)


def same_shape(ours, theirs, shape):
    assert ours.compute_output_shape(shape) == tuple(theirs.compute_output_shape(shape))


def rank_of(name):
    return int(next(letter for letter in name if letter.isdigit()))


@pytest.mark.parametrize(("name", "options"), LEARNT)
def test_layers_with_weights(name, options, keras):
    theirs, ours = getattr(keras.layers, name)(**options), getattr(layers, name)(**options)
    x = inputs(rank_of(name), options["data_format"])
    for layer in (theirs, ours):
        layer.build((None, *x.shape[1:]))
    weights = [integers(w.shape, seed) for seed, w in enumerate(theirs.get_weights(), 1)]
    for layer in (theirs, ours):
        layer.set_weights(weights)

    assert [w.shape for w in ours.get_weights()] == [w.shape for w in theirs.get_weights()]
    same_shape(ours, theirs, (None, *x.shape[1:]))
    assert ours.count_params() == theirs.count_params()
    np.testing.assert_array_equal(ours(x), np.asarray(theirs(x)), strict=True)


@pytest.mark.parametrize(("name", "options"), UNLEARNT)
def test_layers_without_weights(name, options, keras):
    theirs, ours = getattr(keras.layers, name)(**options), getattr(layers, name)(**options)
    x = inputs(rank_of(name), options["data_format"])

    same_shape(ours, theirs, (None, *x.shape[1:]))
    close(ours(x), theirs(x))


@pytest.mark.parametrize("dtype", ["float16", "float64"])
@pytest.mark.parametrize("name", ["Conv2D", "Conv2DTranspose", "MaxPooling2D", "AveragePooling2D", "Dense"])
def test_dtypes(name, dtype, keras):
    args = {"MaxPooling2D": (2,), "AveragePooling2D": (3,), "Dense": (3,)}.get(name, (3, 2))
    theirs, ours = (getattr(module, name)(*args, dtype=dtype) for module in (keras.layers, layers))
    x = inputs(2, LAST)
    for layer in (theirs, ours):
        layer.build(x.shape)
        layer.set_weights([integers(w.shape, 1) for w in layer.get_weights()])

    assert ours(x).dtype == dtype
    # Sums of integers are exact in all of them; a mean is rounded once, or twice.
    close(ours(x), theirs(x), rtol=2 * np.finfo(dtype).eps)


@pytest.mark.parametrize("data_format", FORMATS)
def test_flatten(data_format, keras):
    x = inputs(2, data_format)
    ours = layers.Flatten(data_format)

    np.testing.assert_array_equal(ours(x), np.asarray(keras.layers.Flatten(data_format)(x)), strict=True)
    assert ours.compute_output_shape(x.shape) == (2, 9 * 8 * 4)


@pytest.mark.parametrize("name", sorted(set(layers.activation.NAMES)))
def test_activations(name, keras):
    x = np.random.default_rng(0).normal(scale=3, size=(3, 5, 7)).astype(np.float32)

    close(layers.Activation(name)(x), keras.layers.Activation(name)(x))
    dense = layers.Dense(4, name, seed=0)
    theirs = keras.layers.Dense(4, name)
    theirs.build(x.shape)
    dense.build(x.shape)
    theirs.set_weights(dense.get_weights())
    close(dense(x), theirs(x))


@pytest.mark.parametrize("options", [{}, {"axis": 1}, {"scale": False}, {"center": False, "epsilon": 0.1}])
def test_batch_normalization(options, keras):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 5, 6)).astype(np.float32)
    theirs, ours = keras.layers.BatchNormalization(**options), layers.BatchNormalization(**options)
    for layer in (theirs, ours):
        layer.build(x.shape)
    weights = [rng.uniform(0.5, 2, w.shape) for w in theirs.get_weights()]
    for layer in (theirs, ours):
        layer.set_weights(weights)

    close(ours(x), theirs(x))


CONSTRUCTED = [name for name in layers.__all__ if name not in ("Layer", "Sequential", "Input")]


@pytest.mark.parametrize("name", CONSTRUCTED)
def test_signatures(name, keras):
    """Arguments have Keras' names, order and defaults; some that an inference has no use for are missing."""
    ours, theirs = (
        {
            p.name: p.default
            for p in list(inspect.signature(getattr(module, name).__init__).parameters.values())[1:]
            if p.kind is not p.VAR_KEYWORD
        }
        for module in (layers, keras.layers)
    )

    shared = [arg for arg in theirs if arg in ours]
    assert list(ours) == shared
    left_out = list(theirs)[: list(theirs).index(shared[-1]) + 1]
    assert [arg for arg in left_out if arg not in ours and not useless(arg)] == []
    for arg in ours:
        assert same_default(ours[arg], theirs[arg]), arg


# Arguments of `InputLayer` before its `name`.
UNHEARD_OF = ("sparse", "ragged", "input_tensor", "optional")


def useless(argument):
    return argument.endswith(("_regularizer", "_constraint")) or argument in UNHEARD_OF


def same_default(ours, theirs):
    """Whether defaults mean the same: an int stands for itself on every axis."""
    flat = np.ravel(theirs) if isinstance(theirs, tuple) else theirs
    return bool(np.all(flat == ours)) if isinstance(theirs, tuple) else ours == theirs or ours is theirs


def test_names_of_classes(keras):
    for name in CONSTRUCTED:
        assert getattr(layers, name).__name__ == getattr(keras.layers, name).__name__


def test_strides_with_dilation_go_further_than_keras_layers(keras):
    x = inputs(2, LAST)
    layer = layers.Conv2D(3, 2, strides=2, dilation_rate=3, seed=0)

    y = layer(x)

    kernel, bias = layer.get_weights()
    close(y, keras.ops.conv(x, kernel, 2, "valid", dilation_rate=3) + bias)
    assert y.shape == fastconv.conv(x, kernel, 2, dilation_rate=3).shape
    with pytest.raises(ValueError, match="strides > 1"):
        keras.layers.Conv2D(3, 2, strides=2, dilation_rate=3)


def close(ours, theirs, rtol=1e-5):
    """Compare up to rounding: `rtol` of the largest number there is."""
    theirs = np.asarray(theirs)
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol * np.abs(theirs).max())
