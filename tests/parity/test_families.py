"""The grids are what they claim to be: large, deterministic, never square, exact in every dtype."""

import itertools

import numpy as np
import pytest

from . import families
from .cases import DTYPES, LAYOUTS, pads, rests
from .families import FAMILIES, adaptive_unit

pytestmark = pytest.mark.parity

CONVOLUTIONS = ("conv", "depthwise", "conv_transpose")


@pytest.mark.parametrize("family", FAMILIES)
def test_at_least_500_different_cases(family):
    assert len(set(map(str, FAMILIES[family]))) == len(FAMILIES[family]) >= 500


@pytest.mark.parametrize("family", FAMILIES)
def test_cases_are_drawn_the_same_again(family):
    assert tuple(getattr(families, family)()) == FAMILIES[family]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_rank_layout_and_dtype(family):
    kinds = {(case.rank, case.data_format, case.dtype) for case in FAMILIES[family]}
    assert kinds >= set(itertools.product((1, 2, 3), LAYOUTS, DTYPES))


@pytest.mark.parametrize("family", FAMILIES)
def test_no_axis_is_like_another(family):
    for case in FAMILIES[family]:
        assert len(set(case.i)) == len(set(case.k)) == case.rank, case
        for option in (case.strides, case.d):
            assert set(option) <= {1} or len(set(option)) == case.rank, case
        if not isinstance(case.padding, (str, int)):
            assert len(set(pads(case.padding, case.extent))) == case.rank, case


SLIDING = [family for family in FAMILIES if family not in ("adaptive_pool", "conv_transpose")]


@pytest.mark.parametrize("family", SLIDING)
def test_strides_leave_a_rest(family):
    strided = [case for case in FAMILIES[family] if case.rank and set(case.strides) != {1}]
    assert strided
    for case in strided:
        assert any(rests(case.i, case.extent, case.strides, case.padding)), case


@pytest.mark.parametrize("family", CONVOLUTIONS)
def test_sums_of_products_are_exact_in_float16(family):
    for case in FAMILIES[family]:
        channels = case.w_shape[-1] if family == "conv_transpose" else case.c // case.groups
        if case.op == "separable_conv":  # of numbers up to 2, and those of a sum mixed again
            total = 4 * np.prod(case.k) * 2 * np.prod(case.w_shape[-2:])
        else:
            total = 9 * np.prod(case.k) * channels
        assert total <= 2**11, case


def test_means_along_an_axis_are_exact_in_float16():
    for case in FAMILIES["adaptive_pool"]:
        longest = max(-(-i // m) + 1 for i, m in zip(case.i, case.k, strict=True))
        assert longest * adaptive_unit(case) <= 2**11, case
