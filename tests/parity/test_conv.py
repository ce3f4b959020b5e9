"""Convolutions, dense, grouped, depthwise and separable, equal Keras' and lax's to the last bit."""

import numpy as np
import pytest

import fastconv

from .compare import assert_agreement, grouped
from .families import FAMILIES
from .peers import keras_arguments, keras_can, lax_conv, lax_depthwise, lax_mix

pytestmark = pytest.mark.parity


@pytest.mark.parametrize("cases", grouped(FAMILIES["conv"]))
def test_conv(cases, keras, jax):
    assert_agreement(
        jax,
        cases,
        [case.arrays() for case in cases],
        lambda case, x, w: fastconv.conv(x, w, **case.arguments),
        peers=conv_peers(keras, jax),
    )


@pytest.mark.parametrize("cases", grouped(FAMILIES["conv"][::5]))
def test_plan_conv(cases, keras, jax):
    assert_agreement(
        jax,
        cases,
        [case.arrays() for case in cases],
        lambda case, x, w: fastconv.plan_conv(x.shape, w, **case.arguments)(x),
        peers=conv_peers(keras, jax),
    )


def conv_peers(keras, jax):
    """Answer a convolution by either peer."""
    return dict(
        lax=lambda case, x, w: lax_conv(jax.lax, case, x, w),
        keras=lambda case, x, w: keras.ops.conv(x, w, **keras_arguments(case)) if keras_can(case) else None,
    )


@pytest.mark.parametrize("cases", grouped(FAMILIES["depthwise"]))
def test_depthwise_and_separable(cases, keras, jax):
    def by_lax(case, x, w, *mix):
        y = lax_depthwise(jax.lax, case, x, w)
        return lax_mix(jax.lax, case, y, *mix) if mix else y

    def by_keras(case, *arrays):
        return getattr(keras.ops, case.op)(*arrays, **keras_arguments(case)) if keras_can(case) else None

    assert_agreement(
        jax,
        cases,
        [two_sums(case) for case in cases],
        lambda case, *arrays: getattr(fastconv, case.op)(*arrays, **case.arguments),
        peers=dict(lax=by_lax, keras=by_keras),
    )


def two_sums(case):
    """Draw arrays so small that float16 holds a sum of 9 sums of 24 products."""
    x, w = case.arrays(2)
    if case.op == "depthwise_conv":
        return x, w
    shape = (*(1,) * case.rank, w.shape[-2] * w.shape[-1], 4)
    return x, w, np.random.default_rng(case.seed + 1).integers(-2, 3, shape).astype(case.dtype)
