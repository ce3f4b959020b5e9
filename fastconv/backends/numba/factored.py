"""Filters of rank 1, an outer product of a column and a row, as two passes: along rows, then down columns.

    y[n, o1, o2, c] = activation(bias[c] + sum_k column[k, c] * sum_t row[t, c] * x[.. o1*s1 + k*d1 ..])

so k1 + k2 products for each output and not k1 * k2. Each channel has one filter, on two spatial axes.
The loop nest is that of ``planes``, and so are its parts; in each task

    panel     a copy of what the band's windows meet
    middle    its rows convolved with the row, in cache: a panel too
    rows      tiles of the middle convolved with the column

Whether a filter is of rank 1 shows only in the weights: the row and the column through the largest of them
must give each weight to within TOLERANCE roundings of its own size, or they are refused. An output's error
is then of the form of every sum's, |y - exact| <= m u (|x| conv |w|), with m = k1 + k2 + 2 + TOLERANCE, as
long as no sum along a row is beyond the largest number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, lru_cache

import numpy as np

from fastconv.backends.numba import planes
from fastconv.backends.numba.arrays import deliver, lifted, rejects_conv
from fastconv.backends.numba.bands import (
    DILATION,
    ELEMENTS,
    PITCH,
    PIXEL,
    ROWS,
    STRIDE,
    TAPS,
    Form,
    Schedule,
    Steps,
    cut,
    listed,
)
from fastconv.backends.numba.epilogue import FUSED
from fastconv.backends.numba.jit import CALL, OFF, Loop, array, compiled, grain, predicted
from fastconv.backends.numba.panels import fill, located
from fastconv.backends.numba.simd import BYTES, lanes, pointer
from fastconv.backends.numba.slots import RANK
from fastconv.backends.numba.stagger import R
from fastconv.kernel import Kernel, Refusal
from fastconv.problem import ConvProblem, Window

TOLERANCE = 8  # roundings: of two factors and their product, of a filter made in a few steps
LOOK = 1e-4  # seconds that a filter must promise to save, as most are looked at and refused
COSTS = ("LOOK",)


def tasks_by(rows):
    """Make the tasks, whose rows are computed by `rows` in both passes."""

    @compiled
    def tasks(first, end, x, row_offsets, row, none, offsets, column, bias, y, row_sizes, sizes):
        """Compute tasks `first` to `end`."""
        vector = lanes(pointer(x))
        panel = planes.aligned(np.zeros(row_sizes[ELEMENTS] + vector, x.dtype))
        middle = planes.aligned(np.zeros(sizes[ELEMENTS] + vector, x.dtype))
        scratch = np.empty(R * vector, x.dtype)
        for task in range(first, end):
            n, plane, (o0, o1, o2), count, breadth = located(task, sizes)
            height = (count - 1) * sizes[STRIDE + 1] + (sizes[TAPS + 1] - 1) * sizes[DILATION + 1] + 1
            elements, filters = breadth * sizes[PIXEL], (plane, plane + 1)
            fill(panel, x, n, plane, (o0, o1 * sizes[STRIDE + 1], o2), height, breadth, row_sizes)
            rows(
                panel,
                scratch,
                row_offsets,
                pointer(row),
                pointer(none),
                pointer(middle),
                sizes[PITCH],
                0,
                filters,
                height,
                elements,
                row_sizes,
            )
            place = n * y.strides[0] + o0 * y.strides[1] + o1 * y.strides[2] + o2 * y.strides[3]
            rows(
                middle,
                scratch,
                offsets,
                pointer(column),
                pointer(bias),
                pointer(y) + place // y.itemsize,
                y.strides[2] // y.itemsize,
                y.strides[4] // y.itemsize,
                filters,
                count,
                elements,
                sizes,
            )

    return tasks


@cache
def _loop(dtype: np.dtype, pixel: int) -> Loop:
    """Compile for arrays of `dtype`, as planes or as pixels."""
    line, numbers = array(dtype, 1), array(np.int64, 1)
    x, y = array(dtype, 5, "A"), array(dtype, 5, "A", writeable=True)
    tasks = tasks_by(planes.uniform if pixel == 1 else planes.varied)
    return Loop(tasks, x, numbers, line, line, numbers, line, line, y, numbers, numbers)


@dataclass(frozen=True, slots=True)
class Pass:
    """One of the two convolutions, which has a problem of its own."""

    problem: ConvProblem
    plan: Schedule
    steps: Steps

    @staticmethod
    def of(p: ConvProblem, form: Form, least: int = 0) -> Pass:
        """Cut a pass."""
        return Pass(p, cut(p, form, least), listed(p, form, least))


@lru_cache(maxsize=256)
def passes(p: ConvProblem) -> tuple[Pass, Pass]:
    """State the convolution along rows and the one down columns, with the bands of the latter."""
    p, win = _lifted(p), p.window.lifted(RANK)
    pixel = p.g if p.x_order[-1] == p.y_order[-1] == RANK + 1 else 1
    (_, k1, k2), (s0, s1, s2), (d0, d1, d2), (o0, _, o2) = win.k, win.s, win.d, win.o
    flat = replace(win, k=(1, 1, k2), s=(s0, 1, s2), d=(d0, 1, d2))
    none, ones = ((0, 0),) * RANK, (1,) * RANK
    upright = Window((o0, win.padded[1], o2), (1, k1, 1), (1, s1, 1), (1, d1, 1), ones, none)
    down = Pass.of(replace(p, window=upright), Form(pixel, along=False))
    form = Form(pixel, along=BYTES // p.acc_dtype.itemsize % pixel == 0)
    along = replace(p, window=flat, has_bias=False, activation="linear")
    return Pass.of(along, form, int(down.plan.sizes[ROWS])), down


def _lifted(p: ConvProblem) -> ConvProblem:
    """State the same problem with three spatial axes."""
    new = RANK - p.window.rank
    x_order, y_order = (
        (*range(1, 1 + new), *(a + new if a else 0 for a in order)) for order in (p.x_order, p.y_order)
    )
    return replace(p, window=p.window.lifted(RANK), x_order=x_order, y_order=y_order)


@dataclass(frozen=True, slots=True)
class Prepared:
    """The factors in the order of their steps."""

    row: np.ndarray
    column: np.ndarray
    channel: np.ndarray | None  # of each lane, of pixels
    none: np.ndarray  # a bias of nothing


def prepare(p: ConvProblem, w: np.ndarray) -> Prepared:
    """Factor ``(*k, 1, g)``, or refuse to."""
    along, down = passes(p)
    column, row = factors(w.astype(p.acc_dtype, copy=False).reshape(*p.window.k[-2:], p.g))
    channel = planes.lane_channels(down.problem, down.plan)
    return Prepared(
        row=planes.arranged(along.problem, along.plan, along.steps, row),
        column=planes.arranged(down.problem, down.plan, down.steps, column),
        channel=channel,
        none=np.zeros(p.g if channel is None else len(channel), p.acc_dtype),
    )


@np.errstate(all="ignore")
def factors(w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return columns (k1, c) and rows (k2, c) whose products are the filters (k1, k2, c)."""
    _, k2, channels = w.shape
    largest, every = np.abs(w).reshape(-1, channels).argmax(0), np.arange(channels)
    row, column = w[largest // k2, :, every].T, w[:, largest % k2, every]
    pivot = w[largest // k2, largest % k2, every]
    column = (column / np.where(pivot == 0, 1, pivot)).astype(w.dtype)
    wide = np.promote_types(w.dtype, np.longdouble)
    excess = np.abs(column[:, None].astype(wide) * row - w)
    if not (excess <= TOLERANCE * np.finfo(w.dtype).eps / 2 * np.abs(w)).all():
        raise Refusal("a filter that is no outer product of a column and a row, to the last bits")
    return column, row


def conv(p: ConvProblem, x: np.ndarray, prepared: Prepared, bias: np.ndarray | None, y: np.ndarray) -> None:
    """Convolve along rows and down columns, a band at a time."""
    along, down = passes(p)
    x = lifted(x.astype(p.acc_dtype, copy=False), p.window)
    y = lifted(y, p.window)
    pixel = down.plan.form.pixel
    result = planes.landing(y, p.acc_dtype, pixel)
    if bias is None:
        bias = prepared.none
    elif prepared.channel is not None:
        bias = bias[prepared.channel]
    first = x, along.steps.offsets, prepared.row, prepared.none
    second = down.steps.offsets, prepared.column, bias, result
    tasks = down.plan.tasks
    _loop(p.acc_dtype, pixel)(
        tasks, grain(tasks, seconds(p)), *first, *second, along.plan.sizes, down.plan.sizes
    )
    deliver(result, y)


def seconds(p: ConvProblem) -> float:
    """Predict the seconds of a task on one thread."""
    along, down = passes(p)
    slots = along.plan.computed + along.plan.copied + down.plan.computed
    return planes.TASK + slots * planes.SLOT


def cost(p: ConvProblem) -> float:
    """Count the slots of both passes."""
    down = passes(p)[1].plan
    return CALL + predicted(down.tasks, seconds(p)) + down.delivered * planes.DELIVERED + LOOK


def error(p: ConvProblem, size: np.ndarray, _x: np.ndarray, _w: np.ndarray) -> np.ndarray:
    """Bound the roundings that meet in an output: of two sums, of the factors, of the bias."""
    m = (sum(p.window.k) + 2 + TOLERANCE) * np.finfo(p.acc_dtype).eps / 2
    last = np.finfo(p.y_dtype).eps / 2 if p.y_dtype != p.acc_dtype else 0
    return (m / (1 - m) + last) * size


def rejects(p: ConvProblem) -> str | None:
    """Say why this kernel cannot compute `p`, if it cannot."""
    if reason := OFF or rejects_conv(p):
        return reason
    if p.ic != 1 or p.oc != 1:
        return f"{p.ic} input channels and {p.oc} filters a group, only one of each"
    if p.window.rank < 2 or min(p.window.k[-2:]) < 2 or p.window.k[:-2] not in ((), (1,)):
        return f"window {p.window.k}, only over the last two axes"
    return None


KERNELS = [
    Kernel(
        name="numba:factored",
        problem=ConvProblem,
        rejects=rejects,
        cost=cost,
        run=conv,
        prepare=prepare,
        exact=False,
        error=error,
        fuses=frozenset(FUSED),
    )
]
