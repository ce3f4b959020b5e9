"""Real numbers: results differ from a peer's by no more than two ways of summing can.

A sum of `m` products of unit roundoff `u`, in any order, is within ``m u / (1 - m u)`` of the exact
one, relative to the sum of absolute values (Higham, Accuracy and Stability, section 3.1); two of
them are within twice that of each other.
"""

import numpy as np
import pytest

import fastconv

from .compare import assert_agreement, grouped
from .families import FAMILIES
from .peers import lax_conv, lax_depthwise, lax_mean, lax_transpose

pytestmark = pytest.mark.parity

FLOATS = ("float32", "float64")
SOME = [
    case
    for family in ("conv", "depthwise", "conv_transpose", "average_pool")
    for case in FAMILIES[family]
    if case.dtype in FLOATS and case.op != "separable_conv" and case.padding != "same"
][::5]


@pytest.mark.parametrize("cases", grouped(SOME))
def test_rounding(cases, jax):
    def by_jax(case, *arrays):
        answer = {
            "conv": lambda *arrays: lax_conv(jax.lax, case, *arrays),
            "depthwise_conv": lambda *arrays: lax_depthwise(jax.lax, case, *arrays),
            "conv_transpose": lambda *arrays: lax_transpose(jax, case, *arrays),
            "average_pool": lambda *arrays: lax_mean(jax.lax, case, *arrays),
        }[case.op]
        return answer(*arrays), answer(*map(abs, arrays))

    def ours(case, x, *w):
        return getattr(fastconv, case.op)(x, *w or (case.k,), **case.arguments)

    assert_agreement(
        jax,
        cases,
        [normal(case) for case in cases],
        ours,
        peers=dict(jax=by_jax),
        equal=assert_within_rounding,
    )


def normal(case):
    """Draw normally distributed numbers."""
    rng = np.random.default_rng(case.seed)
    return [rng.standard_normal(array.shape).astype(case.dtype) for array in case.arrays()]


def assert_within_rounding(case, y, answer):
    """Compare relative to sums of absolute values, which are themselves rounded as often."""
    theirs, magnitude = answer
    channels = case.c // case.groups if case.op in ("conv", "conv_transpose") else 1
    mu = float(np.prod(case.k) * channels * np.finfo(y.dtype).eps / 2)
    gamma = mu / (1 - mu)
    np.testing.assert_array_equal(np.isnan(y), np.isnan(theirs))  # means of nothing but padding
    excess = np.abs(y - theirs) - 2 * gamma * magnitude / (1 - gamma)
    np.testing.assert_array_less(np.nan_to_num(excess), np.finfo(y.dtype).tiny)
