"""Transposed convolutions equal Keras' and the transposes that JAX takes of its convolutions."""

import pytest

import fastconv

from .compare import assert_agreement, grouped
from .families import FAMILIES
from .peers import keras_can, keras_transpose, lax_transpose

pytestmark = pytest.mark.parity


@pytest.mark.parametrize("cases", grouped(FAMILIES["conv_transpose"]))
def test_conv_transpose(cases, keras, jax):
    assert_agreement(
        jax,
        cases,
        [case.arrays() for case in cases],
        lambda case, x, w: fastconv.conv_transpose(x, w, **case.arguments),
        peers=peers(keras, jax),
    )


@pytest.mark.parametrize("cases", grouped(FAMILIES["conv_transpose"][::5]))
def test_plan_conv_transpose(cases, keras, jax):
    assert_agreement(
        jax,
        cases,
        [case.arrays() for case in cases],
        lambda case, x, w: fastconv.plan_conv_transpose(x.shape, w, **case.arguments)(x),
        peers=peers(keras, jax),
    )


def peers(keras, jax):
    """Answer a transposed convolution by either peer."""

    def by_jax(case, x, w):
        # With "same", output padding is an idea of Keras' own: no convolution leads back from it.
        return None if case.extra and case.padding == "same" else lax_transpose(jax, case, x, w)

    def by_keras(case, x, w):
        return keras_transpose(keras, case, x, w) if keras_can(case) else None

    return dict(jax=by_jax, keras=by_keras)
