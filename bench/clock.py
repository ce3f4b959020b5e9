"""Time one kernel, or several in turn: a slow spell of the machine then hits all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from fastconv.cli import timing

ROUND = 1e-3  # seconds a round takes at least, so that the timer's own cost is lost in it
ENOUGH = 0.2  # seconds for all rounds of one kernel
MOST = 200  # rounds

TURN = 0.02  # seconds of a contender's turn
TURNS = 5


def medians(contenders: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return the median seconds of one call of each contender, over some turns of each."""
    loops = {name: loops_of(once(run), TURN) for name, run in contenders.items()}
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(TURNS):
        for name, run in contenders.items():
            for _ in range(loops[name] // 4):
                run()  # wakes threads and fills caches again
            times[name].append(once(run, loops[name]))
            timing.settle()
    return {name: statistics.median(each) for name, each in times.items()}


def once(run: Callable[[], object], loops: int = 1) -> float:
    """Return the mean seconds of one of `loops` calls."""
    begin = time.perf_counter()
    for _ in range(loops):
        run()
    return (time.perf_counter() - begin) / loops


def loops_of(seconds: float, span: float = ROUND) -> int:
    """Count the calls of `seconds` each that fill a span of time."""
    return max(1, round(span / seconds))


def rounds_of(seconds: float) -> int:
    """Count the rounds of calls of `seconds` each: many where they are short, one where it is long."""
    return max(1, min(MOST, round(ENOUGH / (seconds * loops_of(seconds)))))
