"""Three taps by fewer products: every remainder, traces of neighbours, what is not finite, who gets it."""

from dataclasses import replace

import numpy as np
import pytest
from cases import CASES, arrays, blank, ideal, problem

import fastconv
from fastconv import dispatch
from fastconv.backends.numba import patches
from fastconv.backends.numba.microkernel import HALF, MR, NV
from fastconv.backends.numba.simd import BYTES
from fastconv.kernel import Refusal
from fastconv.problem.parse import parse

(ROW,) = dispatch.table("numba:winograd")
(DIRECT,) = dispatch.table("numba:direct")
NAMES = [n for n in CASES if n.startswith("conv ") and ROW.rejects(problem(n, "float32")) is None]
LANES = BYTES // 4
RESNET = "conv n1 g1 ic64 oc64 i56x56 k3x3 s1x1 d1x1 p1+1x1+1 "


def computed(p, x, w, bias=None, row=ROW):
    y = blank(p)
    row.run(p, x, row.prepare(p, w), bias, y)
    return y


def check(line):
    """Compare sums of small integers, of which halves and quarters are exact too."""
    p = replace(parse(line), has_bias=True)
    x, w, bias = arrays(p, np.random.default_rng(0))

    np.testing.assert_array_equal(computed(p, x, w, bias), ideal(p, x, w, bias), err_msg=line)


def normal(p):
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape).astype(p.x_dtype) for shape in (p.x_shape, p.w_shape)]


@pytest.mark.parametrize(
    "oc", [1, LANES // 2, LANES - 1, LANES, LANES + 1, NV * LANES - 1, 2 * NV * LANES + 3]
)
@pytest.mark.parametrize("ic", [1, 2, LANES - 1, LANES, LANES + 1, 3 * LANES + 2])
def test_every_remainder_of_channels(ic, oc):
    check(f"conv n1 g1 ic{ic} oc{oc} i5x7 k3x3 s1x1 d1x1 p1+1x1+1 float32")
    check(f"conv n1 g2 ic{ic} oc{oc} i9 k3 s1 d1 p1+1 float64")


@pytest.mark.parametrize("outputs", range(1, 10))
@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_every_remainder_of_an_axis(outputs, dilation):
    """Patches with a row or a column too many, phases with fewer outputs than others, or without."""
    inputs = outputs + 2 * dilation
    check(f"conv n2 g1 ic3 oc5 i{inputs}x{inputs + 1} k3x3 s1x1 d{dilation}x1 p0+0x0+0 float32")
    check(f"conv n2 g1 ic3 oc5 i4x{inputs} k3x3 s1x1 d1x{dilation} p1+1x0+0 float32")
    check(f"conv n2 g1 ic3 oc5 i{inputs} k3 s1 d{dilation} p0+0 float64")


@pytest.mark.parametrize(
    "count", sorted({1, HALF - 1, HALF, HALF + 1, MR, MR + 1, 2 * MR, 4 * MR, 4 * MR + 1})
)
def test_every_remainder_of_patches(count):
    check(f"conv n1 g1 ic2 oc{NV * LANES + 1} i{2 * count} k3 s1 d1 p1+1 float32")
    check(f"conv n{count} g1 ic2 oc3 i2x2 k3x3 s1x1 d1x1 p1+1x1+1 float32")


@pytest.mark.parametrize(
    "rest",
    [
        "i7x9 k3x3 s1x1 d1x1 p2+0x-1+3",
        "i7x9 k3x3 s1x1 d1x1 p-2+5x0+-1",
        "i1x1 k3x3 s1x1 d4x3 p4+4x3+3",
        "i9x12 k5x3 s2x1 d1x2 p1+2x2+0",
        "i9x12 k1x3 s3x1 d1x1 p0+0x1+1",
        "i5x6x7 k3x3x3 s2x1x1 d1x2x1 p1+1x2+2x1+1",
        "i5x6x7 k1x2x3 s1x2x1 d1x1x1 p0+0x1+0x0+0",
        "i5x6x7 k2x3x3 s1x1x1 d3x1x1 p0+2x0+0x0+1",
    ],
)
def test_axes_that_are_split_and_others(rest):
    check(f"conv n2 g2 ic3 oc{LANES + 2} {rest} float32")


def test_filters_are_parted():
    """More than one task has the patches of one chunk, and transforms them for itself or finds them there."""
    p = parse("conv n1 g2 ic5 oc256 i14x14 k3x3 s1x1 d1x1 p1+1x1+1 float32")
    assert patches.schedule(p).tasks > p.g * patches.count(p).chunks

    check(str(p))


@pytest.mark.parametrize("activation", sorted(ROW.fuses))
def test_activations(activation):
    p = replace(
        parse(f"conv n1 g1 ic9 oc{LANES + 1} i5x7 k3x3 s1x1 d1x1 p1+1x1+1 float32"), activation=activation
    )
    x, w, _ = arrays(p, np.random.default_rng(0))

    np.testing.assert_array_equal(computed(p, x, w), computed(p, x, w, row=DIRECT))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_hostile_numbers_stay_within_the_bound(name, dtype):
    p = problem(name, dtype)
    rng = np.random.default_rng(0)
    x, w = ((a * 10.0 ** rng.integers(-9, 10, a.shape)).astype(p.x_dtype) for a in normal(p))

    excess = np.abs(computed(p, x, w) - ideal(p, x, w)) - ROW.error(p, ideal(p, np.abs(x), np.abs(w)), x, w)

    assert excess.max() <= 0


def test_a_window_of_zeros_has_a_trace_of_its_neighbours_at_most():
    """One number reaches the patches it is in, in which all that it leaves is within the bound."""
    p = parse("conv n1 g1 ic1 oc1 i12x12 k3x3 s1x1 d1x1 p0+0x0+0 float32")
    x, w = np.zeros(p.x_shape, np.float32), np.full(p.w_shape, 0.1, np.float32)
    x[0, 6, 6] = 1e6

    y = computed(p, x, w)[0, :, :, 0]

    far = np.ones_like(y, bool)
    far[4:8, 4:8] = False  # patches begin at even places
    assert not y[far].any()
    assert np.abs(y[4:8, 4:8] - ideal(p, x, w)[0, 4:8, 4:8, 0]).max() <= 8 * np.finfo(np.float32).eps * 1e5


@pytest.mark.parametrize("line", [RESNET, "conv n1 g1 ic80 oc384 i500 k3 s1 d1 p1+1 "])
def test_of_numbers_alike_it_errs_no_more_than_sums_of_all_products(line):
    p = parse(line + "float32")
    x, w = normal(p)
    wide = replace(
        p, x_dtype=np.dtype("f8"), w_dtype=np.dtype("f8"), acc_dtype=np.dtype("f8"), y_dtype=np.dtype("f8")
    )
    exact = computed(wide, x.astype("f8"), w.astype("f8"), row=DIRECT)

    own, others = (np.sqrt(np.mean((computed(p, x, w, row=row) - exact) ** 2)) for row in (ROW, DIRECT))

    assert own <= others


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf, 3e38])
@pytest.mark.parametrize("at", [(0, 0), (0, 1), (2, 3), (5, 4), (6, 8)])
@pytest.mark.parametrize("activation", ["linear", "relu6"])
def test_what_is_not_finite_stays_in_its_windows(odd, at, activation):
    """Also what becomes so on the way, and what an activation would hide."""
    p = replace(parse("conv n2 g1 ic3 oc5 i7x9 k3x3 s1x1 d1x1 p1+1x1+1 float32"), activation=activation)
    x, w, _ = arrays(p, np.random.default_rng(0))
    x[(1, *at, 2)] = odd

    with np.errstate(all="ignore"):
        expected = computed(p, x, w, row=DIRECT)

    np.testing.assert_array_equal(computed(p, x, w), expected)


@pytest.mark.parametrize("odd", [np.nan, np.inf, 3e38])
def test_weights_that_have_no_sums_are_refused(odd):
    p = parse("conv n1 g1 ic1 oc1 i9x9 k3x3 s1x1 d1x1 p0+0x0+0 float32")
    w = np.ones(p.w_shape, np.float32)
    w[1] = odd

    with pytest.raises(Refusal, match="a weight is not finite, or a sum of three"):
        ROW.prepare(p, w)
    fastconv.conv(np.ones(p.x_shape, np.float32), w, backend="fast")  # by another row


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (
            "conv n1 g1 ic1 oc1 i9x9 k3x5 s1x1 d1x1 p0+0x0+0 float32",
            r"a window of \(3, 5\) at strides \(1, 1\)",
        ),
        (
            "conv n1 g1 ic1 oc1 i9x9 k3x3 s1x2 d1x1 p0+0x0+0 float32",
            r"a window of \(3, 3\) at strides \(1, 2\)",
        ),
        ("conv n1 g1 ic1 oc1 i9x9 k3x3 s1x1 d1x1 b2x2 p0+0x0+0 float32", "zeros between inputs"),
        ("conv n1 g1 ic1 oc1 i9x9 k3x3 s1x1 d1x1 p0+0x0+0 int32", "accumulates int32"),
    ],
)
def test_what_it_cannot(line, reason):
    with pytest.raises(NotImplementedError, match=reason):
        dispatch.choose(parse(line), "numba:winograd")


def test_only_who_asks_gets_it():
    p = parse(RESNET + "float32")
    x, w = np.ones(p.x_shape, np.float32), np.ones(p.w_shape, np.float32)

    for backend in ("auto", "numba"):
        assert ROW not in dispatch.ranking(p, backend)
    assert dispatch.choose(p, "fast") is ROW
    assert fastconv.plan_conv(x.shape, w, padding="same", backend="fast").kernel is ROW
    with fastconv.use_backend("fast"):
        assert fastconv.plan_conv(x.shape, w, padding="same").kernel is ROW
    assert fastconv.plan_conv(x.shape, w, padding="same").kernel is not ROW


def test_who_asks_for_the_fast_gets_others_where_they_are_faster():
    for name, (_, dtypes) in CASES.items():
        p = problem(name, dtypes[0])
        assert dispatch.choose(p, "fast").cost(p) <= dispatch.choose(p).cost(p)
    pool = fastconv.plan_pool((1, 8, 8, 4), 2, backend="fast")
    assert pool.kernel is fastconv.plan_pool((1, 8, 8, 4), 2).kernel


def test_bits_do_not_depend_on_threads():
    p = parse(RESNET + "float32")
    before, results = fastconv.get_num_threads(), []
    try:
        for number in (1, 2, 3):
            fastconv.set_num_threads(number)
            results.append(computed(p, *normal(p)).tobytes())
    finally:
        fastconv.set_num_threads(before)

    assert len(set(results)) == 1


def test_weights_of_a_plan_are_its_own():
    """Also those that are needed again, for an input that is not finite."""
    w = np.ones((3, 3, 1, 1), np.float32)
    plan = fastconv.plan_conv((1, 8, 8, 1), w, backend="numba:winograd")
    w[:] = 0
    x = np.ones((1, 8, 8, 1), np.float32)
    x[0, 0, 0] = np.nan

    y = plan(x)

    assert np.isnan(y[0, 0, 0, 0])
    np.testing.assert_array_equal(y[0, 1:], 9)


@pytest.mark.parametrize("counts", ["n0 g1 ic1 oc2", "n2 g1 ic1 oc0", "n2 g0 ic1 oc1", "n2 g1 ic0 oc1"])
def test_nothing_is_computed_of_nothing(counts):
    p = parse(f"conv {counts} i8x8 k3x3 s1x1 d1x1 p0+0x0+0 float32")
    x, w = np.ones(p.x_shape, np.float32), np.ones(p.w_shape, np.float32)

    assert not computed(p, x, w).any()
    assert ROW.cost(p) > 0
