"""Convolution by spectra: its bound under hostile numbers, what is not finite, blocks, and both libraries."""

from dataclasses import replace

import numpy as np
import pytest
from cases import CASES, arrays, blank, ideal, problem

import fastconv
from fastconv import dispatch
from fastconv.backends.einsum import fft
from fastconv.kernel import Refusal
from fastconv.problem.parse import parse

(ROW,) = dispatch.table("einsum:fft")
NAMES = [name for name in CASES if name.startswith("conv ") and ROW.rejects(problem(name)) is None]
BLOCKS = "conv n2 g2 ic1 oc2 i40x37 k5x4 s1x1 d2x1 p1+0x0+2 float32"


def computed(p, x, w, bias=None):
    y = blank(p)
    ROW.run(p, x, ROW.prepare(p, w), bias, y)
    return y


def hostile(rng, shape, dtype):
    """Draw numbers of which some are so large that others are lost beside them."""
    return (rng.standard_normal(shape) * 10.0 ** rng.integers(-9, 10, shape)).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_hostile_numbers_stay_within_the_bound(name, dtype):
    p = problem(name, dtype)
    x, w, _ = arrays(p, np.random.default_rng(0), hostile)

    y = computed(p, x, w)

    bound = ROW.error(p, ideal(p, np.abs(x), np.abs(w)), x, w)
    np.testing.assert_array_less(np.abs(y - ideal(p, x, w)), bound + 1e-300)


def test_the_bound_is_no_larger_than_need_be():
    """A thousandth of what float32 itself rounds, where numbers are of one size."""
    p = parse("conv n1 g1 ic1 oc1 i100000 k501 s1 d1 p0+0 float64")
    x, w, _ = arrays(p, np.random.default_rng(0), lambda rng, shape, _: rng.uniform(1, 2, shape))
    size = np.full(p.y_shape, p.products, np.longdouble)

    assert np.max(ROW.error(p, size, x, w)) < p.products * np.finfo(np.float32).eps / 1000


@pytest.mark.parametrize("size", [9, 16])
@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_stays_in_its_windows(monkeypatch, odd, size):
    """Also with weights of zero, and where infinities of both signs meet."""
    monkeypatch.setattr(fft, "blocks", lambda p: (size,) * p.window.rank)
    p = replace(parse(BLOCKS), x_dtype=np.dtype(np.float64))
    rng = np.random.default_rng(0)
    x = rng.integers(-8, 9, p.x_shape).astype(np.float64)
    w = rng.integers(-2, 3, p.w_shape).astype(np.float32)
    x[rng.random(x.shape) < 0.01] = odd
    x[0, 3, 5, 1], x[0, 4, 8, 1] = np.inf, -np.inf

    np.testing.assert_allclose(computed(p, x, w), ideal(p, x, w), rtol=0, atol=1e-5)  # NaN equals NaN


@pytest.mark.parametrize("numbers", [1e300, 1e-300])
def test_sums_of_finite_numbers_are_finite(numbers):
    p = parse("conv n1 g1 ic1 oc1 i99 k7 s1 d1 p0+0 float64")
    x = np.full(p.x_shape, numbers)

    np.testing.assert_allclose(computed(p, x, np.ones(p.w_shape)), 7 * x[:, :93], rtol=1e-13)


@pytest.mark.parametrize("odd", [np.nan, np.inf, 1e200])
def test_weights_that_are_not_finite_are_refused(odd):
    p = parse("conv n1 g1 ic1 oc1 i99 k7 s1 d1 p0+0 float64")
    w = np.ones(p.w_shape)
    w[3] = odd

    with pytest.raises(Refusal, match=r"a weight is not finite, or beyond 1e\+100"):
        ROW.prepare(p, w)


@pytest.mark.parametrize("size", [6, 8, 9, 12])
def test_blocks_of_any_size(monkeypatch, size):
    """Among them the least there can be along one axis, of one output each."""
    p = replace(parse(BLOCKS), has_bias=True)
    x, w, bias = arrays(p, np.random.default_rng(0))
    monkeypatch.setattr(fft, "blocks", lambda _: (max(size, 9), size))

    np.testing.assert_allclose(computed(p, x, w, bias), ideal(p, x, w, bias), atol=1e-4)


@pytest.mark.parametrize("size", [1, 2, 7, 100, 4097, 10**6])
def test_a_block_holds_the_filter(size):
    for extent in (1, 2, 7, 100, 4097, 10**6):
        assert fft._block(size, extent) >= extent


def test_numpy_computes_it_too(monkeypatch):
    p = parse(BLOCKS)
    x, w, _ = arrays(p, np.random.default_rng(0))
    usual = computed(p, x, w)
    monkeypatch.setattr(fft, "library", lambda: np.fft)

    np.testing.assert_allclose(computed(p, x, w), usual, atol=1e-4)


def test_bits_do_not_depend_on_threads():
    p = parse("conv n1 g1 ic1 oc1 i200000 k301 s1 d1 p0+0 float32")
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

    assert results[1:] == results[:1] * 2


def test_it_is_chosen_for_float32_alone():
    """Whose results have digits to spare; float64 has none."""
    line = "conv n1 g1 ic1 oc1 i1000000 k5001 s1 d1 p0+0 "

    assert dispatch.choose(parse(line + "float32"), "einsum") is ROW
    assert dispatch.choose(parse(line + "float64"), "einsum") is not ROW
    assert dispatch.choose(parse(line + "float64"), "einsum:fft") is ROW
