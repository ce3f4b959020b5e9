"""Convolution with large filters by way of their spectra, a group of blocks at a time (overlap-save).

    y[n, o, f] = bias[f] + (transform of x * conjugate of the transform of w, transformed back)[o*s]

on three spatial axes, any of them of length 1; one input channel a group. The loop nest, outermost first:

    task          one image, channel, group of blocks            parallel: tasks write outputs of their own
    read          blocks, a square of vectors at a time, transposed: from then on every lane has its own
    transform     in place, in cache: ``butterflies``
      f           filters of the channel
        multiply  by the filter's spectrum, and transform back
        write     what the filter did not wrap around to, transposed

Inputs are float32 and all else is float64, so that an error, which goes by the sizes of all numbers of a
block and not of those in a window, is far below the last rounding unless a number is 1e9 times as large as
its neighbours. NaN and infinity would reach all of their block: an input that has any is convolved by
``planes`` instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from fastconv.backends.numba import planes
from fastconv.backends.numba.arrays import deliver, landing, lifted
from fastconv.backends.numba.butterflies import load_points, multiply, store_points, transform
from fastconv.backends.numba.copying import copy_elements, gather_elements
from fastconv.backends.numba.jit import OFF, Loop, array, compiled, grain, inner
from fastconv.backends.numba.simd import get, pointer, put
from fastconv.backends.numba.spectra import (
    BEFORE,
    COUNT,
    FILTERS,
    HOP,
    LANES,
    MOST,
    SIZE,
    STRIDE,
    Passes,
    cost,
    cut,
    numbers,
    passes,
    seconds,
    spectra,
)
from fastconv.backends.numba.squares import load_square, store_square, transposed
from fastconv.kernel import Kernel, Refusal
from fastconv.problem import ConvProblem
from fastconv.rounding import of_spectra

RUN = 8 * LANES  # elements of a row of a block that are read or written at a time


@inner
def located(begins, group, sizes):
    """List the first outputs of a group's blocks; return how many there are, as the last group has fewer."""
    first = group * LANES
    count = min(LANES, sizes[COUNT] * sizes[COUNT + 1] * sizes[COUNT + 2] - first)
    for lane in range(count):
        block = first + lane
        for axis in range(2, -1, -1):
            begins[3 * lane + axis] = block % sizes[COUNT + axis] * sizes[HOP + axis]
            block //= sizes[COUNT + axis]
    return count


@inner
def read(x, n, c, begins, count, lines, data, sizes):
    """Read `count` blocks of a plane into the lanes of `data`, with zeros for padding and other blocks."""
    run = min(RUN, sizes[SIZE + 2])
    s0, s1, s2 = x.strides[1] // x.itemsize, x.strides[2] // x.itemsize, x.strides[3] // x.itemsize
    plane = pointer(x) + (n * x.strides[0] + c * x.strides[4]) // x.itemsize
    place = 0
    for element in range(len(lines)):
        lines[element] = 0
    for t0 in range(sizes[SIZE]):
        for t1 in range(sizes[SIZE + 1]):
            for t2 in range(0, sizes[SIZE + 2], run):
                for lane in range(count):
                    i0 = begins[3 * lane] + t0 - sizes[BEFORE]
                    i1 = begins[3 * lane + 1] + t1 - sizes[BEFORE + 1]
                    i2 = begins[3 * lane + 2] + t2 - sizes[BEFORE + 2]
                    begin, end = max(0, -i2), min(run, x.shape[3] - i2)
                    if not (0 <= i0 < x.shape[1] and 0 <= i1 < x.shape[2] and begin < end):
                        begin, end = run, run
                    line = lane * run
                    for element in range(begin):
                        lines[line + element] = 0
                    for element in range(end, run):
                        lines[line + element] = 0
                    source = plane + (i0 * s0 + i1 * s1 + (i2 + begin) * s2)
                    gather_elements(source, s2, pointer(lines) + (line + begin), end - begin)
                for column in range(0, run, LANES):
                    square = transposed(load_square(pointer(lines) + column, run))
                    store_points(square, pointer(data) + (place + column) * LANES)
                place += run


@inner
def write(data, result, y, n, f, bias, begins, count, lines, sizes):
    """Write the outputs of `count` blocks from the lanes of `data`, from `result` on, with a bias."""
    run, stride = min(RUN, sizes[SIZE + 2]), sizes[STRIDE + 2]
    s0, s1, s2 = y.strides[1] // y.itemsize, y.strides[2] // y.itemsize, y.strides[3] // y.itemsize
    plane = pointer(y) + (n * y.strides[0] + f * y.strides[4]) // y.itemsize
    for t0 in range(sizes[HOP]):
        for t1 in range(sizes[HOP + 1]):
            row = (t0 * sizes[SIZE + 1] + t1) * sizes[SIZE + 2]
            for t2 in range(0, sizes[HOP + 2], run):
                here = min(run, sizes[HOP + 2] - t2)
                for column in range(0, here, LANES):
                    points = pointer(data) + (result + (row + t2 + column) * LANES)
                    square = transposed(load_points(points, pointer(lines), bias))
                    store_square(square, pointer(lines) + column, run)
                for lane in range(count):
                    o0, between0 = divmod(begins[3 * lane] + t0, sizes[STRIDE])
                    o1, between1 = divmod(begins[3 * lane + 1] + t1, sizes[STRIDE + 1])
                    at = begins[3 * lane + 2] + t2
                    first = -at % stride
                    end = min(here, (y.shape[3] - 1) * stride + 1 - at)
                    if between0 == between1 == 0 and o0 < y.shape[1] and o1 < y.shape[2] and first < end:
                        source = pointer(lines) + (lane * run + first)
                        target = plane + (o0 * s0 + o1 * s1 + (at + first) // stride * s2)
                        if stride == s2 == 1:
                            copy_elements(source, target, end)
                        else:
                            for element in range((end - first + stride - 1) // stride):
                                put(get(source + element * stride), target + element * s2)


@compiled
def tasks(first, end, x, spectrum, bias, y, sizes, steps, twiddles, odd):
    """Compute tasks `first` to `end`; count in `odd` those whose blocks are not finite."""
    points = sizes[SIZE] * sizes[SIZE + 1] * sizes[SIZE + 2]
    groups = (sizes[COUNT] * sizes[COUNT + 1] * sizes[COUNT + 2] + LANES - 1) // LANES
    filters = sizes[FILTERS]
    result = points * LANES if filters > 1 else 0  # as the spectrum of the input is needed again
    data = planes.aligned(np.empty(result + points * LANES + LANES, np.float64))
    lines = np.empty(LANES * RUN, np.float32)
    begins = np.empty(3 * LANES, np.int64)
    for task in range(first, end):
        rest, group = task // groups, task % groups
        n, c = rest // x.shape[4], rest % x.shape[4]
        count = located(begins, group, sizes)
        read(x, n, c, begins, count, lines, data, sizes)
        transform(data, points, steps, twiddles)
        for element in range(4 * LANES):  # the first four points are sums of all
            if not np.isfinite(data[element]):
                odd[0] = 1
        for f in range(c * filters, (c + 1) * filters):
            multiply(data, result, pointer(spectrum) + f * 2 * points, points, steps, twiddles)
            write(data, result, y, n, f, np.float64(bias[f]), begins, count, lines, sizes)


@cache
def _loop() -> Loop:
    """Compile for float32."""
    single, double, whole = np.float32, np.float64, np.int64
    x, y = array(single, 5, "A"), array(single, 5, "A", writeable=True)
    given = x, array(double, 2), array(single, 1), y, array(whole, 1), array(whole, 2), array(double, 1)
    return Loop(tasks, *given, array(whole, 1, writeable=True))


@dataclass(frozen=True, slots=True)
class Prepared:
    """Filters, and their spectra."""

    w: np.ndarray  # as they came
    spectra: np.ndarray  # (g*oc, 2 * points)
    no_bias: np.ndarray
    sizes: np.ndarray
    passes: Passes
    tasks: int
    grain: int


def prepare(p: ConvProblem, w: np.ndarray) -> Prepared:
    """Transform ``(*k, 1, g*oc)``."""
    if not np.isfinite(w).all():
        raise Refusal("a weight is not finite")
    c = cut(p)
    assert c is not None  # as `rejects` has found
    count = p.n * p.g * c.groups
    return Prepared(
        w=w.copy(),
        spectra=spectra(p, w, c.shape),
        no_bias=np.zeros(p.g * p.oc, np.float32),
        sizes=numbers(p, c),
        passes=passes(c.shape),
        tasks=count,
        grain=grain(count, seconds(p, c)),
    )


def conv(p: ConvProblem, x: np.ndarray, prepared: Prepared, bias: np.ndarray | None, y: np.ndarray) -> None:
    """Convolve by spectra; where that shows that an input is not finite, by what it means."""
    given, odd = prepared, np.zeros(1, np.int64)
    source, target = lifted(x.astype(np.float32, copy=False), p.window), lifted(y, p.window)
    result = landing(target, p.acc_dtype, contiguous=False)
    arrays = source, given.spectra, given.no_bias if bias is None else bias, result, given.sizes
    _loop()(given.tasks, given.grain, *arrays, given.passes.steps, given.passes.twiddles, odd)
    if odd[0]:
        planes.conv(p, x, planes.prepare(p, given.w), bias, y)
    else:
        deliver(result, target)


def error(p: ConvProblem, size: np.ndarray, x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Bound the error as of any spectra."""
    c = cut(p)
    return of_spectra(p, MOST if c is None else c.points, size, x, w)


def rejects(p: ConvProblem) -> str | None:
    """Say why this kernel cannot compute `p`, if it cannot."""
    if p.acc_dtype != np.float32:
        return f"accumulates {p.acc_dtype}, only float32"
    if p.ic != 1:
        return f"{p.ic} input channels a group, only 1"
    if 0 in p.window.k:
        return "a window without taps"
    if any(b > 1 for b in p.window.b):
        return "zeros between inputs"
    if reason := OFF or planes.rejects(p):
        return reason
    return None if cut(p) else f"a window of extent {p.window.extent}, more than blocks of {MOST} hold"


KERNELS = [Kernel("numba:fft", ConvProblem, rejects, cost, conv, prepare, exact=False, error=error)]
