"""What a busy process on each core costs a call: ``python -m bench.neighbours``.

Fair shares would double the time. A thread that waits for another one, which has no core, takes far longer.
Rounds without the neighbours, who are stopped meanwhile, stand between rounds with them.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

import fastconv

SHAPE, KERNEL = (1, 56, 56, 64), (3, 3, 64, 64)


def main() -> None:
    """Print medians of a planned 3x3 convolution, alone and beside busy processes."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each round")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    x, w = (rng.standard_normal(shape).astype(np.float32) for shape in (SHAPE, KERNEL))
    plan = fastconv.plan_conv(x.shape, w, padding="same", backend="numba")
    plan(x)
    alone, beside = [], []
    with neighbours() as processes:
        for _ in range(options.rounds):
            every(processes, signal.SIGSTOP)
            alone += times(plan, x, options.seconds)
            every(processes, signal.SIGCONT)
            beside += times(plan, x, options.seconds)
    quiet, loud = statistics.median(alone), statistics.median(beside)
    print(f"{plan.kernel.name} on {fastconv.get_num_threads()} threads, medians:")
    print(f"alone {quiet * 1e3:.3f} ms")
    print(f"beside a busy process on each core {loud * 1e3:.3f} ms: {loud / quiet:.2f} x")
    print(
        "beside, percentiles 10 50 90 99:",
        *(f"{q * 1e3:.2f}" for q in np.percentile(beside, (10, 50, 90, 99))),
    )


@contextmanager
def neighbours() -> Iterator[list[multiprocessing.Process]]:
    """Keep each core that is ours busy with a process of its own."""
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=spin, args=(core,), daemon=True) for core in os.sched_getaffinity(0)]
    for process in processes:
        process.start()
    time.sleep(1)  # until they have started
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.join()


def spin(core: int) -> None:
    """Do nothing, at full speed, on one core."""
    os.sched_setaffinity(0, {core})
    while True:
        pass


def every(processes: list[multiprocessing.Process], number: signal.Signals) -> None:
    """Send a signal to all."""
    for process in processes:
        os.kill(process.pid, number)
    time.sleep(0.05)


def times(plan: fastconv.Plan, x: np.ndarray, span: float) -> list[float]:
    """Measure calls one by one for so many seconds."""
    measured = []
    end = time.perf_counter() + span
    while (begin := time.perf_counter()) < end:
        plan(x)
        measured.append(time.perf_counter() - begin)
    return measured


if __name__ == "__main__":
    main()
