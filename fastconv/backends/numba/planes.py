"""Convolution of planes, vectorised over the outputs of a row: for few channels, where other rows starve.

    y[n, f, o] = activation(bias[f] + sum_{c, k} x[n, c, o*s + k*d - lo] * w[f, c, k])

for the channels `c` of the group of filter `f`, on three spatial axes, any of them of length 1. Loop nest,
outermost first:

    task        one image, filter, row of outputs and segment of that row
                                   parallel: tasks write outputs of their own
      t0 t1     taps on the outer axes that meet the image at this row
        c       channels of the filter's group
          t2    taps on the innermost axis
            o2  outputs of the segment that tap `t2` serves: the loop that becomes vector code

The rows of a plane must lie one behind the other: channels first in memory, or the array is copied so.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numba import types

from fastconv.backends.numba import slots
from fastconv.backends.numba.arrays import (
    CHANNELS_FIRST,
    copying,
    deliver,
    landing,
    lifted,
    per_axis,
    rejects_conv,
)
from fastconv.backends.numba.epilogue import FUSED, activate
from fastconv.backends.numba.jit import CALL, Loop, array, compiled, grain, inner, predicted
from fastconv.backends.numba.slots import OUT_INPUTS, OUTS, K, outputs, taps
from fastconv.kernel import Kernel
from fastconv.problem import ConvProblem

PIXELS = 2048  # outputs of a row that one task computes

# Seconds on one thread, fitted to measurements on a 2.6 GHz AVX-512 machine.
TASK, ROW = 6e-8, 2.5e-8  # of each task, and of each pass over its outputs
VECTOR = {1: 1.3e-9, 2: 4.1e-9}  # of each 64 bytes of products, where inputs are so far apart
SINGLE = 5e-10  # of each product, where there are no vectors


@compiled
def _tasks(first, end, pixels, activation, x, w, bias, y, axes):
    depth = w.shape[1]
    _, filters, rows0, rows1, row = y.shape
    segments = (row + pixels - 1) // pixels
    sums = np.empty((1, pixels), x.dtype)
    for task in range(first, end):
        rest, segment = divmod(task, segments)
        rest, o1 = divmod(rest, rows1)
        rest, o0 = divmod(rest, rows0)
        n, f = divmod(rest, filters)
        channel = f * x.shape[1] // filters // depth * depth if depth else 0
        start = segment * pixels
        count = min(pixels, row - start)
        for o2 in range(count):
            sums[0, o2] = bias[f]
        first0, end0, step0, a0, move0 = taps(axes[0], o0)
        for t0 in range(first0, end0, step0):
            first1, end1, step1, a1, move1 = taps(axes[1], o1)
            for t1 in range(first1, end1, step1):
                for c in range(depth):
                    for t2 in range(axes[2, K]):
                        span = outputs(axes[2], t2, start, count)
                        _add(sums[0], span, x[n, channel + c, a0, a1], w[f, c, t0, t1, t2])
                a1 += move1
            a0 += move0
        activate(sums, activation)
        for o2 in range(count):
            y[n, f, o0, o1, start + o2] = sums[0, o2]


@inner
def _add(sums, span, x, w):
    """Add what one tap contributes: ``sums[o2] += x[at] * w`` for the outputs in `span`."""
    first, end, step, at, move = span
    if step == 1 and move == 1:  # unsigned, as an index that might be negative is no address of a vector
        for q in range(end - first):
            sums[np.uintp(first + q)] += x[np.uintp(at + q)] * w
    elif step == 1 and move == 2:
        for q in range(end - first):
            sums[np.uintp(first + q)] += x[np.uintp(at + 2 * q)] * w
    else:
        for o2 in range(first, end, step):
            sums[o2] += x[at] * w
            at += move


@cache
def _loop(dtype: np.dtype) -> Loop:
    """Compile for contiguous arrays of `dtype`, channels first."""
    x, w, bias = array(dtype, 5), array(dtype, 5), array(dtype, 1)
    y, axes = array(dtype, 5, writeable=True), array(np.int64, 2)
    return Loop(_tasks, types.int64, types.int64, x, w, bias, y, axes)


class Cut(NamedTuple):
    """How a problem falls into tasks."""

    pixels: int
    tasks: int
    seconds: float  # of one task


def cut(p: ConvProblem) -> Cut:
    """Cut rows into segments."""
    o0, o1, o2 = per_axis(p.window.o)
    pixels = max(1, min(o2, PIXELS))
    *_, axis = slots.table(p.window)
    product = SINGLE / axis[OUTS]
    if axis[OUTS] == 1 and axis[OUT_INPUTS] in VECTOR:
        product = VECTOR[axis[OUT_INPUTS]] * p.acc_dtype.itemsize / 64
    tasks = p.n * p.g * p.oc * o0 * o1 * -(-o2 // pixels)
    return Cut(pixels, tasks, TASK + p.products * (ROW + pixels * product))


@dataclass(frozen=True, slots=True)
class Prepared:
    """Weights filter by filter."""

    cut: Cut
    loop: Loop
    axes: np.ndarray
    w: np.ndarray  # (g*oc, ic, *k)
    no_bias: np.ndarray  # (g*oc,)


def prepare(p: ConvProblem, w: np.ndarray) -> Prepared:
    """Arrange ``(*k, ic, g*oc)`` as ``(g*oc, ic, *k)``."""
    w = w.reshape(*per_axis(p.window.k), p.ic, p.g * p.oc).transpose(4, 3, 0, 1, 2)
    return Prepared(
        cut=cut(p),
        loop=_loop(p.acc_dtype),
        axes=slots.table(p.window),
        w=np.ascontiguousarray(w, p.acc_dtype),
        no_bias=np.zeros(p.g * p.oc, p.acc_dtype),
    )


def conv(p: ConvProblem, x: np.ndarray, prepared: Prepared, bias: np.ndarray | None, y: np.ndarray) -> None:
    """Sum a row of outputs of one filter tap by tap, neighbours side by side."""
    x = np.ascontiguousarray(lifted(x, p.window).transpose(CHANNELS_FIRST), p.acc_dtype)
    y = lifted(y, p.window).transpose(CHANNELS_FIRST)
    result = landing(y, p.acc_dtype, contiguous=True)
    c = prepared.cut
    first = prepared.no_bias if bias is None else np.ascontiguousarray(bias)
    numbers = c.pixels, FUSED.index(p.activation)
    arrays = x, prepared.w, first, result, prepared.axes
    prepared.loop(c.tasks, grain(c.tasks, c.seconds), *numbers, *arrays)
    deliver(result, y)


def cost(p: ConvProblem) -> float:
    """Count tasks, and copies of arrays whose channels do not come first."""
    c, rank = cut(p), p.window.rank
    planes = (0, rank + 1, *range(1, rank + 1))
    copies = copying(p.x_shape, p.x_order, planes) + copying(p.y_shape, p.y_order, planes)
    return CALL + predicted(c.tasks, c.seconds) + copies


KERNELS = [
    Kernel(
        name="numba:planes",
        problem=ConvProblem,
        rejects=rejects_conv,
        cost=cost,
        run=conv,
        prepare=prepare,
        fuses=frozenset(FUSED),
    )
]
