"""Threads: many callers at once, how many workers a call gets, forks, others' settings, how work is cut."""

import os
import platform
import subprocess
import sys
import textwrap
from pathlib import Path

import numba
import numpy as np
import pytest
from cases import WORDS
from rows import weights_for

import fastconv
from fastconv import dispatch
from fastconv.backends.numba import jit
from fastconv.problem import ConvProblem, Layout, conv_problem, depthwise_problem, pool_problem

ROOT = Path(__file__).parents[1]
NHWC = Layout.of(WORDS, "channels_last", 4)


def lacking(layer):
    """Why this platform has no such layer, or None."""
    if layer == "tbb" and (platform.machine() not in ("x86_64", "AMD64") or sys.platform == "darwin"):
        return "there are no wheels of TBB for this platform"
    if layer == "omp" and sys.platform == "darwin":
        return "Numba's wheels for macOS bring no OpenMP"
    return None


LAYERS = [
    pytest.param(layer, marks=pytest.mark.skipif(bool(lacking(layer)), reason=str(lacking(layer))))
    for layer in ("tbb", "omp", "workqueue")
]

# Calls long enough for threads, of small whole numbers, and what NumPy makes of them.
CALLS = """
import os, signal, sys, threading
from concurrent.futures import ThreadPoolExecutor
import numba
import numpy as np
import fastconv

rng = np.random.default_rng(0)
x = rng.integers(-8, 9, (2, 61, 47, 16)).astype(np.float32)
w = rng.integers(-8, 9, (3, 2, 16, 24)).astype(np.float32)
d = rng.integers(-8, 9, (3, 2, 16, 2)).astype(np.float32)
calls = [
    lambda backend: fastconv.conv(x, w, padding="same", backend=backend),
    lambda backend: fastconv.depthwise_conv(x, d, strides=(1, 2), backend=backend),
    lambda backend: fastconv.max_pool(x, (3, 2), strides=(1, 2), backend=backend),
    lambda backend: fastconv.average_pool(x, (2, 3), padding="same", backend=backend),
]
expected = [call("einsum") for call in calls]

def check(number):
    np.testing.assert_array_equal(calls[number % len(calls)]("numba"), expected[number % len(calls)])
"""


def finished(code, **environment):
    """Run `code` after the calls above in another process; return what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", CALLS + textwrap.dedent(code)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("layer", LAYERS)
def test_callers_at_once(layer):
    """From the first call on, when no layer has started yet and nothing is compiled."""
    printed = finished(
        """
        start = threading.Barrier(8)

        def caller(first):
            start.wait()
            for number in range(first, first + 40):
                check(number)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(caller, range(8)))
        print(numba.threading_layer())
        """,
        NUMBA_THREADING_LAYER=layer,
    )

    assert printed == f"{layer}\n"


@pytest.mark.skipif(bool(lacking("tbb")), reason=str(lacking("tbb")))
def test_tbb_is_what_numba_takes():
    assert finished("check(0); print(numba.threading_layer())", NUMBA_THREADING_LAYER="default") == "tbb\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this platform")
@pytest.mark.parametrize("layer", LAYERS)
def test_child_after_use(layer):
    printed = finished(
        """
        for number in range(4):
            check(number)
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            for number in range(4):
                check(number)
            os._exit(7)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        for number in range(4):
            check(number)
        """,
        NUMBA_THREADING_LAYER=layer,
    )

    assert printed == "7\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this platform")
def test_child_while_another_thread_computes():
    """The thread that has the turn does not exist in the child, which must not wait for it."""
    printed = finished(
        """
        check(0)
        forked = threading.Event()

        def caller():
            while not forked.is_set():
                check(0)

        thread = threading.Thread(target=caller)
        thread.start()
        codes = set()
        for _ in range(20):
            child = os.fork()
            if child == 0:
                signal.alarm(30)
                check(0)
                os._exit(7)
            codes.add(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            if codes != {7}:
                break
        forked.set()
        thread.join()
        print(codes)
        """,
        NUMBA_THREADING_LAYER="workqueue",
        PYTHONWARNINGS="ignore::DeprecationWarning",  # newer Pythons warn of such forks
    )

    assert printed == "{7}\n"


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
@pytest.mark.parametrize("wanted", [1, 2, 1000])
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
        jit._limited(fails, ())

    assert numba.get_num_threads() == 1


@pytest.mark.parametrize(("count", "grain"), [(1, 1), (8, 1), (9, 2), (10, 3), (3, 5)])
def test_every_task_is_done_once(count, grain):
    seen = np.zeros(12, np.int64)

    jit.Loop(add_one, jit.array(np.int64, 1, writeable=True))(count, grain, seen)

    np.testing.assert_array_equal(seen, [1] * count + [0] * (12 - count))


@jit.compiled
def add_one(first, end, seen):
    for task in range(first, end):
        seen[task] += 1


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
    launches, results, limited = [], [], jit._limited
    monkeypatch.setattr(jit, "_limited", lambda *call: (launches.append(call), limited(*call)))
    for number in (1, 2, 2):
        fastconv.set_num_threads(number)
        y = np.full(p.y_shape, np.nan, np.float32)
        row.run(p, x, prepared, None, y)
        results.append(y.tobytes())

    assert results[1:] == results[:1] * 2
    assert len(launches) == 3
