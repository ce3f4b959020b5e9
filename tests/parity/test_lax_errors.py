"""What ``fastconv.lax`` refuses ``jax.lax`` refuses too, and with the same type of exception."""

import warnings

import pytest
import refused_convolutions
import refused_reductions

pytestmark = pytest.mark.parity

CASES = [
    *refused_convolutions.CASES,
    *refused_reductions.CONVOLUTIONS,
    *refused_reductions.REDUCTIONS,
]
ACCIDENTS = (IndexError, AssertionError)  # JAX has no sentence for these


@pytest.mark.parametrize(("call", "error"), [case[:2] for case in CASES], ids=[case[2] for case in CASES])
def test_refusal(call, error, jax):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of divisions by a stride of zero
        with pytest.raises((error, *ACCIDENTS)):
            call(jax.lax)
