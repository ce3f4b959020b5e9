"""How many threads a call gets, how its work is cut for them, and that its bits do not depend on that."""

import time

import numba
import numpy as np
import pytest
from cases import WORDS
from fuzz import environment
from numba import types
from rows import weights_for

import fastconv
from fastconv import dispatch
from fastconv.backends.numba import jit, shares, words, workers
from fastconv.problem import ConvProblem, Layout, conv_problem, depthwise_problem, pool_problem

NHWC = Layout.of(WORDS, "channels_last", 4)


@pytest.fixture(autouse=True)
def _threads():
    """Leave the number of threads as it was."""
    before = fastconv.get_num_threads()
    yield
    fastconv.set_num_threads(before)


needs_threads = pytest.mark.skipif(
    jit.OFF is not None or numba.config.NUMBA_NUM_THREADS == 1, reason="one thread is all there may be"
)
LINES = jit.array(np.int64, 2, writeable=True)


def lines(count):
    """So many counts, a line of the cache each, and their address."""
    seen = np.zeros((count, words.LINE), np.int64)
    return seen, seen.ctypes.data


@jit.compiled
def meet(first, end, seen, address, wanted):
    """Wait until so many tasks are under way at once, or until that has taken too long."""
    for task in range(first, end):
        words.add(address, 0, 1)
        looks, most = 0, 0
        while most < wanted and looks < 2_000_000_000:
            looks += 1
            most = max(most, words.look(address, 0))
        seen[task, 1] = most


@needs_threads
@pytest.mark.parametrize("asleep", [False, True])
def test_threads_work_at_once(asleep):
    """Also those that have gone to sleep after the last call."""
    fastconv.set_num_threads(2)
    together = jit.Loop(meet, LINES, types.int64, types.int64)
    for _ in range(3):
        time.sleep(0.2 * asleep)
        seen, address = lines(2)

        together(2, 1, seen, address, 2)

        np.testing.assert_array_equal(seen[:, 1], 2)


@pytest.mark.parametrize(("wanted", "number"), [(1, 1), (2, 2), (100_000, 100_000)])
def test_number_of_threads(wanted, number):
    """Never more than Numba may have, or than a board has room for."""
    fastconv.set_num_threads(wanted)

    most = 1 if jit.OFF else min(numba.config.NUMBA_NUM_THREADS, shares.THREADS)
    assert workers.number() == min(number, most)


@needs_threads
def test_numbas_threads_are_not_started():
    fastconv.set_num_threads(2)

    jit.Loop(add_one, jit.array(np.int64, 1, writeable=True))(8, 1, np.zeros(8, np.int64))

    assert numba.np.ufunc.parallel._threading_layer is None


@needs_threads
def test_calls_for_which_a_board_has_no_room():
    """Their callers do all tasks themselves."""
    fastconv.set_num_threads(2)
    spread = jit.Loop(add_one, jit.array(np.int64, 1, writeable=True))
    spread(8, 1, np.zeros(8, np.int64))
    owned = workers._board[shares.FIRST + shares.OWNED :: shares.SLOT][: shares.CALLS]
    assert not owned.any()
    try:
        owned[:] = 1
        seen = np.zeros(12, np.int64)

        spread(9, 2, seen)

        np.testing.assert_array_equal(seen, [1] * 9 + [0] * 3)
        with pytest.raises(MemoryError):
            jit.Loop(allocate_in_one, jit.array(np.int64, 1, writeable=True), types.int64)(
                40, 1, np.zeros(40, np.int64), 20
            )
    finally:
        owned[:] = 0


@pytest.mark.parametrize(("count", "grain"), [(1, 1), (8, 1), (9, 2), (10, 3), (3, 5)])
def test_every_task_is_done_once(count, grain):
    seen = np.zeros(12, np.int64)

    jit.Loop(add_one, jit.array(np.int64, 1, writeable=True))(count, grain, seen)

    np.testing.assert_array_equal(seen, [1] * count + [0] * (12 - count))


@needs_threads
@pytest.mark.parametrize("count", [2, 3, 7, 40, 1000])
def test_more_threads_than_processors_or_tasks(count, monkeypatch):
    monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", 5)
    fastconv.set_num_threads(5)
    spread = jit.Loop(add_one, jit.array(np.int64, 1, writeable=True))
    for grain in (1, 2, 3):
        for _ in range(200):
            seen = np.zeros(count + 1, np.int64)

            spread(count, grain, seen)

            np.testing.assert_array_equal(seen, [1] * count + [0])


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


@needs_threads
@pytest.mark.parametrize("stuck", [0, 20])
def test_others_do_the_tasks_of_a_thread_that_stands_still(stuck):
    """Of 40 tasks the first of a thread's share waits for all others: half of them would never be done."""
    fastconv.set_num_threads(2)
    done, address = lines(40)

    jit.Loop(wait_in_one, LINES, types.int64, types.int64)(40, 1, done, address, stuck)

    np.testing.assert_array_equal(done[:, 0], 1)


@jit.compiled
def wait_in_one(first, end, done, address, stuck):
    for task in range(first, end):
        looks, others = 0, 0
        while task == stuck and others < 39 and looks < 100_000_000:
            others, looks = 0, looks + 1
            for other in range(40):
                others += words.look(address, words.LINE * other)
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
    launches, results, called = [], [], workers.called
    monkeypatch.setattr(workers, "called", lambda wanted: [launches.append(wanted), called(wanted)][1])
    for number in (1, 2, 2):
        fastconv.set_num_threads(number)
        y = np.full(p.y_shape, np.nan, np.float32)
        row.run(p, x, prepared, None, y)
        results.append(y.tobytes())

    assert results[1:] == results[:1] * 2
    assert len(launches) == 2 * (numba.config.NUMBA_NUM_THREADS > 1)


@pytest.mark.parametrize("bits", [environment.FLUSHED, environment.UPWARD])
def test_workers_round_as_the_caller_does(bits):
    """Else a call's bits would depend on who computed them."""
    x = np.random.default_rng(0).standard_normal((1, 61, 47, 19)).astype(np.float32) * np.float32(1e-38)
    w = np.random.default_rng(1).standard_normal((3, 5, 19, 37)).astype(np.float32)
    results = []
    for number in (1, 2):
        fastconv.set_num_threads(number)
        usual = fastconv.conv(x, w, backend="numba:direct")
        with environment.controlled(bits):
            results.append(fastconv.conv(x, w, backend="numba:direct").tobytes())
        assert fastconv.conv(x, w, backend="numba:direct").tobytes() == usual.tobytes() != results[-1]

    assert results[0] == results[1]
