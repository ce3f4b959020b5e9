"""Other processes, made after or during calls, compute what their parent does; neither ends nor hangs.

Children have workers of their own.
"""

import multiprocessing

import pytest
from callers import COMPILING, compile_all, finished, has_fork


@pytest.fixture
def run(tmp_path, tmp_path_factory):
    """Run a program; its code is on disk."""

    def run(code):
        compile_all(tmp_path_factory.getbasetemp())
        return finished(code, tmp_path)

    return run


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_pools_of_processes(run, method):
    """After use in the parent, from both kinds of pool and a plain process."""
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this platform does not {method}")
    printed = run(
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
def test_server_that_forks_its_workers(run):
    """All at work at once, each on several threads; the parent goes on too, and forks again."""
    printed = run(
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
def test_children_while_other_threads_compute(run, forker):
    """Those threads do not exist in the child; in the parent they go on as if nothing were."""
    printed = run(
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


@has_fork
def test_children_have_workers(run):
    """Whichever thread forks them, and their children too."""
    printed = run(
        """
        check_all()

        def child(generation):
            counted = launches()
            check_all()
            assert counted and threading.active_count() == 2, (len(counted), threading.enumerate())
            if generation:
                assert ended(forked(child, generation - 1)) == 7

        print(ended(forked(child, 2)))
        with ThreadPoolExecutor(1) as pool:
            pids = list(pool.map(lambda _: forked(child, 1), range(1)))
        print(*map(ended, pids))
        """,
    )

    assert printed == "7\n7\n"


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
def test_fork_that_is_interrupted_while_it_waits(run):
    """Parent and child compute what has been compiled, whoever compiles meanwhile."""
    printed = run(
        """
        from fastconv.backends.numba import native
        check_all()
        held, over = threading.Event(), threading.Event()

        def compile_on():
            with native._compiling:
                held.set()
                over.wait()

        def interrupt(*_):
            raise KeyboardInterrupt

        thread = threading.Thread(target=compile_on)
        thread.start()
        held.wait()
        signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        print(ended(forked(check_all)))
        check_in_threads()
        over.set()
        thread.join()
        print(ended(forked(check_all)))
        """,
    )

    assert printed == "7\n7\n"
