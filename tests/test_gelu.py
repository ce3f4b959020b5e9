"""The compiled gelu against its definition, written out with Python's own ``math``."""

import math

import numpy as np
import pytest

import fastconv
from fastconv.backends.numba.gelu import BLOCK, FAR, gelu


def exact(x):
    return np.reshape([v * math.erfc(-v / math.sqrt(2)) / 2 for v in x.ravel().tolist()], x.shape)


def test_every_number_is_within_the_bound_that_is_stated():
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2**32, 50_000, dtype=np.uint32).view(np.float32)  # of all sizes
    x = np.concatenate([np.linspace(-9, 9, 200_001, dtype=np.float32), bits[np.isfinite(bits)]])
    expected = exact(x)

    y = gelu(x)

    assert y.dtype == np.float32
    bound = 2.0**-24 * np.abs(expected) + 1.1e-8 * np.abs(x.astype(np.float64))
    assert np.max(np.abs(y - expected) - bound) <= np.finfo(np.float32).smallest_subnormal


def test_the_ends():
    far = np.nextafter(np.float32(FAR), np.float32(9))
    x = np.array([far, 1e30, np.inf, -far, -1e30, 0, np.nan, -np.inf], np.float32)
    np.testing.assert_array_equal(gelu(x), [*x[:3], 0, 0, 0, np.nan, np.nan])  # inf * 0 in the definition


@pytest.mark.parametrize("size", [0, 1, 31, BLOCK - 1, BLOCK, BLOCK + 1, 9 * BLOCK + 17])
def test_sizes_that_leave_a_remainder(size):
    x = np.random.default_rng(0).standard_normal(size).astype(np.float32)
    y = gelu(x)
    np.testing.assert_allclose(y, exact(x), rtol=0, atol=1e-6)
    for part in (slice(1, None), slice(0, -1)):  # other places in vectors and blocks
        np.testing.assert_array_equal(gelu(x[part]), y[part])


def test_the_number_of_threads_changes_no_bit():
    x = np.random.default_rng(0).standard_normal(50 * BLOCK + 5).astype(np.float32)
    before = fastconv.get_num_threads()
    y = gelu(x)
    try:
        fastconv.set_num_threads(1)
        np.testing.assert_array_equal(gelu(x), y)
    finally:
        fastconv.set_num_threads(before)


def test_memory_of_any_order_and_alignment():
    bytes_ = np.zeros(4 * 24 + 1, np.uint8)
    odd = bytes_[1:].view(np.float32).reshape(2, 3, 4)
    odd[...] = np.random.default_rng(0).standard_normal((2, 3, 4))
    whole = odd.copy()
    whole.flags.writeable = False
    y = gelu(whole)
    for x, expected in (
        (odd, y),
        (whole.T, y.T),
        (whole[:, ::-2], y[:, ::-2]),
        (whole[0, 0, 0], y[0, 0, 0]),
        (np.broadcast_to(whole, (2, 2, 3, 4)), np.stack([y, y])),
    ):
        np.testing.assert_array_equal(gelu(x), expected)
    np.testing.assert_array_equal(whole, odd)  # the numbers are still what they were
