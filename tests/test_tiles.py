"""Dense kernels at every remainder of their tiles: pixels, output channels, groups, both float types."""

import itertools

import numpy as np
import pytest

import fastconv
from fastconv import binding, dispatch
from fastconv.backends.numba import direct, heights, jit, microkernel, native, rows, schedule
from fastconv.problem.parse import parse

ROWS = ("numba:direct", "numba:rows")
PIXELS = range(1, 31)  # past two tiles of the highest kind, 14
OUTPUTS = (1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 49, 65)  # around vectors of 4, 8 and 16 lanes, and pairs


def arrays(dtype, *shapes):
    rng = np.random.default_rng(0)
    return [rng.integers(-8, 9, shape).astype(dtype) for shape in shapes]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("outputs", OUTPUTS)
@pytest.mark.parametrize("row", ROWS)
def test_every_remainder(row, outputs, dtype):
    for pixels in PIXELS:
        x, w, bias = arrays(dtype, (1, pixels + 2, 3), (3, 3, outputs), outputs)
        options = dict(bias=bias, activation="relu")

        y = fastconv.conv(x, w, backend=row, **options)

        np.testing.assert_array_equal(
            y, fastconv.conv(x, w, backend="einsum", **options), err_msg=f"{pixels} pixels"
        )


@pytest.mark.parametrize("outputs", OUTPUTS)
@pytest.mark.parametrize("groups", [2, 3])
def test_blocks_do_not_cross_groups(groups, outputs):
    x, w = arrays("float32", (2, 5, 7, groups * 2), (3, 2, 2, groups * outputs))

    y = fastconv.conv(x, w, padding="same", backend="numba:direct")

    np.testing.assert_array_equal(y, fastconv.conv(x, w, padding="same", backend="einsum"))


@pytest.mark.parametrize("row", ROWS)
def test_tasks_meet_where_the_work_is_cut(row):
    """Large enough to be cut into several parts of pixels and of channels, with remainders in both."""
    x, w = arrays("float32", (3, 37, 41, 19), (3, 2, 19, 83))

    y = fastconv.conv(x, w, strides=(2, 1), padding="same", backend=row)

    np.testing.assert_array_equal(y, fastconv.conv(x, w, strides=(2, 1), padding="same", backend="einsum"))


@pytest.mark.parametrize("height", range(1, 17))
def test_bands_of_any_height(height, monkeypatch):
    """Rows are computed in bands, of which the last may be lower; in place, or from a padded copy."""
    monkeypatch.setattr(heights, "_cycles", lambda _p, _window, band: abs(band.outputs - height))
    monkeypatch.setattr(heights, "PAST", 200)
    monkeypatch.setattr(binding, "LARGE", 0)
    heights.schedule.cache_clear()
    shapes = itertools.product((1, 2, 5, 16, 17, 23), (1, 3, 14), ("valid", "same"), ((1, 1), (2, 1), (1, 3)))
    for lines, wide, padding, (stride, dilation) in shapes:
        x, w = arrays("float32", (2, lines + 6, wide + 2, 2), (3, 2, 2, (5, 48)[lines % 2]))
        options = dict(strides=(stride, 1), dilation_rate=(dilation, 1), padding=padding)

        y = fastconv.conv(x, w, backend="numba:rows", **options)

        expected = fastconv.conv(x, w, backend="einsum", **options)
        np.testing.assert_array_equal(y, expected, err_msg=f"{x.shape} {options}")
    heights.schedule.cache_clear()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("row", ROWS)
def test_what_is_brought_near_changes_nothing(row, dtype, monkeypatch):
    """As if all arrays were more than a cache holds: a run of channels is cut where a line of memory ends."""
    for module in (schedule, heights):
        monkeypatch.setattr(module, "CACHED", 0)
        module.schedule.cache_clear()
    for channels, outputs in itertools.product((1, 7, 8, 15, 16, 17, 33, 130), (16, 32, 70)):
        x, w = arrays(dtype, (2, 5, 31, channels), (3, 3, channels, outputs))
        for padding in ("valid", "same"):  # whose tiles meet fewer taps at borders
            y = fastconv.conv(x, w, padding=padding, backend=row)
            planned = fastconv.plan_conv(x.shape, w, padding=padding, dtype=dtype, backend=row)

            expected = fastconv.conv(x, w, padding=padding, backend="einsum")
            np.testing.assert_array_equal(y, expected, err_msg=f"{channels} {outputs}")
            np.testing.assert_array_equal(planned(x), expected, err_msg=f"{channels} {outputs}")
    for module in (schedule, heights):
        module.schedule.cache_clear()


@pytest.mark.parametrize("row", ROWS)
def test_neighbours_in_memory_are_left_alone(row):
    """Stores are masked: what lies behind the channels and pixels of a view stays as it was."""
    x, w = arrays("float32", (1, 6, 5, 3), (2, 2, 3, 9))
    ground = np.full((1, 7, 6, 12), 77, np.float32)

    fastconv.conv(x, w, backend=row, out=ground[:, 1:6, 1:5, 1:10])

    expected = np.full_like(ground, 77)
    expected[:, 1:6, 1:5, 1:10] = fastconv.conv(x, w, backend="einsum")
    np.testing.assert_array_equal(ground, expected)


def test_one_row_is_not_taken_for_many():
    """A single row of outputs cannot be shared among threads: long signals go to the other kernel."""
    planned = fastconv.plan_conv((1, 3000, 80), np.zeros((3, 80, 384), np.float32), padding="same")

    assert planned.kernel.name == "numba:direct"


@jit.inner
def nothing(a, b, c, d, e, f, g, h, i, j, k, m, n, o, p, q):  # noqa: ARG001
    """Write nothing: stands where a micro-kernel has not been compiled."""
    return 0


@pytest.fixture
def only_needed(monkeypatch):
    """Have kernels called with a table where all but the micro-kernels that were asked for write nothing."""
    size, words, kept = microkernel.BYTES // 4, jit.types.int64, []
    idle, _ = native.machine_code(nothing, (words,) * 16)
    for channels in (size // 2, size, microkernel.NV * size):
        microkernel.table(np.dtype(np.float32), channels, packed=True)

    def table(dtype, channels, *, packed):
        there = microkernel._tables[dtype].copy()
        assert there.all()
        unneeded = set(range(len(there))) - microkernel.needed(channels, size, packed=packed)
        there[list(unneeded)] = idle
        kept.append(there)
        return there.ctypes.data

    for module in (direct, rows):
        monkeypatch.setattr(module, "table", table)


@pytest.mark.usefixtures("only_needed")
@pytest.mark.parametrize("row", ROWS)
def test_what_a_layer_needs_is_all_it_calls(row):
    """Anything else need not be there: to call it would end the process."""
    (row,) = (each for each in dispatch.table("numba") if each.name == row)
    for outputs, pixels in itertools.product(range(1, 67), (1, 6, 8, 13, 15, 29)):
        p = parse(f"conv n1 g1 ic2 oc{outputs} i{pixels}x1 k1x1 s1x1 d1x1 p0+0x0+0 float32")
        x, w = arrays("float32", p.x_shape, p.w_shape)
        for prepare in (row.prepare, row.once):
            y = np.full(p.y_shape, np.nan, np.float32)

            row.run(p, x, prepare(p, w), None, y)

            np.testing.assert_array_equal(y, x @ w[0, 0], err_msg=f"{outputs} {pixels} {prepare}")


@pytest.fixture
def nothing_compiled(monkeypatch):
    """Start with no table; none of those made meanwhile is kept, as they are freed."""
    monkeypatch.setattr(microkernel, "_tables", {})
    microkernel.table.cache_clear()
    yield microkernel._tables
    microkernel.table.cache_clear()


def test_a_layer_compiles_what_it_needs(nothing_compiled):
    """A first call takes as long as what it compiles."""
    dtype, size = np.dtype(np.float32), microkernel.BYTES // 4

    microkernel.table(dtype, size // 2, packed=True)

    addresses = nothing_compiled[dtype]
    assert np.flatnonzero(addresses).tolist() == [microkernel.HALF_SLIM]
    microkernel.table(dtype, microkernel.NV * size, packed=False)
    assert np.flatnonzero(addresses).tolist() == [microkernel.HALF_WIDE, microkernel.HALF_SLIM]
