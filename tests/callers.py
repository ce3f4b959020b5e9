"""Programs that call from several threads and processes, each run in a process of its own, watched."""

import functools
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WATCHDOG = 60  # seconds for a program whose code is on disk
COMPILING = 300

has_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this platform")

# Calls long enough for threads, of small whole numbers, and what NumPy makes of them.
CALLS = """
import multiprocessing, os, signal, sys, threading, time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
import numba
import numpy as np
import fastconv
from fastconv import functional, lax

# Set here, and not by Numba's variable, on which its compiled code would be thought to depend.
if "NUMBA_NUM_THREADS" not in os.environ:
    numba.config.NUMBA_NUM_THREADS = max(2, numba.config.NUMBA_NUM_THREADS)

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

def check_all(*_):
    for number in range(len(calls)):
        check(number)

def check_in_threads(*_):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(check_all, range(4)))

def forked(child, *arguments):
    pid = os.fork()
    if pid == 0:
        signal.alarm(240 if os.environ.get("FASTCONV_CACHE_DIR") == "" else 30)  # to compile takes long
        code = 1
        try:
            child(*arguments)
            code = 7
        finally:
            os._exit(code)
    return pid

def ended(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

def launches():
    # How many calls have had threads from now on.
    from fastconv.backends.numba import workers
    counted, called = [], workers.called
    workers.called = lambda wanted: [counted.append(None), called(wanted)][1]
    return counted
"""


def finished(code, tmp_path, *, timeout=WATCHDOG, **environment):
    """Run `code` after the calls above in a program, which children may import; return what it prints."""
    program = tmp_path / "program.py"
    program.write_text(
        f"{CALLS}\nif __name__ == '__main__':\n{textwrap.indent(textwrap.dedent(code), '    ')}"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "FASTCONV_NUM_THREADS": "2",
        "PYTHONWARNINGS": "ignore::DeprecationWarning",  # newer Pythons warn of forks beside threads
        **environment,
    }
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", str(program)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@functools.cache
def compile_all(tmp_path):
    """Leave the code for these calls on disk."""
    finished("check_all()", tmp_path, timeout=COMPILING)
