"""Numba's threads: which layer has them, who may enter it, and what a fork waits for.

Of Numba's layers TBB is fast, safe to enter from several threads at once, and lets all of them share one set
of workers. GNU OpenMP starts threads for every caller, and would end a forked child that entered it again;
workqueue ends the process when two threads enter it. So on these two one call at a time has threads, and
what is called meanwhile does without. So does everything where no layer can be started.

A fork copies one thread. It waits until no other thread is in a call or compiles, since the child would keep
their locks for ever, and since TBB, which Numba puts down before a fork and sets up after it, loses the calls
that run meanwhile, in the parent too. It does that for the thread alone that started it, and only where no
other has been there, even one that has ended; another child does without threads, as it does after OpenMP.
"""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from importlib import metadata
from typing import Any

import numba
from numba.core.compiler_lock import global_compiler_lock
from numba.np.ufunc import parallel

from fastconv import threads

POLL = 1e-4  # seconds between looks of a fork at the calls it waits for


def _load_tbb() -> None:
    """Load pip's TBB where Numba will find it: it asks the dynamic loader, which does not look there."""
    try:
        files = metadata.files("tbb") or ()
        library = next(file for file in files if file.name in ("libtbb.so.12", "tbb12.dll"))
        ctypes.CDLL(str(library.locate()), mode=ctypes.RTLD_GLOBAL)
    except (metadata.PackageNotFoundError, StopIteration, OSError):
        return  # another layer will do


_load_tbb()

compiling = threading.RLock()

_alone = bool(numba.config.DISABLE_JIT)  # whether this process must do without threads
_layer: str | None = None  # the one that has started, as far as is known here
_starter: int | None = None  # the thread that started it, if that was on our behalf
_turn = threading.Lock()  # held by the call that has threads, on a layer that is not for several
_calls: dict[int, bool] = {}  # threads that have ever had threads, and whether they are in a call
_gate = threading.Lock()  # held while the process forks
_fork = threading.local()


def number() -> int:
    """Return how many threads a call may have, and see that there are some if it is more than one."""
    wanted = min(threads.get_num_threads(), numba.config.NUMBA_NUM_THREADS)
    return wanted if wanted > 1 and not _alone and (_layer or _start()) else 1


def run(wanted: int, function: Callable, *arguments: Any) -> bool:
    """Call a parallel function with so many threads; return whether it could have any."""
    if _layer == "tbb":
        _enter(wanted, function, arguments)
    elif _turn.acquire(blocking=False):
        try:
            _enter(wanted, function, arguments)
        finally:
            _turn.release()
    else:
        return False
    return True


def _enter(wanted: int, function: Callable, arguments: tuple) -> None:
    """Call while no fork is under way."""
    me = threading.get_ident()
    try:
        _calls[me] = True  # first said, then asked: a fork shuts the gate first, then looks who is inside
        while _gate.locked():
            _calls[me] = False
            with _gate:
                _calls[me] = True
        _limited(wanted, function, arguments)
    finally:
        _calls[me] = False


def _limited(wanted: int, function: Callable, arguments: tuple) -> None:
    """Call with so many threads, and leave this thread's number in Numba as it was.

    By the functions behind Numba's own, which take locks and would be half of the time of a launch.
    """
    before = parallel._get_num_threads()
    parallel._set_num_threads(wanted)
    try:
        function(*arguments)
    finally:
        parallel._set_num_threads(before)


def _start() -> bool:
    """Start the first layer there is, if nobody has; return whether there are threads now."""
    global _alone, _layer, _starter  # noqa: PLW0603 (they are the process's)
    with compiling:
        if _layer is None and not _alone:
            if parallel._threading_layer is None:
                _starter = threading.get_ident()
            try:
                parallel._launch_threads()
                _layer = numba.threading_layer()
            except (ValueError, ImportError):  # the layer that was asked for is not there
                _alone = True
    return not _alone


def _before_fork() -> None:
    """Wait until no other thread holds what the child would miss, and let none begin."""
    _fork.held, _fork.clean = ExitStack(), False
    for lock in (compiling, global_compiler_lock, _gate):
        _fork.held.enter_context(lock)
    me = threading.get_ident()
    while any(running for thread, running in list(_calls.items()) if thread != me):
        time.sleep(POLL)
    others = _calls.keys() - {me}
    started = parallel._threading_layer  # on our behalf or another's
    ready = started == "tbb" and _starter == me and not others
    _fork.clean = started in (None, "workqueue") or ready


def _after_fork() -> None:
    """Go on."""
    _fork.held.close()


def _after_fork_in_child() -> None:
    """Go on, without threads where the layer has not been made ready for this process."""
    global _alone, _turn  # noqa: PLW0603 (they are the process's)
    _turn = threading.Lock()
    _calls.clear()
    _alone = _alone or not _fork.clean
    _fork.held.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork_in_child)
