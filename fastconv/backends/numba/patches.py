"""How ``winograd`` cuts its work: patches of outputs, some at a time, by parts of the filters.

Along an axis whose window is *split*, a patch is two outputs as far apart as taps are, and reads four inputs;
along any other it is one output, and its taps are summed as channels are. With dilation, outputs fall into as
many phases, which are told apart by the remainder of a patch's number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from fastconv.backends.numba import jit
from fastconv.backends.numba.epilogue import FUSED
from fastconv.backends.numba.jit import inner
from fastconv.backends.numba.microkernel import HALF, MR, NV
from fastconv.backends.numba.minimal import OUTS, SIDE, TAPS
from fastconv.backends.numba.packing import padded
from fastconv.backends.numba.schedule import CACHED
from fastconv.backends.numba.simd import BYTES, address, pointer, put
from fastconv.backends.numba.slots import RANK
from fastconv.problem import ConvProblem

ROOM = 15 << 16  # bytes of transformed inputs and of products that a thread keeps: they should stay in L2
FEWEST, MOST = 2 * MR, 4 * MR  # patches that weights from memory, or from L3, are worth being read for
PARTED = 64  # filters of a part, that inputs are worth being transformed for
TASKS = 8  # as many as keep a few threads evenly busy

# Seconds on one thread: of a multiply-add, for each byte of an element; around the sums of a vector of
# products; to transform a vector there or back; of a byte of weights, for every chunk of patches.
MAC, SUMMED, MOVED, READ_AGAIN = 4.4e-12, 1.5e-9, 3.1e-9, 2.5e-11
COSTS = ("MAC", "SUMMED", "MOVED", "READ_AGAIN")

# Places in `sizes`: the first of three axes each ...
COUNT, IN, OUT, STRIDE, BEFORE, APART, PHASES, HOP, READ, WRITTEN = range(0, 30, 3)
# ... and of one number: patches of images, those of a task, inputs that a patch reads at a time, of channels.
PATCHES, CHUNK, RUNS, IC, OC, GROUPS, BLOCKS, PARTS, BIASED, ACTIVATION = range(30, 40)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The numbers of one problem."""

    sizes: np.ndarray
    lift: tuple  # index that gives an array three spatial axes; those of weights come first
    weights: int  # elements of the transformed weights
    tasks: int
    grain: int
    pack_tasks: int
    pack_grain: int
    zeros: np.ndarray  # what an input outside the image reads, and a missing bias


def split(p: ConvProblem) -> tuple[bool, bool, bool]:
    """Whether windows are split along each of three axes: the last one, and with it the one before."""
    window = p.window.lifted(RANK)
    fits = [k == TAPS and s == 1 for k, s in zip(window.k, window.s, strict=True)]
    return False, fits[1] and fits[2], fits[2]


class Counts(NamedTuple):
    """How many there are, to begin with."""

    axes: tuple[int, ...]  # patches along each axis, those without an output in shorter phases included
    patches: int  # of all images
    products: int  # of a patch
    runs: int  # of so many inputs, that are summed
    weights: int  # transformed, those that fill vectors included
    chunks: int  # of patches


@lru_cache(maxsize=256)
def count(p: ConvProblem) -> Counts:
    """Count patches, and choose how many to transform at a time: as weights and room ask for, evenly."""
    window, axes, lanes = p.window.lifted(RANK), split(p), BYTES // p.acc_dtype.itemsize
    sizes = zip(window.o, window.d, axes, strict=True)
    counts = tuple(d * -(-o // (OUTS * d)) if two else o for o, d, two in sizes)
    patches = p.n * math.prod(counts)
    products, runs = SIDE ** sum(axes), window.taps // TAPS ** sum(axes)
    weights = p.g * products * runs * p.ic * -(-p.oc // lanes) * lanes
    each = products * (runs * p.ic + NV * lanes) * p.acc_dtype.itemsize
    chunks = max(1, -(-patches // min(MOST, max(FEWEST, ROOM // each // HALF * HALF))))
    if chunks == 1 and weights * p.acc_dtype.itemsize <= CACHED:
        chunks = min(2, max(1, patches // MR))
    chunks += chunks % 2 if chunks > 1 else 0  # two threads share them evenly
    return Counts(counts, patches, products, runs, weights, chunks)


@lru_cache(maxsize=256)
def schedule(p: ConvProblem) -> Schedule:
    """Cut a problem into tasks."""
    window, axes, counts = p.window.lifted(RANK), split(p), count(p)
    chunk = max(HALF, -(-counts.patches // (counts.chunks * HALF)) * HALF)
    chunks = -(-counts.patches // chunk)
    lanes = BYTES // p.acc_dtype.itemsize
    blocks = -(-p.oc // (NV * lanes))
    parts = max(1, min(blocks, p.oc // PARTED, -(-TASKS // max(1, chunks * p.g))))
    rows = zip(window.d, window.k, axes, strict=True)
    phases, hops, read, written = zip(
        *((d, OUTS * d, SIDE, OUTS) if two else (1, 1, k, 1) for d, k, two in rows), strict=True
    )
    before = tuple(lo for lo, _ in window.p)
    sizes = [*counts.axes, *window.i, *window.o, *window.s, *before, *window.d]
    sizes += [*phases, *hops, *read, *written]
    sizes += [counts.patches, chunk, counts.runs, p.ic, p.oc, p.g, blocks, parts]
    sizes += [p.has_bias, FUSED.index(p.activation) if p.activation in FUSED else 0]
    tasks, packs = chunks * p.g * parts, p.g * blocks
    return Schedule(
        sizes=np.array(sizes, np.int64),
        lift=(slice(None), *(None,) * (RANK - p.window.rank)),
        weights=counts.weights,
        tasks=tasks,
        grain=jit.grain(tasks, work(p) / max(tasks, 1)),
        pack_tasks=packs,
        pack_grain=jit.grain(packs, counts.weights / lanes * MOVED / max(packs, 1)),
        zeros=np.zeros(p.g * max(p.ic, p.oc), p.acc_dtype),
    )


def work(p: ConvProblem) -> float:
    """Predict the seconds on one thread."""
    lanes, counts = BYTES // p.acc_dtype.itemsize, count(p)
    numbers = counts.patches * counts.products * p.g
    before, after = (numbers * -(-channels // lanes) for channels in (p.ic, p.oc))
    macs = counts.weights * counts.patches
    moved = (counts.runs * before + after) * MOVED
    read = counts.weights * p.acc_dtype.itemsize
    again = counts.chunks * read * READ_AGAIN if read > CACHED else 0
    return macs * p.acc_dtype.itemsize * MAC + after * SUMMED + moved + again


def cost(p: ConvProblem) -> float:
    """Predict products, and transforms before and after them."""
    return jit.CALL + jit.predicted(1, work(p))


@inner
def locate(patch, x, y, zeros, spill, inputs, outputs, sizes):
    """List the addresses of what a patch reads and writes; outside the image, `zeros`, and `spill`."""
    rest, t2 = divmod(patch, sizes[COUNT + 2])
    rest, t1 = divmod(rest, sizes[COUNT + 1])
    n, o0 = divmod(rest, sizes[COUNT])
    o1 = t1 % sizes[PHASES + 1] + t1 // sizes[PHASES + 1] * sizes[HOP + 1]
    o2 = t2 % sizes[PHASES + 2] + t2 // sizes[PHASES + 2] * sizes[HOP + 2]
    at = 0
    for k0 in range(sizes[READ]):
        i0 = o0 * sizes[STRIDE] - sizes[BEFORE] + k0 * sizes[APART]
        for k1 in range(sizes[READ + 1]):
            i1 = o1 * sizes[STRIDE + 1] - sizes[BEFORE + 1] + k1 * sizes[APART + 1]
            inside = 0 <= i0 < sizes[IN] and 0 <= i1 < sizes[IN + 1]
            for k2 in range(sizes[READ + 2]):
                i2 = o2 - sizes[BEFORE + 2] + k2 * sizes[APART + 2]
                where = address(pointer(zeros))
                if inside and 0 <= i2 < sizes[IN + 2]:
                    where = address(pointer(x)) + (
                        n * x.strides[0] + i0 * x.strides[1] + i1 * x.strides[2] + i2 * x.strides[3]
                    )
                put(where, inputs + at)
                at += 1
    at = 0
    for k1 in range(sizes[WRITTEN + 1]):
        p1 = o1 + k1 * sizes[APART + 1]
        for k2 in range(sizes[WRITTEN + 2]):
            p2 = o2 + k2 * sizes[APART + 2]
            where = address(pointer(spill))
            if p1 < sizes[OUT + 1] and p2 < sizes[OUT + 2]:
                where = address(pointer(y)) + (
                    n * y.strides[0] + o0 * y.strides[1] + p1 * y.strides[2] + p2 * y.strides[3]
                )
            put(where, outputs + at)
            at += 1


@inner
def block_of(number, sizes, size):
    """Return a block's first filter, how many it has, and fit in its vectors, and the weights before it."""
    group, j = divmod(number, sizes[BLOCKS])
    first = j * NV * size
    valid = min(NV * size, sizes[OC] - first)
    begin = (group * padded(sizes[OC], size) + first) * sizes[RUNS] * sizes[IC]
    return group * sizes[OC] + first, valid, padded(valid, size), begin
