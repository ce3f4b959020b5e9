"""How long calls take."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

MOST = 25  # calls at most
BUDGET = 0.25  # seconds after which no further call is begun


def once(call: Callable[[], Any]) -> tuple[Any, float]:
    """Return what a call returns and the seconds it takes."""
    start = time.perf_counter()
    result = call()
    return result, time.perf_counter() - start


def median(call: Callable[[], Any]) -> float:
    """Return the median seconds of several calls, after one that may compile and fill caches."""
    call()
    seconds: list[float] = []
    while len(seconds) < MOST and sum(seconds) < BUDGET:
        seconds.append(once(call)[1])
    return statistics.median(seconds)
