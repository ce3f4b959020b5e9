"""Activations against their definitions, written out with Python's own ``math``."""

import math
from fractions import Fraction

import numpy as np
import pytest

from fastconv.activations import FUNCTIONS, elu, erf, leaky_relu
from fastconv.problem import ACTIVATIONS


def sigmoid(x):
    return 1 / (1 + math.exp(-x)) if x > -700 else math.exp(x)


def clip(x, low, high):
    return min(max(x, low), high)


# As the documentation of keras.activations defines them.
DEFINITIONS = {
    "linear": lambda x: x,
    "relu": lambda x: max(x, 0.0),
    "relu6": lambda x: clip(x, 0.0, 6.0),
    "leaky_relu": lambda x: x if x >= 0 else 0.2 * x,
    "elu": lambda x: x if x >= 0 else math.expm1(x),
    "softplus": lambda x: max(x, 0.0) + math.log1p(math.exp(-abs(x))),
    "sigmoid": sigmoid,
    "tanh": math.tanh,
    "silu": lambda x: x * sigmoid(x),
    "gelu": lambda x: x * math.erfc(-x / math.sqrt(2)) / 2,
    "hard_sigmoid": lambda x: clip(x / 6 + 0.5, 0.0, 1.0),
    "hard_silu": lambda x: x * clip(x / 6 + 0.5, 0.0, 1.0),
}
# Where the definition takes a difference of numbers near 1, the result is only as fine as those.
ABSOLUTE = {"gelu", "hard_sigmoid", "hard_silu"}

GRID = np.concatenate(
    [np.linspace(-12, 12, 4801), [-1000, -100, -30, -1e-3, -1e-8, 1e-8, 1e-3, 30, 100, 1000]]
)


def test_every_name_has_a_function_and_a_definition():
    assert set(FUNCTIONS) == set(ACTIVATIONS) == set(DEFINITIONS)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_is_as_defined(name, dtype):
    x = GRID.astype(dtype)
    expected = np.array([DEFINITIONS[name](float(value)) for value in x])
    eps = np.finfo(dtype).eps
    rtol, atol = (8 * eps, 8 * eps * np.abs(x)) if name in ABSOLUTE else (8 * eps, 0)

    y = FUNCTIONS[name](x)

    assert y.dtype == x.dtype
    excess = np.abs(y - expected) - np.maximum(rtol * np.abs(expected), atol)
    assert np.max(excess) <= np.finfo(dtype).smallest_normal


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(
    ("name", "low", "high"),
    [  # limits at -inf and inf
        ("linear", -np.inf, np.inf),
        ("relu", 0, np.inf),
        ("relu6", 0, 6),
        ("leaky_relu", -np.inf, np.inf),
        ("elu", -1, np.inf),
        ("softplus", 0, np.inf),
        ("sigmoid", 0, 1),
        ("tanh", -1, 1),
        ("hard_sigmoid", 0, 1),
    ],
)
def test_limits(name, low, high, dtype):
    y = FUNCTIONS[name](np.array([-np.inf, np.inf], dtype))

    np.testing.assert_array_equal(y, np.array([low, high], dtype), strict=True)


@pytest.mark.parametrize("name", ["silu", "gelu", "hard_silu"])
def test_far_out_a_gate_is_shut_or_open(name):
    y = FUNCTIONS[name](np.array([-1000.0, 1000.0]))

    np.testing.assert_array_equal(y, [0, 1000])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_nan_goes_through(name, dtype):
    with np.errstate(invalid="ignore"):  # as plans call them
        y = FUNCTIONS[name](np.array([1, np.nan, -1], dtype))

    np.testing.assert_array_equal(np.isnan(y), [False, True, False])
    assert y.dtype == dtype


@pytest.mark.parametrize("name", ["linear", "relu", "relu6"])
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64"])
def test_exact_activations_keep_integers(name, dtype):
    x = np.array([0, 1, 5, 6, 7, 100] + [-3, -128] * (dtype != "uint8"), dtype)

    y = FUNCTIONS[name](x)

    np.testing.assert_array_equal(y, [DEFINITIONS[name](int(value)) for value in x])
    assert y.dtype == dtype


def test_slopes_are_arguments():
    x = np.array([-2.0, 3.0])

    np.testing.assert_array_equal(leaky_relu(x, 0.5), [-1, 3])
    np.testing.assert_array_equal(elu(x, 2.0), [2 * math.expm1(-2), 3])


def test_inputs_are_not_written():
    for name, function in FUNCTIONS.items():
        x = GRID.copy()
        function(x)
        np.testing.assert_array_equal(x, GRID, err_msg=name)


def test_erf_is_within_two_units_in_the_last_place():
    x = np.concatenate([GRID, np.linspace(-1, 1, 2001) ** 5, 10.0 ** np.arange(-300, 1, 10), [0.46875, 6.0]])

    y = erf(x)

    for at, value in zip(x, y, strict=True):
        exact = math.erf(at)
        assert abs(Fraction(value) - Fraction(exact)) <= 2 * Fraction(math.ulp(exact)), at
    assert math.copysign(1, erf(np.array([-0.0]))[0]) == -1
