"""Dense convolution with few input channels, a row of outputs at a time: images with 1 or 3 channels.

    y[n, o, f] = activation(bias[f] + sum over taps k, channels c of x[n, o*s + k*d - lo, c] * w[k, c, f])

With few channels the run of products behind one address is short. Along the last axis, undilated, a
window's taps and channels lie side by side: k*ic products a run. So that this holds at the borders too,
the input rows of one output row are copied, padding included, into a *panel* that stays in cache:

    part      output rows                          parallel: each writes rows of its own
    row       its input rows into the panel, (taps of the outer axes, padded width, ic)
    tile      MR pixels; what they write lies side by side, all their channels one after the other
    block     NV vectors of output channels, in registers: ``microkernel``

The addresses of a row's windows in the panel are the same for every row: they are listed once a task.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from fastconv.backends.numba import direct, jit
from fastconv.backends.numba.arrays import RANK, channels_last, deliver
from fastconv.backends.numba.copying import copy_elements
from fastconv.backends.numba.epilogue import FUSED
from fastconv.backends.numba.indirection import room
from fastconv.backends.numba.microkernel import MR, NV, compute, tiles_of
from fastconv.backends.numba.schedule import lane_macs, seconds, vectors
from fastconv.backends.numba.simd import BYTES, address, lanes, pointer
from fastconv.backends.numba.transposition import FEW
from fastconv.kernel import Kernel
from fastconv.problem import ConvProblem

# Places in ``sizes``; of what has three axes, the first of three.
OUT, TAPS, STRIDE, DILATION, BEFORE = range(0, 15, 3)
IC, OC, BLOCKS, BIASED, ACTIVATION, PADDED, CHUNK = range(15, 22)

CHUNKS = 16  # parts that the output rows are cut into

STORED = 3e-9  # of a vector of outputs, on one thread
COPIED = 2.5e-10  # seconds of an element into the panel, on one thread ...
SCATTERED = 5e-10  # ... where its neighbours are elsewhere
COSTS = ("STORED", "COPIED", "SCATTERED")


@dataclass(frozen=True, slots=True)
class Schedule:
    """The numbers of one problem."""

    sizes: np.ndarray
    tasks: int
    grain: int  # tasks that a thread does at a time


@lru_cache(maxsize=256)
def schedule(p: ConvProblem) -> Schedule:
    """Cut a problem into chunks of output rows."""
    win = p.window.lifted(RANK)
    rows = p.n * win.o[0] * win.o[1]
    chunk = max(1, -(-rows // CHUNKS))
    tasks = -(-rows // chunk)
    blocks = -(-p.oc * p.acc_dtype.itemsize // (NV * BYTES))
    sizes = [*win.o, *win.k, *win.s, *win.d, *(before for before, _ in win.p)]
    sizes += [p.ic, p.oc, blocks, p.has_bias, FUSED.index(p.activation), win.padded[2], chunk]
    return Schedule(np.array(sizes, np.int64), tasks, jit.grain(tasks, seconds(p) / max(tasks, 1)))


@jit.merged
def fill_panel(panel, x, n, o0, o1, sizes):
    """Copy the input rows that one output row meets, with zeros where they are padding."""
    ic, before = sizes[IC], sizes[BEFORE + 2]
    first = max(0, -before)
    last = max(first, min(x.shape[3], sizes[PADDED] - before))  # a crop may leave nothing between
    dense = x.strides[4] == x.itemsize and x.strides[3] == ic * x.itemsize
    for k0 in range(sizes[TAPS]):
        i0 = o0 * sizes[STRIDE] - sizes[BEFORE] + k0 * sizes[DILATION]
        for k1 in range(sizes[TAPS + 1]):
            i1 = o1 * sizes[STRIDE + 1] - sizes[BEFORE + 1] + k1 * sizes[DILATION + 1]
            row = panel[k0 * sizes[TAPS + 1] + k1]
            if not (0 <= i0 < x.shape[1] and 0 <= i1 < x.shape[2]):
                row[:] = 0
            elif dense:
                source = pointer(x[n, i0, i1]) + first * ic
                copy_elements(source, pointer(row) + (before + first) * ic, (last - first) * ic)
            else:
                for i2 in range(first, last):
                    for c in range(ic):
                        row[(before + i2) * ic + c] = x[n, i0, i1, i2, c]


@jit.merged
def list_addresses(inputs, outputs, live, panel, y, sizes):
    """List where the windows of a row begin in the panel, and what row 0 writes, as ``indirection`` does."""
    live[:, 0] = len(panel)
    for tap in range(len(panel)):
        live[:, 1 + tap] = tap
    start, y_at = address(pointer(panel)), address(pointer(y))
    step = sizes[STRIDE + 2] * sizes[IC] * panel.itemsize
    for tile in range(len(live)):
        for m in range(MR):
            o2 = min(tile * MR + m, sizes[OUT + 2] - 1)
            outputs[tile, m] = y_at + o2 * y.strides[3]
            for tap in range(len(panel)):
                inputs[tile, tap, m] = start + tap * panel.strides[0] + o2 * step


@jit.merged
def run_rows(first, last, panel, inputs, outputs, live, x, weights, bias, y, sizes):
    """Compute output rows one after the other."""
    ic, oc, taps = sizes[IC], sizes[OC], len(panel)
    run = sizes[TAPS + 2] * ic  # products behind one address
    width = NV * lanes(pointer(weights))
    list_addresses(inputs, outputs, live, panel, y, sizes)
    for row in range(first, last):
        rest, o1 = divmod(row, sizes[OUT + 1])
        n, o0 = divmod(rest, sizes[OUT])
        fill_panel(panel, x, n, o0, o1, sizes)
        moved = (n * y.strides[0] + o0 * y.strides[1] + o1 * y.strides[2]) // y.itemsize
        for tile in range(tiles_of(sizes[OUT + 2])):
            for block in range(sizes[BLOCKS]):
                start = block * width
                valid = min(width, oc - start)
                compute(
                    pointer(inputs) + tile * taps * MR,
                    pointer(outputs) + tile * MR,
                    pointer(live) + tile * (1 + taps),
                    sizes[OUT + 2] - tile * MR,
                    0,
                    run,
                    pointer(weights) + start * taps * run,
                    moved + start,
                    valid,
                    pointer(bias) + start * sizes[BIASED],
                    valid * sizes[BIASED],
                    sizes[ACTIVATION],
                )


@jit.compiled
def run_parts(first, end, x, weights, bias, y, sizes):
    """Compute the output rows of tasks."""
    taps, chunk = sizes[TAPS] * sizes[TAPS + 1], sizes[CHUNK]
    rows = x.shape[0] * sizes[OUT] * sizes[OUT + 1]
    panel = np.zeros((taps, sizes[PADDED] * sizes[IC]), x.dtype)
    inputs, outputs, live = room(sizes[OUT + 2], taps)
    last = min(rows, end * chunk)
    run_rows(first * chunk, last, panel, inputs, outputs, live, x, weights, bias, y, sizes)


def _loop(dtype):
    """Make what convolves arrays of a type."""
    line = jit.array(dtype, 1)
    written = jit.array(dtype, 5, "A", writeable=True)
    return jit.Loop(run_parts, jit.array(dtype, 5, "A"), line, line, written, jit.array(np.int64, 1))


LOOPS = {np.dtype(dtype): _loop(dtype) for dtype in (np.float32, np.float64)}


def conv(
    p: ConvProblem, x: np.ndarray, packed: direct.Packed, bias: np.ndarray | None, y: np.ndarray
) -> None:
    """Compute all outputs; an output whose channels do not lie side by side is copied at the end."""
    plan, lift = schedule(p), packed.schedule.lift
    x = x.astype(p.acc_dtype, copy=False)
    if p.ic >= FEW and x.strides[-1] != x.itemsize:
        x = channels_last(x, p.acc_dtype)
    result = direct.side_by_side(y, p.acc_dtype)
    bias = packed.schedule.zeros if bias is None else bias
    LOOPS[p.acc_dtype](
        plan.tasks,
        plan.grain,
        x[lift],
        packed.weights,
        bias,
        result[lift],
        plan.sizes,
    )
    deliver(result, y)


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
    panels = p.n * win.o[0] * win.o[1] * win.k[0] * win.k[1] * win.padded[2] * p.ic
    scattered = p.ic < FEW and p.x_order[-1] != len(p.x_order) - 1
    work = lane_macs(p) * p.acc_dtype.itemsize * direct.MAC + vectors(p) * STORED
    work += panels * (SCATTERED if scattered else COPIED)
    copies = direct.copies(replace(p, x_order=tuple(range(len(p.x_order)))) if scattered else p)
    one_row = p.n * win.o[0] * win.o[1] == 1  # which threads cannot share
    return jit.CALL + (work if one_row else jit.predicted(1, work)) + copies


KERNELS = [
    Kernel("numba:rows", ConvProblem, rejects, cost, conv, direct.prepare, fuses=frozenset(FUSED)),
]
