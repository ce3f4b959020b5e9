"""Arrays of more elements than 32 bits count, of no memory: pages that nobody writes are not there."""

import mmap
import sys

import numpy as np
import pytest

import fastconv
from fastconv import dispatch, functional, lax

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems promise memory they must have")

SIZE = 2**33
STEP = 2**31
NO_RESERVE = 0x4000  # MAP_NORESERVE, which Python has no name for before 3.13


@pytest.fixture(scope="module")
def line():
    """Three numbers at every `STEP` of 32 GB of zeros."""
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | NO_RESERVE
    memory = np.frombuffer(mmap.mmap(-1, 4 * SIZE, flags=flags), np.float32)
    for number in range(4):
        memory[number * STEP : number * STEP + 3] = number + 1, 10, -number
    return memory


def ones(*shape):
    return np.ones(shape, np.float32)


def convolved(x, backend, **options):
    return fastconv.conv(x.reshape(1, -1, 1), ones(3, 1, 2), backend=backend, **options)


# These go through all of an input, whatever windows see of it, or want scratch as long as a stride.
SLOW = ("einsum:fft", "numba:doubling", "numba:fft", "numba:planes", "numba:rows")

# A call, what it gives, and rows that cannot do it without a copy of all of the input.
CALLS = {
    "strides": (lambda x, row: convolved(x, row, strides=STEP)[0, :, 1], [11, 11, 11, 11], ()),
    "dilation": (
        lambda x, row: convolved(x, row, strides=STEP, dilation_rate=STEP)[0, :, 0],
        [1 + 2 + 3, 2 + 3 + 4],
        (),
    ),
    "padding": (
        lambda x, row: convolved(x, row, strides=STEP, padding=((1, 0),))[0, :, 0],
        [11, 12, 13, 14],
        ("einsum:matmul", "einsum:depthwise"),
    ),
    "channels": (
        lambda x, row: fastconv.conv(x.reshape(1, -1, 2), ones(2, 2, 3), strides=STEP // 2, backend=row)[
            0, :, 2
        ],
        [11, 11, 11, 11],
        (),
    ),
    "depthwise": (
        lambda x, row: fastconv.depthwise_conv(
            x.reshape(1, -1, 2), ones(1, 2, 1), strides=STEP // 2, backend=row
        )[0].ravel(),
        [1, 10, 2, 10, 3, 10, 4, 10],
        (),
    ),
    "images": (
        lambda x, row: fastconv.conv(
            x.reshape(1, 2**16, 2**17, 1), ones(3, 2, 1, 1), strides=(2**14, 2**16), backend=row
        ).ravel(),
        [11, 0, 12, 0, 13, 0, 14, 0],
        ("numba:factored",),
    ),
    "max": (
        lambda x, row: fastconv.max_pool(
            x.reshape(1, -1, 1), 2, STEP, padding=((1, 0),), backend=row
        ).ravel(),
        [1, 2, 3, 4],
        ("einsum:separable",),
    ),
    "max, dilated": (
        lambda x, row: fastconv.max_pool(
            x.reshape(1, -1, 1), 3, STEP, dilation_rate=STEP, backend=row
        ).ravel(),
        [3, 4],
        (),
    ),
    "mean": (
        lambda x, row: fastconv.average_pool(x.reshape(1, -1, 1), 2, STEP, backend=row).ravel(),
        [5.5, 6, 6.5, 7],
        (),
    ),
    "min of images": (
        lambda x, row: fastconv.min_pool(
            x.reshape(1, 2**16, 2**17, 1), (2, 3), (2**14, 2**17), backend=row
        ).ravel(),
        [0, -1, -2, -3],
        (),
    ),
}


@pytest.mark.parametrize(
    ("name", "row"),
    [
        pytest.param(name, row.name, id=f"{name}-{row.name}")
        for name, (_, _, copies) in CALLS.items()
        for row in dispatch.table()
        if row.name not in (*copies, *SLOW)
    ],
)
def test_every_row_finds_what_is_far(line, name, row):
    call, expected, _ = CALLS[name]
    try:
        y = call(line, row)
    except NotImplementedError:  # not a problem of this row
        return

    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("name", [name for name in CALLS if name != "min of images"])
def test_auto_copies_nothing(line, name):
    call, expected, _ = CALLS[name]

    np.testing.assert_array_equal(call(line, "auto"), expected)


def test_positions_are_of_64_bits(line):
    x = line.reshape(1, 2**16, 2**17)

    with fastconv.use_backend("numba:locate"):
        y, at = functional.max_pool2d(x, (1, 3), (2**14, 2**17), return_indices=True)

    np.testing.assert_array_equal(y.ravel(), [10] * 4)
    np.testing.assert_array_equal(at.ravel(), np.arange(4) * STEP + 1)


def test_views_that_repeat_one_element():
    """Compiled rows would copy them; NumPy's need not."""
    x = np.broadcast_to(np.float32(2), (1, 2**40, 1))
    with fastconv.use_backend("einsum"):
        y = fastconv.conv(x, ones(3, 1, 2), strides=2**38, dilation_rate=2**35)
        z = fastconv.average_pool(x, 3, 2**38)
        s = lax.reduce_window(x, np.float32(0), lax.add, (1, 3, 1), (1, 2**38, 1))

    np.testing.assert_array_equal(y, np.full((1, 4, 2), 6))
    np.testing.assert_array_equal(z, np.full((1, 4, 1), 2))
    np.testing.assert_array_equal(s, np.full((1, 4, 1), 6))
    assert fastconv.windows(x, 3, strides=2**30, dilation_rate=2**38).shape == (1, 2**9, 1, 3)
