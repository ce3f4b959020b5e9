"""Pooling over large windows: max, min, sum, product and mean by doubling.

    y[n, o, c] = (init + sum_k x[n, o*s + k*d - lo, c]) / divisor[o]      and likewise for the others

at a cost that hardly grows with the window: one axis after another, each in about log2(k) passes. A sweep
reduces the rows and pixels of images; of three axes, the first has a sweep of its own, which takes planes for
rows. Sums are grouped in another order, but nothing is subtracted:

    |y - exact| <= m u (|init| + sum_k |x|) / divisor,    m = 2 + sum over axes of floor(log2 k) + ones(k) - 1

where `u` is the unit roundoff and ``ones`` counts the ones among the binary digits of `k`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from fastconv.backends.numba import jit, slots
from fastconv.backends.numba.arrays import (
    CHANNELS_FIRST,
    CHANNELS_LAST,
    copying,
    deliver,
    landing,
    lies,
    lifted,
    planes,
    rejects_pool,
    working_dtype,
)
from fastconv.backends.numba.blocks import COMBINE
from fastconv.backends.numba.jit import OFF, Loop, grain, predicted
from fastconv.backends.numba.scratch import scratch
from fastconv.backends.numba.simd import BYTES
from fastconv.backends.numba.sliding import passes, work
from fastconv.backends.numba.slots import RANK
from fastconv.backends.numba.sweep import OVERLAPPING, loop
from fastconv.kernel import Kernel
from fastconv.problem import PoolProblem, Window

COLUMN, ACROSS = 256, 64  # bytes and elements of each row of a column at least: whole cache lines
TALL = 1 << 16  # bytes of a column, where its rows are longer
SEGMENT = 1 << 13  # bytes of a row of the band, for L1
BAND = 3 << 18  # bytes of the band, for L2
ROWS = 128  # of a band, for windows that are not higher
TASKS = 8  # to keep a few threads evenly busy

# Seconds on one thread, fitted to measurements on a 2.6 GHz AVX-512 machine: of a task, of each stretch of
# elements that is copied or written, of each vector in a pass and in a copy, and of each element picked.
TASK, RUN, PASS, COPIED, PICKED = 9e-7, 1.1e-8, 1.1e-9, 4e-10, 1e-10
COSTS = ("TASK", "RUN", "PASS", "COPIED", "PICKED")


class Sweep(NamedTuple):
    """A window over the rows and the pixels of images."""

    images: int
    window: Window
    channels: int

    def shape(self, sizes: tuple[int, ...]) -> tuple[int, int, int]:
        """Shape of an array of so many rows and pixels."""
        rows, pixels = sizes
        return self.images, rows, pixels * self.channels


class Cut(NamedTuple):
    """How a sweep falls into tasks."""

    channels: int
    block: int  # of channels
    wide: int  # elements of each row of a column
    pixels: int  # of outputs in a segment
    height: int  # rows of outputs in a band
    tasks: int


def sweeps(p: PoolProblem) -> list[Sweep]:
    """Reduce up to three axes by windows over two."""
    fields = [getattr(p.window.lifted(RANK), name) for name in "iksdbp"]
    images, channels = (p.n * p.c, 1) if has_planes(p) else (p.n, p.c)
    (i0, *inner), (k0, *_), (s0, *_), (d0, *_), _, (p0, *_) = fields
    row = math.prod(inner) * channels
    first = Window((i0, row), (k0, 1), (s0, 1), (d0, 1), (1, 1), (p0, (0, 0)))
    last = Sweep(images * first.o[0], Window(*(axes[1:] for axes in fields)), channels)
    changes_nothing = (k0, s0, p0) == (1, 1, (0, 0))
    return [last] if changes_nothing else [Sweep(images, first, 1), last]


def has_planes(p: PoolProblem) -> bool:
    """Whether channels come first in memory."""
    return lies(p.x_shape, p.x_order, planes(p.window.rank))


def cut(sweep: Sweep, itemsize: int) -> Cut:
    """Choose the sizes of tasks so that columns, rows and bands fit into caches."""
    (s1, s2), (e1, e2), (o1, o2) = sweep.window.s, sweep.window.extent, sweep.window.o
    least = max(COLUMN // itemsize, ACROSS)
    block = max(1, min(sweep.channels, least))
    pixels = max(1, min(o2, max(SEGMENT // (block * itemsize), 4 * e2) // s2))
    row = spanned(pixels, s2, e2) * block
    others = sweep.images * -(-sweep.channels // block) * -(-o2 // pixels)
    highest = max(1, min(BAND // (row * itemsize), max(ROWS, 2 * e1)))
    bands = max(-(-o1 // highest), -(-TASKS // max(others, 1)))
    height = max(1, -(-o1 // bands))
    fitting = TALL // (spanned(height, s1, e1) * itemsize)
    wide = least if block < sweep.channels else max(1, -(-min(row, fitting) // least)) * least
    return Cut(sweep.channels, block, wide, pixels, height, others * -(-o1 // height))


def spanned(count: int, stride: int, extent: int) -> int:
    """Count the inputs under neighbouring windows."""
    return (count - 1) * stride + extent


def seconds(sweep: Sweep, c: Cut, itemsize: int, reduction: str) -> float:
    """Predict the time of one task on one thread."""
    (s1, s2), (e1, e2), (_, i2) = sweep.window.s, sweep.window.extent, sweep.window.i
    down, along = (work(k, overlapping=reduction in OVERLAPPING) for k in sweep.window.k)
    depth, length, outputs = spanned(c.height, s1, e1), spanned(c.pixels, s2, e2), c.height * c.pixels
    columns = min(length, i2)  # nothing is laid out where all is padding
    passed = down * (depth - e1 / 2) * columns + along * c.height * (length - e2 / 2)
    copied = depth * columns + outputs * (1 + (reduction == "mean") + (s2 > 1))
    runs = depth * -(-columns * c.block // c.wide) + c.height * (c.pixels if c.block < c.channels else 1)
    picked = outputs if s2 > 1 and c.channels == 1 else 0
    vectors = c.block * itemsize / BYTES
    return TASK + runs * RUN + vectors * (passed * PASS + copied * COPIED) + picked * PICKED


@dataclass(frozen=True, slots=True)
class Stage:
    """A sweep that is ready to run: the arguments of its loop, in order but for the input and the output."""

    sweep: Sweep
    tasks: int
    grain: int
    loop: Loop
    cut: np.ndarray
    identity: int | float
    init: int | float
    heights: np.ndarray  # (planes, o1), times ...
    widths: np.ndarray  # ... (o2 * channels + a vector's room,): what sums are divided by
    axes: np.ndarray
    down: np.ndarray
    along: np.ndarray

    def run(self, x: np.ndarray, y: np.ndarray, beside: np.ndarray | None = None) -> None:
        """Reduce every window of `x`, contiguous as `y` is, and as what may be written beside it."""
        window = self.sweep.window
        before, x = (self.cut, self.identity, self.init), x.reshape(self.sweep.shape(window.i))
        y = y.reshape(self.sweep.shape(window.o))
        by = self.heights, self.widths if beside is None else beside.ravel()
        steps = self.axes, self.down, self.along
        self.loop(self.tasks, self.grain, *before, x, *by, y, *steps)


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that does not depend on the input."""

    order: tuple[int, ...]
    dtype: np.dtype
    stages: tuple[Stage, ...]


def prepare(p: PoolProblem, _w: None) -> Prepared:
    """Prepare every sweep; the last one starts from `init`, and divides."""
    *others, last = sweeps(p)
    reduction = "sum" if p.reduction == "mean" else str(p.reduction)
    stages = [_stage(p, sweep, reduction, None) for sweep in others]
    stages.append(_stage(p, last, str(p.reduction), p.init))
    order = CHANNELS_FIRST if has_planes(p) else CHANNELS_LAST
    return Prepared(order, working_dtype(p), tuple(stages))


def _stage(p: PoolProblem, sweep: Sweep, reduction: str, init: Any) -> Stage:
    """Prepare one sweep."""
    dtype, (k1, k2), overlapping = working_dtype(p), sweep.window.k, reduction in OVERLAPPING
    *numbers, tasks = c = cut(sweep, dtype.itemsize)
    heights, widths = divisors(p, sweep) if reduction == "mean" else (np.ones((1, sweep.window.o[0])), ())
    identity = p.acc_dtype.type(p.identity).item()
    return Stage(
        sweep=sweep,
        tasks=tasks,
        grain=grain(tasks, seconds(sweep, c, dtype.itemsize, reduction)),
        loop=loop(reduction, dtype),
        cut=np.array(numbers, np.int64),
        identity=identity,
        init=identity if init is None else p.acc_dtype.type(init).item(),
        heights=heights.astype(dtype),
        widths=np.pad(np.asarray(widths, dtype), (0, BYTES // dtype.itemsize)),
        axes=slots.table(sweep.window)[-2:],
        down=passes(k1, overlapping=overlapping),
        along=passes(k2, overlapping=overlapping),
    )


def divisors(p: PoolProblem, sweep: Sweep) -> tuple[np.ndarray, np.ndarray]:
    """Return what sums are divided by as products of (planes, o1) and (o2 * channels,)."""
    number, counts = p.divisor_factors()
    planes, rows, pixels = [np.ones(1, np.int64)] * (RANK - len(counts)) + counts
    return number * planes[:, None] * rows, np.repeat(pixels, sweep.channels)


def pool(p: PoolProblem, x: np.ndarray, prepared: Prepared, _bias: None, y: np.ndarray) -> None:
    """Bring the input into an order that can be swept, and the result into its own."""
    order, dtype = prepared.order, prepared.dtype
    x = np.ascontiguousarray(lifted(x, p.window).transpose(order), dtype)
    y = lifted(y, p.window).transpose(order)
    result = landing(y, dtype, contiguous=True)
    reduce(prepared, x, result)
    deliver(result, y)


def reduce(prepared: Prepared, x: np.ndarray, y: np.ndarray, beside: np.ndarray | None = None) -> None:
    """Sweep over planes, if they are reduced, then over rows and pixels of contiguous arrays."""
    *others, last = prepared.stages
    for stage in others:
        x, source = scratch(stage.sweep.shape(stage.sweep.window.o), prepared.dtype), x
        stage.run(source, x)
    last.run(x, y, beside)


def rejects(p: PoolProblem) -> str | None:
    """Say why this kernel cannot compute `p`, if it cannot."""
    if any(b > 1 for b in p.window.b):
        return "zeros between inputs"
    return OFF or rejects_pool(p, COMBINE)


def cost(p: PoolProblem) -> float:
    """Count sweeps, and copies of arrays that do not lie as they are read."""
    dtype, total = working_dtype(p), jit.CALL
    for sweep in sweeps(p):
        c = cut(sweep, dtype.itemsize)
        total += predicted(c.tasks, seconds(sweep, c, dtype.itemsize, str(p.reduction)))
    order = planes(p.window.rank) if has_planes(p) else tuple(range(p.window.rank + 2))
    return total + copying(p.x_shape, p.x_order, order) + copying(p.y_shape, p.y_order, order)


KERNELS = [Kernel("numba:doubling", PoolProblem, rejects, cost, pool, prepare)]
