"""How many threads a call gets, how its work is cut for them, and that its bits do not depend on that."""

import numba
import numpy as np
import pytest
from cases import WORDS
from numba import types
from rows import weights_for

import fastconv
from fastconv import dispatch
from fastconv.backends.numba import jit, shares
from fastconv.backends.numba import layer as fastconv_layer
from fastconv.problem import ConvProblem, Layout, conv_problem, depthwise_problem, pool_problem

NHWC = Layout.of(WORDS, "channels_last", 4)


@pytest.fixture
def threads():
    """Leave the numbers of threads as they were."""
    ours, numbas = fastconv.get_num_threads(), numba.get_num_threads()
    yield
    fastconv.set_num_threads(ours)
    numba.set_num_threads(numbas)


@jit.compiled
def note_threads(first, end, seen):
    for task in range(first, end):
        seen[task] = numba.get_num_threads()


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("wanted", [2, 1000])
def test_number_of_threads(wanted):
    seen = np.zeros(8, np.int64)
    fastconv.set_num_threads(wanted)

    jit.Loop(note_threads, jit.array(np.int64, 1, writeable=True))(8, 1, seen)

    np.testing.assert_array_equal(seen, min(wanted, numba.config.NUMBA_NUM_THREADS))


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("theirs", {1, numba.config.NUMBA_NUM_THREADS})
def test_numbers_of_others_stay(theirs):
    numba.set_num_threads(theirs)
    fastconv.set_num_threads(2)

    jit.Loop(note_threads, jit.array(np.int64, 1, writeable=True))(8, 1, np.zeros(8, np.int64))

    assert numba.get_num_threads() == theirs


@pytest.mark.usefixtures("threads")
def test_numbers_of_others_stay_after_an_error():
    def fails():
        raise ValueError("in the midst")

    numba.set_num_threads(1)
    fastconv.set_num_threads(2)
    with pytest.raises(ValueError, match="in the midst"):
        fastconv_layer._limited(2, fails, ())

    assert numba.get_num_threads() == 1


@pytest.mark.parametrize(("count", "grain"), [(1, 1), (8, 1), (9, 2), (10, 3), (3, 5)])
def test_every_task_is_done_once(count, grain):
    seen = np.zeros(12, np.int64)

    jit.Loop(add_one, jit.array(np.int64, 1, writeable=True))(count, grain, seen)

    np.testing.assert_array_equal(seen, [1] * count + [0] * (12 - count))


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("failing", [0, 7, 20, 39])
def test_want_of_memory_is_told_whichever_thread_it_meets(failing, number):
    fastconv.set_num_threads(number)

    with pytest.raises(MemoryError):
        jit.Loop(allocate_in_one, jit.array(np.int64, 1, writeable=True), types.int64)(
            40, 1, np.zeros(40, np.int64), failing
        )


@jit.compiled
def allocate_in_one(first, end, seen, failing):
    for task in range(first, end):
        seen[task] = np.full(1 << 58 if task == failing else 1000, task)[task]  # else it is never allocated


@jit.compiled
def add_one(first, end, seen):
    for task in range(first, end):
        seen[task] += 1


@pytest.mark.skipif(jit.OFF is not None, reason="without compiled code there are no threads")
@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("stuck", [0, 20])
def test_others_do_the_tasks_of_a_thread_that_stands_still(stuck):
    """Of 40 tasks the first of a thread's share waits for all others: half of them would never be done."""
    fastconv.set_num_threads(2)
    done = np.zeros((40, shares.APART // 8), np.int64)
    kinds = jit.array(np.int64, 2, writeable=True), types.int64, types.int64
    stuck = stuck if fastconv_layer.number() > 1 else 39

    jit.Loop(wait_in_one, *kinds)(40, 1, done, done.ctypes.data, stuck)

    np.testing.assert_array_equal(done[:, 0], 1)


@jit.compiled
def wait_in_one(first, end, done, address, stuck):
    for task in range(first, end):
        looks, others = 0, 0
        while task == stuck and others < 39 and looks < 100_000_000:
            others, looks = 0, looks + 1
            for other in range(40):
                others += shares.look(address, other)
        done[task, 0] += 1 if task != stuck or others == 39 else 2


FLOAT = dict(x_dtype=np.dtype(np.float32), w_dtype=np.dtype(np.float32))
LONG = {  # long enough for threads in every row
    "dense": conv_problem(WORDS, NHWC, (1, 61, 47, 19), (3, 5, 19, 37), padding="same", **FLOAT),
    "grouped": conv_problem(WORDS, NHWC, (1, 61, 47, 18), (3, 2, 6, 39), strides=(1, 2), **FLOAT),
    "depthwise": depthwise_problem(WORDS, NHWC, (2, 61, 47, 37), (3, 5, 37, 1), padding="same", **FLOAT),
    "max": pool_problem(WORDS, NHWC, (2, 61, 47, 37), np.dtype(np.float32), (3, 2), strides=(1, 2)),
    "mean": pool_problem(
        WORDS,
        NHWC,
        (2, 61, 47, 37),
        np.dtype(np.float32),
        (3, 5),
        strides=1,
        padding="same",
        reduction="mean",
    ),
}


def rows(p):
    return [row for row in dispatch.table("numba") if isinstance(p, row.problem) and row.rejects(p) is None]


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize(
    ("row", "p"),
    [pytest.param(row, p, id=f"{row.name}-{name}") for name, p in LONG.items() for row in rows(p)],
)
def test_bits_do_not_depend_on_threads(row, p, monkeypatch):
    """Real numbers, whose sums would show another order."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal(p.x_shape).astype(np.float32)
    w = rng.standard_normal(p.w_shape).astype(np.float32) if isinstance(p, ConvProblem) else None
    prepared = row.prepare(p, weights_for(row, p, w))
    launches, results, limited = [], [], fastconv_layer._limited
    monkeypatch.setattr(fastconv_layer, "_limited", lambda *call: (launches.append(call), limited(*call)))
    for number in (1, 2, 2):
        fastconv.set_num_threads(number)
        y = np.full(p.y_shape, np.nan, np.float32)
        row.run(p, x, prepared, None, y)
        results.append(y.tobytes())

    assert results[1:] == results[:1] * 2
    assert len(launches) == 2 * (numba.config.NUMBA_NUM_THREADS > 1)
