"""Pooling by an associative reduction: max, min, sum, product and mean.

    y[n, o, c] = (init + sum_k x[n, o*s + k*d - lo, c]) / divisor[o]      and likewise for the others

on three spatial axes, any of them of length 1. Loop nest, outermost first:

    task      one image, row of outputs and segment of that row
                                   parallel: tasks write outputs of their own
      t0 t1   taps on the outer axes that meet the image at this row
        q     inputs under the segment, the channels of a pixel side by side: the rows that the window
              spans are reduced to one line, laid out with its padding
      t2      taps on the innermost axis, which reduce the line
        q     channels of one output; or, where outputs are neighbours or channels few, the whole line
              is reduced with itself moved, and outputs are picked from that

The loops over `q` become vector code whatever the number of channels. Where channels come first in memory
and rows are long, each channel is an image of its own; any other order is copied.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numba import types

from fastconv.backends.numba import slots
from fastconv.backends.numba.arrays import (
    CHANNELS_FIRST,
    CHANNELS_LAST,
    copying,
    deliver,
    landing,
    lies,
    lifted,
    per_axis,
)
from fastconv.backends.numba.jit import CALL, Loop, array, compiled, grain, inner, predicted
from fastconv.backends.numba.slots import LO, RANK, B, D, I, K, S, meets, taps
from fastconv.kernel import Kernel
from fastconv.problem import PoolProblem

LINE = 4096  # elements of input under a task's segment
FEW = 16  # channels that do not fill vectors
LONG = 32  # inputs of a row that do

# Seconds on one thread, fitted to measurements on a 2.6 GHz AVX-512 machine.
TASK = 2e-7
ROW = 2e-8  # of each row that is reduced to the line
PASS, VECTOR = 4.5e-9, 1.2e-9  # of each pass over one output's channels, and of each 64 bytes reduced
PICKED = 5e-10  # of each element picked from the line or divided
COSTS = ("TASK", "ROW", "PASS", "VECTOR", "PICKED")


@inner
def _greater(a, b):
    return a if a >= b or a != a else b  # NaN is neither greater nor equal, and not itself


@inner
def _lesser(a, b):
    return a if a <= b or a != a else b


@inner
def _total(a, b):
    return a + b


@inner
def _product(a, b):
    return a * b


COMBINE = {"max": _greater, "min": _lesser, "sum": _total, "mean": _total, "prod": _product}


@cache
def _tasks(combine: Callable) -> Callable:
    """Make the loop nest for one way of combining two elements."""

    @inner
    def merge(to, at, line, start, size):
        """Combine `size` elements of `to` with those of `line`; unsigned indices can be vectors."""
        for q in range(size):
            to[np.uintp(at + q)] = combine(to[np.uintp(at + q)], line[np.uintp(start + q)])

    @inner
    def reduce_line(to, at, line, start, size, init, distance, count):
        """Reduce `count` stretches of a line, `distance` apart, to one in `to`."""
        for q in range(size):
            to[np.uintp(at + q)] = combine(init, line[np.uintp(start + q)])
        for t in range(1, count):
            merge(to, at, line, start + t * distance, size)

    @inner
    def fill_line(line, x, n, o0, o1, start, size, channels, axes):
        """Reduce the rows under outputs from `start` on, laid out over `size` slots."""
        axis = axes[2]
        first2, end2, a2 = meets(start * axis[S] - axis[LO], 1, size, axis[I], axis[B])
        run, step = (end2 - first2, size) if axis[B] == 1 else (1, axis[B])
        first0, end0, step0, a0, move0 = taps(axes[0], o0)
        for _ in range(first0, end0, step0):
            first1, end1, step1, a1, move1 = taps(axes[1], o1)
            for _ in range(first1, end1, step1):
                at = a2
                for slot in range(first2, end2, step):
                    merge(line, slot * channels, x[n, a0, a1], at * channels, run * channels)
                    at += 1
                a1 += move1
            a0 += move0

    def tasks(first, end, pixels, channels, identity, init, x, divisors, y, axes):
        """Compute segments of rows; `x` is (n, i0, i1, i2 * channels) and `y` likewise."""
        _, rows0, rows1, width = y.shape
        row, count2, distance = width // channels, axes[2, K], axes[2, D] * channels
        stride, extent = axes[2, S] * channels, (axes[2, K] - 1) * axes[2, D] + 1
        segments = (row + pixels - 1) // pixels
        line = np.empty(((pixels - 1) * axes[2, S] + extent) * channels, y.dtype)
        wide = np.empty_like(line)
        for task in range(first, end):
            rest, segment = divmod(task, segments)
            rest, o1 = divmod(rest, rows1)
            n, o0 = divmod(rest, rows0)
            start = segment * pixels
            count = min(pixels, row - start)
            size = (count - 1) * axes[2, S] + extent
            for q in range(size * channels):
                line[q] = identity
            fill_line(line, x, n, o0, o1, start, size, channels, axes)
            out, at = y[n, o0, o1], start * channels
            picked = stride != channels and channels < FEW
            if picked or stride == channels:  # reduce the whole line with itself moved
                runs, size = 1, (count - 1) * stride + channels
            else:
                runs, size = count, channels
            to, base = (wide, 0) if picked else (out, at)
            for o2 in range(runs):
                reduce_line(to, base + o2 * channels, line, o2 * stride, size, init, distance, count2)
            if picked:
                for c in range(channels):
                    for o2 in range(count):
                        out[np.uintp(at + o2 * channels + c)] = wide[np.uintp(o2 * stride + c)]
            if divisors.size:
                divide(out, at, divisors[o0, o1], start, count, channels)

    tasks.__qualname__ = f"tasks{combine.__name__}"  # no other's code is looked up by its name
    return compiled(tasks)


@inner
def divide(out, at, divisors, start, count, channels):
    """Divide the channels of each output of a segment."""
    if channels == 1:
        for o2 in range(count):
            out[np.uintp(at + o2)] /= divisors[np.uintp(start + o2)]
    else:
        for o2 in range(count):
            for c in range(channels):
                out[np.uintp(at + o2 * channels + c)] /= divisors[start + o2]


@cache
def _loop(combine: Callable, dtype: np.dtype) -> Loop:
    """Compile for contiguous arrays of `dtype`."""
    x, y = array(dtype, 4), array(dtype, 4, writeable=True)
    divisors, axes = array(dtype, 3), array(np.int64, 2)
    return Loop(_tasks(combine), types.int64, types.int64, x.dtype, x.dtype, x, divisors, y, axes)


@dataclass(frozen=True, slots=True)
class Cut:
    """How a problem falls into tasks."""

    planes: bool  # each channel is an image of its own
    images: int
    channels: int
    pixels: int
    tasks: int
    seconds: float  # of one task

    @property
    def order(self) -> tuple[int, ...]:
        """Axes of lifted arrays in memory."""
        return CHANNELS_FIRST if self.planes else CHANNELS_LAST


def cut(p: PoolProblem) -> Cut:
    """Cut rows into segments."""
    win, vector = p.window, working_dtype(p).itemsize / 64 * VECTOR
    (o0, o1, o2), (k0, k1, k2), (*_, s2) = map(per_axis, (win.o, win.k, win.s))
    planes = per_axis(win.i)[-1] >= LONG and lies(p.x_shape, p.x_order, _planes(p))
    images, channels = (p.n * p.c, 1) if planes else (p.n, p.c)
    pixels = max(1, min(o2, LINE // (max(channels, 1) * s2)))
    inputs, outputs = pixels * s2 * channels, pixels * channels
    seconds = TASK + k0 * k1 * ROW + (1 + k0 * k1) * inputs * vector
    if s2 == 1 or channels < FEW:
        seconds += k2 * inputs * vector + (outputs * PICKED if s2 > 1 else 0)
    else:
        seconds += k2 * (outputs * vector + pixels * PASS)
    return Cut(
        planes=planes,
        images=images,
        channels=channels,
        pixels=pixels,
        tasks=images * o0 * o1 * -(-o2 // pixels) if p.c else 0,
        seconds=seconds + (outputs * PICKED if p.reduction == "mean" else 0),
    )


def _planes(p: PoolProblem) -> tuple[int, ...]:
    """Order of the axes of an array whose channels come first."""
    return (0, p.window.rank + 1, *range(1, p.window.rank + 1))


def working_dtype(p: PoolProblem) -> np.dtype:
    """Dtype to compute in; the greatest of float16 numbers is the same in float32."""
    return np.dtype(np.float32) if p.acc_dtype == np.float16 else p.acc_dtype


@dataclass(frozen=True, slots=True)
class Prepared:
    """How the work is cut up, and what windows start from and are divided by."""

    cut: Cut
    loop: Loop
    axes: np.ndarray
    dtype: np.dtype
    numbers: tuple[int | float, ...]  # pixels, channels, identity, init
    divisors: np.ndarray  # (o0, o1, o2), empty unless for a mean


def prepare(p: PoolProblem, _w: None) -> Prepared:
    """Find all that does not depend on the input."""
    c, dtype, divisors = cut(p), working_dtype(p), np.zeros((0, 0, 0))
    if p.reduction == "mean":
        divisors = p.divisors().reshape(per_axis(p.window.o))
    identity = p.acc_dtype.type(p.identity).item()
    init = identity if p.init is None else p.acc_dtype.type(p.init).item()
    return Prepared(
        cut=c,
        loop=_loop(COMBINE[str(p.reduction)], dtype),
        axes=slots.table(p.window),
        dtype=dtype,
        numbers=(c.pixels, c.channels, identity, init),
        divisors=divisors.astype(dtype, copy=False),
    )


def pool(p: PoolProblem, x: np.ndarray, prepared: Prepared, _bias: None, y: np.ndarray) -> None:
    """Reduce the rows a window spans to a line, and that to outputs."""
    c = prepared.cut
    x = np.ascontiguousarray(lifted(x, p.window).transpose(c.order), prepared.dtype)
    y = lifted(y, p.window).transpose(c.order)
    result = landing(y, prepared.dtype, contiguous=True)
    arrays = _rows(x, c), prepared.divisors, _rows(result, c), prepared.axes
    prepared.loop(c.tasks, grain(c.tasks, c.seconds), *prepared.numbers, *arrays)
    deliver(result, y)


def _rows(x: np.ndarray, c: Cut) -> np.ndarray:
    """View an array as (images, i0, i1, i2 * channels)."""
    i0, i1, i2 = x.shape[2:] if c.planes else x.shape[1:4]
    return x.reshape(c.images, i0, i1, i2 * c.channels)


def rejects(p: PoolProblem) -> str | None:
    """Say why this kernel cannot compute `p`, if it cannot."""
    if p.indices:
        return "values only, no indices"
    if p.reduction not in COMBINE:
        return f"reduction {getattr(p.reduction, '__name__', p.reduction)}, only {', '.join(COMBINE)}"
    if p.acc_dtype.kind not in "fiu" or p.acc_dtype.itemsize > 8:
        return f"reduces {p.acc_dtype}, only integers and floats of up to 64 bits"
    if p.window.rank > RANK:
        return f"{p.window.rank} spatial axes, at most {RANK}"
    return None if p.window.taps else "a window without taps"


def cost(p: PoolProblem) -> float:
    """Count tasks, and copies of arrays that do not lie as they are read."""
    c = cut(p)
    wanted = _planes(p) if c.planes else tuple(range(p.window.rank + 2))
    copies = copying(p.x_shape, p.x_order, wanted) + copying(p.y_shape, p.y_order, wanted)
    return CALL + predicted(c.tasks, c.seconds) + copies


KERNELS = [Kernel("numba:pool", PoolProblem, rejects, cost, pool, prepare)]
