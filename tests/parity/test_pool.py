"""Pooling equals Keras' and lax's reductions over windows, to the last bit."""

import itertools

import numpy as np
import pytest

import fastconv

from .compare import assert_agreement, grouped
from .families import BITS, FAMILIES, FUNCTIONS, largest
from .peers import greatest, keras_arguments, keras_can, lax_mean, lax_reduce, least

pytestmark = pytest.mark.parity


@pytest.mark.parametrize("cases", grouped(FAMILIES["extreme_pool"]))
def test_max_and_min(cases, keras, jax):
    assert_agreement(
        jax,
        cases,
        [case.arrays(99) for case in cases],
        lambda case, x: getattr(fastconv, case.op)(x, case.k, **case.arguments),
        peers=extreme_peers(keras, jax),
    )


FLOATING = [case for case in FAMILIES["extreme_pool"] if case.dtype != "int32"]


@pytest.mark.parametrize("cases", grouped(FLOATING[::5]))
def test_max_and_min_of_nan_and_infinity(cases, keras, jax):
    assert_agreement(
        jax,
        cases,
        [special(case) for case in cases],
        lambda case, x: getattr(fastconv, case.op)(x, case.k, **case.arguments),
        peers=extreme_peers(keras, jax),
    )


def special(case):
    """Draw integers, every fourth of which becomes a NaN or an infinity."""
    (x,) = case.arrays(99)
    x.flat[::4] = np.resize([np.nan, np.inf, -np.inf], -(-x.size // 4))
    return (x,)


def extreme_peers(keras, jax):
    """Answer a maximum or minimum by either peer; Keras has no minimum."""

    def by_lax(case, x):
        name, start = ("max", least) if case.op == "max_pool" else ("min", greatest)
        return lax_reduce(jax.lax, case, x, name, start(x.dtype))

    def by_keras(case, x):
        if case.op == "max_pool" and keras_can(case):
            return keras.ops.max_pool(x, case.k, **keras_arguments(case))
        return None

    return dict(lax=by_lax, keras=by_keras)


@pytest.mark.parametrize("cases", grouped(FAMILIES["average_pool"]))
def test_average(cases, keras, jax):
    def by_keras(case, x):
        if not keras_can(case):
            return None
        y = keras.ops.average_pool(x, case.k, **keras_arguments(case))
        # On JAX the mean of integers is float32; whole means are the same numbers in our float64.
        return y.astype("float64") if case.dtype == "int32" else y

    assert_agreement(
        jax,
        cases,
        [means(case) for case in cases],
        lambda case, x: fastconv.average_pool(x, case.k, **case.arguments),
        peers=dict(lax=lambda case, x: lax_mean(jax.lax, case, x), keras=by_keras),
    )


def means(case):
    """Draw integers; multiples of every divisor if they are of an integer dtype."""
    (x,) = case.arrays(8)
    return (x * np.int32(12**case.rank) if case.dtype == "int32" else x,)


NAMES = {fn: name for name, pair in FUNCTIONS.items() for fn in pair}
NAMES |= {fn: name for name, fn in BITS.items()} | {largest: "max"}
STARTS = {
    **dict(max=least, min=greatest, add=lambda _: 0, mul=lambda _: 1),
    **dict(bitwise_or=lambda _: 0, bitwise_xor=lambda _: 0, bitwise_and=lambda _: -1),
}


def is_known(case):
    """Whether a case's function is one that NumPy knows a faster way for."""
    return dict(case.extra)["fn"] is not largest


@pytest.mark.parametrize("cases", grouped(filter(is_known, FAMILIES["general_pool"])))
def test_functions_of_numpy(cases, jax):
    assert_agreement(
        jax,
        cases,
        [factors(case) if NAMES[dict(case.extra)["fn"]] == "mul" else case.arrays(8) for case in cases],
        lambda case, x: fastconv.pool(x, case.k, **case.arguments),
        peers=dict(lax=reduction(jax)),
    )


@pytest.mark.parametrize("cases", grouped(itertools.filterfalse(is_known, FAMILIES["general_pool"])))
def test_python_function(cases, jax):
    assert_agreement(
        jax,
        cases,
        [case.arrays(8) for case in cases],
        lambda case, x: fastconv.pool(x, case.k, **case.arguments),
        peers=dict(lax=reduction(jax)),
        complete=("naive",),
    )


def reduction(jax):
    """Answer a general pooling by lax."""

    def by_lax(case, x):
        name = NAMES[dict(case.extra)["fn"]]
        return lax_reduce(jax.lax, case, x, name, STARTS[name](x.dtype))

    return by_lax


def factors(case):
    """Draw 1s and -1s, and no more 2s than float16 holds the product of."""
    rng = np.random.default_rng(case.seed)
    x = rng.choice([-1, 1], case.x_shape)
    x.flat[rng.integers(0, x.size, 15)] = 2
    return (x.astype(case.dtype),)
