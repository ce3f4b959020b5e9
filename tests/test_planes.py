"""The cases meet every way in which planes are convolved: what none meets, no test of a row would see."""

import math

import numpy as np
import pytest
from cases import CASES, problem

from fastconv.backends.numba import bands, stagger

CONVS = [problem(name) for name in CASES if name.startswith("conv ")]
PROBLEMS = [p for p in CONVS if p.window.rank <= 3 and math.prod(p.y_shape)]


@pytest.mark.parametrize("pixels", [False, True])
@pytest.mark.parametrize("along", [False, True])
def test_cases_meet_every_form(pixels, along):
    cuts = [bands.schedule(p) for p in PROBLEMS]
    cuts = [cut for cut in cuts if (cut.form.pixel > 1, cut.form.along) == (pixels, along)]

    for count in (bands.THREES, bands.TWOS, bands.ONES):
        assert any(cut.sizes[count] for cut in cuts)


@pytest.mark.parametrize("taps", range(1, 40))
def test_chains_are_cut_into_steps(taps):
    counts = stagger.counted(taps)

    assert sum(np.multiply(stagger.SIZES, counts)) == taps
    assert counts[stagger.SIZES.index(1)] == (taps == 1)


def test_steps_are_counted_as_they_are_listed():
    for p in PROBLEMS:
        for form in bands._forms(p):
            assert bands._counts(p, form) == [len(heads) for heads in bands._heads(p, form)], str(p)


def test_every_product_is_in_one_step():
    for p in PROBLEMS:
        order = bands.listed(p, bands.schedule(p).form).order

        assert sorted(order) == list(range(p.products)), str(p)
