"""Numbers that are promised, of every row: what NaN, infinities, denormals and signs of zeros do, the same
bits for any number of threads, and a floating-point environment that stays as it was.

How far rounding may take a result is in test_kernels.
"""

import os
import subprocess
import sys
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest
from cases import CASES, arrays, blank, integers, problem
from fuzz import environment
from rows import weights_for

import fastconv
from fastconv import dispatch
from fastconv.backends import naive
from fastconv.problem import ConvProblem, FoldProblem

ROWS = [row for row in dispatch.table() if row.backend != "naive" and row.problem is not FoldProblem]
FLOATS = ("float16", "float32", "float64")
GEOMETRIES = (
    *(
        "2d",
        "3d",
        "0d",
        "strides leave a rest",
        "negative padding",
        "uneven padding",
        "planes",
        "one channel",
    ),
    *("large window", "every block of channels", "base dilation"),
)
SHORT = [
    *("conv 2d", "conv groups, all options", "conv depthwise", "conv depthwise dilation", "conv 1x1 tails"),
    *("conv plane", "conv signal", "conv pixels", "conv channels first", "conv transposed", "conv 0d"),
    *(
        "conv base dilation, all options",
        "pool fmax",
        "pool jitted",
        "pool max indices",
        "pool min indices, 3d",
    ),
    *(f"pool {fn} {name}" for fn in ("max", "min", "sum", "mean", "prod") for name in GEOMETRIES),
]


def special(rng, shape, dtype):
    """Whole numbers, and every twelfth a NaN, an infinity or a zero with a sign."""
    odd = np.array([np.nan, np.inf, -np.inf, -0.0], dtype)
    return np.where(rng.random(shape) < 1 / 12, rng.choice(odd, shape), integers(rng, shape, dtype))


def denormal(rng, shape, dtype):
    """Whole multiples of the smallest number there is: sums of them are exact."""
    return integers(rng, shape, dtype) * np.finfo(dtype).smallest_subnormal


def large(rng, shape, dtype):
    """Whole multiples of a power of two close to the largest number; of float16, sums are beyond it."""
    return integers(rng, shape, dtype) * np.dtype(dtype).type(2) ** max(np.finfo(dtype).maxexp - 30, 9)


VALUES = {"special": special, "denormal": denormal, "large": large}


def takes(row, p):
    return isinstance(p, row.problem) and row.rejects(p) is None


def drawn(p, values):
    """Draw an input and a bias of such values, and weights that are small whole numbers."""
    x, _, bias = arrays(p, np.random.default_rng(0), VALUES[values])
    return x, arrays(p, np.random.default_rng(1))[1], bias


def computed(row, p, x, w, bias):
    y = blank(p)
    row.run(p, x, row.prepare(p, w), bias, y)
    return y


@cache
def expected(p, values):
    y = blank(p)
    (naive.conv if isinstance(p, ConvProblem) else naive.pool)(p, *drawn(p, values), y)
    return y


ACCEPTED = [
    pytest.param(row, name, dtype, id=f"{row.name}-{name}-{dtype}")
    for name in SHORT
    for dtype in FLOATS
    for row in ROWS
    if dtype in CASES[name][1] and takes(row, problem(name, dtype))
]


def test_every_row_is_here():
    assert {parameters.values[0].name for parameters in ACCEPTED} == {row.name for row in ROWS}


@pytest.mark.parametrize(("row", "name", "dtype"), [p for p in ACCEPTED if p.values[0].exact])
@pytest.mark.parametrize("values", VALUES)
def test_values_do_to_a_row_what_they_do_to_the_definition(row, name, dtype, values):
    if (values, name.split()[1]) == ("large", "prod"):
        values = "denormal"  # beyond the largest number, the order of factors would matter
    p = problem(name, dtype)

    y = computed(row, p, *drawn(p, values))

    np.testing.assert_array_equal(y, expected(p, values), err_msg=str(p))


@pytest.mark.parametrize(
    ("row", "name", "dtype"), [p for p in ACCEPTED if not p.values[0].exact and p.values[2] != "float16"]
)
@pytest.mark.parametrize("values", VALUES)
def test_values_of_rows_that_round_otherwise(row, name, dtype, values):
    """NaN and infinities are where the definition has them; what is finite is within the row's bound."""
    p = problem(name, dtype)
    x, w, bias = drawn(p, values)
    w = weights_for(row, p, w)
    exact, size = blank(p, np.float64), blank(p, np.longdouble)
    naive.conv(p, x, w, bias, exact)
    finite = np.where(np.isfinite(x), x, 0)
    naive.conv(p, abs(finite), abs(w), None if bias is None else abs(bias), size)

    y = computed(row, p, x, w, bias)

    real = np.isfinite(exact)
    np.testing.assert_array_equal(y[~real], exact[~real])
    bound = row.error(p, size, finite, w)
    excess = np.abs(y[real] - exact[real].astype(np.longdouble)) - bound[real]
    np.testing.assert_array_less(excess, np.finfo(np.float64).smallest_subnormal)


@pytest.mark.parametrize("bits", [0, environment.FLUSHED, environment.UPWARD])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_environment_stays_as_it_was(row, bits):
    """Whatever it was, and whatever happens: overflow, underflow, invalid operations."""
    p = next(p for p in map(problem, SHORT) if takes(row, p))
    x, w, bias = drawn(p, "special")
    w = weights_for(row, p, w)
    computed(row, p, x, w, bias)  # compiles
    with environment.controlled(bits), np.errstate(all="raise"):
        before = environment.state()

        for values in VALUES.values():
            computed(row, p, values(np.random.default_rng(0), x.shape, x.dtype), w, bias)

        assert environment.state() == before


def test_environment_is_seen():
    """Else the test above could not fail."""
    usual = environment.state()
    with environment.controlled(environment.FLUSHED):
        assert environment.state() != usual
    with np.errstate(over="raise"):
        assert environment.state() != usual
    assert environment.state() == usual


X, W = np.full((1, 5, 2), 6e4), np.full((3, 2, 4), 9)
OVERFLOWING = {
    "a result": lambda: fastconv.conv(X.astype("f2"), W.astype("f2"), padding="same"),
    "an activation": lambda: fastconv.conv(X.astype("f2"), W.astype("f2"), activation="elu"),
    "a bias": lambda: fastconv.conv(X.astype("f4"), W.astype("f4"), bias=np.full(4, 1e300)),
    "a sum": lambda: fastconv.pool(X.astype("f2"), 3, fn=np.sum),
    "a layer's input": lambda: fastconv.layers.MaxPooling1D(2, dtype="float16")(X * 9),
    "a convolution of lax": lambda: fastconv.lax.conv(
        X.astype("f2"), np.ones((4, 5, 1), "f2"), (1,), "SAME", preferred_element_type="float16"
    ),
    "a local convolution": lambda: fastconv.lax.conv_general_dilated_local(
        X.astype("f2"), np.full((1, 5, 2), 9, "f2"), (1,), "VALID", (1,)
    ),
    "a reduction of lax": lambda: fastconv.lax.reduce_window(
        X.astype("f2"), np.float16(0), fastconv.lax.add, (1, 3, 1)
    ),
    "a power": lambda: fastconv.functional.lp_pool1d(X.astype("f2"), 2, 2),
    "an average": lambda: fastconv.functional.adaptive_avg_pool1d(np.full((1, 2, 9), 3e38, "f4"), 2),
}


@pytest.mark.parametrize("name", OVERFLOWING)
def test_overflow_is_infinite_and_nothing_more(name):
    """Nobody is warned, and nothing raised, whatever the caller wants NumPy to do."""
    with np.errstate(all="raise"):
        assert np.isinf(OVERFLOWING[name]()).any()


BITS = """
import hashlib, sys
import numba  # takes notice of NUMBA_NUM_THREADS, which then must not be a reason to compile anew
import os; os.environ.pop("NUMBA_NUM_THREADS", None)
import numpy as np
from dataclasses import replace
import fastconv
from cases import CASES, arrays, blank, problem
from rows import weights_for
from fastconv import dispatch
from fastconv.problem.parse import parse
from functions import weighted

def real(rng, shape, dtype):
    return rng.standard_normal(shape).astype(dtype)

LINES = [
    "conv n1 g1 ic19 oc37 i61x47 k3x5 s1x1 d1x1 p1+1x2+2 {}",
    "conv n1 g2 ic19 oc37 i61x47 k3x3 s1x1 d2x1 p1+1x2+2 {}",
    "conv n1 g3 ic6 oc13 i61x47 k3x2 s1x2 d1x1 p0+0x0+0 {}",
    "conv n2 g37 ic1 oc1 i61x47 k3x5 s1x1 d1x1 p1+1x2+2 {}",
    "conv n1 g1 ic1 oc1 i261x247 k7x5 s1x1 d1x1 p1+1x2+2 {}",
    "conv n1 g1 ic1 oc2 i60000 k41 s1 d1 p20+20 {}",
    "conv n3 g1 ic70 oc33 i21x29 k1x1 s1x1 d1x1 p0+0x0+0 {}",
    "conv n3 g1 ic70 oc33 i21x29 k1x1 s1x1 d1x1 p0+0x0+0 {} x@0312 y@0312",
    "pool max n2 c37 i61x47 k3x2 s1x2 d1x1 p0+0x0+0 {}",
    "pool mean n2 c37 i61x47 k3x5 s1x1 d1x1 p1+1x2+2 {}",
    "pool sum n1 c1 i361x347 k13x15 s1x1 d1x1 p6+6x7+7 {}",
    "pool prod n2 c37 i61x47 k3x5 s1x1 d1x1 p1+1x2+2 {}",
    "pool mean n64 c300 i7x7 k7x7 s7x7 d1x1 p0+0x0+0 {}",
]
problems = [parse(line.format(dtype)) for line in LINES for dtype in ("float32", "float64")]
indices = replace(parse("pool max n2 c37 i61x47 k3x2 s1x2 d1x1 p0+0x0+0 float32"), indices=True)
own = replace(parse("pool max n2 c37 i61x47 k3x2 s1x2 d1x1 p0+0x0+0 float32"), reduction=weighted)
seen = set()
for row in dispatch.table(sys.argv[1]):
    for p in (*problems, indices, own):
        if not isinstance(p, row.problem) or row.rejects(p):
            continue
        seen.add(row.name)
        x, w, bias = arrays(p, np.random.default_rng(0), real)
        if w is not None:
            w = weights_for(row, p, w)
        prepared = row.prepare(p, w)
        results = set()
        for number in map(int, sys.argv[2].split(",")):
            fastconv.set_num_threads(number)
            for _ in range(2):
                y = blank(p)
                row.run(p, x, prepared, bias, y)
                results.add(b"".join(part.tobytes() for part in (y if isinstance(y, tuple) else (y,))))
        (result,) = results
        print(row.name, p, hashlib.sha256(result).hexdigest())
missed = {row.name for row in dispatch.table(sys.argv[1])} - seen - {"einsum:fold", "einsum:ufunc"}
assert not missed, missed
"""


def printed(backend, numbers, **environment):
    """Print a hash of every row's results, each the same for all numbers of threads."""
    tests = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", BITS, backend, numbers],
        cwd=tests,
        env={**os.environ, "PYTHONPATH": str(tests.parent), **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_bits_of_every_compiled_row_are_the_same_on_any_number_of_threads():
    """Of 1 to 4 threads and back, which is more than some machines have CPUs."""
    assert printed("numba", "1,2,3,4,1", NUMBA_NUM_THREADS="4").count("\n") > 30


def test_bits_of_rows_on_numpy_are_the_same_on_any_number_of_threads():
    """Their products are BLAS's, which has threads of its own."""
    of_blas = partial(printed, "einsum", "1,2,3")

    results = {of_blas(OPENBLAS_NUM_THREADS=str(number)) for number in (1, 2, 3)}

    assert len(results) == 1
