"""Adaptive pooling equals Keras', and lax's reductions over windows where these are even."""

import math
from dataclasses import replace

import pytest

import fastconv

from .compare import assert_agreement, grouped
from .families import FAMILIES, adaptive_unit
from .peers import lax_reduce, least

pytestmark = pytest.mark.parity


@pytest.mark.parametrize("cases", grouped(FAMILIES["adaptive_pool"]))
def test_adaptive(cases, keras, jax):
    def by_lax(case, x):
        if any(i % m for i, m in zip(case.i, case.k, strict=True)):
            return None
        size = tuple(i // m for i, m in zip(case.i, case.k, strict=True))
        even = replace(case, k=size, s=size)
        if case.op == "adaptive_max_pool":
            return lax_reduce(jax.lax, even, x, "max", least(x.dtype))
        return widened(case, lax_reduce(jax.lax, even, x, "add", 0)) / math.prod(size)

    def by_keras(case, x):
        y = getattr(keras.ops, case.op)(x, case.k, data_format=case.data_format)
        return y if case.op == "adaptive_max_pool" else widened(case, y)

    assert_agreement(
        jax,
        cases,
        [whole(case) for case in cases],
        lambda case, x: getattr(fastconv, case.op)(x, case.k, data_format=case.data_format),
        peers=dict(lax=by_lax, keras=by_keras),
    )


def widened(case, y):
    """Means of integers are float32 on JAX; whole means are the same numbers in our float64."""
    return y.astype("float64") if case.dtype == "int32" else y


def whole(case):
    """Draw integers whose means along any axes are whole numbers, as Keras rounds after each axis."""
    (x,) = case.arrays(1)
    if case.op == "adaptive_max_pool":
        return (x,)
    return (x * x.dtype.type(adaptive_unit(case)),)
