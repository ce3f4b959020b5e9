"""Scratch memory: the same again once nobody holds it, never before, and no more than its bound."""

import threading

import numpy as np
import pytest

import fastconv

memory = pytest.importorskip("fastconv.backends.numba.scratch", reason="what uses it is compiled")
scratch = memory.scratch

SIZE = (memory.LEAST,)  # elements
BYTE, FLOAT = np.dtype(np.uint8), np.dtype(np.float32)


def start(array):
    return array.ctypes.data


def test_memory_that_nobody_holds_is_used_again():
    first = start(scratch(SIZE, FLOAT))
    assert start(scratch(SIZE, FLOAT)) == first
    assert start(scratch((2, memory.LEAST // 2), np.dtype(np.int32))) == first  # of as many bytes


@pytest.mark.parametrize("hold", [lambda a: a, lambda a: a[1:2], lambda a: a.reshape(2, -1).T, memoryview])
def test_memory_that_somebody_holds_is_not_used_again(hold):
    held = hold(scratch(SIZE, FLOAT))
    other = scratch(SIZE, FLOAT)
    assert not np.shares_memory(np.asarray(held), other)


def test_a_thread_gets_no_memory_of_another():
    mine, found = start(scratch(SIZE, FLOAT)), []
    thread = threading.Thread(target=lambda: found.append(start(scratch(SIZE, FLOAT))))
    thread.start()
    thread.join()
    assert found != [mine]


def test_what_is_kept_is_bounded():
    held = [scratch((memory.LIMIT // 4,), BYTE) for _ in range(6)]
    assert sum(array.nbytes for array in memory._kept.arrays) <= memory.LIMIT
    assert len({start(array) for array in held}) == 6
    large = scratch((memory.LIMIT + 1,), BYTE)
    assert not any(np.shares_memory(large, array) for array in memory._kept.arrays)


@pytest.mark.parametrize("size", [memory.LEAST, memory.LIMIT // 4, memory.LIMIT + 1])
def test_vectors_of_what_is_large_lie_in_one_line(size):
    assert start(scratch((size,), BYTE)) % 64 == 0


def test_weights_of_a_plan_outlive_other_calls():
    rng = np.random.default_rng(0)
    x = rng.integers(-3, 4, (1, 9, 9, 32)).astype(np.float32)
    w = rng.integers(-3, 4, (3, 3, 32, 64)).astype(np.float32)
    plan = fastconv.plan_conv(x.shape, w, backend="numba:direct")
    assert plan.prepared.weights.nbytes >= memory.LEAST
    expected = fastconv.conv(x, w, backend="einsum")
    for _ in range(3):
        fastconv.conv(x, -w, backend="numba:direct")
    np.testing.assert_array_equal(plan(x), expected)
    np.testing.assert_array_equal(fastconv.conv(x, w, backend="numba:direct"), expected)
