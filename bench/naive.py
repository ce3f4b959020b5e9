"""The plain loops that every speedup is over, timed on the first output rows of large layers.

The loops' time is proportional to the output positions, so a crop of the same layer, scaled by its
multiply-adds (pooling: elements reduced), is the whole layer's time.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np

from bench import clock
from bench.layers import Layer, expected, layer
from fastconv import dispatch

STEPS = 30_000  # passes of the innermost Python loops that are timed: about 0.3 s


class Loops(NamedTuple):
    """The naive loops on one workload."""

    seconds: float  # of the whole layer
    rows: int  # output rows that were computed
    share: float  # of the layer's multiply-adds in those rows
    note: str


@functools.cache
def loops(workload: str) -> Loops:
    """Check the expected result against the definition and time that, once a session."""
    subject = layer(workload)
    outputs, rows = subject.problem.window.o[0], _rows(subject)
    crop = subject.head(rows)
    run, y = crop.bound(dispatch.choose(crop.problem, "naive"))
    run()
    np.testing.assert_array_equal(expected(workload)[:, :rows], y)
    share = crop.problem.flops / subject.problem.flops
    note = "" if rows == outputs else f"naive scaled from a {rows}-row crop"
    return Loops(clock.medians({"naive": run})["naive"] / share, rows, share, note)


def _rows(subject: Layer) -> int:
    """Count the output rows that naive computes in `STEPS` passes, at least one."""
    p = subject.problem
    outputs, taps = math.prod(p.y_shape) // p.window.o[0], p.window.taps
    positions = p.n * math.prod(p.window.o[1:])
    steps = outputs * taps if subject.w is None else positions * taps + outputs
    return min(p.window.o[0], max(1, STEPS // steps))
