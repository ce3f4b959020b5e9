"""Models taken over from Keras compute what they did, layer by layer."""

import numpy as np
import pytest

from fastconv import layers

from .test_layers import FORMATS, LAST, SIZES, close

pytestmark = [
    pytest.mark.parity,
    # Keras' variables, when they are read (keras 3.15.1 under NumPy 2).
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"),
]


def randomized(model):
    """Give a Keras model weights that no initialiser would; they neither blow up nor fade."""
    rng = np.random.default_rng(0)
    model.set_weights(
        [
            rng.normal(size=w.shape) / np.sqrt(w[..., 0].size)
            if w.ndim > 1
            else rng.uniform(0.5, 1.5, w.shape)
            for w in model.get_weights()
        ]
    )
    return model


def check_features(theirs, keras, shape):
    """Take a Keras model over; compare every layer's output, the weights and the table's total."""
    ours = layers.Sequential.from_keras(randomized(theirs))
    x = np.random.default_rng(1).normal(size=shape).astype(np.float32)

    expected = keras.Model(theirs.inputs[0], [theirs.get_layer(name).output for name in ours.names])(x)

    assert ours.count_params() == theirs.count_params()
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for y, z in zip(ours.features(x), expected, strict=True):
        close(y, z)
    close(ours(x), theirs(x))
    return ours


def test_the_articles_model(keras):
    theirs = keras.Sequential(
        [
            keras.layers.Conv2D(filters=4, kernel_size=(2, 2), strides=(2, 2), padding="VALID"),
            keras.layers.MaxPool2D(pool_size=(2, 2), strides=(2, 2)),
        ]
    )
    theirs(np.zeros((1, 28, 28, 3)))

    ours = check_features(theirs, keras, (1, 28, 28, 3))

    assert [type(layer) for layer in ours.layers] == [layers.Conv2D, layers.MaxPool2D]
    assert ours.output_shapes(ours.input_shape) == [(1, 14, 14, 4), (1, 7, 7, 4)]


@pytest.mark.parametrize("data_format", FORMATS)
def test_a_lenet(data_format, keras):
    make, options = keras.layers, {"data_format": data_format}
    shape = (28, 28, 1) if data_format == LAST else (1, 28, 28)
    theirs = keras.Sequential(
        [
            make.Input(shape),
            make.ZeroPadding2D(2, **options),
            make.Conv2D(6, 5, activation="tanh", **options),
            make.AveragePooling2D(2, **options),
            make.Conv2D(16, 5, use_bias=False, kernel_initializer="orthogonal", **options),
            make.BatchNormalization(axis=-1 if data_format == LAST else 1),
            make.Activation("relu"),
            make.MaxPooling2D(2, **options),
            make.Flatten(**options),
            make.Dense(120, activation="sigmoid", kernel_regularizer="l2"),
            make.Dropout(0.5),
            make.Dense(84, activation=keras.activations.gelu),
            make.Dense(10, activation="softmax"),
        ],
        name="lenet",
    )

    ours = check_features(theirs, keras, (3, *shape))

    assert ours.name == "lenet"
    close(ours.predict(np.ones((5, *shape)), batch_size=2), theirs.predict(np.ones((5, *shape)), verbose=0))


def test_a_linear_functional_model(keras):
    make = keras.layers
    x = make.Input((None, None, 3))
    y = make.SeparableConv2D(8, 3, padding="same", activation="swish", depth_multiplier=2)(x)
    y = make.DepthwiseConv2D((3, 2), strides=2, activation="relu6")(y)
    y = make.Conv2DTranspose(5, 3, strides=2, padding="same", output_padding=1)(y)
    y = make.Conv2D(6, 3, dilation_rate=2, name="wide")(y)
    y = make.GlobalAveragePooling2D(keepdims=True)(y)
    y = make.Dense(4, name="head")(make.Flatten()(y))

    ours = check_features(keras.Model(x, y), keras, (2, 18, 15, 3))

    assert [type(layer).__name__ for layer in ours.layers[-3:]] == [
        "GlobalAveragePooling2D",
        "Flatten",
        "Dense",
    ]
    assert ours.names[-1] == "head"


@pytest.mark.parametrize("rank", [1, 3])
def test_models_of_other_ranks(rank, keras):
    make = keras.layers
    members = [
        make.Input((*SIZES[rank], 3)),
        getattr(make, f"Conv{rank}D")(4, 2, padding="causal" if rank == 1 else "same"),
        getattr(make, f"Conv{rank}DTranspose")(5, 2, strides=2, output_padding=1),
        getattr(make, f"MaxPooling{rank}D")(2),
        getattr(make, f"AdaptiveAveragePooling{rank}D")(2),
        getattr(make, f"GlobalMaxPooling{rank}D")(),
    ]

    check_features(keras.Sequential(members), keras, (2, *SIZES[rank], 3))


def test_a_model_inside_a_model_is_opened_up(keras):
    make = keras.layers
    inner = keras.Sequential([make.Input((8, 8, 3)), make.Conv2D(4, 3, name="inside")])
    x = make.Input((8, 8, 3))
    theirs = randomized(keras.Model(x, make.Flatten(name="flat")(inner(x))))

    ours = layers.Sequential.from_keras(theirs)

    assert ours.names == ("inside", "flat")
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype(np.float32)
    close(ours(x), theirs(x))


def test_float64_models_stay_float64(keras):
    make = keras.layers
    members = [make.Conv2D(4, 3, dtype="float64"), make.Dense(3, dtype="float64")]
    theirs = randomized(keras.Sequential([make.Input((6, 5, 2), dtype="float64"), *members]))
    x = np.random.default_rng(0).normal(size=(2, 6, 5, 2))

    ours = layers.Sequential.from_keras(theirs)

    close(ours(x), theirs(x), rtol=1e-14)


def test_a_branching_model_is_refused(keras):
    make = keras.layers
    x = make.Input((8, 8, 3))
    y = make.Conv2D(3, 3, padding="same", name="fork")(x)
    z = make.Add(name="join")([make.Conv2D(3, 1, name="left")(y), y])

    with pytest.raises(ValueError, match="must not branch; layer 'fork' feeds 'left', 'join'"):
        layers.Sequential.from_keras(keras.Model(x, z))


def test_layers_that_are_not_ours_are_refused(keras):
    make = keras.layers
    x = make.Input((8, 8, 3))

    with pytest.raises(ValueError, match=r"layer 'memory' must be of a class of fastconv\.layers; got LSTM"):
        layers.Sequential.from_keras(keras.Sequential([make.Input((8, 3)), make.LSTM(4, name="memory")]))
    with pytest.raises(ValueError, match=r"layer 'relu\w*' must be of a class of fastconv\.layers; got Relu"):
        layers.Sequential.from_keras(keras.Model(x, keras.ops.relu(x)))
    with pytest.raises(ValueError, match="`model` must be built"):
        layers.Sequential.from_keras(keras.Sequential([make.Dense(3)]))
