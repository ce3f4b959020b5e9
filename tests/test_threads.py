"""Threads: many callers at once; those who help them, sleep, are missing or sent home; interrupts."""

import sys

import pytest
from callers import COMPILING, finished


def test_callers_at_once(tmp_path):
    """From the first call on, when no worker has started and nothing is compiled: all faces, shared plans."""
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
        print("equal")
        """,
        tmp_path,
        timeout=COMPILING,
    )

    assert printed == "equal\n"


@pytest.mark.parametrize("variable", ["FASTCONV_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS"])
def test_one_thread_starts_no_other(variable, tmp_path):
    code = """
        check_all()
        print(threading.active_count(), len(os.listdir("/proc/self/task")) if sys.platform == "linux" else 1)
        """
    variables = {"FASTCONV_NUM_THREADS": "", "OPENBLAS_NUM_THREADS": "1", variable: "1"}

    assert finished(code, tmp_path, timeout=COMPILING, **variables) == "1 1\n"


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
def test_callers_share_workers(tmp_path):
    """However many call, there are no more threads than they and one set of workers."""
    printed = finished(
        """
        before = len(os.listdir("/proc/self/task"))
        most = []

        def caller(_):
            for _ in range(20):
                check_all()
                most.append(len(os.listdir("/proc/self/task")))

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(caller, range(8)))
        print(max(most) - before - 8)
        """,
        tmp_path,
        timeout=COMPILING,
        OPENBLAS_NUM_THREADS="1",
    )

    assert printed == "1\n"


def test_workers_that_cannot_be_started(tmp_path):
    """As where a limit on threads is met: calls do without them."""
    printed = finished(
        """
        def cannot(_):
            raise RuntimeError("can't start new thread")

        start, threading.Thread.start = threading.Thread.start, cannot
        check_all()
        print(threading.active_count())
        """,
        tmp_path,
        timeout=COMPILING,
    )

    assert printed == "1\n"


def test_end_of_python_during_calls(tmp_path):
    """Workers are sent home; calls of daemons, and of what runs at the very end, are right until then."""
    printed = finished(
        """
        import atexit
        from fastconv.backends.numba import workers

        def call_on():
            while True:
                check_all()

        def last():
            check_all()
            print(*(worker.is_alive() for worker in workers._workers), flush=True)

        atexit.unregister(workers._end)
        atexit.register(last)  # what is registered first runs last
        atexit.register(workers._end)
        check_all()
        for _ in range(2):
            threading.Thread(target=call_on, daemon=True).start()
        time.sleep(0.2)
        """,
        tmp_path,
        timeout=COMPILING,
    )

    assert printed == "False\n"


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
def test_interrupted_calls(tmp_path):
    """Later calls are right, and find no lock that was left."""
    code = "    check(2)\n" + INTERRUPTED.format(times=40, after="0.003 + 0.0001 * number")

    assert finished(code, tmp_path, timeout=COMPILING) == "40\n"


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent to a process")
def test_interrupted_compilation(tmp_path):
    code = INTERRUPTED.format(times=4, after="0.1 + 0.5 * number")

    assert finished(code, tmp_path, timeout=COMPILING, FASTCONV_CACHE_DIR="") == "4\n"
