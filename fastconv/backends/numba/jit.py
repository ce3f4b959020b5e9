"""What Numba may assume, and how tasks are done: by the caller, or by threads.

A kernel is a function of a range of tasks, ``tasks(first, end, *arguments)``, that writes what no other
task writes. `Loop` compiles it and has the tasks done: by the caller where they are few, else by it and the
threads of ``workers``, who share them as ``shares`` says. Both ways run the same machine code on the same
tasks, so the number of threads cannot change a bit of the result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numba
import numpy as np
from numba import types

from fastconv.backends.numba import shares, workers
from fastconv.backends.numba.cache import named
from fastconv.backends.numba.native import machine_code

# Sums may be reordered and multiply-adds fused, so that loops vectorise, and zeros have no sign. NaN and
# infinity keep their meaning ("nnan" and "ninf" are left out), and a quotient stays a division ("arcp").
OPTIONS: dict[str, Any] = dict(nogil=True, fastmath={"contract", "reassoc", "nsz"}, error_model="numpy")


def compiled(function: Callable) -> Any:
    """Compile what Python calls, when it is first called."""
    return numba.njit(no_cfunc_wrapper=True, **OPTIONS)(named(function))


def inner(function: Callable) -> Any:
    """Compile what only compiled code calls."""
    return numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **OPTIONS)(named(function))


def merged(function: Callable) -> Any:
    """Compile as part of each caller: for what is called in one place, half of the compiler's work.

    And for what takes or returns a tile, which a call would hand over in memory. But not for a whole nest:
    Numba copies what it merges, and all of its variables for every block of that.
    """
    return numba.njit(inline="always", no_cpython_wrapper=True, no_cfunc_wrapper=True, **OPTIONS)(
        named(function)
    )


# Why kernels written in vectors and addresses, which Python has not, cannot run, if so.
OFF = "needs compiled code, which NUMBA_DISABLE_JIT forbids" if numba.config.DISABLE_JIT else None

ALONE = 2e-5  # seconds of work that are not worth starting threads
CHUNK = 5e-6  # seconds of work that a thread should take at a time
CALL, LAUNCH = 5e-6, 1.5e-6  # seconds of Python around any call, and until threads are at work
COSTS = ("CALL", "LAUNCH")
INDEX = types.int64  # an argument that is a number
THREADS = 2  # as predictions assume, whatever there are: choices must not depend on their number


def array(dtype: Any, ndim: int, layout: str = "C", *, writeable: bool = False) -> types.Array:
    """Type of an array argument; "A" is any strides. What is writeable may be passed as read-only."""
    return types.Array(numba.from_dtype(np.dtype(dtype)), ndim, layout, readonly=not writeable)


class Loop:
    """Independent tasks on arguments of given types, compiled when they are first to be done.

    Parameters
    ----------
    tasks : compiled function
        ``tasks(first, end, *arguments)`` does the tasks from `first` up to, not including, `end`.
    arguments : Numba types
        Nothing checks that what is passed is so.
    """

    def __init__(self, tasks: Any, *arguments: types.Type):
        self._tasks, self._arguments = tasks, arguments
        self._call: Callable | None = None
        self._addresses: tuple[int, int] | None = None
        self._spread: tuple[Callable, int, int] | None = None  # and where it finds the tasks

    def __reduce__(self) -> tuple:
        """Pickle what is to be compiled: code is a process' own."""
        return Loop, (self._tasks, *self._arguments)

    def __call__(self, count: int, grain: int, *arguments: Any) -> None:
        """Do `count` tasks, `grain` at a time."""
        if count == 0:
            return
        if count > grain and (threads := workers.number()) > 1:
            spread, do, tasks = self._spread or self._compile_spread()
            spread(workers.called(threads), do, tasks, threads, count, grain, arguments)
        else:
            (self._call or self._compile())(0, count, *arguments)

    @property
    def arguments(self) -> tuple[types.Type, ...]:
        """Types of what the tasks are done on."""
        return self._arguments

    def addresses(self) -> tuple[int, int]:
        """Return where there is code that does tasks with arguments in memory, and that of the tasks."""
        if self._addresses is None:
            tasks, _ = machine_code(self._tasks, (INDEX, INDEX, *self._arguments))
            kept = types.CPointer(types.Tuple(self._arguments))
            do, _ = machine_code(shares.do, (INDEX, INDEX, INDEX, kept))
            self._addresses = do, tasks
        return self._addresses

    def _compile(self) -> Callable:
        """Compile the tasks."""
        _, self._call = machine_code(self._tasks, (INDEX, INDEX, *self._arguments))
        return self._call

    def _compile_spread(self) -> tuple[Callable, int, int]:
        """Compile what gives tasks with these arguments to threads."""
        _, spread = machine_code(shares.shared, (*(INDEX,) * 6, types.Tuple(self._arguments)))
        self._spread = spread, *self.addresses()
        return self._spread


class Step(NamedTuple):
    """Tasks of a loop on given arguments."""

    loop: Loop
    tasks: int
    grain: int
    arguments: tuple

    def do(self) -> None:
        """Do them."""
        self.loop(self.tasks, self.grain, *self.arguments)


def grain(count: int, seconds: float) -> int:
    """How many of `count` tasks, each of so many seconds, to do at a time: all, if threads do not pay."""
    return count if count * seconds < ALONE else max(1, int(CHUNK / seconds))


def predicted(count: int, seconds: float) -> float:
    """Predict the time that a `Loop` takes for tasks that are done so many at a time."""
    total = count * seconds
    return total if total < ALONE else LAUNCH + total / THREADS
