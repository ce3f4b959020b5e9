"""Plans and layers can be handed to other processes: what they compute there is the same."""

import copy
import multiprocessing
import pickle

import numpy as np
import pytest

import fastconv
from fastconv import layers


def ones(*shape):
    return np.ones(shape, np.float32)


def drawn(*shape):
    return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)


PLANS = {
    "conv": lambda: fastconv.plan_conv(
        (1, 28, 28, 3), drawn(2, 2, 3, 4), 2, bias=drawn(4), activation="relu"
    ),
    "activation": lambda: fastconv.plan_conv((2, 9, 9, 3), drawn(2, 2, 3, 4), activation="tanh"),
    "dense": lambda: fastconv.plan_conv((1, 14, 14, 64), drawn(3, 3, 64, 64), padding="same"),
    "depthwise": lambda: fastconv.plan_conv((1, 14, 14, 64), drawn(3, 3, 1, 64)),
    "rank 1": lambda: fastconv.plan_conv((1, 200, 200, 1), ones(9, 9, 1, 1)),
    "large": lambda: fastconv.plan_conv((1, 20000, 1), drawn(301, 1, 1)),
    "channels first": lambda: fastconv.plan_conv(
        (1, 64, 28, 28), drawn(1, 1, 64, 64), data_format="channels_first"
    ),
    "transposed": lambda: fastconv.plan_conv_transpose((1, 9, 9, 8), drawn(2, 2, 4, 8), 2),
    "pool": lambda: fastconv.plan_pool((1, 28, 28, 8), 2),
    "mean": lambda: fastconv.plan_pool((1, 300, 300, 1), 31, strides=1, reduction="mean"),
    "einsum": lambda: fastconv.plan_conv((1, 28, 28, 3), drawn(2, 2, 3, 4), 2, backend="einsum"),
}


def model():
    return layers.Sequential(
        [layers.Conv2D(4, 2, strides=2, activation="gelu"), layers.MaxPooling2D(2), layers.Flatten()]
    )


def apply(given):
    """Compute in another process."""
    function, x = given
    return function(x)


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_that_was_pickled_computes_the_same(name):
    plan = PLANS[name]()
    x = drawn(*plan.x_shape)
    y = plan(x)  # compiled and bound, which stays behind

    for other in (pickle.loads(pickle.dumps(plan)), copy.deepcopy(plan)):
        assert other.kernel is plan.kernel
        np.testing.assert_array_equal(other(x), y)
        np.testing.assert_array_equal(other(x[:, ::-1]), plan(x[:, ::-1]))


def test_a_layer_that_was_pickled_computes_the_same():
    network = model()
    x = drawn(3, 28, 28, 3)
    y = network(x)

    other = pickle.loads(pickle.dumps(network))
    np.testing.assert_array_equal(other(x), y)
    other.set_weights([2 * w for w in other.get_weights()])
    assert not np.array_equal(other(x), y)
    np.testing.assert_array_equal(network(x), y)
    assert pickle.loads(pickle.dumps(model())).built is False


def test_other_processes_compute_the_same():
    x = drawn(1, 28, 28, 3)
    given = [(plan, drawn(*plan.x_shape)) for plan in (PLANS["conv"](), PLANS["pool"]())]
    given.append((model(), x))
    given[-1][0](x)

    with multiprocessing.get_context("spawn").Pool(2) as pool:
        results = pool.map(apply, given, chunksize=1)

    for (function, x), y in zip(given, results, strict=True):
        np.testing.assert_array_equal(function(x), y)
