"""Compiled convolution by spectra: blocks of every shape and number, hostile numbers, what is not finite."""

from dataclasses import replace

import numpy as np
import pytest
from cases import CASES, arrays, blank, ideal, problem

import fastconv
from fastconv import dispatch, lax
from fastconv.backends.numba import fft, spectra
from fastconv.kernel import Refusal
from fastconv.problem.parse import parse

(ROW,) = dispatch.table("numba:fft")
NAMES = [n for n in CASES if n.startswith("conv ") and ROW.rejects(problem(n, "float32")) is None]
LANES = spectra.LANES


def integers(rng, shape, dtype):
    return rng.integers(-9, 10, shape).astype(dtype)


def computed(p, x, w, bias=None):
    y = blank(p)
    ROW.run(p, x, ROW.prepare(p, w), bias, y)
    return y


def same(y, whole):
    """Compare with sums of integers, which have no other error than that of their spectra, in float64."""
    np.testing.assert_allclose(y, whole, rtol=0, atol=1e-9)


def cut_into(monkeypatch, *shape):
    """Have blocks of one shape."""
    shape = (1,) * (3 - len(shape)) + shape
    monkeypatch.setattr(fft, "cut", lambda p: spectra.cut_into(p, shape))


@pytest.mark.parametrize("name", NAMES)
def test_hostile_numbers_stay_within_the_bound(name):
    p = problem(name, "float32")
    x, w, _ = arrays(
        p,
        np.random.default_rng(0),
        lambda rng, shape, dtype: (rng.standard_normal(shape) * 10.0 ** rng.integers(-9, 10, shape)).astype(
            dtype
        ),
    )

    y = computed(p, x, w)

    bound = ROW.error(p, ideal(p, np.abs(x), np.abs(w)), x, w)
    np.testing.assert_array_less(np.abs(y - ideal(p, x, w)), bound + 1e-300)


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (4, 2), (8, 8), (32, 1), (16, 4)])
def test_blocks_of_any_shape(monkeypatch, shape):
    """Passes of radix 2 and 4, blocks larger than the image and blocks of one row of outputs."""
    p = replace(parse("conv n2 g2 ic1 oc3 i31x45 k1x7 s2x3 d1x2 p1+0x4+9 float32"), has_bias=True)
    x, w, bias = arrays(p, np.random.default_rng(0), integers)
    high, wide = shape
    cut_into(monkeypatch, high, wide * LANES)

    same(computed(p, x, w, bias), ideal(p, x, w, bias))


def test_blocks_of_three_axes(monkeypatch):
    p = parse("conv n1 g1 ic1 oc2 i9x10x50 k2x3x5 s1x2x1 d2x1x3 p1+1x-1+2x3+0 float32")
    x, w, _ = arrays(p, np.random.default_rng(0), integers)
    cut_into(monkeypatch, 4, 8, 2 * LANES)

    same(computed(p, x, w), ideal(p, x, w))


@pytest.mark.parametrize("outputs", [1, 2, LANES - 1, *range(6 * LANES, 6 * LANES + 8), 29 * LANES])
def test_every_number_of_blocks(monkeypatch, outputs):
    """Groups that are full or not, the last block with few outputs."""
    extent = LANES - 6
    p = parse(f"conv n1 g1 ic1 oc1 i{outputs} k{extent} s1 d1 p{extent - 1}+0 float32")
    x, w, _ = arrays(p, np.random.default_rng(0), integers)
    cut_into(monkeypatch, LANES)

    same(computed(p, x, w), ideal(p, x, w))


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("at", [0, 1500, 2999])
def test_what_is_not_finite_stays_in_its_windows(odd, at):
    p = parse("conv n2 g1 ic1 oc2 i3000 k301 s1 d1 p150+150 float32")
    x, w, _ = arrays(p, np.random.default_rng(0), integers)
    x[1, at, 0] = odd

    np.testing.assert_array_equal(computed(p, x, w), ideal(p, x, w))  # NaN equals NaN


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused(odd):
    p = parse("conv n1 g1 ic1 oc1 i99 k7 s1 d1 p0+0 float32")
    w = np.ones(p.w_shape, np.float32)
    w[3] = odd

    with pytest.raises(Refusal, match="a weight is not finite"):
        ROW.prepare(p, w)


def test_a_window_that_no_block_holds_is_rejected():
    p = parse("conv n1 g1 ic1 oc1 i200000 k70001 s1 d1 p0+0 float32")

    assert ROW.rejects(p) == "a window of extent (70001,), more than blocks of 65536 hold"
    assert ROW.rejects(replace(p, window=replace(p.window, k=(65536,)))) is None


def test_bits_do_not_depend_on_threads():
    p = parse("conv n2 g1 ic1 oc1 i200000 k301 s1 d1 p0+0 float32")
    x, w, _ = arrays(
        p, np.random.default_rng(0), lambda rng, shape, _: rng.standard_normal(shape, np.float32)
    )
    before, results = fastconv.get_num_threads(), []
    try:
        for number in (1, 2, 3):
            fastconv.set_num_threads(number)
            results.append(computed(p, x, w).tobytes())
    finally:
        fastconv.set_num_threads(before)

    assert len(set(results)) == 1


def test_it_is_chosen_for_large_filters():
    line = "conv n1 g1 ic1 oc1 i1000000 k5001 s1 d1 p2500+2500 "

    assert dispatch.choose(parse(line + "float32"), "auto") is ROW
    assert dispatch.choose(parse(line + "float64"), "auto") is not ROW


def test_weights_of_a_plan_are_its_own():
    """Also those that are needed again, for an input that is not finite."""
    w = np.ones((301, 1, 1), np.float32)
    plan = fastconv.plan_conv((1, 5000, 1), w, backend="numba:fft")
    w[:] = 0
    x = np.ones((1, 5000, 1), np.float32)
    x[0, 0] = np.nan

    y = plan(x)

    assert np.isnan(y[0, 0, 0])
    np.testing.assert_array_equal(y[0, 1:], 301)


@pytest.mark.parametrize("counts", ["n0 g1 ic1 oc2", "n2 g1 ic1 oc0", "n2 g0 ic1 oc1"])
def test_nothing_is_computed_of_nothing(counts):
    """No images, no filters, no channels."""
    p = parse(f"conv {counts} i400 k301 s1 d1 p0+0 float32")
    x, w = np.ones(p.x_shape, np.float32), np.ones(p.w_shape, np.float32)

    assert computed(p, x, w).shape == p.y_shape
    assert ROW.cost(p) > 0


def test_filters_there_are_none_of():
    """Rows are chosen by cost for these, too."""
    x, w = np.ones((2, 1, 4, 1, 10), np.float32), np.ones((0, 1, 5, 1, 1), np.float32)

    assert lax.conv(x, w, (3, 1, 7), "VALID").shape == (2, 0, 0, 1, 2)
