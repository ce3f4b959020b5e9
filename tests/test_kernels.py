"""Every row of the table, on every case it accepts, equals the definition."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from cases import CASES, FLOATS, arrays, blank, integers, laid_out, problem, widened
from rows import weights_for

from fastconv import activations, dispatch
from fastconv.backends import einsum, naive
from fastconv.problem import ConvProblem, FoldProblem

TABLE = [row for row in dispatch.table() if row.problem is not FoldProblem]  # test_folds has the others
ROWS = [row for row in TABLE if row.backend != "naive"]  # which is what they are compared with
EXTREMES = [name for name in CASES if name.startswith(("pool max", "pool min"))]
SUMS = ("sum", "mean", "prod")
ROUNDED = [name for name in CASES if getattr(problem(name, CASES[name][1][0]), "reduction", "sum") in SUMS]


def accepted(rows, names, dtypes=None):
    """List (row, case, dtype) for what rows do not reject: parameters of a test."""
    return [
        pytest.param(row, name, dtype, id=f"{row.name}-{name}-{dtype}")
        for name in names
        for dtype in dtypes or CASES[name][1]
        for row in rows
        if dtype in CASES[name][1] and takes(row, problem(name, dtype))
    ]


def takes(row, p):
    return isinstance(p, row.problem) and row.rejects(p) is None


def draw(p, source=integers, row=None):
    """Draw a problem's arrays, with weights that `row` takes."""
    x, w, bias = arrays(p, np.random.default_rng(0), source)
    return x, w if row is None else weights_for(row, p, w), bias


def computed(row, p, x, w, bias, y=None):
    """Run one row into `y`, or into new outputs in the problem's memory order."""
    y = blank(p) if y is None else y
    row.run(p, x, row.prepare(p, w), bias, y)
    return y


def defined(p, x, w, bias):
    """Compute a problem by its definition, which is at hand for every problem."""
    y = blank(p)
    (naive.conv if isinstance(p, ConvProblem) else naive.pool)(p, x, w, bias, y)
    return y


@cache
def expected(p):
    return defined(p, *draw(p))


def assert_equals_definition(row, p, y, inputs):
    """Compare exactly, or within its bound if the row says that it has one."""
    if row.exact:
        np.testing.assert_array_equal(y, expected(p), err_msg=str(p))
    else:
        assert_within(bounded(row, p, *inputs), y, defined(p, *inputs), p)


@pytest.mark.parametrize(("row", "name", "dtype"), accepted(ROWS, CASES))
def test_row_equals_definition(row, name, dtype):
    p = problem(name, dtype)
    inputs = draw(p, row=row)

    y = computed(row, p, *inputs)

    assert_equals_definition(row, p, y, inputs)


@pytest.mark.parametrize(
    ("row", "name", "dtype"), accepted([row for row in ROWS if row.once is not None], CASES, FLOATS)
)
def test_weights_of_one_call_are_weights(row, name, dtype):
    """They may be read where they are; it must not change a bit."""
    p = problem(name, dtype)
    x, w, bias = draw(p, real)
    y = computed(row, p, x, w, bias)

    np.testing.assert_array_equal(computed(replace(row, prepare=row.once), p, x, w, bias), y)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_row_accepts_a_case(row):
    """Or says that it would, where nothing may be compiled."""
    problems = [problem(name, dtype) for name, (_, dtypes) in CASES.items() for dtype in dtypes]
    verdicts = {row.rejects(p) for p in problems if isinstance(p, row.problem)}

    assert verdicts & {None, "needs compiled code, which NUMBA_DISABLE_JIT forbids"}


@pytest.mark.parametrize("backend", ["naive", "einsum"])
def test_backend_is_complete(backend):
    """But for functions of one window, which only the definition can call."""
    for name, (_, dtypes) in CASES.items():
        for dtype in dtypes if backend == "naive" or "jitted" not in name else ():
            assert dispatch.choose(problem(name, dtype), backend).backend == backend


@pytest.mark.parametrize("dtype", FLOATS)
def test_numba_computes_what_it_promises(dtype):
    """Convolutions, max, min and average of floats on up to three axes: not one is left to NumPy."""
    for name in CASES:
        p = problem(name, dtype) if dtype in CASES[name][1] else None
        if p is None or not 1 <= p.window.rank <= 3 or 0 in (*p.x_shape, *p.y_shape, *p.window.k):
            continue
        if isinstance(p, ConvProblem) or (
            p.reduction in ("max", "min", "mean") and not p.indices and p.init is None
        ):
            assert dispatch.choose(p, "numba").backend == "numba"


@pytest.mark.parametrize(("row", "name", "dtype"), accepted(ROWS, CASES, ["float32"]))
def test_row_reads_any_strides_and_writes_all_of_its_output(row, name, dtype):
    p = problem(name, dtype)
    x, w, bias = draw(p, row=row)
    outputs = blank(p)
    frames = [framed(y) for y in (outputs if isinstance(outputs, tuple) else (outputs,))]
    views = tuple(view for _, view in frames)

    inputs = framed(x)[1], None if w is None else framed(w)[1], bias

    computed(row, p, *inputs, views if isinstance(outputs, tuple) else views[0])

    assert_equals_definition(row, p, views if isinstance(outputs, tuple) else views[0], (x, w, bias))
    for frame, view in frames:
        view[...] = FRAME
        np.testing.assert_array_equal(frame, FRAME, err_msg="written beside the output")


FRAME = 77


def framed(x):
    """Copy `x` into every second element, backwards, of a larger array in the same memory order."""
    order = np.argsort([-abs(stride) for stride in x.strides], kind="stable")
    frame = np.full([2 * n + 1 for n in x.transpose(order).shape], FRAME, x.dtype)
    inner = frame[(slice(1, None, 2),) * x.ndim][(slice(None, None, -1),) * x.ndim]
    view = inner.transpose(np.argsort(order))
    view[...] = x
    return frame, view


@pytest.mark.parametrize(
    ("row", "name", "dtype"),
    accepted(ROWS, ["conv 2d", "conv depthwise", "pool max 2d", "pool mean same"], FLOATS),
)
@pytest.mark.parametrize("order", [(3, 2, 1, 0), (0, 3, 1, 2), (2, 0, 3, 1)])
def test_row_writes_outputs_in_any_order(row, name, dtype, order):
    """`out=` may have another order than the problem says; it says what is likely."""
    p = problem(name, dtype)
    inputs = draw(p, row=row)

    y = computed(row, p, *inputs, laid_out(blank(p), order))

    assert_equals_definition(row, p, y, inputs)


def with_nans(rng, shape, dtype):
    return np.where(rng.random(shape) < 0.1, np.nan, integers(rng, shape, dtype)).astype(dtype)


@pytest.mark.parametrize(("row", "name", "dtype"), accepted(ROWS, EXTREMES, FLOATS))
def test_row_lets_nan_through_extremes(row, name, dtype):
    """And says where the last one was, if it says where."""
    p = problem(name, dtype)
    inputs = draw(p, with_nans)

    np.testing.assert_array_equal(computed(row, p, *inputs), defined(p, *inputs), err_msg=str(p))


def real(rng, shape, dtype):
    return rng.standard_normal(shape).astype(dtype)


@cache
def exact(p):
    """Compute a problem of real numbers in long doubles, and the sizes that its rounding goes by."""
    inputs = draw(p, real)
    return defined(widened(p), *inputs), magnitude(p, *inputs)


def magnitude(p, *inputs):
    """Compute a problem with the sizes of its numbers: |x| conv |w| + |bias|, or a pool of |x|."""
    return defined(widened(p), *(None if array is None else abs(array) for array in inputs))


def bounded(row, p, x, w, bias):
    """Return what an inexact row promises its errors are within."""
    return row.error(p, magnitude(p, x, w, bias), x, w)


def assert_within(bound, y, ideal, p):
    """Compare, a NaN equal to a NaN; a NaN or infinity on one side alone is outside of any bound."""
    same = (y == ideal) | (np.isnan(y) & np.isnan(ideal))
    excess = np.maximum(np.abs(np.where(same, 0, y - ideal)) - np.where(same, 0, bound), 0)
    np.testing.assert_array_equal(excess, 0, err_msg=str(p))


@pytest.mark.parametrize(("row", "name", "dtype"), accepted(ROWS, ROUNDED, FLOATS))
def test_row_rounds_within_bound(row, name, dtype):
    """|y - exact| <= m u (|x| conv |w|) in any order of summation (Higham, Accuracy and Stability, 3.1)."""
    p = problem(name, dtype)
    if isinstance(p, ConvProblem):
        p = replace(p, has_bias=True)
        m = p.products + 1  # roundings that meet in an output: of a product, of sums, of the bias
    else:
        m = p.window.taps + 1  # of sums or products, of a division

    inputs = draw(p, real, row)

    y = computed(row, p, *inputs)

    ideal, size = exact(p) if row.exact else (defined(widened(p), *inputs), magnitude(p, *inputs))
    u = np.finfo(dtype).eps / 2
    bound = m * u / (1 - m * u) * size if row.exact else bounded(row, p, *inputs)
    assert_within(bound + m * np.finfo(np.longdouble).eps * size, y, ideal, p)  # as for the reference


@pytest.mark.parametrize(
    ("row", "name", "dtype"),
    accepted(
        ROWS, ["conv 2d", "conv groups", "conv depthwise multiplier", "conv 1x1 tails", "conv transposed"]
    ),
)
def test_row_adds_bias(row, name, dtype):
    p = replace(problem(name, dtype), has_bias=True)
    inputs = draw(p, row=row)

    y = computed(row, p, *inputs)

    assert_equals_definition(row, p, y, inputs)


@pytest.mark.parametrize(
    ("row", "name", "dtype"), accepted(ROWS, ["conv 2d", "conv depthwise", "conv 1x1 tails"], FLOATS)
)
def test_row_applies_the_activations_it_fuses(row, name, dtype):
    for activation in sorted(row.fuses):
        p = replace(problem(name, dtype), has_bias=True, activation=activation)
        x, w, bias = draw(p, row=row)
        # Sums between about -20 and 20, where activations bend; eighths, so they stay exact.
        linear = defined(replace(p, activation="linear"), x / 8, w, bias).astype(np.float64)
        ideal = activations.FUNCTIONS[activation](linear)

        inputs = (x / 8).astype(dtype), w, bias

        y = computed(row, p, *inputs)

        u = np.finfo(dtype).eps / 2
        bound = 8 * u * (1 + np.abs(ideal))  # none of them is steeper than 1
        assert_within(bound if row.exact else bound + bounded(row, p, *inputs), y, ideal, p)


@pytest.mark.parametrize(
    "name", ["conv 2d", "conv 1d", "conv 0d", "conv groups, all options", "conv channels first"]
)
def test_einsum_copies_windows_in_blocks(name, monkeypatch):
    """Blocks are of 64 MB; here they are so small that one image is several of them."""
    p = problem(name)
    (row,) = dispatch.table("einsum:matmul")
    for size in (1, 3000, 9000):
        monkeypatch.setattr(einsum, "ROWS", size)

        np.testing.assert_array_equal(computed(row, p, *draw(p)), expected(p))
