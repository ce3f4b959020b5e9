"""How long calls take."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

AWAKE = 1e-2  # seconds of calls until threads that slept are each on a core of its own
STRETCH = 5e-4  # seconds of calls that are timed together, so that the clock's own cost is lost in them
MOST = 25  # stretches at most
BUDGET = 0.25  # seconds after which none is begun
STEP = 4e-3  # seconds between looks at whether threads have gone to sleep
RESTLESS = 0.3  # seconds after which they are taken to be always awake


def once(call: Callable[[], Any]) -> tuple[Any, float]:
    """Return what a call returns and the seconds it takes."""
    start = time.perf_counter()
    result = call()
    return result, time.perf_counter() - start


def median(call: Callable[[], Any], budget: float = BUDGET) -> float:
    """Return the median seconds of a call over several stretches, after one that may compile."""
    call()
    end = time.perf_counter() + AWAKE
    while (latest := once(call)[1]) and time.perf_counter() < end:
        pass
    loops = max(1, round(STRETCH / latest))
    seconds: list[float] = []
    while len(seconds) < MOST and sum(seconds) * loops < budget:
        start = time.perf_counter()
        for _ in range(loops):
            call()
        seconds.append((time.perf_counter() - start) / loops)
    settle()
    return statistics.median(seconds)


def settle() -> None:
    """Wait until this process' threads sleep: BLAS' spin for 0.1 s, in the way of whoever comes next."""
    for _ in range(round(RESTLESS / STEP)):
        before = time.process_time()
        time.sleep(STEP)
        if time.process_time() - before < STEP / 4:
            return
