"""Threads: many callers at once, on every layer and on none; what they share; interrupts."""

import os
import sys

import pytest
from callers import COMPILING, LAYERS, finished, has_tbb

from fastconv.backends.numba import layer as fastconv_layer


@pytest.mark.parametrize("layer", LAYERS)
def test_callers_at_once(layer, tmp_path):
    """From the first call on, when no layer has started and nothing is compiled: all faces, shared plans."""
    printed = finished(
        """
        start = threading.Barrier(8)
        t = rng.integers(-8, 9, (3, 2, 24, 16)).astype(np.float32)
        NHWC = ("NHWC", "HWIO", "NHWC")

        def named(call):
            def under(backend):
                with fastconv.use_backend(backend):
                    return call()

            return under

        line, taps = x.reshape(2, -1, 16), w.reshape(6, 16, 24)
        calls.extend((
            lambda backend: fastconv.conv_transpose(x, t, strides=(1, 2), backend=backend),
            lambda backend: fastconv.conv(line, taps, dilation_rate=2, backend=backend),
            named(lambda: functional.max_pool2d(x, (3, 2))),
            named(lambda: functional.conv1d(line.swapaxes(1, 2), taps.T)),
            named(lambda: lax.conv_general_dilated(x, w, (1, 2), "SAME", dimension_numbers=NHWC)),
        ))
        plans = {name: fastconv.plan_conv(x.shape, w, (1, 2), backend=name) for name in ("numba", "einsum")}
        calls.append(lambda backend: plans[backend](x))
        expected[:] = [call("einsum") for call in calls]

        def caller(first):
            start.wait()
            for number in range(first, first + 40):
                check(number)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(caller, range(8)))
        print(numba.threading_layer())
        """,
        tmp_path,
        timeout=COMPILING,
        LAYER=layer,
    )

    assert printed == f"{layer}\n"


@has_tbb
def test_tbb_is_what_numba_takes(tmp_path):
    code = "check(0); print(numba.threading_layer())"

    assert finished(code, tmp_path, timeout=COMPILING, LAYER="default") == "tbb\n"


@pytest.mark.parametrize("layer", ["tbb", "default", "omp_of_mine"])
def test_layer_that_is_not_there(layer, tmp_path):
    """Nobody's TBB can be loaded: another layer where any will do, else no threads; never an error."""
    printed = finished(
        """
        from numba.np.ufunc import parallel

        def is_missing():
            raise ImportError("no TBB on this machine")

        parallel._check_tbb_version_compatible = is_missing
        counted = launches()
        check_all()
        check_in_threads()
        print(parallel._threading_layer, bool(counted))
        """,
        tmp_path,
        timeout=COMPILING,
        LAYER=layer,
    )

    assert printed in (["omp True\n", "workqueue True\n"] if layer == "default" else ["None False\n"])


@pytest.mark.parametrize("variable", ["FASTCONV_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS"])
def test_one_thread_starts_no_layer(variable, tmp_path):
    code = """
        from numba.np.ufunc import parallel
        check_all()
        print(parallel._threading_layer, len(os.listdir("/proc/self/task")) if sys.platform == "linux" else 1)
        """
    variables = {"FASTCONV_NUM_THREADS": "", "OPENBLAS_NUM_THREADS": "1", variable: "1"}

    assert finished(code, tmp_path, timeout=COMPILING, **variables) == "None 1\n"


@has_tbb
@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
def test_callers_share_workers(tmp_path):
    """However many call, there are no more threads than they and one set of workers."""
    printed = finished(
        """
        before = len(os.listdir("/proc/self/task"))
        over = threading.Event()
        most = []

        def caller(_):
            for _ in range(20):
                check_all()
                most.append(len(os.listdir("/proc/self/task")))

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(caller, range(8)))
        print(numba.threading_layer(), max(most) - before - 8)
        """,
        tmp_path,
        timeout=COMPILING,
        OPENBLAS_NUM_THREADS="1",
    )
    layer, workers = printed.split()

    assert layer == "tbb"
    assert int(workers) < max(2, os.cpu_count())


@pytest.mark.parametrize("layer", ["omp", "workqueue"])
def test_one_caller_at_a_time_where_workers_are_not_shared(monkeypatch, layer):
    """Who finds them taken does without, rather than to wait or to start more."""
    monkeypatch.setattr(fastconv_layer, "_layer", layer)
    monkeypatch.setattr(fastconv_layer, "_limited", lambda _, function, arguments: function(*arguments))
    inside = []

    def launched():
        inside.append(fastconv_layer.run(1, lambda: inside.append("nested")))

    assert fastconv_layer.run(1, launched)
    assert inside == [False]
    assert fastconv_layer.run(1, lambda: None)


def test_other_threads_go_on_during_a_call(tmp_path):
    """No thread is made to give up the interpreter; this one does so in compiled code, or not at all."""
    printed = finished(
        """
        plan = fastconv.plan_conv(x.shape, w, padding="same", backend="numba")
        out = np.empty(plan(x).shape, x.dtype)
        counts, go, over = [0], threading.Event(), threading.Event()

        def count():
            go.wait()
            while not over.is_set():
                counts[0] += 1
                time.sleep(0)

        thread = threading.Thread(target=count)
        thread.start()
        go.set()
        while not counts[0]:
            time.sleep(0)
        sys.setswitchinterval(1e6)
        grown = 0
        for _ in range(200):
            before = counts[0]
            plan(x, out=out)
            grown += counts[0] > before
        over.set()
        sys.setswitchinterval(0.005)
        thread.join()
        print(grown > 0)
        """,
        tmp_path,
        timeout=COMPILING,
        FASTCONV_NUM_THREADS="1",
    )

    assert printed == "True\n"


# Python loses what a handler raises where nobody can catch it, such as in a callback: then it is sent again.
INTERRUPTED = """
    armed, interrupts = [], 0

    def interrupt(*_):
        if armed:
            raise KeyboardInterrupt

    def send(after, over):
        while not over.wait(after):
            os.kill(os.getpid(), signal.SIGINT)
            after = 2

    signal.signal(signal.SIGINT, interrupt)
    for number in range({times}):
        over = threading.Event()
        sender = threading.Thread(target=send, args=({after}, over))
        armed.append(number)
        try:
            sender.start()
            while True:
                check(2)
        except KeyboardInterrupt:
            armed.clear()
            over.set()
            interrupts += 1
        sender.join()
    check(2)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(check, [2] * 4))
    print(interrupts)
    """


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent to a process")
@pytest.mark.parametrize("layer", LAYERS)
def test_interrupted_calls(layer, tmp_path):
    """Later calls are right, and find no lock that was left."""
    code = "    check(2)\n" + INTERRUPTED.format(times=40, after="0.003 + 0.0001 * number")

    assert finished(code, tmp_path, timeout=COMPILING, LAYER=layer) == "40\n"


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent to a process")
def test_interrupted_compilation(tmp_path):
    code = INTERRUPTED.format(times=4, after="0.1 + 0.5 * number")

    assert finished(code, tmp_path, timeout=COMPILING, FASTCONV_CACHE_DIR="") == "4\n"
