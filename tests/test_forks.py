"""Other processes, made after or during calls, compute what their parent does; neither ends nor hangs.

Lines are looked for among all that are printed: Numba may say on a fork, and as late as its end, that it
cannot join threads.
"""

import multiprocessing

import pytest
from callers import COMPILING, LAYERS, compile_all, finished, has_fork, has_tbb


@pytest.fixture
def run(tmp_path, tmp_path_factory):
    """Run a program on a threading layer; its code is on disk."""

    def run(layer, code):
        compile_all(tmp_path_factory.getbasetemp())
        return finished(code, tmp_path, LAYER=layer)

    return run


@pytest.mark.parametrize(
    ("layer", "method"),
    [("default", "fork"), ("default", "spawn"), ("default", "forkserver"), ("workqueue", "fork")],
)
def test_pools_of_processes(run, layer, method):
    """After use in the parent, from both kinds of pool and a plain process."""
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this platform does not {method}")
    printed = run(
        layer,
        f"""
        check_all()
        context = multiprocessing.get_context("{method}")
        with context.Pool(2) as pool:
            pool.map(check, range(8))
        with ProcessPoolExecutor(2, mp_context=context) as pool:
            list(pool.map(check_in_threads, range(2)))
        process = context.Process(target=check_all)
        process.start()
        process.join()
        assert process.exitcode == 0
        check_all()
        print("done", flush=True)
        """,
    )

    assert "done" in printed.splitlines()


@pytest.mark.parametrize("backend", ["loky", "multiprocessing", "threading"])
def test_joblib(run, backend):
    printed = run(
        "default",
        f"""
        from joblib import Parallel, delayed
        check_all()
        Parallel(n_jobs=2, backend="{backend}")(delayed(check)(number) for number in range(8))
        check_all()
        print("done", flush=True)
        """,
    )

    assert "done" in printed.splitlines()


@has_fork
@pytest.mark.parametrize("layer", LAYERS)
def test_server_that_forks_its_workers(run, layer):
    """All at work at once, each on several threads; the parent goes on too, and forks again."""
    printed = run(
        layer,
        """
        check_all()
        for _ in range(3):
            workers = [forked(check_in_threads) for _ in range(4)]
            check_in_threads()
            print(*map(ended, workers), flush=True)
        print(ended(forked(lambda: [check_all(), print(ended(forked(check_all)), flush=True)])))
        """,
    )

    assert [line.split() for line in printed.splitlines() if line[:1] == "7"] == [["7"] * 4] * 3 + [["7"]] * 2


@has_fork
@pytest.mark.parametrize("forker", ["main", "another"])
@pytest.mark.parametrize("layer", LAYERS)
def test_children_while_other_threads_compute(run, layer, forker):
    """Those threads do not exist in the child; in the parent they go on as if nothing were."""
    printed = run(
        layer,
        f"""
        check_all()
        over = threading.Event()
        codes = []

        def caller():
            while not over.is_set():
                check_all()

        def fork_often():
            codes.extend(ended(forked(check_in_threads)) for _ in range(25))

        threads = [threading.Thread(target=caller) for _ in range(2)]
        for thread in threads:
            thread.start()
        if "{forker}" == "main":
            fork_often()
        else:
            other = threading.Thread(target=fork_often)
            other.start()
            other.join()
        over.set()
        for thread in threads:
            thread.join()
        check_all()
        print(set(codes))
        """,
    )

    assert "{7}" in printed.splitlines()


@has_tbb
@has_fork
def test_child_has_threads_where_it_can(tmp_path):
    """After TBB was put down properly; a child forked by another thread than TBB's first does without."""
    printed = finished(
        """
        check_all()

        def child(most):
            counted = launches()
            check_all()
            assert bool(counted) == most, len(counted)

        print(ended(forked(child, fastconv.get_num_threads() > 1)))
        with ThreadPoolExecutor(1) as pool:
            pids = list(pool.map(lambda _: forked(child, False), range(1)))
        print(*map(ended, pids))
        """,
        tmp_path,
        timeout=COMPILING,
    )

    assert [line for line in printed.splitlines() if line.isdecimal()] == ["7", "7"]


@has_fork
def test_child_while_another_thread_compiles(tmp_path):
    """A fork waits for the compiler, whose locks the child would keep for ever."""
    printed = finished(
        """
        begun = threading.Event()
        thread = threading.Thread(target=lambda: [begun.set(), check(2)])
        thread.start()
        begun.wait()
        time.sleep(0.3)  # so that it is well under way, as a rule
        print(ended(forked(check, 2)))
        thread.join()
        """,
        tmp_path,
        timeout=COMPILING,
        FASTCONV_CACHE_DIR="",
    )

    assert "7" in printed.splitlines()


def test_programs_started_while_threads_compute(run):
    """They begin as forks."""
    printed = run(
        "default",
        """
        import subprocess
        over = threading.Event()

        def caller():
            while not over.is_set():
                check_all()

        threads = [threading.Thread(target=caller) for _ in range(2)]
        for thread in threads:
            thread.start()
        for options in ({}, {"preexec_fn": os.getpid}) * 5:
            subprocess.run([sys.executable, "-c", ""], check=True, **options)
        over.set()
        for thread in threads:
            thread.join()
        check_all()
        print("done", flush=True)
        """,
    )

    assert "done" in printed.splitlines()


@has_fork
def test_fork_that_is_interrupted_while_it_waits(tmp_path):
    """The locks it has by then are free again, and the child does without threads."""
    printed = finished(
        """
        from fastconv.backends.numba import layer
        check_all()
        layer._calls[-1] = True  # a call that does not end

        def interrupt(*_):
            raise KeyboardInterrupt

        signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        print(ended(forked(check_all)))
        layer._calls[-1] = False
        check_in_threads()
        print(ended(forked(check_all)))
        """,
        tmp_path,
        timeout=COMPILING,
    )

    assert [line for line in printed.splitlines() if line.isdecimal()] == ["7", "7"]
