"""Dense convolution with few input channels, a band of output rows at a time: images with 1 or 3 channels.

    y[n, o, f] = activation(bias[f] + sum over taps k, channels c of x[n, o*s + k*d - lo, c] * w[k, c, f])

With few channels the run of products behind one address is short. Along the last axis, undilated, a
window's taps and channels lie side by side: k*ic products a run. So that this holds at the borders too,
the input rows of a band are copied, padding included, into a *panel* that stays in cache; where there is no
padding, they are read where they are:

    part      bands                                parallel: each writes rows of its own
    band      a few output rows of one image; their input rows into the panel, (k0, rows, padded width, ic)
    block     NV vectors of output channels
    tile      MR pixels, in registers: ``microkernel``

The addresses of a band's windows, from its first on, are the same for all of one height: they are listed
once. ``heights`` says how many rows a band has.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from fastconv.backends.numba import bound, direct, jit
from fastconv.backends.numba.arrays import RANK, channels_last, deliver
from fastconv.backends.numba.copying import copy_elements
from fastconv.backends.numba.epilogue import FUSED
from fastconv.backends.numba.heights import (
    ACTIVATION,
    APART,
    BAND,
    BEFORE,
    BIASED,
    BLOCKS,
    CHUNK,
    DILATION,
    FAR,
    IC,
    NEAR,
    OC,
    OUT,
    PADDED,
    ROWS,
    STRIDE,
    TAPS,
    WITHIN,
    band_of,
    cut,
    is_within,
    schedule,
)
from fastconv.backends.numba.indirection import room
from fastconv.backends.numba.microkernel import MR, NV, compute, table, tiles_of
from fastconv.backends.numba.schedule import lane_macs, vectors
from fastconv.backends.numba.simd import address, lanes, pointer
from fastconv.backends.numba.tiles import fence
from fastconv.backends.numba.transposition import FEW
from fastconv.kernel import Kernel
from fastconv.problem import ConvProblem

STORED = 3e-9  # of a vector of outputs, on one thread
COPIED = 2.5e-10  # seconds of an element into the panel, on one thread ...
SCATTERED = 5e-10  # ... where its neighbours are elsewhere
COSTS = ("STORED", "COPIED", "SCATTERED")


@jit.merged
def empty_panel(x, sizes):
    """Return room for the input rows of a band, zeros; none if they are read where they are."""
    rows = 0 if sizes[WITHIN] and is_dense(x, sizes[IC]) else sizes[TAPS] * sizes[ROWS]
    panel = np.empty((rows, sizes[PADDED] * sizes[IC]), x.dtype)
    for row in range(rows):  # `np.zeros` would take longer to compile
        for element in range(panel.shape[1]):
            panel[row, element] = 0
    return panel


@jit.merged
def fill_panel(panel, x, n, o0, o1, sizes):
    """Copy the input rows that one band meets, with zeros where they are padding."""
    ic, before, rows = sizes[IC], sizes[BEFORE + 2], sizes[ROWS]
    first = max(0, -before)
    last = max(first, min(x.shape[3], sizes[PADDED] - before))  # a crop may leave nothing between
    dense = is_dense(x, ic)
    for k0 in range(sizes[TAPS]):
        i0 = o0 * sizes[STRIDE] - sizes[BEFORE] + k0 * sizes[DILATION]
        for at in range(rows):
            i1 = o1 * sizes[STRIDE + 1] - sizes[BEFORE + 1] + at * sizes[APART]
            row = k0 * rows + at
            if not (0 <= i0 < x.shape[1] and 0 <= i1 < x.shape[2]):
                for q in range(panel.shape[1]):
                    panel[row, q] = 0
            elif dense:
                start = (n * x.strides[0] + i0 * x.strides[1] + i1 * x.strides[2]) // x.itemsize
                to = pointer(panel) + (row * panel.shape[1] + (before + first) * ic)
                copy_elements(pointer(x) + (start + first * ic), to, (last - first) * ic)
            else:
                for i2 in range(first, last):
                    for c in range(ic):
                        panel[row, (before + i2) * ic + c] = x[n, i0, i1, i2, c]


@jit.merged
def is_dense(x, ic):
    """Whether all elements of a row lie side by side."""
    return x.strides[4] == x.itemsize and x.strides[3] == ic * x.itemsize


@jit.merged
def is_aligned(y):
    """Whether whole vectors of a pixel's channels are where a vector in memory has its place."""
    together = address(pointer(y)) | y.strides[0] | y.strides[1] | y.strides[2] | y.strides[3]
    return together % (lanes(pointer(y)) * y.itemsize) == 0


@jit.inner
def list_addresses(inputs, outputs, live, count, start, steps, y, sizes):
    """List where the `count` windows of the first band begin, and what it writes, as ``indirection`` does.

    `start` is the address of the first tap of the first window, and `steps` how far from it are the next
    tap, of both outer axes, and the next window, of both inner ones.
    """
    taps = sizes[TAPS] * sizes[TAPS + 1]
    live[:, 0] = taps
    for tap in range(taps):
        live[:, 1 + tap] = tap
    y_at, o1, o2 = address(pointer(y)), 0, 0
    left = count - 1
    for tile in range(tiles_of(count)):
        in_a_row = o2 + MR <= sizes[OUT + 2]  # and no more than `count`, which is whole rows
        some = MR if in_a_row else 1
        for first in range(0, MR, some):
            to, window = y_at + o1 * y.strides[2] + o2 * y.strides[3], start + o1 * steps[2] + o2 * steps[3]
            tap = 0
            for m in range(some):
                outputs[tile, first + m] = to + m * y.strides[3]
            for k0 in range(sizes[TAPS]):
                for k1 in range(sizes[TAPS + 1]):
                    read = window + k0 * steps[0] + k1 * steps[1]
                    for m in range(some):
                        inputs[tile, tap, first + m] = read + m * steps[3]
                    tap += 1
            if left > 0:  # the next window
                left -= some
                o2 += some
                if o2 == sizes[OUT + 2]:
                    o2, o1 = 0, o1 + 1


@jit.merged
def run_band(kernels, count, inputs, outputs, live, moved, taps, weights, apart, bias, sizes, past):
    """Compute the pixels of one band, which reads and writes so much further on than the first."""
    oc, run = sizes[OC], sizes[TAPS + 2] * sizes[IC]  # products behind one address
    width = NV * lanes(pointer(weights))
    for block in range(sizes[BLOCKS]):
        start = block * width
        valid = min(width, oc - start)
        compute(
            kernels,
            pointer(inputs),
            pointer(outputs),
            pointer(live),
            count,
            taps,
            moved[0],
            run,
            pointer(weights) + (start if apart else start * taps * run),
            apart,
            moved[1] + start,
            valid,
            pointer(bias) + start * sizes[BIASED],
            valid * sizes[BIASED],
            sizes[ACTIVATION],
            past,
            sizes[NEAR] if block == 0 else 0,
        )


@jit.compiled
def run_parts(first, end, x, weights, apart, bias, y, sizes, kernels):
    """Compute the outputs of tasks, bands one after the other."""
    taps, tall, chunk = sizes[TAPS] * sizes[TAPS + 1], sizes[BAND], sizes[CHUNK]
    bands = (sizes[OUT + 1] + tall - 1) // tall  # of one image
    panel = empty_panel(x, sizes)
    inputs, outputs, live = room(tall * sizes[OUT + 2], taps)
    within, past = len(panel) == 0, sizes[FAR] and is_aligned(y)
    if within:
        start = address(pointer(x))
        for axis in range(3):
            start -= sizes[BEFORE + axis] * x.strides[1 + axis]
        steps = (
            sizes[DILATION] * x.strides[1],
            sizes[DILATION + 1] * x.strides[2],
            sizes[STRIDE + 1] * x.strides[2],
            sizes[STRIDE + 2] * x.strides[3],
        )
    else:
        start = address(pointer(panel))
        steps = (
            sizes[ROWS] * panel.strides[0],
            sizes[DILATION + 1] // sizes[APART] * panel.strides[0],
            sizes[STRIDE + 1] // sizes[APART] * panel.strides[0],
            sizes[STRIDE + 2] * sizes[IC] * panel.itemsize,
        )
    listed = 0
    for band in range(first * chunk, min(end * chunk, x.shape[0] * sizes[OUT] * bands)):
        rest, o1 = divmod(band, bands)
        n, o0 = divmod(rest, sizes[OUT])
        o1 *= tall
        read = 0
        if within:
            read = (
                n * x.strides[0] + o0 * sizes[STRIDE] * x.strides[1] + o1 * sizes[STRIDE + 1] * x.strides[2]
            )
        else:
            fill_panel(panel, x, n, o0, o1, sizes)
        written = n * y.strides[0] + o0 * y.strides[1] + o1 * y.strides[2]
        count = min(tall, sizes[OUT + 1] - o1) * sizes[OUT + 2]
        if count != listed:
            list_addresses(inputs, outputs, live, count, start, steps, y, sizes)
            listed = count
        moved = read // x.itemsize, written // y.itemsize
        run_band(kernels, count, inputs, outputs, live, moved, taps, weights, apart, bias, sizes, past)
    if past:
        fence()


def _loop(dtype):
    """Make what convolves arrays of a type."""
    line, written = jit.array(dtype, 1), jit.array(dtype, 5, "A", writeable=True)
    given = jit.array(dtype, 5, "A"), line, jit.INDEX, line
    return jit.Loop(run_parts, *given, written, jit.array(np.int64, 1), jit.INDEX)


LOOPS = {np.dtype(dtype): _loop(dtype) for dtype in (np.float32, np.float64)}


def conv(
    p: ConvProblem, x: np.ndarray, packed: direct.Packed, bias: np.ndarray | None, y: np.ndarray
) -> None:
    """Compute all outputs; an output whose channels do not lie side by side is copied at the end."""
    x = x.astype(p.acc_dtype, copy=False)
    if p.ic >= FEW and x.strides[-1] != x.itemsize:
        x = channels_last(x, p.acc_dtype)
    result = direct.side_by_side(y, p.acc_dtype)
    step(p, x, packed, bias, result).do()
    deliver(result, y)


def step(p: ConvProblem, x: np.ndarray, packed: direct.Packed, bias: Any, y: np.ndarray) -> jit.Step:
    """Say what computes outputs whose channels lie side by side."""
    plan, lift = schedule(p), packed.schedule.lift
    weights = packed.weights, packed.apart, packed.schedule.zeros if bias is None else bias
    kernels = table(p.acc_dtype, p.oc, packed=not packed.apart)
    arguments = x[lift], *weights, y[lift], plan.sizes, kernels
    return jit.Step(LOOPS[p.acc_dtype], plan.tasks, plan.grain, arguments)


def steps(p: ConvProblem, x: np.ndarray, *rest: Any) -> list[jit.Step] | None:
    """List what `conv` does, if no array has to be copied."""
    fits = direct.are_direct(p, x, rest[-1]) and (p.ic < FEW or x.strides[-1] == x.itemsize)
    return [step(p, x, *rest)] if fits else None


def rejects(p: ConvProblem) -> str | None:
    """Say why this kernel cannot compute `p`, if it cannot."""
    if reason := direct.rejects(p):
        return reason
    if p.window.rank == 0:
        return "no spatial axis, at least 1"
    if p.g != 1:
        return f"{p.g} groups, only 1"
    if p.window.d[-1] != 1:
        return f"dilation {p.window.d}, only 1 along the last axis"
    if any(b != 1 for b in p.window.b):
        return f"base dilation {p.window.b}, only 1"
    return None


def cost(p: ConvProblem) -> float:
    """Predict multiply-adds, those of masked lanes included, and filling panels."""
    win = p.window.lifted(RANK)
    panels = 0 if is_within(win) else p.n * win.o[0] * win.o[1] * win.k[0] * win.k[1] * win.padded[2] * p.ic
    scattered = p.ic < FEW and p.x_order[-1] != len(p.x_order) - 1
    work = lane_macs(p) * p.acc_dtype.itemsize * direct.MAC + vectors(p) * STORED
    work += panels * (SCATTERED if scattered else COPIED)
    copies = direct.copies(replace(p, x_order=tuple(range(len(p.x_order)))) if scattered else p)
    chunk, tasks = cut(p, win, band_of(win, 1))
    uneven = chunk * -(-tasks // jit.THREADS) * jit.THREADS / max(p.n * win.o[0] * win.o[1], 1)
    return jit.CALL + jit.predicted(1, work if work < jit.ALONE else work * uneven) + copies


KERNELS = [
    Kernel(
        "numba:rows",
        ConvProblem,
        rejects,
        cost,
        conv,
        direct.prepare,
        once=direct.lend,
        bind=bound.by(steps),
        fuses=frozenset(FUSED),
    ),
]
