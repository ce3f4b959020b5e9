"""Deformable convolution equals its definition, written as loops over a sum of tents.

Offsets are quarters and the rest small integers, so that every product and sum is exact.
"""

import itertools
import math

import numpy as np
import pytest

import fastconv
from fastconv import deformable, functional
from fastconv.deformable import deform_conv


def between(x, q):
    """Elements around `q`, each times how near it is on every axis: a tent of one element to either side."""
    total = 0
    for at in np.ndindex(x.shape):
        near = [max(0, 1 - abs(a - b)) if np.isfinite(b) else 0 for a, b in zip(at, q, strict=True)]
        total += math.prod(near) * x[at]
    return total


def definition(x, offset, w, stride, padding, dilation, mask=None):
    """One multiplication after another, in float64."""
    n, c, *i = x.shape
    f, ic, *k = w.shape
    rank, taps = len(i), int(np.prod(k))
    o = offset.shape[2:]
    groups, offset_groups = c // ic, offset.shape[1] // (taps * rank)
    offset = offset.reshape(n, offset_groups, *k, rank, *o)
    mask = np.ones((n, offset_groups, *k, *o)) if mask is None else mask.reshape(n, offset_groups, *k, *o)
    y = np.zeros((n, f, *o))
    for image, out, place, inner, tap in itertools.product(
        range(n), range(f), np.ndindex(o), range(ic), np.ndindex(*k)
    ):
        channel = out // (f // groups) * ic + inner
        own = image, channel // (c // offset_groups), *tap
        axes = range(rank)
        q = [
            place[a] * stride[a] + tap[a] * dilation[a] - padding[a][0] + offset[*own, a, *place]
            for a in axes
        ]
        y[image, out, *place] += w[out, inner, *tap] * mask[*own, *place] * between(x[image, channel], q)
    return y


def case(x, w, offset_groups=1, **options):
    return x, w, offset_groups, dict(zip(("stride", "padding", "dilation"), options.values(), strict=True))


CASES = {
    "one axis": case((2, 3, 7), (2, 3, 3), s=(2,), p=((2, 1),), d=(1,)),
    "two axes": case((2, 2, 5, 6), (3, 2, 3, 2), s=(1, 2), p=((1, 0), (2, 1)), d=(1, 2)),
    "groups": case((1, 4, 5, 4), (6, 2, 2, 3), s=(2, 1), p=((0, 1), (1, 1)), d=(2, 1)),
    "offset groups": case((1, 6, 4, 5), (2, 3, 1, 2), 3, s=(1, 2), p=((1, 0), (0, 0)), d=(1, 3)),
    "three axes": case(
        (1, 2, 3, 4, 5), (2, 1, 2, 1, 3), 2, s=(1, 2, 3), p=((1, 0), (0, 1), (2, 2)), d=(2, 1, 1)
    ),
    "no image": case((0, 2, 5, 6), (3, 2, 3, 2), s=(1, 1), p=((1, 1), (0, 0)), d=(1, 1)),
}


def arrays(x_shape, w_shape, offset_groups, options, dtype="float32"):
    """Small integers; offsets of up to two elements in quarters."""
    rng = np.random.default_rng(0)
    k = w_shape[2:]
    o = [
        (i + lo + hi - (t - 1) * d - 1) // s + 1
        for i, t, s, (lo, hi), d in zip(x_shape[2:], k, *options.values(), strict=True)
    ]
    numbers = offset_groups * int(np.prod(k))
    x, w, bias = (rng.integers(-4, 5, shape).astype(dtype) for shape in (x_shape, w_shape, w_shape[:1]))
    offset = (rng.integers(-8, 9, (x_shape[0], numbers * len(k), *o)) / 4).astype(dtype)
    mask = rng.integers(0, 4, (x_shape[0], numbers, *o)).astype(dtype)
    return x, w, offset, mask, bias


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES)
def test_equals_definition(case, dtype):
    options = CASES[case][-1]
    x, w, offset, mask, bias = arrays(*CASES[case], dtype)

    for factors in (None, mask):
        expected = definition(x, offset, w, **options, mask=factors).astype(dtype)
        y = deform_conv(x, offset, w, **options, mask=factors)
        np.testing.assert_array_equal(y, expected, strict=True)
        y = deform_conv(x, offset, w, bias, **options, mask=factors)
        np.testing.assert_array_equal(y, expected + bias.reshape(-1, *(1,) * (x.ndim - 2)), strict=True)


def test_block_by_block(monkeypatch):
    x, w, offset, mask, _ = arrays(*CASES["groups"])
    options = CASES["groups"][-1]
    whole = deform_conv(x, offset, w, mask=mask, **options)

    for size in (1, 3 * w[0, 0].size * x.shape[1]):  # a place at a time, and three
        monkeypatch.setattr(deformable, "BLOCK", size)
        np.testing.assert_array_equal(deform_conv(x, offset, w, mask=mask, **options), whole)


def test_is_a_convolution_where_nothing_is_moved():
    x, w, offset, _, bias = arrays((2, 4, 7, 8), (6, 2, 3, 2), 2, CASES["two axes"][-1])

    y = deform_conv(x, offset * 0, w, bias, (1, 2), [(1, 0), (2, 1)], (1, 2))

    padded = functional.pad(x, (2, 1, 1, 0))
    with fastconv.use_backend("einsum"):
        expected = functional.conv2d(padded, w, bias, (1, 2), 0, (1, 2), groups=2)
    np.testing.assert_array_equal(y, expected, strict=True)


def test_real_numbers():
    rng = np.random.default_rng(0)
    _, w_shape, _, options = CASES["offset groups"]
    x, w, offset, mask, _ = (
        rng.standard_normal(a.shape).astype("float32") for a in arrays(*CASES["offset groups"])
    )

    y = deform_conv(x, offset, w, mask=mask, **options)

    expected = definition(x, offset, w, mask=mask, **options)
    size = definition(np.abs(x), offset, np.abs(w), mask=np.abs(mask), **options)
    # Each of m elements is multiplied by two shares and a mask, each rounded, and by a weight.
    m = 4 * np.prod(w_shape[1:]) + 8
    assert (np.abs(y - expected) <= m * np.finfo("float32").eps * size).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_halves_are_rounded_once(dtype):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    half = np.dtype(getattr(ml_dtypes, dtype, dtype))
    rng = np.random.default_rng(0)
    options = CASES["two axes"][-1]
    x, w, offset, mask, bias = (rng.standard_normal(a.shape).astype(half) for a in arrays(*CASES["two axes"]))

    y = deform_conv(x, offset, w, bias, mask=mask, **options)

    wide = [a.astype("float32") for a in (x, offset, w, bias, mask)]
    expected = deform_conv(*wide[:4], mask=wide[4], **options).astype(half)
    np.testing.assert_array_equal(y.astype("float32"), expected.astype("float32"), strict=True)
    assert y.dtype == half


@pytest.mark.parametrize("far", [np.nan, np.inf, -np.inf, 1e30, -1e30])
def test_a_tap_moved_nowhere_meets_zero(far):
    x = np.full((1, 1, 3, 4), np.inf)  # zero shares of what is there would be NaN
    offset = np.zeros((1, 2, 3, 4))
    offset[0, 0, 1, 2] = offset[0, 1, 2, 0] = far

    with np.errstate(all="raise"):
        y = deform_conv(x, offset, np.ones((1, 1, 1, 1)))

    assert y[0, 0, 1, 2] == y[0, 0, 2, 0] == 0


def test_the_input_is_left_alone():
    x, w, offset, mask, bias = arrays(*CASES["groups"])
    before = [a.copy() for a in (x, w, offset, mask, bias)]
    for a in (x, w, offset, mask, bias):
        a.flags.writeable = False

    deform_conv(x, offset, w, bias, mask=mask, **CASES["groups"][-1])

    for a, b in zip((x, w, offset, mask, bias), before, strict=True):
        np.testing.assert_array_equal(a, b)
