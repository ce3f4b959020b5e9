"""Dense and grouped convolution from its definition, vectorised over output channels.

    y[n, o, f] = activation(bias[f] + sum_{k, c} x[n, o*s + k*d - lo, g*ic + c] * w[k, c, f]),  f = g*oc + j

on three spatial axes, any of them of length 1. Loop nest, outermost first:

    task      one block of output channels, image, row of outputs and segment of that row
                                   parallel: tasks write outputs of their own
      t0 t1   taps on the outer axes that meet the image at this row
        t2    taps on the innermost axis
          c   input channels, four at a time: sums are loaded and stored once for so many products
            o2  outputs of the segment that tap `t2` serves
              j   output channels of the block, side by side: the loop that becomes vector code

The sums of a segment, PIXELS of BLOCK bytes at most, stay in the L1 cache with the weights of one tap.
Input is read a number at a time, so its strides do not matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numba import types

from fastconv.backends.numba import slots
from fastconv.backends.numba.arrays import deliver, landing, lifted, per_axis, rejects_conv
from fastconv.backends.numba.epilogue import FUSED, activate
from fastconv.backends.numba.jit import CALL, Loop, array, compiled, grain, predicted
from fastconv.backends.numba.slots import K, outputs, taps
from fastconv.kernel import Kernel
from fastconv.problem import ConvProblem

PIXELS = 64  # outputs of a row that one task computes
BLOCK = 256  # bytes of output channels that one task computes side by side
LANES = 8  # output channels are filled up to a multiple of this: whole vectors, no rest

# Seconds on one thread, fitted to measurements on a 2.6 GHz AVX-512 machine.
TASK, TAP = 2e-7, 4e-8  # of each task, and of each tap of one
OUTPUT = 4.5e-9  # of each pixel of a task
QUAD, VECTOR = 1.8e-9, 6.2e-10  # of each pass over a block's channels, and of each 64 bytes of products


@compiled
def _tasks(first, end, pixels, activation, x, w, bias, y, axes):
    """Compute segments of rows of one block; `w` is (g, blocks, *k, ic, lanes), `bias` (g*blocks, lanes)."""
    groups, blocks, _, _, _, depth, lanes = w.shape
    images, rows0, rows1, row, channels = y.shape
    width = channels // groups
    segments = (row + pixels - 1) // pixels
    sums = np.empty((pixels, lanes), x.dtype)
    for task in range(first, end):
        rest, segment = divmod(task, segments)
        rest, o1 = divmod(rest, rows1)
        rest, o0 = divmod(rest, rows0)
        panel, n = divmod(rest, images)
        g, block = divmod(panel, blocks)
        start = segment * pixels
        count = min(pixels, row - start)
        for o2 in range(count):
            for j in range(lanes):
                sums[o2, j] = bias[panel, j]
        first0, end0, step0, a0, move0 = taps(axes[0], o0)
        for t0 in range(first0, end0, step0):
            first1, end1, step1, a1, move1 = taps(axes[1], o1)
            for t1 in range(first1, end1, step1):
                for t2 in range(axes[2, K]):
                    span = outputs(axes[2], t2, start, count)
                    _add(sums, span, x[n, a0, a1], g * depth, w[g, block, t0, t1, t2])
                a1 += move1
            a0 += move0
        activate(sums, activation)
        f = block * lanes
        for o2 in range(count):
            for j in range(min(lanes, width - f)):
                y[n, o0, o1, start + o2, g * width + f + j] = sums[o2, j]


@compiled
def _add(sums, span, x, channel, w):
    """Add to the outputs that one tap serves: ``sums[o2] += x[a2, channel : channel + ic] @ w``."""
    first, end, step, start, move = span
    depth, lanes = w.shape
    whole = depth - depth % 4
    for c in range(0, whole, 4):
        a2, at = start, channel + c
        for o2 in range(first, end, step):
            v0, v1, v2, v3 = x[a2, at], x[a2, at + 1], x[a2, at + 2], x[a2, at + 3]
            for j in range(lanes):
                sums[o2, j] += v0 * w[c, j] + v1 * w[c + 1, j] + v2 * w[c + 2, j] + v3 * w[c + 3, j]
            a2 += move
    for c in range(whole, depth):
        a2 = start
        for o2 in range(first, end, step):
            v = x[a2, channel + c]
            for j in range(lanes):
                sums[o2, j] += v * w[c, j]
            a2 += move


@cache
def _loop(dtype: np.dtype) -> Loop:
    """Compile for arrays of `dtype`; input and output may have any strides."""
    x, w, bias = array(dtype, 5, "A"), array(dtype, 7), array(dtype, 2)
    y, axes = array(dtype, 5, "A", writeable=True), array(np.int64, 2)
    return Loop(_tasks, types.int64, types.int64, x, w, bias, y, axes)


class Cut(NamedTuple):
    """How a problem falls into tasks."""

    blocks: int  # of output channels, in each group
    lanes: int  # output channels of a block
    pixels: int
    tasks: int
    seconds: float  # of one task


def cut(p: ConvProblem) -> Cut:
    """Cut output channels into even blocks and rows into segments."""
    size, (o0, o1, o2) = p.acc_dtype.itemsize, per_axis(p.window.o)
    blocks = -(-p.oc * size // BLOCK)
    lanes = -(-p.oc // (max(blocks, 1) * LANES)) * LANES
    pixels = max(1, min(PIXELS, o2))
    passes = p.window.taps * (p.ic // 4 + p.ic % 4)
    work = passes * QUAD + p.products * lanes * size / 64 * VECTOR
    return Cut(
        blocks=blocks,
        lanes=lanes,
        pixels=pixels,
        tasks=p.n * p.g * blocks * o0 * o1 * -(-o2 // pixels),
        seconds=TASK + p.window.taps * TAP + pixels * (OUTPUT + work),
    )


@dataclass(frozen=True, slots=True)
class Prepared:
    """Weights by blocks of output channels, which are filled up with zeros."""

    cut: Cut
    loop: Loop
    axes: np.ndarray
    w: np.ndarray  # (g, blocks, *k, ic, lanes)
    no_bias: np.ndarray  # (g * blocks, lanes)


def prepare(p: ConvProblem, w: np.ndarray) -> Prepared:
    """Arrange ``(*k, ic, g*oc)`` as ``(g, blocks, *k, ic, lanes)``."""
    c, k = cut(p), per_axis(p.window.k)
    wide = np.zeros((*k, p.ic, p.g, c.blocks * c.lanes), p.acc_dtype)
    wide[..., : p.oc] = w.reshape(*k, p.ic, p.g, p.oc)
    blocked = wide.reshape(*k, p.ic, p.g, c.blocks, c.lanes).transpose(4, 5, 0, 1, 2, 3, 6)
    return Prepared(
        cut=c,
        loop=_loop(p.acc_dtype),
        axes=slots.table(p.window),
        w=np.ascontiguousarray(blocked),
        no_bias=np.zeros((p.g * c.blocks, c.lanes), p.acc_dtype),
    )


def conv(p: ConvProblem, x: np.ndarray, prepared: Prepared, bias: np.ndarray | None, y: np.ndarray) -> None:
    """Do all tasks."""
    x = lifted(x, p.window).astype(p.acc_dtype, copy=False)
    y = lifted(y, p.window)
    result = landing(y, p.acc_dtype, contiguous=False)
    c, first = prepared.cut, prepared.no_bias
    if bias is not None:
        first = np.zeros((p.g, c.blocks * c.lanes), p.acc_dtype)
        first[:, : p.oc] = bias.reshape(p.g, p.oc)
        first = first.reshape(prepared.no_bias.shape)
    numbers = c.pixels, FUSED.index(p.activation)
    arrays = x, prepared.w, first, result, prepared.axes
    prepared.loop(c.tasks, grain(c.tasks, c.seconds), *numbers, *arrays)
    deliver(result, y)


def cost(p: ConvProblem) -> float:
    """Count tasks."""
    c = cut(p)
    return CALL + predicted(c.tasks, c.seconds)


KERNELS = [
    Kernel(
        name="numba:direct",
        problem=ConvProblem,
        rejects=rejects_conv,
        cost=cost,
        run=conv,
        prepare=prepare,
        fuses=frozenset(FUSED),
    )
]
