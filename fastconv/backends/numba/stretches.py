"""How ``pointwise`` cuts its products into tasks: stretches of pixels, each by some of the filters.

A stretch is as many blocks of pixels as fit into a panel in cache, fewer if there would be too few tasks;
filters are parted only if there still are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fastconv.backends.numba import direct, jit
from fastconv.backends.numba.epilogue import FUSED
from fastconv.backends.numba.microkernel import MR, NV
from fastconv.backends.numba.schedule import count_tiles
from fastconv.backends.numba.simd import BYTES, PAST
from fastconv.backends.numba.slots import RANK
from fastconv.problem import ConvProblem

PANEL = 1 << 18  # bytes, which should stay in L2
TASKS = 16  # as many as keep a few threads evenly busy

# Seconds on one thread: of an element copied to the panel, of one on its own, of a vector of outputs.
COPIED, ALONE, STORED = 1e-10, 6e-10, 5e-9
COSTS = ("COPIED", "ALONE", "STORED")

# Places in `sizes`, of the first two the first of three axes.
OUT, STRIDE = 0, 3
IC, OC, GROUPS, BLOCKS, STRETCHES, PARTS, ACTIVATION, FAR = range(6, 14)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The numbers of one problem."""

    sizes: np.ndarray
    tasks: int
    grain: int
    zeros: np.ndarray  # for a bias


@lru_cache(maxsize=256)
def schedule(p: ConvProblem) -> Schedule:
    """Cut a problem into tasks."""
    window, width = p.window.lifted(RANK), NV * BYTES // p.acc_dtype.itemsize
    blocks = -(-math.prod(window.o) // width)
    fitting = max(1, PANEL // max(1, p.ic * width * p.acc_dtype.itemsize))
    stretches = max(1, -(-blocks // fitting))
    stretches = min(blocks, max(stretches, -(-TASKS // max(1, p.n * p.g))))
    at_a_time = -(-blocks // max(stretches, 1))
    stretches = -(-blocks // max(at_a_time, 1))
    parts = max(1, min(-(-p.oc // MR), TASKS // max(1, p.n * p.g * stretches)))
    far = math.prod(p.y_shape) * p.acc_dtype.itemsize > PAST
    sizes = [*window.o, *window.s, p.ic, p.oc, p.g, at_a_time, stretches, parts]
    sizes += [FUSED.index(p.activation) if p.activation in FUSED else 0, far]
    count = p.n * p.g * stretches * parts
    seconds = work(p) / max(count, 1)
    return Schedule(
        np.array(sizes, np.int64), count, jit.grain(count, seconds), np.zeros(p.g * p.oc, p.acc_dtype)
    )


def work(p: ConvProblem) -> float:
    """Predict the seconds on one thread."""
    width = NV * BYTES // p.acc_dtype.itemsize
    pixels = math.prod(p.window.o)
    macs = p.n * p.g * -(-pixels // width) * width * count_tiles(p.oc) * MR * p.ic
    vectors = p.n * p.g * p.oc * -(-pixels * p.acc_dtype.itemsize // BYTES)
    copied = p.n * p.g * p.ic * pixels * (COPIED if set(p.window.s) <= {1} else ALONE)
    return macs * p.acc_dtype.itemsize * direct.MAC + vectors * STORED + copied


def cost(p: ConvProblem) -> float:
    """Predict products, a copy of what they read, and what is stored."""
    return jit.CALL + jit.predicted(1, work(p))
