"""Views of windows equal the patches that lax and Keras copy out."""

import pytest

import fastconv

from .compare import assert_agreement, grouped
from .families import FAMILIES
from .peers import keras_patches, lax_patches

pytestmark = pytest.mark.parity


@pytest.mark.parametrize("cases", grouped(FAMILIES["windows"]))
def test_windows(cases, keras, jax):
    assert_agreement(
        jax,
        cases,
        [case.arrays(8) for case in cases],
        lambda case, x: fastconv.windows(x, case.k, **case.arguments),
        peers=dict(
            lax=lambda case, x: lax_patches(jax, case, x),
            keras=lambda case, x: keras_patches(keras, jax, case, x),
        ),
    )
