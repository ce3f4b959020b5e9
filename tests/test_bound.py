"""Calls that compiled code does on its own equal the kernel, and refuse what they were not bound for."""

import pickle
import threading
from dataclasses import replace

import numpy as np
import pytest
from cases import CASES, FLOATS, blank, integers, problem
from test_kernels import ROWS, computed, draw, real, takes
from test_shares import allocate_in_one

import fastconv
from fastconv import calls, dispatch, functional
from fastconv.backends import naive
from fastconv.backends.numba import bound, jit, native
from fastconv.backends.numba.locating import comparable
from fastconv.binding import later

BOUND = [row for row in ROWS if row.bind is not None]
pytestmark = pytest.mark.skipif(jit.OFF is not None, reason="nothing may be compiled")


def bind(row, p, inputs, given=(None, None), prepare=None):
    """Bind a row to arrays that are contiguous in the problem's order of axes, or not at all."""
    x, w, bias = inputs
    y = blank(p)
    prepared = (prepare or row.prepare)(p, w)
    results = [each.transpose(p.y_order) for each in (y if isinstance(y, tuple) else (y,))]
    given = given if len(results) == 1 else (None, results[1])  # positions come where a bias would
    handed = x.transpose(p.x_order), *given, results[0]
    return row.bind(p, x, prepared, bias, y, handed), handed, y


def computed_in(row, dtype):
    """List the cases that a row takes and computes in the dtype that they have."""
    named = {name: problem(name, dtype) for name, (_, dtypes) in CASES.items() if dtype in dtypes}
    return {n: p for n, p in named.items() if takes(row, p) and p.x_dtype == p.y_dtype == within(p)}


def within(p):
    """Return the dtype that a problem is computed in."""
    return comparable(p) if getattr(p, "indices", False) else p.acc_dtype


PAIRS = [
    pytest.param(row, dtype, id=f"{row.name}-{dtype}")
    for row in BOUND
    for dtype in (*FLOATS, "int8", "int32")
    if computed_in(row, dtype)
]


@pytest.mark.parametrize(("row", "dtype"), PAIRS)
def test_bound_calls_equal_the_kernel(row, dtype):
    """Of the cases in which no array has to be copied, of which there are some."""
    equal = []
    for name, p in computed_in(row, dtype).items():
        inputs = draw(p, real if np.dtype(dtype).kind == "f" else integers, row)
        call, (x, *others), result = bind(row, p, inputs)
        if call is None:
            continue
        expected = computed(row, p, *inputs)

        assert call(x.copy(), *others) is True, name  # of inputs elsewhere
        pairs = (each if isinstance(each, tuple) else (each,) for each in (result, expected))
        for y, wanted in zip(*pairs, strict=True):
            np.testing.assert_array_equal(y, wanted, err_msg=name)
        equal.append(name)
    assert len(equal) > 2


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("row", [row for row in BOUND if row.once is not None], ids=lambda row: row.name)
def test_weights_and_bias_of_a_call_are_read_where_they_are(row, dtype):
    """Of the cases in which nothing has to be packed or copied, of which there are some."""
    equal = []
    for name, p in computed_in(row, dtype).items():
        p = replace(p, has_bias=True)
        x, w, _ = draw(p, real)
        bias = np.arange(p.g * p.oc, dtype=p.acc_dtype)
        turned = row.name == "numba:pointwise"  # its weights lie as in PyTorch, filters first
        w = np.ascontiguousarray(w.T) if turned else w
        call, (handed, *_, y), result = bind(row, p, (x, w.T if turned else w, bias), (w, bias), row.once)
        if call is None:
            continue
        w, bias = w + 1, bias - 2
        expected = computed(row, p, x, w.T if turned else w, bias)

        assert call(handed, w, bias, y), name
        np.testing.assert_array_equal(result, expected, err_msg=name)
        assert not call(handed, w[None], bias, y), name
        assert not call(handed, w, None, y), name
        assert not call(handed, w, bias[1:], y), name
        equal.append(name)
    assert len(equal) > 2


X = np.arange(2 * 9 * 8 * 3, dtype=np.float32).reshape(2, 9, 8, 3)


@pytest.fixture(scope="module")
def plan():
    rng = np.random.default_rng(0)
    return fastconv.plan_conv(X.shape, rng.standard_normal((2, 3, 3, 5), dtype=np.float32))


def off_by_a_byte(x):
    """Copy to where no number of its kind has its place."""
    memory = np.zeros(x.nbytes + 1, np.uint8)
    copy = memory[1:].view(x.dtype).reshape(x.shape)
    copy[...] = x
    return copy


class Array(np.ndarray):
    pass


OTHERS = {
    "a list": X.tolist(),
    "nothing": None,
    "a subclass": X.view(Array),
    "a number": 7,
    "float64": X.astype(np.float64),
    "int32": X.astype(np.int32),
    "of the other order of bytes": X.astype(X.dtype.newbyteorder()),
    "reversed": X[::-1],
    "of Fortran's order": np.asfortranarray(X),
    "longer": np.concatenate([X, X]),
    "of another shape": X.reshape(2, 8, 9, 3),
    "of fewer axes": X.reshape(2, 72, 3),
    "of more axes": X[None],
    "off by a byte": off_by_a_byte(X),
}


@pytest.mark.parametrize("x", OTHERS.values(), ids=OTHERS)
def test_other_inputs_are_left_to_the_plan(x, plan):
    y = np.full(plan.y_shape, 77, np.float32)

    assert plan.bound(x, None, None, y) is False
    assert (y == 77).all()


@pytest.mark.parametrize("other", ["read-only", "strided", "float64", "off by a byte"])
def test_other_outputs_are_left_to_the_plan(other, plan):
    y = np.full(plan.y_shape, 77, np.float32)
    fixed = y.copy()
    fixed.flags.writeable = False
    outputs = {
        "read-only": fixed,
        "strided": np.repeat(y, 2, axis=3)[..., ::2],
        "float64": y.astype(np.float64),
        "off by a byte": off_by_a_byte(y),
    }

    assert plan.bound(X, None, None, outputs[other]) is False
    assert (outputs[other] == 77).all()


@pytest.mark.parametrize(("first", "done"), [(-1, False), (0, True)])
@pytest.mark.parametrize("swapped", [False, True])
def test_an_output_may_lie_beside_the_input(plan, first, done, swapped):
    sizes = [X.size, int(np.prod(plan.y_shape))]
    memory = np.full(sum(sizes), 77, np.float32)
    starts = [sizes[1] + first, 0] if swapped else [0, sizes[0] + first]
    x, y = (
        memory[start : start + size].reshape(shape)
        for start, size, shape in zip(starts, sizes, (X.shape, plan.y_shape), strict=True)
    )
    x[...] = X

    assert plan.bound(x, None, None, y) is done
    np.testing.assert_array_equal(x, X)


def test_values_and_positions_of_a_call_that_comes_again():
    calls._recent.clear()
    x = np.random.default_rng(0).integers(-8, 9, (2, 3, 9, 14)).astype(np.float32)
    results = [functional.max_pool2d(x, (3, 2), 2, 1, return_indices=True) for _ in range(3)]
    (ready,) = calls._recent.values()
    p = ready.problem
    expected = blank(p)
    naive.pool(p, x.transpose(0, 2, 3, 1), None, None, expected)

    assert ready.bound not in (None, later)
    for values, places in results:
        np.testing.assert_array_equal(values, expected[0].transpose(0, 3, 1, 2))
        np.testing.assert_array_equal(places, expected[1].transpose(0, 3, 1, 2))


def test_equal_dtypes_are_equal(plan):
    """Arrays that were pickled have one of their own."""
    x = pickle.loads(pickle.dumps(X))
    assert x.dtype is not X.dtype

    y = plan.blank()
    assert plan.bound(x, None, None, y)
    np.testing.assert_array_equal(y, plan(X))


@pytest.mark.parametrize("failing", [0, 20, 39])
@pytest.mark.parametrize("number", [1, 2])
def test_want_of_memory_is_told(failing, number):
    before = fastconv.get_num_threads()
    loop = jit.Loop(allocate_in_one, jit.array(np.int64, 1, writeable=True), jit.INDEX)
    x, y = np.zeros(1, np.int64), np.zeros(40, np.int64)

    def steps(_p, x, _prepared, _bias, y):
        touch = jit.Step(loop, 0, 1, (x, failing))
        return [touch, jit.Step(loop, 40, 1, (y, failing))]

    call = bound.by(steps)(None, x, None, None, y, (x, None, None, y))
    fastconv.set_num_threads(number)
    try:
        with pytest.raises(MemoryError):
            call(x, None, None, y)
    finally:
        fastconv.set_num_threads(before)


def test_calls_again_take_other_weights_and_outputs():
    """Also where the first call is given an output; those that overlap are refused as ever."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1, 9, 8, 3), dtype=np.float32)
    calls._recent.clear()
    for seed in range(3):
        w = np.random.default_rng(seed).standard_normal((2, 3, 3, 5), dtype=np.float32)
        expected = fastconv.conv(x, w, backend="naive")
        y = np.empty_like(expected)

        assert fastconv.conv(x, w, out=y) is y
        np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(fastconv.conv(x, w), y)
    (known,) = [known for key, known in calls._recent.items() if known.kernel.backend == "numba"]
    assert known.bound is not None


def test_calls_again_refuse_an_output_in_their_weights():
    x, memory = np.ones((1, 3, 3, 2), np.float32), np.ones(64, np.float32)
    w, y = memory[:24].reshape(2, 2, 2, 3), memory[20:32].reshape(1, 2, 2, 3)
    fastconv.conv(x, w)
    fastconv.conv(x, w)

    with pytest.raises(ValueError, match="`out` must not overlap"):
        fastconv.conv(x, w, out=y)
    assert (memory == 1).all()


def test_large_arrays_are_not_bound():
    assert fastconv.plan_pool((1, 1024, 1024, 4), 2).bound is None
    assert dispatch.choose(fastconv.plan_pool((1, 64, 64, 4), 2).problem).bind is not None


def test_nothing_waits_for_a_compiler_to_be_bound(monkeypatch):
    """A call that comes again while others compile is computed as before, and bound the next time."""
    held, over = threading.Event(), threading.Event()

    def compile_on():
        with native._compiling:
            held.set()
            over.wait()

    monkeypatch.setattr(calls, "_recent", {})
    w = np.ones((2, 2, 3, 7), np.float32)
    expected = fastconv.conv(X, w)
    thread = threading.Thread(target=compile_on)
    thread.start()
    try:
        held.wait()
        np.testing.assert_array_equal(fastconv.conv(X, w), expected)
        (known,) = calls._recent.values()
        assert known.bound is later
    finally:
        over.set()
        thread.join()
    np.testing.assert_array_equal(fastconv.conv(X, w), expected)
    (known,) = calls._recent.values()
    assert known.bound not in (None, later)
    np.testing.assert_array_equal(fastconv.conv(X, w), expected)
