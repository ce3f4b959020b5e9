"""How the convolution of planes is cut into tasks and steps: a function of the problem alone.

A task computes a *band* of output rows, or a *segment* of it where rows are long. It copies the input rows
that they meet into a *panel*, padding and zeros between inputs included. Where outputs go in strides of s,
a row of the panel holds every s-th input first, then those one further, and so on: what a tap meets for
neighbouring outputs then lies side by side.

Two layouts are convolved so: *planes*, each channel an image of its own; and *pixels* whose channels lie
side by side, each with a filter of its own, as one image with `channels` elements to a pixel. The rows of
a tile (``stagger``) are rows of the image, or lie along one row: whichever is less work.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from fastconv.backends.numba.epilogue import FUSED
from fastconv.backends.numba.simd import BYTES
from fastconv.backends.numba.slots import OUT_INPUTS, OUTS, RANK, table
from fastconv.backends.numba.stagger import SIZES, R, counted, slots
from fastconv.problem import ConvProblem

SEGMENT = 2048  # elements of a row that a task computes, or a few more
PANEL = 3 << 17  # bytes of a panel, which should stay in the L2 cache
TASKS = 16  # as many as keep a few threads evenly busy

# Slots: of an element copied in a run, on its own, from a cache line of its own, to an output ...
RUN, ALONE, FAR, DELIVERED = 0.2, 1.2, 4.0, 18.0
TILE, ROW = 4 * R, 100  # ... of a tile's beginning and end, and of those of a row of the panel

# Places in ``sizes``; of what has three axes, the first of three.
TAPS, STRIDE, DILATION, BEFORE, BASE, OUT = range(0, 18, 3)
PLANES, IC, OC, PIXEL, PERIOD, ALONG, ACTIVATION = range(18, 25)
PLACE_STEP, INPUT_STEP = 25, 26  # of those that the outputs of a row meet: places in the panel, inputs
BAND, PART, APART, ROWS, WIDTH, PITCH, TILE_PITCH, THREES, TWOS, ONES, ELEMENTS = range(27, 38)


class Form(NamedTuple):
    """Which elements are neighbours, and which way the rows of a tile follow one another."""

    pixel: int  # channels that lie side by side; 1 in planes
    along: bool  # a row of the image, or else down its columns


@dataclass(frozen=True, slots=True)
class Schedule:
    """The numbers of one problem in one form."""

    form: Form
    sizes: np.ndarray
    tasks: int
    computed: int  # slots of a task, multiply-adds as ``stagger`` counts them ...
    copied: float  # ... and of its copies, what takes as long
    delivered: int  # elements to be copied to the output


@dataclass(frozen=True, slots=True)
class Steps:
    """What the steps of a tile read, one after the other."""

    offsets: np.ndarray  # of the first tap's inputs, in the panel
    order: np.ndarray  # of the weights: positions in (*k, ic)


@lru_cache(maxsize=256)
def schedule(p: ConvProblem) -> Schedule:
    """Cut a problem in the form that is the least work."""
    return min((cut(p, form) for form in _forms(p)), key=_work)


def _work(plan: Schedule) -> float:
    return plan.tasks * (plan.computed + plan.copied) + plan.delivered * DELIVERED


def _forms(p: ConvProblem) -> Iterator[Form]:
    """List the forms in which `p` can be computed."""
    yield Form(1, along=False)
    yield Form(1, along=True)
    if p.ic == p.oc == 1 < p.g and p.x_order[-1] == p.y_order[-1] == p.window.rank + 1:
        yield Form(p.g, along=False)
        if _lanes(p) % p.g == 0:  # else the rows of a tile would differ in their weights
            yield Form(p.g, along=True)


def _lanes(p: ConvProblem) -> int:
    return BYTES // p.acc_dtype.itemsize


@lru_cache(maxsize=1024)
def cut(p: ConvProblem, form: Form, least: int = 0) -> Schedule:
    """Cut a problem in one form, into bands of `least` rows or more if that is given."""
    win, lanes, pixel = p.window.lifted(RANK), _lanes(p), form.pixel
    (k0, k1, k2), (_, s1, s2), (_, d1, d2), (o0, o1, o2) = win.k, win.s, win.d, win.o
    planes, filters = (p.g, p.oc) if pixel == 1 else (1, 1)

    part = max(1, -(-o2 // max(1, -(-o2 * pixel // SEGMENT))))
    parts = -(-o2 // part)
    vectors = _up(part * pixel, R * lanes if form.along else lanes) // lanes
    reach = max(k2 - 1, 0) * d2 // s2 * pixel  # elements from the first tap's inputs to the last one's
    width = vectors * lanes + _up(reach, lanes)
    pitch = (s2 * width // lanes | 1) * lanes  # an odd number of vectors, so that rows share no cache set

    apart = 1 if form.along else math.lcm(s1, d1) // s1  # output rows from one of a tile to the next
    unit = 1 if form.along else apart * R
    fitting = (PANEL // max(p.acc_dtype.itemsize * k0 * p.ic * pitch, 1) - win.extent[1]) // s1 + 1
    units = -(-o1 // unit)
    wanted = units * p.n * planes * o0 * parts // TASKS
    band = _up(least, unit) or max(1, min(units, wanted, fitting // unit)) * unit
    rows = max(0, (band - 1) * s1 + win.extent[1])

    counts = [k0 * p.ic * (k1 if form.along else k2) * count for count in _counts(p, form)]
    tiles = band * vectors // R * filters
    computed = tiles * (TILE + sum(n * slots(q) for n, q in zip(counts, SIZES, strict=True)))
    copied = k0 * p.ic * rows * (ROW + (part * s2 + win.extent[2]) * pixel * _copying(p, form))
    scattered = pixel == 1 < p.g * p.oc and p.y_order[-1] != p.window.rank
    sizes = [*win.k, *win.s, *win.d, *(before for before, _ in win.p), *win.b, *win.o]
    sizes += [planes, p.ic, filters, pixel, pixel // math.gcd(pixel, lanes), form.along]
    sizes += [
        FUSED.index(p.activation) if p.activation in FUSED else 0,  # else the plan applies it
        *table(p.window)[2, [OUTS, OUT_INPUTS]],
        band,
        part,
        apart,
        rows,
        width,
        pitch,
    ]
    sizes += [lanes if form.along else math.lcm(s1, d1) * pitch, *counts, k0 * p.ic * rows * pitch]
    return Schedule(
        form=form,
        sizes=np.array(sizes, np.int64),
        tasks=p.n * planes * o0 * -(-o1 // band) * parts,
        computed=computed,
        copied=copied,
        delivered=math.prod(p.y_shape) if scattered else 0,
    )


def _copying(p: ConvProblem, form: Form) -> float:
    """Return the slots of an element on its way to the panel."""
    if form.pixel > 1:
        return RUN if p.window.s[-1:] == (1,) or form.pixel >= _lanes(p) else ALONE
    if p.g * p.ic == 1 or p.x_order[-1] == p.window.rank:
        return RUN if p.window.s[-1:] == (1,) else ALONE
    return ALONE if p.g * p.ic < _lanes(p) else FAR


def _up(count: int, step: int) -> int:
    """Round up to a multiple."""
    return -(-count // step) * step


def _step_axis(p: ConvProblem, form: Form) -> tuple[int, int]:
    """Return the axis along which a step's taps lie, and how many taps apart they are.

    Down the columns, they meet the inputs of a tile's other rows where stride and dilation have a common
    multiple. Along a row, they do where what lies a vector further is another tap's vector.
    """
    win = p.window.lifted(RANK)
    if not form.along:
        return 1, math.lcm(win.s[1], win.d[1]) // win.d[1]
    apart, rest = divmod(_lanes(p) * win.s[2], win.d[2] * form.pixel)
    return 2, max(win.k[2], 1) if rest else apart


def _counts(p: ConvProblem, form: Form) -> list[int]:
    """Count the steps of each size along their axis, without a list of them: filters can be vast."""
    axis, apart = _step_axis(p, form)
    taps, longer = divmod(p.window.lifted(RANK).k[axis], apart)
    pairs = zip(counted(taps + 1), counted(taps), strict=True)
    return [longer * more + (apart - longer) * less for more, less in pairs]


def _heads(p: ConvProblem, form: Form) -> list[np.ndarray]:
    """List the first taps, along the axis of the steps, of the steps of each size."""
    axis, apart = _step_axis(p, form)
    taps = p.window.lifted(RANK).k[axis]
    length, longer = divmod(taps, apart)
    found: dict[int, list[np.ndarray]] = {size: [] for size in SIZES}
    for first, end, left in ((0, longer, length + 1), (longer, min(apart, taps), length)):  # chains
        heads = np.arange(first, end)[:, None]
        for size, count in zip(SIZES, counted(left), strict=True):
            found[size].append((heads + np.arange(count) * size * apart).ravel())
            heads = heads + count * size * apart
    return [np.concatenate(each) for each in found.values()]


@lru_cache(maxsize=256)
def listed(p: ConvProblem, form: Form, least: int = 0) -> Steps:
    """List the steps of a problem that is ``cut`` so, the longest first."""
    plan, win = cut(p, form, least), p.window.lifted(RANK)
    (k0, k1, k2), (_, _, s2), (_, d1, d2) = win.k, win.s, win.d
    (axis, apart), along = _step_axis(p, form), form.along
    offsets, order = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for size, heads in zip(SIZES, _heads(p, form), strict=True):
        others = np.arange(k1 if along else k2)
        t0, c, head, other = np.ix_(np.arange(k0), np.arange(p.ic), heads, others)
        t1, t2 = (other, head) if axis == 2 else (head, other)
        row = (t0 * p.ic + c) * plan.sizes[ROWS] + t1 * d1
        column = t2 * d2 % s2 * plan.sizes[WIDTH] + t2 * d2 // s2 * form.pixel
        offsets.append((row * plan.sizes[PITCH] + column).ravel())
        first = ((t0 * k1 + t1) * k2 + t2) * p.ic + c
        next_tap = apart * p.ic * (1 if axis == 2 else k2)
        order.append((first[..., None] + np.arange(size) * next_tap).ravel())
    return Steps(np.concatenate(offsets), np.concatenate(order))
