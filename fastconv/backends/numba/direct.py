"""Dense and grouped convolution of any rank up to 3, from the weights' side: the indirect algorithm.

    y[n, o, f] = activation(bias[f] + sum over taps k, channels c of x[n, o*s + k*d - lo, c] * w[k, c, f])

Loop nest, outermost first:

    part      a chunk of output pixels and one of channel blocks   parallel: each writes outputs of its own
    region    outputs that meet the same taps: several with base dilation (transposed convolution) or where
              much is padding                                      parallel
    block     NV vectors of output channels; their weights stay in L2
    tile      MR pixels, in registers: ``microkernel``

A task lists the addresses its pixels read from once, for every tap, and uses them for all its channel
blocks. The order of a sum does not depend on how outputs are cut into tasks, nor on the number of threads.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastconv.backends.numba import bound, jit
from fastconv.backends.numba.arrays import channels_last, copying, deliver, rejects_conv
from fastconv.backends.numba.epilogue import FUSED
from fastconv.backends.numba.indirection import list_addresses, room
from fastconv.backends.numba.microkernel import NV, compute, table
from fastconv.backends.numba.packing import pack_parts, padded
from fastconv.backends.numba.schedule import (
    ACTIVATION,
    BIASED,
    BLOCKS,
    CHANNEL_PARTS,
    CHUNK,
    GROUPS,
    IC,
    NEAR,
    OC,
    OUT,
    REGIONS,
    TAPS,
    WEIGHTS,
    Schedule,
    lane_macs,
    schedule,
    vectors,
)
from fastconv.backends.numba.scratch import scratch
from fastconv.backends.numba.simd import lanes, pointer
from fastconv.kernel import Kernel
from fastconv.problem import ConvProblem

# Seconds on one thread, fitted to measurements on a 2.6 GHz AVX-512 machine.
MAC = 4.7e-12  # of a multiply-add, for each byte of an element
START = 0.7  # channels whose products take as long as going on to another tap
LISTED = 2e-9  # of an address
STORED = 5e-9  # of a vector of outputs
COSTS = ("MAC", "START", "LISTED", "STORED")


@dataclass(frozen=True, slots=True)
class Packed:
    """Weights in the order the micro-kernel reads them, or as a caller has them, and their schedule."""

    schedule: Schedule
    weights: np.ndarray
    apart: int = 0  # of a caller's: elements from one input channel's to the next


@jit.merged
def compute_block(
    kernels, block, inputs, outputs, live, count, taps, weights, apart, bias, offset, near, sizes
):
    """Compute one block of output channels of all the pixels listed."""
    ic, oc, blocks = sizes[IC], sizes[OC], sizes[BLOCKS]
    width = NV * lanes(pointer(weights))
    group, j = divmod(block, blocks)
    start = group * oc + j * width  # its first output channel
    valid = min(width, oc - j * width)
    if apart:
        offset = start
    else:
        offset += group * taps * ic * padded(oc, lanes(pointer(weights))) + j * width * taps * ic
    compute(
        kernels,
        pointer(inputs),
        pointer(outputs),
        pointer(live),
        count,
        taps,
        group * ic,
        ic,
        pointer(weights) + offset,
        apart,
        start,
        valid,
        pointer(bias) + start * sizes[BIASED],
        valid * sizes[BIASED],
        sizes[ACTIVATION],
        False,  # sums are too long for what is written to matter, if it is near
        near,
    )


@jit.compiled
def run_parts(first, end, x, weights, apart, bias, y, zeros, regions, sizes, kernels):
    """Compute the outputs of tasks."""
    channel_parts, many = sizes[CHANNEL_PARTS], sizes[GROUPS] * sizes[BLOCKS]
    for part in range(first, end):
        rest, region = divmod(part, sizes[REGIONS])
        pixel_part, channel_part = divmod(rest, channel_parts)
        g = regions[region]
        start = pixel_part * g[CHUNK]
        count = min(g[CHUNK], x.shape[0] * g[OUT] * g[OUT + 1] * g[OUT + 2] - start)
        if count <= 0:
            continue
        taps = g[TAPS] * g[TAPS + 1] * g[TAPS + 2]
        inputs, outputs, live = room(count, taps)
        list_addresses(inputs, outputs, live, x, y, zeros, g, start, count)
        near, offset = sizes[NEAR], g[WEIGHTS]
        for block in range(channel_part * many // channel_parts, (channel_part + 1) * many // channel_parts):
            compute_block(
                kernels, block, inputs, outputs, live, count, taps, weights, apart, bias, offset, near, sizes
            )
            near = sizes[NEAR + 1]


def _loops(dtype):
    """Pair what packs weights of a type, and what convolves with them."""
    line, sizes = jit.array(dtype, 1), jit.array(np.int64, 1)
    written, phases = jit.array(dtype, 5, "A", writeable=True), jit.array(np.int64, 2)
    pack = jit.Loop(pack_parts, jit.array(dtype, 5, "A"), jit.array(dtype, 1, writeable=True), phases, sizes)
    given, more = (jit.array(dtype, 5, "A"), line, jit.INDEX, line), (line, phases, sizes, jit.INDEX)
    run = jit.Loop(run_parts, *given, written, *more)
    return pack, run


LOOPS = {np.dtype(dtype): _loops(dtype) for dtype in (np.float32, np.float64)}


def prepare(p: ConvProblem, w: np.ndarray) -> Packed:
    """Pack the weights; what fills up a vector may be anything, as nothing that comes of it is stored."""
    plan = schedule(p)
    weights, w = scratch((plan.packed,), p.acc_dtype), w.astype(p.acc_dtype, copy=False)[plan.lift[1:]]
    LOOPS[p.acc_dtype][0](plan.pack_tasks, plan.pack_grain, w, weights, plan.phases, plan.sizes)
    return Packed(plan, weights)


def lend(p: ConvProblem, w: np.ndarray) -> Packed:
    """Take the weights as they lie, if one call is the quicker for it, or pack them."""
    plan = schedule(p)
    if not plan.lends or w.dtype != p.acc_dtype or not (w.flags.c_contiguous and w.flags.aligned):
        return prepare(p, w)
    return Packed(plan, w.reshape(-1), p.g * p.oc)


def conv(p: ConvProblem, x: np.ndarray, packed: Packed, bias: np.ndarray | None, y: np.ndarray) -> None:
    """Compute all outputs; the channels of a pixel must lie side by side, or are copied so."""
    if x.dtype != p.acc_dtype or x.strides[-1] != x.itemsize:
        x = channels_last(x, p.acc_dtype)
    result = side_by_side(y, p.acc_dtype)
    step(p, x, packed, bias, result).do()
    deliver(result, y)


def step(p: ConvProblem, x: np.ndarray, packed: Packed, bias: np.ndarray | None, y: np.ndarray) -> jit.Step:
    """Say what computes outputs whose channels lie side by side, as those of inputs."""
    plan = packed.schedule
    weights = packed.weights, packed.apart, plan.zeros if bias is None else bias
    kernels = table(p.acc_dtype, p.oc, packed=not packed.apart)
    arguments = x[plan.lift], *weights, y[plan.lift], plan.zeros, plan.regions, plan.sizes, kernels
    return jit.Step(LOOPS[p.acc_dtype][1], plan.tasks, plan.grain, arguments)


def steps(p: ConvProblem, x: np.ndarray, *rest: Any) -> list[jit.Step] | None:
    """List what `conv` does, if no array has to be copied."""
    fits = are_direct(p, x, rest[-1]) and x.strides[-1] == x.itemsize
    return [step(p, x, *rest)] if fits else None


def are_direct(p: ConvProblem, x: np.ndarray, y: np.ndarray) -> bool:
    """Whether inputs are of the dtype to compute in, and outputs can be stored as they are."""
    return x.dtype == p.acc_dtype == y.dtype and y.strides[-1] == y.itemsize


def side_by_side(y: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return `y` if vectors of its channels can be stored as they are, else an array to deliver."""
    fits = y.dtype == dtype and y.strides[-1] == y.itemsize and y.flags.aligned
    return y if fits else scratch(y.shape, dtype)


def rejects(p: ConvProblem) -> str | None:
    """Say why this kernel cannot compute `p`, if it cannot."""
    return jit.OFF or rejects_conv(p)


def cost(p: ConvProblem) -> float:
    """Predict multiply-adds, a start for each run of channels, addresses, and copies to a fitting order."""
    starts = lane_macs(p) / p.ic * START if p.ic else 0
    taps = p.n * math.prod(p.window.o) * p.window.taps
    work = (lane_macs(p) + starts) * p.acc_dtype.itemsize * MAC + taps * LISTED + vectors(p) * STORED
    return jit.CALL + jit.predicted(1, work) + copies(p)


def copies(p: ConvProblem) -> float:
    """Predict the seconds to bring the channels of pixels side by side, and back."""
    natural = tuple(range(p.window.rank + 2))
    pairs = (p.x_shape, p.x_order), (p.y_shape, p.y_order)
    return sum(copying(shape, order, natural) for shape, order in pairs if order[-1] != natural[-1])


KERNELS = [
    Kernel(
        "numba:direct",
        ConvProblem,
        rejects,
        cost,
        conv,
        prepare,
        once=lend,
        bind=bound.by(steps),
        fuses=frozenset(FUSED),
    ),
]
