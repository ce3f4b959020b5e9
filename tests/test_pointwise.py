"""Windows of one tap, channels first: every remainder of tiles and blocks, tasks, weights as they lie."""

import numpy as np
import pytest
from cases import arrays, blank

import fastconv
from fastconv import dispatch
from fastconv.backends.numba import pointwise, stretches
from fastconv.backends.numba.microkernel import HALF, MR, NV
from fastconv.backends.numba.simd import BYTES, PAST
from fastconv.problem.parse import parse

(ROW,) = dispatch.table("numba:pointwise")
FIRST = "x@0312 y@0312"


def stated(n, g, ic, oc, sizes, strides=(1, 1), dtype="float32"):
    """State a problem of images whose channels come first."""
    high, wide = sizes
    down, along = strides
    return parse(
        f"conv n{n} g{g} ic{ic} oc{oc} i{high}x{wide} k1x1 s{down}x{along} d1x1 p0+0x0+0 {dtype} bias {FIRST}"
    )


def check(p):
    """Compare with a matrix product of whole numbers, exact in any order."""
    x, w, bias = arrays(p, np.random.default_rng(0))
    y = blank(p)

    ROW.run(p, x, ROW.prepare(p, w), bias, y)

    down, along = p.window.s
    groups = np.split(x[:, ::down, ::along].astype(np.float64), p.g, axis=-1)
    filters = np.split(w[0, 0].astype(np.float64), p.g, axis=-1)
    expected = np.concatenate([a @ b for a, b in zip(groups, filters, strict=True)], axis=-1)
    np.testing.assert_array_equal(y, expected + bias)


@pytest.mark.parametrize("oc", sorted({1, 2, HALF - 1, HALF, HALF + 1, MR - 1, MR, MR + 1, 3 * MR + HALF}))
@pytest.mark.parametrize("ic", [1, 2, 33])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_remainder_of_tiles(oc, ic, dtype):
    width = NV * BYTES // np.dtype(dtype).itemsize
    for pixels in (1, 2, width - 1, width, width + 1, 5 * width + 3):
        check(stated(2, 1, ic, oc, (1, pixels), dtype=dtype))


@pytest.mark.parametrize("wide", [*range(1, 6), 31, 32, 33, 62, 63, 64, 65, 131])
def test_every_remainder_of_rows_in_strides(wide):
    check(stated(1, 2, 3, 5, (7, wide), (3, 2)))


@pytest.mark.parametrize(
    "p", [stated(1, 1, 600, 40, (9, 71)), stated(3, 5, 4, 70, (23, 20)), stated(40, 1, 3, 2, (3, 5))], ids=str
)
def test_stretches_filters_and_images_are_tasks(p):
    assert stretches.schedule(p).tasks > 1
    check(p)


@pytest.mark.parametrize("wide", [4 * 16 * 1024, 4 * 16 * 1024 + 1])
def test_what_the_cache_cannot_hold_is_written_past_it(wide):
    """If rows begin where vectors do; else as all else is."""
    p = stated(1, 1, 2, MR + HALF + 18, (1, wide))
    assert np.prod(p.y_shape) * 4 > PAST
    x, w, bias = arrays(p, np.random.default_rng(0))
    plan = fastconv.plan_conv(
        (1, 2, 1, wide), w, bias=bias, data_format="channels_first", backend="numba:pointwise"
    )

    np.testing.assert_array_equal(plan(x.transpose(0, 3, 1, 2)), (x @ w[0, 0] + bias).transpose(0, 3, 1, 2))


@pytest.mark.parametrize("step", [1, 2, 3, -1])
def test_inputs_may_lie_apart(step):
    """Channels, rows and pixels of a view."""
    rng = np.random.default_rng(0)
    whole = rng.integers(-9, 10, (2, 7, 23, 70)).astype(np.float32)
    x, w = whole[:, ::step, ::step, ::step], rng.integers(-9, 10, (1, 1, 7, 5)).astype(np.float32)
    w = np.ascontiguousarray(w[:, :, : x.shape[1]])

    y = fastconv.conv(x, w, data_format="channels_first", backend="numba:pointwise")

    np.testing.assert_array_equal(y, np.einsum("nchw,cf->nfhw", x, w[0, 0]))


def test_a_call_takes_weights_as_they_lie():
    """If those of a filter lie side by side, as in PyTorch's order; a plan never does."""
    p = stated(1, 1, 8, 24, (9, 9))
    matrix = np.random.default_rng(0).standard_normal((24, 8), np.float32)
    w = matrix.T[None, None]

    assert np.shares_memory(pointwise.lend(p, w), matrix)
    assert not np.shares_memory(pointwise.prepare(p, w), matrix)
    np.testing.assert_array_equal(pointwise.lend(p, np.ascontiguousarray(w)), matrix)
    np.testing.assert_array_equal(pointwise.prepare(p, w), matrix)


def test_bits_do_not_depend_on_threads():
    p = stated(1, 1, 64, 64, (56, 56))
    x, w, bias = arrays(
        p, np.random.default_rng(0), lambda rng, shape, _: rng.standard_normal(shape, np.float32)
    )
    before, results = fastconv.get_num_threads(), []
    try:
        for number in (1, 2, 3):
            fastconv.set_num_threads(number)
            y = blank(p)
            ROW.run(p, x, ROW.prepare(p, w), bias, y)
            results.append(y.tobytes())
    finally:
        fastconv.set_num_threads(before)

    assert results[1:] == results[:1] * 2


def test_it_is_chosen_where_channels_come_first():
    line = "conv n1 g1 ic64 oc256 i56x56 k1x1 s1x1 d1x1 p0+0x0+0 float32"

    assert dispatch.choose(parse(f"{line} {FIRST}")) is ROW
    assert ROW.rejects(parse(line)) == "channels that do not come first"
