"""The threads that help with calls: Python's own, in compiled code that has let go of the interpreter.

There is one set of them for all callers, started when a call is first long enough. They take part in what is
announced on a board (``shares``), where they also sleep.

They are of no threading layer of Numba's. GNU OpenMP spins where another process has the core, and ends a
forked child that uses it; workqueue ends the process when two threads use it; TBB gives up its turn on the
core between calls, and gets another when the call is over.

A fork copies none of them, and needs none to stop: the child makes a board and workers of its own. Before
Python ends they are sent home.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable
from functools import cache

import numba
import numpy as np
from numba import types

from fastconv import threads
from fastconv.backends.numba import shares, words
from fastconv.backends.numba.native import machine_code

_starting = threading.Lock()
_board: np.ndarray | None = None
_place = 0  # its address
_workers: list[threading.Thread | None] = []  # one that could not be started is nobody
_over = bool(numba.config.DISABLE_JIT)  # whether there are none any more, or can be none


def number() -> int:
    """Return how many threads a call may have, the caller's among them."""
    wanted = threads.get_num_threads()
    return 1 if wanted == 1 or _over else min(wanted, numba.config.NUMBA_NUM_THREADS, shares.THREADS)


def called(wanted: int) -> int:
    """See that there are so many threads; return the address of the board that they look at."""
    if len(_workers) < wanted - 1:
        _start(wanted - 1)
    return _place


def _start(helpers: int) -> None:
    """Start as many workers as are missing, or as can be had."""
    global _board, _place  # noqa: PLW0603 (they are the process's)
    launch, work, serve = _code()
    with _starting:
        if _board is None:
            board = shares.board(launch, work)
            _place = board.ctypes.data  # first: Ctrl-C may come between any two lines
            _board = board
        while len(_workers) < helpers:
            number = len(_workers)
            _board[shares.LOCK + words.LINE * number] = words.new_lock()
            worker = threading.Thread(target=serve, args=(_place, number), name="fastconv", daemon=True)
            try:
                worker.start()
                _workers.append(worker)
            except RuntimeError:  # there can be no more threads
                _workers.append(None)


@cache
def _code() -> tuple[int, int, Callable]:
    """Compile what every call needs; in a child that is there already, whoever compiled during the fork."""
    launch, _ = machine_code(shares.launch, (types.int64,) * 7)
    work, _ = machine_code(shares.work, (types.int64,) * 2)
    _, serve = machine_code(shares.serve, (types.int64, types.int64))
    return launch, work, serve


@atexit.register
def _end() -> None:
    """Send them home: they would not notice that Python ends."""
    global _over  # noqa: PLW0603 (it is the process's)
    _over = True
    if _board is not None:
        _board[shares.OVER] = 1
        for number, worker in enumerate(_workers):
            if worker is not None:
                words.open_lock(int(_board[shares.LOCK + words.LINE * number]))
                worker.join(timeout=1)  # a call of a daemon's may be under way


def _after_fork_in_child() -> None:
    """Forget those that are not here, and calls that were under way there."""
    global _starting, _board
    _starting, _board = threading.Lock(), None
    _workers.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
