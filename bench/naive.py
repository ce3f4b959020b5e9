"""The plain loops that every speedup is over, timed on a corner of large layers.

The loops' time is proportional to the output positions, so a corner of the same layer, scaled by its
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

STEPS = 10_000  # passes of the innermost Python loops that are timed: about 0.1 s


class Loops(NamedTuple):
    """The naive loops on one workload."""

    seconds: float  # of the whole layer
    corner: Layer  # what was computed
    share: float  # of the layer's multiply-adds in that
    note: str


@functools.cache
def loops(workload: str) -> Loops:
    """Check the expected result against the definition and time that, once a session."""
    whole = layer(workload)
    corners = list(whole.corners())
    corner = next((each for each in corners if _steps(each) <= STEPS), corners[-1])
    run, y = corner.bound(dispatch.choose(corner.problem, "naive"))
    seconds = clock.once(run)
    if seconds < clock.ENOUGH:
        seconds = clock.medians({"naive": run})["naive"]
    right = expected(workload)[tuple(map(slice, y.shape))]
    np.testing.assert_array_equal(right, y[tuple(map(slice, right.shape))])
    share = corner.problem.flops / whole.problem.flops
    size = "x".join(map(str, corner.problem.window.o))
    note = "" if share == 1 else f"naive scaled from {corner.problem.n} image and {size} outputs"
    return Loops(seconds / share, corner, share, note)


def _steps(subject: Layer) -> int:
    """Count the passes of naive's innermost loops."""
    p = subject.problem
    outputs, taps = math.prod(p.y_shape), p.window.taps
    positions = p.n * math.prod(p.window.o)
    return outputs * taps if subject.w is None else positions * taps + outputs
