"""Convolution of planes, vectorised over the outputs of a row: for few channels, where other rows starve.

    y[n, o, f] = activation(bias[f] + sum over taps k, channels c of x[n, o*s + k*d - lo, c] * w[k, c, f])

on three spatial axes, any of them of length 1. Loop nest, outermost first:

    task      one image, group, band of output rows, segment of them
                                      parallel: tasks write outputs of their own
      panel   a copy of what its windows meet, in cache: ``bands``
      rows    of tiles in the band
        f     filters of the group
          v   vectors of the segment
            tile   R rows of a vector each, in registers, over all taps and channels: ``stagger``

The channels of a pixel that have one filter each may lie side by side: a row of pixels is then a row of
elements, and the weights of a vector follow the channels of its lanes. Otherwise each channel is a plane,
and outputs whose rows are not contiguous are written to a copy.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from fastconv.backends.numba import jit, stagger
from fastconv.backends.numba.arrays import deliver, lifted, rejects_conv
from fastconv.backends.numba.bands import (
    ACTIVATION,
    ALONG,
    APART,
    ELEMENTS,
    IC,
    OC,
    ONES,
    PERIOD,
    PITCH,
    PIXEL,
    STRIDE,
    THREES,
    TILE_PITCH,
    TWOS,
    Schedule,
    Steps,
    listed,
    schedule,
)
from fastconv.backends.numba.copying import copy_elements
from fastconv.backends.numba.epilogue import FUSED
from fastconv.backends.numba.jit import OFF, Loop, array, compiled, grain, inner, predicted
from fastconv.backends.numba.panels import fill, located
from fastconv.backends.numba.scratch import scratch
from fastconv.backends.numba.simd import BYTES, address, lanes, pointer
from fastconv.backends.numba.stagger import R
from fastconv.kernel import Kernel
from fastconv.problem import ConvProblem

# Seconds on one thread: of what ``bands`` counts, of each task, of each element copied to the output.
SLOT, TASK, DELIVERED = 2.8e-10, 4e-7, 2.5e-9
COSTS = ("SLOT", "TASK", "DELIVERED")


@inner
def aligned(panel):
    """Leave out as many elements as lie before a whole vector's address."""
    size = lanes(pointer(panel)) * panel.itemsize
    return panel[-address(pointer(panel)) % size // panel.itemsize :]


def rows_by(tile, width):
    """Make what computes rows of outputs by `tile`, from weights of `width` elements each."""

    @inner
    def rows(panel, scratch, offsets, weights, bias, out, line, next_filter, filters, count, elements, sizes):
        """Compute `count` rows of `elements` outputs for each of some filters.

        `out` points at those of filter 0; the next row is `line` elements further, the next filter
        `next_filter`.
        """
        vector, along, apart = lanes(out), sizes[ALONG], sizes[APART]
        step, period = width(out), sizes[PERIOD]
        products = 3 * sizes[THREES] + 2 * sizes[TWOS] + sizes[ONES]
        start = pointer(panel)
        pitch = vector if along else apart * line
        across, down = (R * vector, 1) if along else (vector, apart * R)
        for residue in range(apart):
            for top in range(residue, count, down):
                for f in range(filters[0], filters[1]):
                    place = out + f * next_filter + top * line
                    for at in range(0, elements, across):
                        left = elements - at
                        height = (
                            (left + vector - 1) // vector if along else (count - top + apart - 1) // apart
                        )
                        whole = left >= across and height >= R
                        kind = f * period + at // vector % period
                        tile(
                            start + top * sizes[STRIDE + 1] * sizes[PITCH] + at,
                            sizes[TILE_PITCH],
                            pointer(offsets),
                            sizes[THREES],
                            sizes[TWOS],
                            sizes[ONES],
                            weights + kind * products * step,
                            bias + kind * step,
                            place + at if whole else pointer(scratch),
                            pitch if whole else vector,
                            sizes[ACTIVATION],
                        )
                        if not whole:
                            for r in range(min(height, R)):
                                size = min(vector, left - r * vector * along)
                                copy_elements(pointer(scratch) + r * vector, place + at + r * pitch, size)

    return rows


uniform = rows_by(stagger.uniform, stagger.one)  # of a plane
varied = rows_by(stagger.varied, lanes)  # of pixels


def tasks_by(rows):
    """Make the tasks, whose rows are computed by `rows`."""

    @compiled
    def tasks(first, end, x, offsets, weights, bias, y, sizes):
        """Compute tasks `first` to `end`."""
        vector = lanes(pointer(x))
        panel = aligned(np.zeros(sizes[ELEMENTS] + vector, x.dtype))
        scratch = np.empty(R * vector, x.dtype)
        for task in range(first, end):
            n, plane, first_output, count, row = located(task, sizes)
            fill(panel, x, n, plane * sizes[IC], first_output, count, row, sizes)
            o0, o1, o2 = first_output
            place = n * y.strides[0] + o0 * y.strides[1] + o1 * y.strides[2] + o2 * y.strides[3]
            out = pointer(y) + place // y.itemsize
            filters = plane * sizes[OC], (plane + 1) * sizes[OC]
            strides = y.strides[2] // y.itemsize, y.strides[4] // y.itemsize
            given = pointer(weights), pointer(bias), out, *strides
            rows(panel, scratch, offsets, *given, filters, count, row * sizes[PIXEL], sizes)

    return tasks


@cache
def _loop(dtype: np.dtype, pixel: int) -> Loop:
    """Compile for arrays of `dtype`, as planes or as pixels."""
    line, x, y = array(dtype, 1), array(dtype, 5, "A"), array(dtype, 5, "A", writeable=True)
    tasks = tasks_by(uniform if pixel == 1 else varied)
    return Loop(tasks, x, array(np.int64, 1), line, line, y, array(np.int64, 1))


@dataclass(frozen=True, slots=True)
class Prepared:
    """Weights in the order of the steps."""

    schedule: Schedule
    loop: Loop
    grain: int
    offsets: np.ndarray
    channel: np.ndarray | None  # of each lane, of pixels
    w: np.ndarray
    no_bias: np.ndarray


def prepare(p: ConvProblem, w: np.ndarray) -> Prepared:
    """Arrange ``(*k, ic, g*oc)`` as ``(g*oc, steps)``, or ``(vectors, steps, lanes)`` of pixels."""
    plan = schedule(p)
    steps, channel = listed(p, plan.form), lane_channels(p, plan)
    return Prepared(
        schedule=plan,
        loop=_loop(p.acc_dtype, plan.form.pixel),
        grain=grain(plan.tasks, seconds(plan)),
        offsets=steps.offsets,
        channel=channel,
        w=arranged(p, plan, steps, w),
        no_bias=np.zeros(p.g * p.oc if channel is None else len(channel), p.acc_dtype),
    )


def arranged(p: ConvProblem, plan: Schedule, steps: Steps, w: np.ndarray) -> np.ndarray:
    """Return the weights in the order of the steps, for every filter or vector of pixels."""
    w = w.astype(p.acc_dtype, copy=False).reshape(p.products, p.g * p.oc)[steps.order]
    channel = lane_channels(p, plan)
    if channel is None:
        return np.ascontiguousarray(w.T).ravel()
    w = w[:, channel].reshape(p.products, plan.sizes[PERIOD], -1)
    return np.ascontiguousarray(w.transpose(1, 0, 2)).ravel()


def lane_channels(p: ConvProblem, plan: Schedule) -> np.ndarray | None:
    """Return which channel each lane is of, in as many vectors as it takes until they repeat."""
    if plan.form.pixel == 1:
        return None
    return np.arange(plan.sizes[PERIOD] * BYTES // p.acc_dtype.itemsize) % plan.form.pixel


def conv(p: ConvProblem, x: np.ndarray, prepared: Prepared, bias: np.ndarray | None, y: np.ndarray) -> None:
    """Compute tiles of outputs that share what they read."""
    x = lifted(x.astype(p.acc_dtype, copy=False), p.window)
    y = lifted(y, p.window)
    result = landing(y, p.acc_dtype, prepared.schedule.form.pixel)
    if bias is None:
        bias = prepared.no_bias
    elif prepared.channel is not None:
        bias = bias[prepared.channel]
    plan = prepared.schedule
    arrays = x, prepared.offsets, prepared.w, bias, result, plan.sizes
    prepared.loop(plan.tasks, prepared.grain, *arrays)
    deliver(result, y)


def landing(y: np.ndarray, dtype: np.dtype, pixel: int) -> np.ndarray:
    """Return `y` if the elements of its rows lie side by side, else an array of which that is true."""
    side_by_side = y.strides[3] == pixel * y.itemsize or y.shape[3] == 1
    if pixel > 1:
        side_by_side = side_by_side and y.strides[4] == y.itemsize
    if y.dtype == dtype and y.flags.aligned and side_by_side:
        return y
    if pixel > 1:
        return scratch(y.shape, dtype)
    n, o0, o1, o2, f = y.shape
    return scratch((n, f, o0, o1, o2), dtype).transpose(0, 2, 3, 4, 1)


def seconds(plan: Schedule) -> float:
    """Predict the seconds of a task on one thread."""
    return TASK + (plan.computed + plan.copied) * SLOT


def cost(p: ConvProblem) -> float:
    """Count the slots of all tasks."""
    plan = schedule(p)
    return jit.CALL + predicted(plan.tasks, seconds(plan)) + plan.delivered * DELIVERED


def rejects(p: ConvProblem) -> str | None:
    """Say why this kernel cannot compute `p`, if it cannot."""
    return OFF or rejects_conv(p)


KERNELS = [Kernel("numba:planes", ConvProblem, rejects, cost, conv, prepare, fuses=frozenset(FUSED))]
