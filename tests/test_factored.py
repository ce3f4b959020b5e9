"""Filters of rank 1 in two passes: which are taken, how far results may be off, what must not leak."""

from dataclasses import replace

import numpy as np
import pytest
from cases import CASES, arrays, blank, ideal, problem
from rows import weights_for

import fastconv
from fastconv import dispatch
from fastconv.backends.numba import bands, factored, jit
from fastconv.kernel import Refusal
from fastconv.problem.parse import parse

(ROW,) = dispatch.table("numba:factored")
NAMES = [name for name in CASES if name.startswith("conv ") and ROW.rejects(problem(name)) is None]
GRAY = "conv n1 g1 ic1 oc1 i40x61 k7x5 s1x1 d1x1 p0+0x0+0 float32"


def gaussian(size, sigma, dtype=np.float32):
    line = np.exp(-((np.arange(size) - size // 2) ** 2) / (2 * sigma**2)).astype(dtype)
    line /= line.sum()
    return np.outer(line, line)


def hostile(rng, shape, dtype):
    """Draw numbers of very different sizes."""
    return (rng.standard_normal(shape) * 10.0 ** rng.integers(-9, 10, shape)).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_hostile_numbers_stay_within_the_bound(name, dtype):
    """Which is of the size of each output's own window, as that of a plain sum."""
    p = problem(name, dtype)
    x, w, _ = arrays(p, np.random.default_rng(0), hostile)
    w, y = weights_for(ROW, p, w), blank(p)

    ROW.run(p, x, ROW.prepare(p, w), None, y)

    bound = ROW.error(p, ideal(p, np.abs(x), np.abs(w)), x, w)
    excess = np.maximum(np.abs(y - ideal(p, x, w)) - bound, 0)
    np.testing.assert_array_equal(excess, 0)


@pytest.mark.parametrize("name", NAMES)
def test_rows_in_segments(name, monkeypatch):
    for module, constant, value in (
        (jit, "ALONE", 0),
        (jit, "CHUNK", 0),
        (bands, "SEGMENT", 8),
        (bands, "PANEL", 1),
        (bands, "cut", bands.cut.__wrapped__),
        (factored, "cut", bands.cut.__wrapped__),
        (factored, "listed", bands.listed.__wrapped__),
        (factored, "passes", factored.passes.__wrapped__),
    ):
        monkeypatch.setattr(module, constant, value)
    p = problem(name)
    x, w, bias = arrays(replace(p, has_bias=True), np.random.default_rng(0))
    w, y = weights_for(ROW, p, w), blank(p)

    ROW.run(p, x, ROW.prepare(p, w), bias, y)

    np.testing.assert_allclose(y, ideal(p, x, w, bias), rtol=1e-5, atol=1e-2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1, 3e-5, 7e8])
def test_filters_that_are_products_are_taken(dtype, scale):
    p = parse(GRAY.replace("float32", np.dtype(dtype).name))
    line = np.array([1, -4, 6, -4, 1], dtype)
    sobel = np.outer([1, 2, 0, 3, 0, -2, -1], [-1, 0, 0, 0, 1]).astype(dtype)
    for w in (gaussian(7, 1.5, dtype)[:, 1:6], np.outer(np.arange(7), line), sobel, np.zeros((7, 5), dtype)):
        ROW.prepare(p, (w * dtype(scale))[..., None, None].astype(dtype))


@pytest.mark.parametrize("change", [1e-5, 1.0, np.nan, np.inf])
def test_filters_that_are_not_are_refused(change):
    p = parse(GRAY)
    w = gaussian(7, 1.5)[:, 1:6].copy()
    w[6, 4] += np.float32(change) * w[6, 4] if np.isfinite(change) else np.float32(change)

    with pytest.raises(Refusal, match="no outer product of a column and a row"):
        ROW.prepare(p, w[..., None, None])


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf, 3e38])
def test_what_is_not_finite_stays_in_its_windows(odd):
    """Also where a weight is zero; and no sum on the way overflows where the result's does not."""
    p = parse(GRAY)
    rng = np.random.default_rng(0)
    x = rng.integers(-8, 9, p.x_shape).astype(np.float32)
    x[0, [3, 20, 21], [7, 60, 0], 0] = odd
    w = (np.outer([1, 2, 0, 3, 0, -2, -1], [1, 0, -4, 2, -1]) / 32).astype(np.float32)[..., None, None]
    y = blank(p)

    ROW.run(p, x, ROW.prepare(p, w), None, y)

    exact = ideal(p, x, w)
    finite = np.isfinite(exact)
    np.testing.assert_array_equal(y[~finite], exact[~finite].astype(np.float32))
    bound = ROW.error(p, ideal(p, np.abs(x), np.abs(w)), x, w)[finite]
    np.testing.assert_array_less(np.abs(y[finite] - exact[finite]), bound + 1e-30)


def test_auto_looks_at_the_weights():
    x = (1, 1024, 1024, 1)
    smooth = gaussian(9, 1.5)[..., None, None]
    rough = np.random.default_rng(0).standard_normal(smooth.shape).astype(np.float32)

    assert fastconv.plan_conv(x, smooth).kernel is ROW
    assert fastconv.plan_conv(x, rough).kernel.name == "numba:planes"
    assert "no outer product" in fastconv.explain(fastconv.plan_conv(x, rough))


def test_panels_are_of_one_band():
    """The rows that the first pass writes are those that the second reads."""
    for name in NAMES:
        along, down = (each.plan.sizes for each in factored.passes(problem(name)))

        assert along[bands.BAND] >= down[bands.ROWS]
