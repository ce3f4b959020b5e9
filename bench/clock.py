"""Time contenders in turn, round after round: a slow spell of the machine then hits all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

ROUND = 1e-3  # seconds a round takes at least, so that the timer's own cost is lost in it
ROUNDS = 5  # of contenders, at least
SETTLE = 0.03  # seconds that BLAS' threads spin after a product, in the way of whoever comes next
ENOUGH = 0.5  # seconds for all rounds of one kernel
MOST = 200


def medians(contenders: dict[str, Callable[[], object]], seconds: float = 0.5) -> dict[str, float]:
    """Return the median seconds of one call of each contender, after about `seconds` in all."""
    loops = {name: loops_of(once(run)) for name, run in contenders.items()}
    times: dict[str, list[float]] = {name: [] for name in contenders}
    begin, rounds = time.perf_counter(), 0
    while rounds < ROUNDS or time.perf_counter() - begin < seconds:
        for name, run in contenders.items():
            if len(contenders) > 1:
                time.sleep(SETTLE)
                run()  # wakes threads and fills caches again
            times[name].append(once(run, loops[name]))
        rounds += 1
    return {name: statistics.median(each) for name, each in times.items()}


def once(run: Callable[[], object], loops: int = 1) -> float:
    """Return the mean seconds of one of `loops` calls."""
    begin = time.perf_counter()
    for _ in range(loops):
        run()
    return (time.perf_counter() - begin) / loops


def loops_of(seconds: float) -> int:
    """Count the calls of `seconds` each that fill a round."""
    return max(1, round(ROUND / seconds))


def rounds_of(seconds: float) -> int:
    """Count the rounds of calls of `seconds` each: many where they are short, one where it is long."""
    return max(1, min(MOST, round(ENOUGH / (seconds * loops_of(seconds)))))
