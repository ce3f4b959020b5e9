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
from fastconv.backends.numba.simd import lanes, load, store

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


@inner
def distances(steps, step, unit):
    """How far one pass looks: to the other window, and to the tap that is added, if not 0."""
    return steps[step, SHIFT] * unit, steps[step, EXTRA] * unit


@inner
def last(steps, unit):
    """How far the last pass looks; nowhere, if there is none."""
    return distances(steps, len(steps) - 1, unit) if len(steps) else (0, 0)


@cache
def joining(combine: Callable) -> Callable:
    """Make the step of a pass for one way of combining two vectors."""

    @inner
    def joined(source, first, shift, extra):
        """Combine the windows at `source` and `shift` behind, and the tap `extra` behind `first`."""
        if extra:
            return combine(combine(load(source), load(source + shift)), load(first + extra))
        return combine(load(source), load(source + shift)) if shift else load(source)

    return joined


@cache
def sliding(combine: Callable) -> Callable:
    """Make the passes for one way of combining two vectors."""
    joined = joining(combine)

    @inner
    def slid(first, to, count, steps, unit):
        """Do all passes for `count` windows but the last one; return where that finds what it joins.

        They go from `first` to `to`, which may be the same if `steps` add no taps. Loops end with whole
        vectors: both have room for one behind what they hold.
        """
        source = first
        for step in range(len(steps) - 1):
            shift, extra = distances(steps, step, unit)
            for q in range(0, count + (steps[-1, SPAN] - steps[step, SPAN]) * unit, lanes(to)):
                store(joined(source + q, first + q, shift, extra), to + q)
            source = to
        return source

    return slid
