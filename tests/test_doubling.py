"""Pooling by doubling: every size of window, errors of sums, what stays in its window, seams of tasks."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

import fastconv
from fastconv.backends.numba import doubling

ROW = "numba:doubling"
SIZES = range(1, 71)  # past 64, on both sides of every power of two
REDUCE = {"max": np.max, "min": np.min, "sum": np.sum, "prod": np.prod}
RNG = np.random.default_rng


def plan(shape, size, **options):
    return fastconv.plan_pool(shape, size, backend=ROW, **options)


def small_integers(shape, dtype):
    return RNG(0).integers(-8, 9, shape).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8"])
@pytest.mark.parametrize("reduction", ["max", "min", "sum"])
@pytest.mark.parametrize("axis", range(3))
def test_every_size_along_every_axis(axis, reduction, dtype):
    sizes = [3, 4, 5]
    sizes[axis] = 83
    x = small_integers((1, *sizes, 2), dtype)
    for k in SIZES:
        window = [1, 1, 1]
        window[axis] = k
        views = sliding_window_view(x, k, 1 + axis)

        y = plan(x.shape, window, strides=1, reduction=reduction, dtype=dtype)(x)

        expected = REDUCE[reduction](views, axis=-1, **({"dtype": dtype} if reduction == "sum" else {}))
        np.testing.assert_array_equal(y, expected, err_msg=f"{k} taps")


@pytest.mark.parametrize("channels", [1, 3, 130])
@pytest.mark.parametrize("reduction", ["max", "sum", "mean"])
def test_every_stride_and_dilation_of_a_large_window(reduction, channels):
    """Counted by indices: rows and columns of a padded array."""
    x = small_integers((2, 31, 23, channels), "float32")
    padded = np.full((2, 31 + 5, 23 + 7, channels), -np.inf if reduction == "max" else 0, x.dtype)
    padded[:, 2:-3, 4:-3] = x
    for s1, s2, d1, d2 in ((1, 1, 1, 2), (2, 1, 3, 1), (1, 3, 2, 1), (3, 2, 1, 2), (5, 4, 2, 1)):
        options = dict(strides=(s1, s2), dilation_rate=(d1, d2), padding=((2, 3), (4, 3)))
        views = sliding_window_view(padded, (10 * d1 + 1, 8 * d2 + 1), (1, 2))[:, ::s1, ::s2, :, ::d1, ::d2]
        expected = np.max(views, (-2, -1)) if reduction == "max" else np.sum(views, (-2, -1))
        divisor = 99 if reduction == "mean" else 1

        y = plan(x.shape, (11, 9), reduction=reduction, count_include_pad=True, **options)(x)

        np.testing.assert_array_equal(y, expected / np.float32(divisor), err_msg=str(options))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("k", [(1, 2), (7, 8), (31, 31), (33, 64), (63, 47)])
def test_sums_round_within_their_bound(k, dtype):
    """Roundings that meet in a sum of k: one for each doubling, one for each further digit that is a one."""
    depth = sum(n.bit_length() - 1 + n.bit_count() - 1 for n in k)
    u = np.finfo(dtype).eps / 2
    x = RNG(0).standard_normal((1, 70, 66, 1)).astype(dtype)
    views = sliding_window_view(x[0, ..., 0].astype(np.longdouble), k)

    total = plan(x.shape, k, strides=1, reduction="sum", dtype=dtype)(x)[0, ..., 0]
    mean = plan(x.shape, k, strides=1, reduction="mean", dtype=dtype)(x)[0, ..., 0]

    sizes = np.sum(np.abs(views), (-2, -1))
    for y, roundings, divisor in ((total, depth, 1), (mean, depth + 1, k[0] * k[1])):
        excess = np.abs(y - np.sum(views, (-2, -1)) / divisor) * divisor - roundings * 1.01 * u * sizes
        np.testing.assert_array_equal(np.maximum(excess, 0), 0)


def test_average_of_a_constant_is_nearly_the_constant():
    """Window by window alike: nothing drifts along a row, as a running sum does."""
    x = np.full((1, 200, 300, 1), 0.1, np.float32)

    y = plan(x.shape, (31, 57), strides=1, padding="same", reduction="mean")(x)

    np.testing.assert_allclose(y, x, rtol=12 * np.finfo(np.float32).eps)
    inside = y[0, 15:-15, 28:-28, 0]
    np.testing.assert_array_equal(inside, inside[0, 0])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
@pytest.mark.parametrize("reduction", ["sum", "mean", "max"])
def test_nothing_leaves_its_windows(reduction, value):
    x = RNG(0).standard_normal((1, 90, 110, 1), dtype=np.float32)
    pool = plan(x.shape, (31, 26), strides=1, reduction=reduction)
    clean = pool(x)
    for row, column in ((0, 0), (45, 57), (89, 109), (12, 100)):
        dirty = x.copy()
        dirty[0, row, column, 0] = value

        y = pool(dirty)[0, ..., 0]

        seen = sliding_window_view(dirty[0, ..., 0] != x[0, ..., 0], (31, 26)).any((-2, -1))
        np.testing.assert_array_equal(y[~seen], clean[0, ..., 0][~seen])
        if not np.isfinite(value) and not (reduction == "max" and value < 0):
            np.testing.assert_array_equal(y[seen], np.float32(value))


SMALL = dict(COLUMN=64, ACROSS=16, TALL=512, SEGMENT=256, BAND=2048, ROWS=3, TASKS=5)


@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
@pytest.mark.parametrize("channels", [1, 2, 37])
@pytest.mark.parametrize("reduction", ["max", "mean"])
def test_tasks_meet_without_a_seam(reduction, channels, layout, monkeypatch):
    """Caches so small that images fall into bands, segments, columns and blocks, with remainders of each."""
    shape = (2, 29, 71, channels) if layout == "channels_last" else (2, channels, 29, 71)
    x = small_integers(shape, "float32")
    options = dict(strides=(1, 2), padding=((5, 3), (2, 4)), data_format=layout, reduction=reduction)
    whole = plan(shape, (9, 6), **options)
    for name, value in SMALL.items():
        monkeypatch.setattr(doubling, name, value)
    pieces = plan(shape, (9, 6), **options)

    y = pieces(x)

    assert pieces.prepared.stages[0].tasks > whole.prepared.stages[0].tasks
    np.testing.assert_array_equal(y, whole(x))
    einsum = fastconv.plan_pool(shape, (9, 6), backend="einsum", **options)
    np.testing.assert_array_equal(y, einsum(x))


def test_large_windows_are_doubled_and_small_ones_are_not():
    large = fastconv.plan_pool((1, 512, 512, 1), 31, strides=1)
    small = fastconv.plan_pool((1, 224, 224, 64), 2)

    assert large.kernel.name == ROW
    assert small.kernel.name != ROW
