"""Machine code for arguments of exact types, compiled once whichever thread asks first.

A fork copies one thread. It waits until no other compiles, since the child would keep their locks for ever.
"""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numba
import numpy as np
from numba import types
from numba.core.compiler_lock import global_compiler_lock

from fastconv.backends.numba.cache import cached

_compiling = threading.RLock()
_fork = threading.local()


def machine_code(function: Any, signature: tuple[types.Type, ...]) -> tuple[int, Callable]:
    """Return the address of a function for arguments of exact types, and what Python can call, if it may."""
    if numba.config.DISABLE_JIT:
        return 0, np.errstate(all="ignore")(function)
    with _compiling:
        if signature not in function.overloads:
            with _uncollected(), _uninterrupted():
                cached(function).compile(signature)
        result = function.overloads[signature]
        return result.library.get_pointer_to_function(result.fndesc.llvm_func_name), result.entry_point


@contextmanager
def compiler() -> Iterator[bool]:
    """Hold all that compiling needs, if nobody else has any of it; yield whether that is so.

    For what can wait: in a child of a fork that was interrupted, it may be held for ever.
    """
    with ExitStack() as held:
        free = True
        for lock in (_compiling, global_compiler_lock._lock):
            free = free and lock.acquire(blocking=False)
            if free:
                held.callback(lock.release)
        yield free


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the garbage collector from what Numba makes, which stays: its searches take a tenth of it all."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Have Ctrl-C wait for Numba, which would be left with half of the functions that it knows."""
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield  # signals are handled in the main thread alone
        return
    received: list[tuple] = []
    signal.signal(signal.SIGINT, lambda *event: received.append(event))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if received:
            handler(*received[-1])


def _before_fork() -> None:
    """Wait until no other thread holds what the child would miss."""
    _fork.held = ExitStack()
    for lock in (_compiling, global_compiler_lock):
        _fork.held.enter_context(lock)


def _after_fork() -> None:
    """Go on, in the parent and in the child."""
    _fork.held.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
