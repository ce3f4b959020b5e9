"""How many threads kernels may use. Knows no backend: each asks here when it launches."""

from __future__ import annotations

import operator
import os
from functools import cache

_chosen: int | None = None


def available() -> int:
    """Return the CPUs this process may run on."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # only Linux has it
        return os.cpu_count() or 1


@cache
def usual() -> int:
    """Return the number of threads where none was chosen."""
    wanted = os.environ.get("FASTCONV_NUM_THREADS", "")
    return max(1, int(wanted)) if wanted.isdecimal() else available()


def get_num_threads() -> int:
    """Return the number of threads a call may use.

    It is what `set_num_threads` chose, else the environment's ``FASTCONV_NUM_THREADS``, else the
    CPUs that this process may run on; both are asked once.

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
