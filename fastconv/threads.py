"""How many threads kernels may use. Knows no backend: each asks here when it launches."""

from __future__ import annotations

import operator
import os
import sys
from functools import cache

_chosen: int | None = None


def available() -> int:
    """Return the CPUs this process may use: those it may run on, or as many as its quota is worth."""
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # only Linux has it
        count = os.cpu_count() or 1
    from fastconv import quota  # not for those who only import: it brings along pathlib

    return min(count, quota.cpus() or count)


@cache
def usual() -> int:
    """Return the number of threads where none was chosen."""
    if wanted := _number("FASTCONV_NUM_THREADS"):
        return wanted
    if _is_worker():
        return 1
    return min(available(), _number("OMP_NUM_THREADS") or available())


def _number(variable: str) -> int | None:
    """Return the number that a variable of the environment starts with; OpenMP's may list more."""
    first = os.environ.get(variable, "").partition(",")[0].strip()
    return max(1, int(first)) if first.isdecimal() else None


def _is_worker() -> bool:
    """Whether this is a daemon of `multiprocessing`, of a pool or a loader: its like keep all CPUs busy."""
    processes = sys.modules.get("multiprocessing.process")
    return processes is not None and processes.current_process().daemon


if hasattr(os, "register_at_fork"):  # a child may be a worker
    os.register_at_fork(after_in_child=usual.cache_clear)


def get_num_threads() -> int:
    """Return the number of threads a call may use.

    It is what `set_num_threads` chose, else the environment's ``FASTCONV_NUM_THREADS``, else 1 in a
    worker of `multiprocessing` (a daemon: of a ``Pool``, of a loader of data), else the CPUs that this
    process may run on, or fewer where a control group's quota or ``OMP_NUM_THREADS`` says so, as
    ``joblib`` does in its workers. They are asked once. Numba's ``NUMBA_NUM_THREADS`` is a limit besides.

    Examples
    --------
    >>> fastconv.get_num_threads() >= 1
    True
    """
    return usual() if _chosen is None else _chosen


def set_num_threads(n: int) -> None:
    """Let calls from any thread of this process use `n` threads.

    Results do not depend on it: the same call gives the same bits for every number of threads.
    More threads than CPUs are of no use, so no more are started.

    Parameters
    ----------
    n : int
        At least 1.

    Raises
    ------
    ValueError : `n` is less than 1.
    TypeError : `n` is not an integer.

    Examples
    --------
    >>> before = fastconv.get_num_threads()
    >>> fastconv.set_num_threads(1)
    >>> fastconv.get_num_threads()
    1
    >>> fastconv.set_num_threads(before)
    """
    global _chosen  # noqa: PLW0603 (one setting a process is what it is)
    if isinstance(n, bool):
        raise TypeError(f"set_num_threads: `n` must be an integer of at least 1; got {n!r}")
    try:
        number = operator.index(n)
    except TypeError:
        raise TypeError(f"set_num_threads: `n` must be an integer of at least 1; got {n!r}") from None
    if number < 1:
        raise ValueError(f"set_num_threads: `n` must be an integer of at least 1; got {n!r}")
    _chosen = number
