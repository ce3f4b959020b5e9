"""Large outputs are written past the cache: the same numbers, in aligned vectors and nowhere else."""

import numpy as np
import pytest

import fastconv
from fastconv import plan
from fastconv.backends.numba import heights, pooling

CHANNELS = (16, 32, 48, 128, 208)  # in vectors of 16: 1, 2, 3, 8, 13
LINE = 64


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch):
    for module, name in ((heights, "PAST"), (pooling, "PAST"), (plan, "LARGE")):
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
