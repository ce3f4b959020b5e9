"""How a dense convolution is cut into tasks: a function of the problem alone, in numbers for the kernels.

A *phase* is a set of outputs for which the same taps fall on inputs: one, but for base dilation. Where much
of a phase meets padding, as with wide dilation, it is cut into *regions* whose outputs miss the same taps,
so that whole tiles can leave those out. Each is described by a row of numbers, three of a kind for three
axes; what is the same for all stands in ``sizes``.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fastconv.backends.numba.epilogue import FUSED
from fastconv.backends.numba.jit import grain
from fastconv.backends.numba.microkernel import MR, NEAR_INPUTS, NEAR_OUTPUTS, NEAR_WEIGHTS, NV
from fastconv.backends.numba.simd import BYTES
from fastconv.backends.numba.slots import RANK
from fastconv.problem import ConvProblem, Window

# Columns of a phase's row: the window's numbers, which outputs and taps are this phase's ...
OUT, TAPS, STRIDE, DILATION, BEFORE, FIRST_OUT, OUT_STEP, FIRST_TAP, TAP_STEP = range(0, 27, 3)
WEIGHTS, CHUNK, COLUMNS = 27, 28, 29  # ... where its weights begin, and the pixels of a task
# Places in ``sizes``: regions, parts that channels are cut into, blocks of channels a group, the epilogue,
# and what tiles bring near, those of a task's first block of channels and those of the others.
REGIONS, CHANNEL_PARTS, GROUPS, IC, OC, BLOCKS, BIASED, ACTIVATION, NEAR = range(9)

ADDRESSES = 1 << 17  # bytes of addresses a task may list
READ = 1 << 18  # bytes of input a task should read again and again from L2
WEIGHTS_KEPT = 1 << 18  # bytes of weights that stay in L2 whatever pixels they meet
REGIONS_AT_MOST = 27  # three stretches an axis
WORTH_CUTTING = 0.9  # of the multiplications, to be left with
TASKS = 16  # as many as keep a few threads evenly busy
FLOPS, VECTOR = 1e11, 8e-9  # a second on one thread; seconds around the sums of a vector of outputs
CACHED = 1 << 20  # bytes of weights, inputs or outputs that one core keeps ...
OFTEN = 8  # ... of more weights, tiles that make it worth to pack them for a single call
MANY = 1 << 11  # pixels for which it is worth it to have inputs brought near
SHORT = 1 << 9  # bytes of a pixel that are soon brought near again
PACKED = 16  # input channels whose weights are packed together, a whole number of vectors
ELEMENT = 2e-10  # seconds to pack a weight on one thread


@dataclass(frozen=True, slots=True)
class Schedule:
    """The numbers of one problem."""

    regions: np.ndarray  # (regions, COLUMNS), what tasks compute
    phases: np.ndarray  # (phases, COLUMNS), what weights are packed for
    sizes: np.ndarray  # (10,)
    lift: tuple  # index that gives an array three spatial axes; those of weights come first
    packed: int  # elements of the packed weights
    pack_tasks: int
    pack_grain: int
    lends: bool  # whether a single call had better read contiguous weights where they are
    tasks: int
    grain: int  # tasks that a thread does at a time
    zeros: np.ndarray  # what a tap outside the image reads


@lru_cache(maxsize=256)
def schedule(p: ConvProblem) -> Schedule:
    """Cut a problem into phases and tasks."""
    lanes = BYTES // p.acc_dtype.itemsize
    blocks = -(-p.oc // (NV * lanes))
    phases = list(p.window.lifted(RANK).phases())
    regions, numbers, packed = [], [], 0
    for outputs, taps, window in phases:
        row = [*_numbers(outputs, taps, window), packed]
        numbers.append([*row, 0])
        regions += [_moved(row, starts, sizes) for starts, sizes in _regions(p, window)]
        packed += p.g * window.taps * p.ic * -(-p.oc // lanes) * lanes
    pixels = [p.n * math.prod(row[OUT : OUT + RANK]) for row in regions]
    few = packed * p.acc_dtype.itemsize <= WEIGHTS_KEPT
    parts = max((1, *(_pixel_parts(p, count, few) for count in pixels)))
    if parts > 1 or p.g * blocks % 2:  # threads share tasks evenly, whatever the channels
        parts += -parts % (2 if parts < 4 else 4)
    even = sum(pixels) / max(1, *pixels, 1)  # as many regions of the largest one's size
    channel_parts = min(p.g * blocks, -(-TASKS // max(1, int(parts * even))))
    regions = [
        [*row, max(MR, -(-count // (parts * MR)) * MR)] for row, count in zip(regions, pixels, strict=True)
    ]
    pack_tasks = len(phases) * p.g * -(-p.ic // PACKED)
    tasks = len(regions) * parts * channel_parts
    sizes = [len(regions), channel_parts, p.g, p.ic, p.oc, blocks, p.has_bias, FUSED.index(p.activation)]
    sizes += _near(p, packed * p.acc_dtype.itemsize)
    return Schedule(
        regions=np.array(regions, np.int64).reshape(-1, COLUMNS),
        phases=np.array(numbers, np.int64).reshape(-1, COLUMNS),
        sizes=np.array(sizes, np.int64),
        lift=(slice(None), *(None,) * (RANK - p.window.rank)),
        packed=packed,
        pack_tasks=pack_tasks,
        pack_grain=grain(pack_tasks, packed * ELEMENT / max(pack_tasks, 1)),
        lends=_lends(p, packed * p.acc_dtype.itemsize, sum(pixels)),
        tasks=tasks,
        grain=grain(tasks, seconds(p) / max(tasks, 1)),
        zeros=np.zeros(p.g * p.ic, p.acc_dtype),
    )


def _near(p: ConvProblem, packed: int) -> tuple[int, int]:
    """Say what is worth bringing near, with so many bytes of weights: what the cache of a core does not hold.

    Other blocks of channels find most of what the first one has read. If pixels are short, it costs nothing
    to make sure.
    """
    size = p.acc_dtype.itemsize
    inputs = NEAR_INPUTS if math.prod(p.x_shape) * size > CACHED else 0
    rest = NEAR_OUTPUTS if math.prod(p.y_shape) * size > CACHED else 0
    rest |= NEAR_WEIGHTS if packed > CACHED else 0
    return inputs | rest, (inputs if p.g * p.ic * size <= SHORT else 0) | rest


def _lends(p: ConvProblem, size: int, pixels: int) -> bool:
    """Whether weights of so many bytes had better not be packed to meet so many pixels once.

    Packing takes as long as twenty pixels. But before it, weights of one block of channels lie far apart:
    too many of them push one another out of the cache; and only tiles of packed ones bring inputs near.
    """
    if any(b > 1 for b in p.window.b):
        return False
    is_far = math.prod(p.x_shape) * p.acc_dtype.itemsize > CACHED
    return pixels <= OFTEN * MR or (size <= CACHED and (pixels <= MANY or not is_far))


def vectors(p: ConvProblem) -> int:
    """Count the vectors of outputs, those that are not filled included."""
    return p.n * math.prod(p.window.o) * p.g * -(-p.oc * p.acc_dtype.itemsize // BYTES)


def lane_macs(p: ConvProblem) -> float:
    """Count multiply-adds, those of masked lanes included, those on zeros between inputs not."""
    return vectors(p) * (BYTES // p.acc_dtype.itemsize) * p.products / math.prod(p.window.b)


def seconds(p: ConvProblem) -> float:
    """Return about how long one thread takes, to tell whether more are worth starting."""
    return lane_macs(p) * 2 / FLOPS + vectors(p) * VECTOR


def _numbers(outputs: tuple[slice, ...], taps: tuple[slice, ...], window: Window) -> list[int]:
    """List a phase's numbers in the order of the columns."""
    numbers = [*window.o, *window.k, *window.s, *window.d, *(before for before, _ in window.p)]
    for slices in (outputs, taps):
        numbers += [*(s.start for s in slices), *(s.step for s in slices)]
    return numbers


def _moved(row: list[int], starts: tuple[int, ...], sizes: tuple[int, ...]) -> list[int]:
    """Describe part of a phase's outputs."""
    row = list(row)
    for axis, (start, size) in enumerate(zip(starts, sizes, strict=True)):
        row[OUT + axis] = size
        row[BEFORE + axis] -= start * row[STRIDE + axis]
        row[FIRST_OUT + axis] += start * row[OUT_STEP + axis]
    return row


def _regions(p: ConvProblem, window: Window) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Cut outputs into rectangles, first index and size of each, if that saves multiplications."""
    axes = [window.stretches(axis) for axis in range(RANK)]
    if 1 < math.prod(map(len, axes)) <= REGIONS_AT_MOST:
        cut, work = [], 0.0
        for stretches in itertools.product(*axes):
            starts, stops, live = zip(*stretches, strict=True)
            sizes = tuple(stop - start for start, stop in zip(starts, stops, strict=True))
            work += count_tiles(p.n * math.prod(sizes)) * math.prod(live)
            cut.append((starts, sizes))
        if work < WORTH_CUTTING * count_tiles(p.n * math.prod(window.o)) * window.taps:
            return cut
    return [((0,) * RANK, window.o)]


def count_tiles(pixels: int) -> float:
    """Count tiles; those of half the height take about half of the time."""
    whole, rest = divmod(pixels, MR)
    return whole + (0 if rest == 0 else 0.55 if rest <= MR // 2 else 1)


def _pixel_parts(p: ConvProblem, pixels: int, few: bool) -> int:
    """Return how many tasks keep the addresses and inputs of each within bounds; enough, with few weights."""
    addresses = ADDRESSES // (8 * max(p.window.taps, 1))
    inputs = READ // (p.acc_dtype.itemsize * max(p.g * p.ic, 1))
    needed = -(-pixels // max(min(addresses, inputs), 4 * MR))
    return max(needed, min(TASKS, pixels // (8 * MR))) if few else needed
