"""Many Python threads that call at once: ``python -m bench.callers``.

Eight threads make a thousand calls each, of all kinds and through all faces, with plans that they share.
Every result is compared with what one thread got on one core, and so is the number of calls in a second.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import fastconv
from fastconv import functional, lax


def main() -> None:
    """Print the throughput of concurrent calls beside that of one thread on one core."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--calls", type=int, default=1000, help="of each thread")
    options = parser.parse_args()
    kinds = mixed()
    expected = [call() for call in kinds]
    many = fastconv.get_num_threads()

    fastconv.set_num_threads(1)
    alone = timed(lambda: repeat(kinds, expected, 0, options.calls))
    fastconv.set_num_threads(many)
    start = threading.Barrier(options.threads)

    def caller(number: int) -> None:
        start.wait()
        repeat(kinds, expected, number, options.calls)

    with ThreadPoolExecutor(options.threads) as pool:
        together = timed(lambda: list(pool.map(caller, range(options.threads))))
    serial, concurrent = options.calls / alone, options.threads * options.calls / together
    print(f"{options.threads} threads x {options.calls} calls of {len(kinds)} kinds, all results equal")
    print(f"on {many} threads: {concurrent:.0f} calls/s")
    print(f"one caller on one core: {serial:.0f} calls/s; {concurrent / serial:.2f} x that")


def mixed() -> list[Callable[[], np.ndarray]]:
    """Return calls of whole numbers, whose sums are exact; some are long enough for threads."""
    rng = np.random.default_rng(0)

    def whole(*shape: int) -> np.ndarray:
        return rng.integers(-8, 9, shape).astype(np.float32)

    x, small = whole(2, 61, 47, 16), whole(1, 9, 7, 16)
    w, d, t = whole(3, 2, 16, 24), whole(3, 2, 16, 2), whole(3, 2, 24, 16)
    line, taps = x.reshape(2, -1, 16), w.reshape(6, 16, 24)
    plan, pool = fastconv.plan_conv(x.shape, w, (1, 2)), fastconv.plan_pool(x.shape, (3, 2), dtype=x.dtype)
    return [
        lambda: plan(x),
        lambda: pool(x),
        lambda: fastconv.conv(x, w, padding="same"),
        lambda: fastconv.conv(small, w),
        lambda: fastconv.depthwise_conv(x, d, strides=(1, 2)),
        lambda: fastconv.max_pool(x, (3, 2)),
        lambda: fastconv.average_pool(small, (2, 3)),
        lambda: fastconv.conv_transpose(small, t, strides=(1, 2)),
        lambda: fastconv.conv(line, taps, dilation_rate=2),
        lambda: functional.conv1d(line.swapaxes(1, 2), taps.T),
        lambda: functional.avg_pool2d(x, (3, 2)),
        lambda: lax.conv_general_dilated(x, w, (1, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")),
    ]


def repeat(kinds: list[Callable], expected: list[np.ndarray], first: int, calls: int) -> None:
    """Make calls of all kinds in turn, and compare each result."""
    for number in range(first, first + calls):
        kind = number % len(kinds)
        if not np.array_equal(kinds[kind](), expected[kind]):
            raise SystemExit(f"call {number} of kind {kind} is not what it was alone")


def timed(run: Callable[[], object]) -> float:
    """Return the seconds that one run takes."""
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
