"""Reductions of every window of a line by doubling: at a cost that hardly grows with the window.

    target[q] = x[q] + x[q + unit] + ... + x[q + (k - 1) unit]      and likewise for max, min and products

A window of two is an element and the next; one of twice as many is such a window and the one behind it. So
`k` taps take about log2(k) passes over the line, each a straight loop over vectors. Where doubling would go
too far, the last two windows of a maximum overlap, as what it meets twice changes nothing; a sum takes in one
more element where the binary digits of `k` say so. Nothing is ever taken away again, as a running sum would:
the error grows with log2(k), and infinity and NaN stay in their windows.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from fastconv.backends.numba.jit import inner
from fastconv.backends.numba.simd import lanes, load, pointer, store

SHIFT, EXTRA, SPAN = range(3)  # columns of `passes`


@cache
def passes(k: int, *, overlapping: bool) -> np.ndarray:
    """List passes for `k` taps: how far apart windows meet, the tap that is added, taps they then span."""
    rows, span = [], 1
    while span < k and overlapping:
        shift = min(span, k - span)
        span += shift
        rows.append((shift, 0, span))
    for digit in f"{k:b}"[1:] if span < k else "":
        shift, extra = span, 2 * span if digit == "1" else 0
        span = 2 * span + int(digit)
        rows.append((shift, extra, span))
    result = np.array(rows, np.int64).reshape(-1, 3)
    result.flags.writeable = False
    return result


def work(k: int, *, overlapping: bool) -> float:
    """Count passes; one that adds a tap does half as much again."""
    table = passes(k, overlapping=overlapping)
    return len(table) + np.count_nonzero(table[:, EXTRA]) / 2


@cache
def slide(combine: Callable) -> Callable:
    """Make the passes for one way of combining two vectors."""

    @inner
    def slid(x, at, target, count, steps, unit):
        """Reduce the `count` windows of `x` from `at` on; `target` may be `x` if `steps` add no single taps.

        Loops end with whole vectors: both arrays have room for one behind what they hold.
        """
        first, to = pointer(x) + at, pointer(target)
        source = first
        if len(steps) == 0:
            for q in range(0, count, lanes(to)):
                store(load(first + q), to + q)
        for step in range(len(steps)):
            shift, extra = steps[step, SHIFT] * unit, steps[step, EXTRA] * unit
            needed = count + (steps[-1, SPAN] - steps[step, SPAN]) * unit
            if extra:
                for q in range(0, needed, lanes(to)):
                    pair = combine(load(source + q), load(source + (shift + q)))
                    store(combine(pair, load(first + (extra + q))), to + q)
            else:
                for q in range(0, needed, lanes(to)):
                    store(combine(load(source + q), load(source + (shift + q))), to + q)
            source = to

    return slid
