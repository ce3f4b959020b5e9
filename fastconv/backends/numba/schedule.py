"""How a dense convolution is cut into tasks: a function of the problem alone, in numbers for the kernels.

A *phase* is a set of outputs that meet the same taps: one, but for base dilation. Each is described by a row
of numbers, three of a kind for three axes; what is the same for all phases stands in ``sizes``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fastconv.backends.numba.epilogue import FUSED
from fastconv.backends.numba.jit import grain
from fastconv.backends.numba.microkernel import MR, NV
from fastconv.backends.numba.simd import BYTES
from fastconv.backends.numba.slots import RANK
from fastconv.problem import ConvProblem, Window

# Columns of a phase's row: the window's numbers, which outputs and taps are this phase's ...
OUT, TAPS, STRIDE, DILATION, BEFORE, FIRST_OUT, OUT_STEP, FIRST_TAP, TAP_STEP = range(0, 27, 3)
WEIGHTS, CHUNK, COLUMNS = 27, 28, 29  # ... where its weights begin, and the pixels of a task
# Places in ``sizes``: parts that pixels and channels are cut into, blocks of channels a group, the epilogue.
PIXEL_PARTS, CHANNEL_PARTS, GROUPS, IC, OC, BLOCKS, BIASED, ACTIVATION = range(8)

ADDRESSES = 1 << 17  # bytes of addresses a task may list
INPUTS = 1 << 18  # bytes of input a task should read again and again from L2
TASKS = 16  # as many as keep a few threads evenly busy
FLOPS = 1e11  # a second on one thread
ELEMENT = 1e-10  # seconds to pack a weight on one thread


@dataclass(frozen=True, slots=True)
class Schedule:
    """The numbers of one problem."""

    phases: np.ndarray  # (phases, COLUMNS)
    sizes: np.ndarray  # (8,)
    lift: tuple  # index that gives an array three spatial axes; those of weights come first
    packed: int  # elements of the packed weights
    pack_tasks: int
    pack_grain: int
    tasks: int
    grain: int  # tasks that a thread does at a time
    zeros: np.ndarray  # what a tap outside the image reads


@lru_cache(maxsize=256)
def schedule(p: ConvProblem) -> Schedule:
    """Cut a problem into phases and tasks."""
    lanes = BYTES // p.acc_dtype.itemsize
    blocks = -(-p.oc // (NV * lanes))
    phases = list(p.window.lifted(RANK).phases())
    parts = max((1, *(_pixel_parts(p, window) for _, _, window in phases)))
    channel_parts = min(p.g * blocks, -(-TASKS // max(parts * len(phases), 1)))
    rows, packed = [], 0
    for outputs, taps, window in phases:
        chunk = -(-p.n * math.prod(window.o) // (parts * MR)) * MR
        rows.append([*_numbers(outputs, taps, window), packed, max(chunk, MR)])
        packed += p.g * window.taps * p.ic * -(-p.oc // lanes) * lanes
    blocks_in_all = len(phases) * p.g * blocks
    tasks = len(phases) * parts * channel_parts
    sizes = [parts, channel_parts, p.g, p.ic, p.oc, blocks, p.has_bias, FUSED.index(p.activation)]
    return Schedule(
        phases=np.array(rows, np.int64).reshape(-1, COLUMNS),
        sizes=np.array(sizes, np.int64),
        lift=(slice(None), *(None,) * (RANK - p.window.rank)),
        packed=packed,
        pack_tasks=blocks_in_all,
        pack_grain=grain(blocks_in_all, packed * ELEMENT / max(blocks_in_all, 1)),
        tasks=tasks,
        grain=grain(tasks, p.flops / FLOPS / max(tasks, 1)),
        zeros=np.zeros(p.g * p.ic, p.acc_dtype),
    )


def _numbers(outputs: tuple[slice, ...], taps: tuple[slice, ...], window: Window) -> list[int]:
    """List a phase's numbers in the order of the columns."""
    numbers = [*window.o, *window.k, *window.s, *window.d, *(before for before, _ in window.p)]
    for slices in (outputs, taps):
        numbers += [*(s.start for s in slices), *(s.step for s in slices)]
    return numbers


def _pixel_parts(p: ConvProblem, window: Window) -> int:
    """Return how many tasks keep the addresses and inputs of each within bounds."""
    addresses = ADDRESSES // (8 * max(window.taps, 1))
    inputs = INPUTS // (p.acc_dtype.itemsize * max(p.g * p.ic, 1))
    return -(-p.n * math.prod(window.o) // max(min(addresses, inputs), 4 * MR))
