"""Places found by integers that hold value and place: every dtype, its extremes, ties, NaNs and sizes."""

import numpy as np
import pytest
from cases import WORDS, blank, laid_out
from test_doubling import SMALL

from fastconv.backends import naive
from fastconv.backends.numba import doubling
from fastconv.backends.numba.coded import KERNELS
from fastconv.problem import Layout, pool_problem

(ROW,) = KERNELS
DTYPES = ["float16", "float32", "int8", "uint8", "int16", "uint16", "int32", "uint32"]


def problem(shape, size, dtype, reduction="max", layout="channels_last", **options):
    options = dict(strides=1, reduction=reduction, indices=True) | options
    return pool_problem(WORDS, Layout.of(WORDS, layout, len(shape)), shape, np.dtype(dtype), size, **options)


def check(p, x):
    """Values and places are those of the definition; of a NaN, which bits it has is nobody's promise."""
    x, (values, places), (expected, at) = laid_out(x, p.x_order), blank(p), blank(p)
    naive.pool(p, x, None, None, (expected, at))

    ROW.run(p, x, ROW.prepare(p, None), None, (values, places))

    np.testing.assert_array_equal(values, expected)
    np.testing.assert_array_equal(places, at)


def extremes(dtype):
    if np.issubdtype(dtype, np.floating):
        info = np.finfo(dtype)
        least = info.smallest_subnormal
        return np.array(
            [-np.inf, info.min, -1, -least, -0.0, 0.0, least, 1, info.max, np.inf, np.nan, -np.nan], dtype
        )
    info = np.iinfo(dtype)
    return np.array([info.min, info.min + 1, 0, 1, info.max - 1, info.max], dtype)


@pytest.mark.parametrize("reduction", ["max", "min"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [1, 3])
def test_extremes_and_ties(dtype, channels, reduction):
    """Drawn from so few numbers that every window has ties, and windows that lie in the padding."""
    p = problem((2, 9, 14, channels), (3, 4), dtype, reduction, padding=((3, 4), (1, 5)))
    x = np.random.default_rng(0).choice(extremes(dtype), p.x_shape)

    check(p, x)


@pytest.mark.parametrize("few", [1, 2])
@pytest.mark.parametrize("reduction", ["max", "min"])
def test_one_value_everywhere(reduction, few):
    p = problem((1, 8, 9, 2), (5, 3), "float32", reduction, padding="same")
    for value in (np.nan, np.inf, -np.inf, 0.0):
        check(p, np.random.default_rng(0).choice(np.float32([value, 1][:few]), p.x_shape))


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
def test_every_size_along_every_axis(layout, axis):
    sizes = [2, 3, 4]
    sizes[axis] = 37
    shape = (2, *sizes, 3) if layout == "channels_last" else (2, 3, *sizes)
    for k in range(1, 36):
        window = [1, 1, 1]
        window[axis] = k
        p = problem(shape, tuple(window), "int8", layout=layout)

        check(p, np.random.default_rng(k).integers(-2, 3, p.x_shape).astype(p.x_dtype))


@pytest.mark.parametrize("small", [False, True])
def test_tasks_meet_without_a_seam(small, monkeypatch):
    """Of several images, with pixels and channels that fall into pieces, with remainders of each."""
    for name, value in SMALL.items() if small else ():
        monkeypatch.setattr(doubling, name, value)
    for shape in ((3, 61, 143, 1), (2, 29, 71, 3), (2, 7, 5, 3000)):
        p = problem(shape, (2, 3), "float32", strides=(5, 3), padding="same")
        check(p, np.random.default_rng(0).standard_normal(p.x_shape).astype(np.float32))


def test_nothing_but_padding():
    """Images without a pixel, whose windows meet nothing."""
    for shape in ((2, 0, 6, 3), (2, 5, 0, 1)):
        p = problem(shape, (3, 2), "float32", padding=((2, 3), (4, 1)))
        check(p, np.empty(p.x_shape, np.float32))


def test_what_it_cannot_hold():
    assert "up to 32 bits" in ROW.rejects(problem((1, 4, 4, 1), 2, "float64"))
    assert "31 bits" in ROW.rejects(problem((1, 1 << 16, 1 << 15, 1), 2, "int8"))
