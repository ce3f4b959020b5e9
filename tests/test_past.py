"""Large outputs are written past the cache: the same numbers, in aligned vectors and nowhere else."""

import numpy as np
import pytest
from cases import WORDS, blank

import fastconv
from fastconv import binding
from fastconv.backends import naive
from fastconv.backends.numba import coded, heights, locating, pooling
from fastconv.backends.numba.simd import PAST
from fastconv.problem import Layout, pool_problem

CHANNELS = (16, 32, 48, 128, 208)  # in vectors of 16: 1, 2, 3, 8, 13
LINE = 64


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch):
    for module, name in (
        (heights, "PAST"),
        (pooling, "PAST"),
        (locating, "PAST"),
        (coded, "PAST"),
        (binding, "LARGE"),
    ):
        monkeypatch.setattr(module, name, 0)
    heights.schedule.cache_clear()
    yield
    heights.schedule.cache_clear()


def places(shape, dtype):
    """Make outputs in the midst of an array: one that begins a line of the cache, and one that does not."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    for offset in (0, 16):
        ground = np.full(size + 4 * LINE, 77, np.uint8)
        start = -ground.ctypes.data % LINE + LINE + offset
        yield ground, start, np.ndarray(shape, dtype, ground, start)


def assert_written_alone(planned, x, expected):
    """Compare outputs, and see to it that nothing beside them was written."""
    y = planned(x)
    assert y.ctypes.data % LINE == 0
    np.testing.assert_array_equal(y, expected)
    for ground, start, out in places(expected.shape, expected.dtype):
        planned(x, out=out)

        np.testing.assert_array_equal(out, expected)
        rest = np.concatenate([ground[:start], ground[start + out.nbytes :]])
        assert (rest == 77).all()


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_convolution(dtype, channels):
    rng = np.random.default_rng(0)
    x, w = (rng.integers(-8, 9, shape).astype(dtype) for shape in ((2, 9, 31, 3), (3, 2, 3, channels)))
    planned = fastconv.plan_conv(x.shape, w, padding="same", backend="numba:rows")

    assert_written_alone(planned, x, fastconv.conv(x, w, padding="same", backend="einsum"))


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize(("reduction", "dtype"), [("max", "float32"), ("mean", "float64"), ("min", "int32")])
@pytest.mark.parametrize("strides", [1, 2])
def test_pooling(strides, reduction, dtype, channels):
    x = np.random.default_rng(0).integers(-8, 9, (2, 9, 31, channels)).astype(dtype)
    options = dict(reduction=reduction, strides=strides, padding="same")
    planned = fastconv.plan_pool(x.shape, 2, dtype=dtype, backend="numba:pool", **options)

    assert planned.prepared.past is not None
    expected = fastconv.plan_pool(x.shape, 2, dtype=dtype, backend="einsum", **options)(x)
    assert_written_alone(planned, x, expected)


ROWS = {  # of outputs that begin where vectors do, and of others
    "channels": ((2, 9, 31, 48), 2, True),
    "channels, stride 1": ((2, 9, 31, 32), 1, True),
    "few channels": ((2, 9, 31, 20), 2, False),
    "three channels, stride 1": ((2, 9, 96, 3), 1, True),
    "three channels, end between": ((2, 9, 95, 3), 1, False),
    "one channel": ((2, 9, 96, 1), 1, True),
    "two channels, stride 2": ((2, 9, 64, 2), 2, True),
    "two channels, ends between": ((2, 9, 62, 2), 2, False),
    "one channel, stride 2": ((2, 9, 192, 1), 2, True),
    "one channel, ends between": ((2, 9, 190, 1), 2, False),
}


@pytest.mark.parametrize(("reduction", "dtype"), [("max", "float32"), ("min", "float64"), ("max", "int32")])
@pytest.mark.parametrize("kind", ROWS)
def test_values_and_places(kind, reduction, dtype):
    shape, strides, whole = ROWS[kind]
    options = dict(strides=strides, reduction=reduction, padding=((0, 1), (0, 1)), indices=True)
    p = pool_problem(WORDS, Layout.of(WORDS, "channels_last", 4), shape, np.dtype(dtype), (2, 2), **options)
    x = np.random.default_rng(0).integers(-8, 9, shape).astype(dtype)
    expected, at = blank(p)
    naive.pool(p, x, None, None, (expected, at))
    assert (locating.prepare(p, None).past is not None) == whole

    for module in (locating, coded):
        if module is coded and dtype == "float64":
            continue  # of up to 32 bits
        prepared = module.prepare(p, None)
        for (ground, start, y), (other, second, z) in zip(
            places(p.y_shape, dtype), places(p.y_shape, np.int64), strict=True
        ):
            module.locate(p, x, prepared, None, (y, z))

            np.testing.assert_array_equal(y, expected)
            np.testing.assert_array_equal(z, at)
            for memory, first, result in ((ground, start, y), (other, second, z)):
                assert (np.delete(memory, np.s_[first : first + result.nbytes]) == 77).all()


@pytest.mark.parametrize("memory", [(0, 1, 2), (0, 2, 1), (2, 1, 0)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_packed_weights(dtype, memory):
    rng = np.random.default_rng(0)
    x, w = (rng.integers(-8, 9, shape).astype(dtype) for shape in ((1, 9, 700), (4, 700, 777)))
    assert w.nbytes > PAST
    w = np.ascontiguousarray(w.transpose(memory)).transpose(memory)
    expected = fastconv.conv(x, w, backend="einsum")

    np.testing.assert_array_equal(fastconv.plan_conv(x.shape, w, backend="numba:direct")(x), expected)
