"""`Sequential`: layers in a row, their features, weights and table."""

import re

import numpy as np
import pytest

import fastconv
from fastconv import layers
from fastconv.layers.summary import size


def article():
    """Make the model that started it all."""
    return layers.Sequential(
        [
            layers.Conv2D(filters=4, kernel_size=(2, 2), strides=(2, 2), padding="VALID"),
            layers.MaxPool2D(pool_size=(2, 2), strides=(2, 2)),
        ]
    )


def lenet(**first):
    return layers.Sequential(
        [
            layers.Conv2D(6, 5, padding="same", activation="tanh", seed=1, **first),
            layers.AveragePooling2D(2),
            layers.Conv2D(16, 5, activation="tanh", seed=2),
            layers.AveragePooling2D(2),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dense(120, "tanh", seed=3),
            layers.Dropout(0.5),
            layers.Dense(84, "tanh", seed=4),
            layers.Dense(10, "softmax", seed=5),
        ],
        name="lenet",
    )


LENET_PARAMS = (
    (25 * 6 + 6) + (25 * 6 * 16 + 16) + 4 * 16 + (400 * 120 + 120) + (120 * 84 + 84) + (84 * 10 + 10)
)


def test_the_article():
    model = article()
    x = np.random.default_rng(0).standard_normal((3, 28, 28, 3))

    convolved, pooled = model.features(x)

    kernel, bias = model.get_weights()
    assert [kernel.shape, bias.shape] == [(2, 2, 3, 4), (4,)]
    assert [convolved.shape, pooled.shape] == [(3, 14, 14, 4), (3, 7, 7, 4)]
    expected = fastconv.conv(x.astype(np.float32), kernel, 2, bias=bias)
    np.testing.assert_array_equal(convolved, expected)
    np.testing.assert_array_equal(pooled, expected.reshape(3, 7, 2, 7, 2, 4).max((2, 4)))
    np.testing.assert_array_equal(model(x), pooled)


def test_lenet():
    model = lenet(input_shape=(28, 28, 1))
    x = np.random.default_rng(0).random((5, 28, 28, 1))

    y = model(x)

    assert model.count_params() == LENET_PARAMS
    assert y.shape == (5, 10)
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=2**-20)
    assert len(model.features(x)) == 10
    assert model.compute_output_shape((None, 28, 28, 1)) == (None, 10)
    assert model.output_shapes((None, 28, 28, 1))[3] == (None, 5, 5, 16)


@pytest.mark.parametrize("batch_size", [1, 2, 5, 32])
def test_predict_is_the_call_in_parts(batch_size):
    model = article()
    x = np.random.default_rng(0).integers(-4, 5, (5, 8, 9, 3))

    np.testing.assert_array_equal(model.predict(x, batch_size), model(x), strict=True)
    np.testing.assert_array_equal(model.predict(x[:0], batch_size), model(x[:0]), strict=True)


def test_summary():
    model = lenet(input_shape=(28, 28, 1))
    lines = []

    model.summary(print_fn=lines.append)

    assert lines == [
        """\
Model: "lenet"
Layer (type)                              Output Shape        Param #
=====================================================================
conv2d (Conv2D)                           (None, 28, 28, 6)       156
average_pooling2d (AveragePooling2D)      (None, 14, 14, 6)         0
conv2d_1 (Conv2D)                         (None, 10, 10, 16)    2,416
average_pooling2d_1 (AveragePooling2D)    (None, 5, 5, 16)          0
batch_normalization (BatchNormalization)  (None, 5, 5, 16)         64
flatten (Flatten)                         (None, 400)               0
dense (Dense)                             (None, 120)          48,120
dropout (Dropout)                         (None, 120)               0
dense_1 (Dense)                           (None, 84)           10,164
dense_2 (Dense)                           (None, 10)              850
=====================================================================
Total params: 61,770 (241.29 KB)"""
    ]


def test_summary_prints_what_is_known(capsys):
    model = article()

    model.summary()
    before = capsys.readouterr().out
    model(np.ones((2, 28, 28, 3)))
    model.summary()
    after = capsys.readouterr().out

    assert "conv2d (Conv2D)               ?                   ?\n" in before
    assert before.endswith("Total params: 0 (0.00 B)\n")
    assert "conv2d (Conv2D)               (2, 14, 14, 4)       52\n" in after
    assert after.endswith("Total params: 52 (208.00 B)\n")


@pytest.mark.parametrize("spelt", [{"shape": (28, 28, 3)}, {"batch_shape": (None, 28, 28, 3)}])
def test_an_input_layer_builds_the_model_and_is_no_layer_of_it(spelt):
    model = layers.Sequential([layers.Input(**spelt), layers.Conv2D(4, 2)])

    assert model.built
    assert model.names == ("conv2d",)
    assert model.input_shape == (None, 28, 28, 3)
    assert [w.shape for w in model.get_weights()] == [(2, 2, 3, 4), (4,)]


@pytest.mark.parametrize(
    ("nbytes", "text"),
    [(0, "0.00 B"), (1020, "1020.00 B"), (1024, "1.00 KB"), (3 << 19, "1.50 MB"), (1 << 42, "4096.00 GB")],
)
def test_size(nbytes, text):
    assert size(nbytes) == text


def test_an_input_layer_of_unknown_sizes_waits_for_the_first_call():
    model = layers.Sequential([layers.Input((None, None, 3)), layers.Conv2D(4, 2)])
    assert not model.built

    assert model(np.ones((1, 5, 6, 3))).shape == (1, 4, 5, 4)
    assert model(np.ones((1, 8, 7, 3))).shape == (1, 7, 6, 4)
    assert model.built


def test_a_model_among_the_layers_stands_for_its_layers():
    inner = article()
    model = layers.Sequential([inner, layers.Flatten()])
    x = np.ones((1, 8, 9, 3))

    assert model.names == ("conv2d", "max_pooling2d", "flatten")
    np.testing.assert_array_equal(model(x), inner(x).reshape(1, -1))


def test_names():
    model = layers.Sequential(
        [layers.Dense(1), layers.Dense(1, name="dense_1"), layers.Dense(1), layers.Dense(1, name="head")],
        "nets",
    )

    assert model.names == ("dense", "dense_1", "dense_2", "head")
    assert repr(model) == "<Sequential 'nets': dense, dense_1, dense_2, head>"


def test_weights_travel():
    one, other = lenet(input_shape=(28, 28, 1)), lenet(input_shape=(28, 28, 1))
    rng = np.random.default_rng(0)
    weights = [rng.random(w.shape) for w in one.get_weights()]
    x = rng.random((2, 28, 28, 1))

    one.set_weights(weights)
    other.set_weights(one.get_weights())

    assert len(weights) == 2 + 2 + 4 + 2 + 2 + 2
    np.testing.assert_array_equal(other(x), one(x))
    np.testing.assert_array_equal(one.get_weights()[4], weights[4].astype(np.float32))


def test_weights_are_set_all_or_none():
    model = lenet(input_shape=(28, 28, 1))
    before = model.get_weights()
    changed = [w + 1 for w in before]

    with pytest.raises(
        ValueError, match=r"`weights` must be 2 arrays of shapes .*\(10,\).* got .*\(11,\)"
    ) as caught:
        model.set_weights([*changed[:-1], np.ones(11)])

    assert caught.value.__notes__ == ["in layer 'dense_2', number 10 of 'lenet'"]
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_too_few_weights():
    model = lenet(input_shape=(28, 28, 1))

    with pytest.raises(ValueError, match="Sequential: `weights` must be 14 arrays; got 3"):
        model.set_weights(model.get_weights()[:3])


@pytest.mark.parametrize("ask", ["__call__", "features", "predict"])
def test_an_error_says_which_layer(ask):
    model = lenet()

    with pytest.raises(ValueError, match=r"^AveragePooling2D: .* over \(1, 3\)") as caught:
        getattr(model, ask)(np.ones((1, 11, 14, 1)))

    assert caught.value.__notes__ == ["in layer 'average_pooling2d_1', number 4 of 'lenet'"]
    assert not model.built  # nothing is made for inputs that cannot pass


def test_an_error_of_a_built_model_says_which_layer():
    model = lenet(input_shape=(28, 28, 1))

    with pytest.raises(ValueError, match=r"^Dense: .* got \(1, 576\)") as caught:
        model(np.ones((1, 32, 32, 1)))

    assert caught.value.__notes__ == ["in layer 'dense', number 7 of 'lenet'"]


@pytest.mark.parametrize(
    ("error", "text", "members"),
    [
        (ValueError, "Sequential: `layers` must have at least one layer; got []", lambda: []),
        (TypeError, "Sequential: `layers` must be layers of fastconv; got 'Conv2D'", lambda: ["Conv2D"]),
        (
            ValueError,
            "Sequential: `layers` must have names of their own; got 'a' 2 times",
            lambda: [layers.Flatten(name="a"), layers.Dense(1), layers.Dropout(0, name="a")],
        ),
        (
            ValueError,
            "Sequential: `layers` must be different objects; got one of them twice",
            lambda: [layers.Flatten()] * 2,
        ),
    ],
)
def test_layers_that_make_no_model(error, text, members):
    with pytest.raises(error, match=f"^{re.escape(text)}$"):
        layers.Sequential(members())


def test_predict_arguments():
    with pytest.raises(ValueError, match="Sequential: `batch_size` must be a positive int; got 0"):
        article().predict(np.ones((1, 8, 8, 3)), 0)
    with pytest.raises(ValueError, match=r"Sequential: `x` must have a batch axis; got shape \(\)"):
        article().predict(1.0)
