"""Depthwise convolution, vectorised over channels: every channel has `m` filters of its own.

    y[n, o, c*m + j] = activation(bias[c*m + j] + sum_k x[n, o*s + k*d - lo, c] * w[k, c, j])

on three spatial axes, any of them of length 1. Loop nest, outermost first:

    task      one image, row of outputs and segment of that row
                                   parallel: tasks write outputs of their own
      t0 t1   taps on the outer axes that meet the image at this row
        t2    taps on the innermost axis
          o2  outputs of the segment that tap `t2` serves
            j c   filters and channels, channels side by side: the loop that becomes vector code

A segment is as many outputs as have sums that stay in the L1 cache with the weights of one tap. The
channels of a pixel must lie side by side: any other order in memory is copied. ``numba:planes`` is for
few channels, where vectors would be mostly empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numba import types

from fastconv.backends.numba import slots
from fastconv.backends.numba.arrays import copying, deliver, landing, lifted, per_axis, rejects_conv
from fastconv.backends.numba.epilogue import FUSED, activate
from fastconv.backends.numba.jit import CALL, Loop, array, compiled, grain, predicted
from fastconv.backends.numba.slots import K, outputs, taps
from fastconv.kernel import Kernel
from fastconv.problem import ConvProblem

SUMS = 8192  # bytes of sums that a task holds

# Seconds on one thread, fitted to measurements on a 2.6 GHz AVX-512 machine.
TASK = 6e-7
OUTPUT = 5e-9  # of each filter of each pixel
ROW, VECTOR = (4e-9, 6e-10)  # of each pass over the channels, and of each 64 bytes of products
COSTS = ("TASK", "OUTPUT", "ROW", "VECTOR")


@compiled
def _tasks(first, end, pixels, activation, x, w, bias, y, axes):
    m, channels = bias.shape
    _, rows0, rows1, row, _ = y.shape
    segments = (row + pixels - 1) // pixels
    sums = np.empty((pixels * m, channels), x.dtype)
    for task in range(first, end):
        rest, segment = divmod(task, segments)
        rest, o1 = divmod(rest, rows1)
        n, o0 = divmod(rest, rows0)
        start = segment * pixels
        count = min(pixels, row - start)
        for o2 in range(count):
            for j in range(m):
                for c in range(channels):
                    sums[o2 * m + j, c] = bias[j, c]
        first0, end0, step0, a0, move0 = taps(axes[0], o0)
        for t0 in range(first0, end0, step0):
            first1, end1, step1, a1, move1 = taps(axes[1], o1)
            for t1 in range(first1, end1, step1):
                for t2 in range(axes[2, K]):
                    first2, end2, step2, a2, move2 = outputs(axes[2], t2, start, count)
                    for o2 in range(first2, end2, step2):
                        for j in range(m):
                            for c in range(channels):
                                sums[o2 * m + j, c] += x[n, a0, a1, a2, c] * w[t0, t1, t2, j, c]
                        a2 += move2
                a1 += move1
            a0 += move0
        activate(sums, activation)
        for o2 in range(count):
            for j in range(m):
                for c in range(channels):
                    y[n, o0, o1, start + o2, c * m + j] = sums[o2 * m + j, c]


@cache
def _loop(dtype: np.dtype) -> Loop:
    """Compile for contiguous arrays of `dtype`."""
    x, w, bias = array(dtype, 5), array(dtype, 5), array(dtype, 2)
    y, axes = array(dtype, 5, writeable=True), array(np.int64, 2)
    return Loop(_tasks, types.int64, types.int64, x, w, bias, y, axes)


class Cut(NamedTuple):
    """How a problem falls into tasks."""

    pixels: int
    tasks: int
    seconds: float  # of one task


def cut(p: ConvProblem) -> Cut:
    """Cut rows into segments."""
    size, (o0, o1, o2) = p.acc_dtype.itemsize, per_axis(p.window.o)
    pixels = max(1, min(o2, SUMS // (max(p.g * p.oc, 1) * size)))
    work = OUTPUT + p.window.taps * (ROW + p.g * size / 64 * VECTOR)
    tasks = p.n * o0 * o1 * -(-o2 // pixels)
    return Cut(pixels, tasks, TASK + pixels * p.oc * work)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Weights with the channels side by side."""

    cut: Cut
    loop: Loop
    axes: np.ndarray
    w: np.ndarray  # (*k, m, c)
    no_bias: np.ndarray  # (m, c)


def prepare(p: ConvProblem, w: np.ndarray) -> Prepared:
    """Arrange ``(*k, 1, c*m)`` as ``(*k, m, c)``."""
    w = w.reshape(*per_axis(p.window.k), p.g, p.oc).swapaxes(-1, -2)
    return Prepared(
        cut=cut(p),
        loop=_loop(p.acc_dtype),
        axes=slots.table(p.window),
        w=np.ascontiguousarray(w, p.acc_dtype),
        no_bias=np.zeros((p.oc, p.g), p.acc_dtype),
    )


def conv(p: ConvProblem, x: np.ndarray, prepared: Prepared, bias: np.ndarray | None, y: np.ndarray) -> None:
    """Sum a row of outputs tap by tap, the channels of a pixel side by side."""
    x = np.ascontiguousarray(lifted(x, p.window), p.acc_dtype)
    y = lifted(y, p.window)
    result = landing(y, p.acc_dtype, contiguous=True)
    c = prepared.cut
    first = prepared.no_bias if bias is None else np.ascontiguousarray(bias.reshape(p.g, p.oc).T)
    numbers = c.pixels, FUSED.index(p.activation)
    arrays = x, prepared.w, first, result, prepared.axes
    prepared.loop(c.tasks, grain(c.tasks, c.seconds), *numbers, *arrays)
    deliver(result, y)


def rejects(p: ConvProblem) -> str | None:
    """Say why this kernel cannot compute `p`, if it cannot."""
    return f"{p.ic} input channels a group, only 1" if p.ic != 1 else rejects_conv(p)


def cost(p: ConvProblem) -> float:
    """Count tasks, and copies of arrays whose channels do not lie side by side."""
    c, natural = cut(p), tuple(range(p.window.rank + 2))
    copies = copying(p.x_shape, p.x_order, natural) + copying(p.y_shape, p.y_order, natural)
    return CALL + predicted(c.tasks, c.seconds) + copies


KERNELS = [
    Kernel(
        name="numba:depthwise",
        problem=ConvProblem,
        rejects=rejects,
        cost=cost,
        run=conv,
        prepare=prepare,
        fuses=frozenset(FUSED),
    )
]
