"""Which inputs a window meets, for compiled loops over three axes.

The slots of an axis are its base-dilated positions, counted from the first input: slot ``q`` holds input
``q / b`` if that is a whole number in ``[0, i)``, and nothing elsewhere. Tap `t` of output `o` looks at
slot ``o*s + t*d - lo``. So both the taps of one output and the outputs that one tap serves look at slots
at equal distances, and what they meet is inputs at equal distances: loops that start and end right need
no test inside, and neither padding nor the holes of a base dilation cost anything.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from fastconv.backends.numba.jit import inner
from fastconv.problem import Window

RANK = 3  # spatial axes that kernels loop over; problems with fewer get leading axes of length 1

# Columns of `table`: the letters of `Window`, and distances between neighbours that meet inputs:
I, K, S, D, B, LO, O = range(7)  # noqa: E741
TAPS, TAP_INPUTS = 7, 8  # of one output's taps, and of the inputs they meet
OUTS, OUT_INPUTS = (9, 10)  # of the outputs that one tap serves, and of the inputs it meets for them


@lru_cache(maxsize=256)
def table(window: Window) -> np.ndarray:
    """List the numbers of three axes, (3, 11) int64; read-only, since it is shared."""
    axes = zip(window.i, window.k, window.s, window.d, window.b, window.p, window.o, strict=True)
    rows = [(1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1)] * (RANK - window.rank)
    for i, k, s, d, b, (lo, _), o in axes:
        tap, out = math.gcd(b, d), math.gcd(b, s)
        rows.append((i, k, s, d, b, lo, o, b // tap, d // tap, b // out, s // out))
    result = np.array(rows, np.int64)
    result.flags.writeable = False
    return result


@inner
def meets(slot, step, count, i, b):
    """Which of `count` slots, from `slot` on in steps, hold inputs: (first, end, input of the first)."""
    first, end = 0, count
    last = (i - 1) * b
    if slot < 0:
        first = (step - 1 - slot) // step
    if slot + (count - 1) * step > last:
        end = (last - slot) // step + 1
    if b == 1:  # as nearly always; the rest divides
        return first, end, slot + first * step
    for _ in range(min(b, end - first)):  # until one is not between inputs
        at, between = divmod(slot + first * step, b)
        if between == 0:
            return first, end, at
        first += 1
    return 0, 0, 0


@inner
def taps(axis, o):
    """Taps of output `o` that meet inputs: (first, end, step, input of the first, step of inputs)."""
    first, end, at = meets(o * axis[S] - axis[LO], axis[D], axis[K], axis[I], axis[B])
    return first, end, axis[TAPS], at, axis[TAP_INPUTS]
