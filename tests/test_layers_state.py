"""What layers keep: weights, plans, a dtype; and that threads may share them."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import fastconv
from fastconv import layers
from fastconv.layers import convolution, pooling


def integers(shape):
    """Small integers: every sum is exact, so that the order of summation cannot matter."""
    return np.random.default_rng(0).integers(-4, 5, shape).astype(np.float32)


@pytest.mark.parametrize(
    ("layer", "shape", "params"),
    [
        (layers.Conv2D(4, 2), (28, 28, 3), 2 * 2 * 3 * 4 + 4),
        (layers.Conv2D(4, (3, 5), groups=2, use_bias=False), (9, 9, 6), 3 * 5 * 3 * 4),
        (layers.Conv1D(8, 3), (16, 5), 3 * 5 * 8 + 8),
        (layers.Conv3D(2, 3), (8, 8, 8, 1), 27 * 1 * 2 + 2),
        (layers.DepthwiseConv2D(3, depth_multiplier=2), (8, 8, 5), 9 * 5 * 2 + 10),
        (layers.SeparableConv1D(7, 3, depth_multiplier=2), (8, 5), 3 * 5 * 2 + 10 * 7 + 7),
        (layers.Conv2DTranspose(4, 3), (8, 8, 5), 9 * 4 * 5 + 4),
        (layers.DepthwiseConv1D(3, use_bias=False), (8, 5), 3 * 5),
        (layers.SeparableConv2D(7, 3, use_bias=False), (8, 8, 5), 9 * 5 + 5 * 7),
        (layers.Conv1DTranspose(4, 3, use_bias=False), (8, 5), 3 * 4 * 5),
        (layers.Dense(10, use_bias=False), (84,), 84 * 10),
        (layers.Dense(10), (84,), 84 * 10 + 10),
        (layers.BatchNormalization(), (8, 8, 16), 4 * 16),
        (layers.MaxPooling2D(), (8, 8, 16), 0),
    ],
    ids=str,
)
def test_count_params(layer, shape, params):
    layer.build((None, *shape))

    assert layer.count_params() == params


def test_weights_are_copies():
    layer = layers.Conv2D(4, 2, seed=0)
    x = integers((2, 11, 8, 4))
    y = layer(x)
    weights = layer.get_weights()

    weights[0][...] = 0
    assert (layer.get_weights()[0] != 0).any()
    np.testing.assert_array_equal(layer(x), y)
    layer.set_weights(weights)
    weights[0][...] = 1

    np.testing.assert_array_equal(layer(x), np.zeros_like(y))


def test_weights_are_there_as_soon_as_the_input_shape_is():
    layer = layers.Conv2D(4, (3, 2), input_shape=(None, None, 5))

    assert [w.shape for w in layer.get_weights()] == [(3, 2, 5, 4), (4,)]
    assert layers.Dense(3, input_shape=(7,)).count_params() == 24


def test_a_layer_is_built_once():
    layer = layers.Conv2D(4, 2)
    layer(integers((2, 11, 8, 4)))
    before = layer.get_weights()

    layer.build((None, 3, 3, 4))

    np.testing.assert_array_equal(layer.get_weights()[0], before[0])


@pytest.fixture
def made(monkeypatch):
    """Plans that convolution and pooling layers make, as they make them."""
    plans = []

    def recording(make):
        def record(*args, **options):
            plans.append(make(*args, **options))
            return plans[-1]

        return record

    monkeypatch.setattr(convolution, "plan_conv", recording(fastconv.plan_conv))
    monkeypatch.setattr(pooling, "plan_pool", recording(fastconv.plan_pool))
    return plans


@pytest.mark.parametrize("layer", [layers.Conv2D(3, 2), layers.MaxPooling2D()], ids=str)
def test_a_layer_plans_once_for_each_shape(layer, made):
    for _ in range(3):
        layer(np.ones((2, 6, 5, 4)))
        layer(np.ones((1, 6, 5, 4)))

    assert [plan.x_shape for plan in made] == [(2, 6, 5, 4), (1, 6, 5, 4)]


def test_new_weights_mean_new_plans(made):
    layer = layers.Conv2D(3, 2, use_bias=False)
    layer(np.ones((1, 6, 5, 4)))

    layer.set_weights([np.ones((2, 2, 4, 3))])

    np.testing.assert_array_equal(layer(np.ones((1, 6, 5, 4))), np.full((1, 5, 4, 3), 16))
    assert len(made) == 2


def test_the_plans_that_a_layer_keeps_are_few(made):
    layer = layers.MaxPooling1D()
    for n in [*range(1, 30), 1]:
        layer(np.ones((n, 4, 1)))

    assert len(made) == 30  # the first was forgotten in between


def test_the_backend_in_use_is_obeyed_whatever_was_planned_before(made):
    layer = layers.Conv2D(3, 2)
    for name in ("einsum", "naive", "einsum"):
        with fastconv.use_backend(name):
            layer(np.ones((1, 6, 5, 4)))

    assert [plan.kernel.backend for plan in made] == ["einsum", "naive"]


def test_threads_find_the_same_weights():
    for _ in range(20):
        layer = layers.Conv2D(3, 2)
        start = threading.Barrier(4)

        def call(layer=layer, start=start):
            start.wait()
            return layer(np.ones((1, 6, 5, 4)))

        with ThreadPoolExecutor(4) as pool:
            outputs = [future.result() for future in [pool.submit(call) for _ in range(4)]]

        for y in outputs[1:]:
            np.testing.assert_array_equal(y, outputs[0])


def test_a_call_sees_weights_of_one_moment():
    layer = layers.Conv2D(3, 2, kernel_initializer="zeros")
    x = np.ones((1, 6, 5, 4))
    layer(x)

    def change():
        for value in range(1, 60):
            layer.set_weights([np.full((2, 2, 4, 3), value), np.full(3, value)])

    with ThreadPoolExecutor(3) as pool:
        changing = pool.submit(change)
        while not changing.done():
            y = layer(x)
            assert (y == y.flat[0]).all()
            assert y.flat[0] % 17 == 0  # 16 products of a value and the same for bias
        changing.result()
    assert layer(x).flat[0] == 59 * 17


DTYPED = [
    (layers.Conv2D, (3, 2)),
    (layers.Conv2DTranspose, (3, 2)),
    (layers.SeparableConv2D, (3, 2)),
    (layers.MaxPooling2D, ()),
    (layers.AveragePooling2D, (2,)),
    (layers.GlobalAveragePooling2D, ()),
    (layers.AdaptiveAveragePooling2D, (3,)),
    (layers.ZeroPadding2D, ()),
    (layers.Flatten, ()),
    (layers.Dense, (3,)),
    (layers.Activation, ("sigmoid",)),
    (layers.BatchNormalization, ()),
    (layers.Dropout, (0.5,)),
]


@pytest.mark.parametrize("given", ["uint8", "bool", "int64", "float16", ">f8"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(("kind", "args"), DTYPED, ids=[kind.__name__ for kind, _ in DTYPED])
def test_dtype_is_the_layers(kind, args, dtype, given):
    layer = kind(*args, dtype=dtype)
    x = (integers((1, 6, 5, 4)) % 2).astype(given)

    y = layer(x)

    assert y.dtype == dtype
    assert {w.dtype for w in layer.get_weights()} <= {np.dtype(dtype)}
    np.testing.assert_array_equal(y, layer(x.astype(dtype)), strict=True)


def test_float16_is_computed_in_float32():
    x = np.full((1, 64, 1), 64, np.float16)
    ones = {"kernel_initializer": "ones", "dtype": "float16"}

    assert layers.Dense(1, np.sqrt, **ones)(x.reshape(1, 64).repeat(64, 1)).item() == 512  # sqrt(64^3)
    assert layers.Activation(lambda y: y * y / 64, dtype="float16")([1024]).item() == 16384
    assert layers.Conv1D(1, 64, activation=lambda y: y / 32, **ones)(np.repeat(x, 64, 2)).item() == 8192


def test_inputs_too_large_for_the_dtype_are_infinite():
    assert layers.MaxPooling1D()(np.full((1, 2, 1), 1e300)).item() == np.inf


@pytest.mark.parametrize("kind", ["Conv2D", "MaxPooling2D", "GlobalMaxPooling2D"])
def test_a_batch_of_none_gives_none(kind):
    layer = getattr(layers, kind)(**({"filters": 3, "kernel_size": 2} if kind == "Conv2D" else {}))

    assert layer(np.ones((0, 6, 5, 4))).shape == (0, *layer.compute_output_shape((None, 6, 5, 4))[1:])


def test_inputs_are_not_written():
    x = integers((1, 6, 5, 4))
    x.flags.writeable = False
    for kind, args in DTYPED:
        kind(*args)(x)
