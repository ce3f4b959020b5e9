"""Convolution of groups of few channels, depthwise first of all: each vector holds several groups.

    y[n, o, f] = activation(bias[f] + sum over k, c of x[n, o*s + k*d - lo, h*ic + c] * w[k, c, f])

over taps `k` and channels `c`, for the group ``h = f // oc`` of filter `f`. The outputs of ``lanes // oc``
groups, a *block*, share a vector. Their inputs lie side by side as well; a shuffle brings channel c of each
group to the lanes of its outputs. With one channel and one filter a group, which is depthwise, nothing has to
move. Loop nest, outermost first:

    phase       outputs that meet the same taps: one, but for base dilation (transposed convolution)
    item        a strip of WIDTH neighbours, in some rows    parallel: each writes outputs of its own
      o1        rows
        block   groups whose outputs fill a vector
          t0 t1   taps on the outer axes that meet the image at this row
            t2      runs of taps along the row and all channels of a group: ``strips.slide``

The sums of a strip stay in registers, beside the weights of a run where there are 32. An input is loaded once
for all the taps of a run. Lanes are masked where a strip or a block is not whole: at the image's borders, and
where groups do not fill a vector. The length of a run, the distance of its taps, and the channels of a group
are compiled in.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np

from fastconv.backends.numba import bound, direct, jit
from fastconv.backends.numba.arrays import channels_last, deliver, rejects_conv
from fastconv.backends.numba.epilogue import FUSED, activated
from fastconv.backends.numba.groups import pack
from fastconv.backends.numba.simd import BYTES, pointer
from fastconv.backends.numba.slots import RANK, meets
from fastconv.backends.numba.strips import positions, slide, store_strip
from fastconv.backends.numba.tiles import load_elements, repeat
from fastconv.kernel import Kernel
from fastconv.problem import ConvProblem, Window

WIDTH = 8  # outputs of a strip
RUN = 7  # taps of a run at most
CHANNELS = 16  # of a group at most, since each is code of its own
ROWS = 8  # of an item at most
ITEMS = 16  # as many as keep a few threads evenly busy

# Places in ``sizes``; of what has three axes, the first of three.
OUT, TAPS, STRIDE, DILATION, BEFORE = range(0, 15, 3)
GROUPS, BLOCKS, STRIPS, PARTS, BIASED, ACTIVATION = range(15, 21)

FLOPS = 4e10  # a second on one thread

# Seconds on one thread, fitted to measurements on a 2.6 GHz AVX-512 machine.
PRODUCTS = 2.8e-10  # of a vector of products
STRIP = 4e-9  # of a strip's sums
MOVED = 1.6e-11  # of a byte of inputs and outputs
COSTS = ("PRODUCTS", "STRIP", "MOVED")


def strips(lanes: int, runs: int, run: int, stride: int, dilation: int, ic: int, oc: int):
    """Make what computes strips, for vectors of `lanes`, `runs` of `run` taps, and groups of one size."""
    many = lanes // oc  # groups of a block
    vectors = -(-many * ic // lanes)  # of a block's inputs
    reads_all, writes_all = many * ic == vectors * lanes, many * oc == lanes
    places = positions(WIDTH, run, stride, dilation)
    met, last = len(places), places[-1] + (runs - 1) * run * dilation

    @jit.inner
    def bits(lanes):
        """Return a mask of so many lanes."""
        return (np.int64(1) << lanes) - 1

    @jit.inner
    def fill_masks(inside, written, groups, i2, o2, inputs, outputs):
        """Say which lanes there are in a strip that starts at output `o2` and input `i2` of a row.

        `inside` is of inputs, (runs, positions, vectors), and `written` of outputs.
        """
        for t in range(runs):
            for q in range(met):
                within = 0 <= i2 + t * run * dilation + places[q] < inputs
                for j in range(vectors):
                    there = min(max(groups * ic - j * lanes, 0), lanes)
                    inside[(t * met + q) * vectors + j] = bits(there if within else 0)
        for m in range(WIDTH):
            written[m] = bits(groups * oc if o2 + m < outputs else 0)

    @jit.inner
    def apart(x):
        """Return how many elements the neighbours on each axis are apart."""
        size = x.itemsize
        return x.strides[0] // size, x.strides[1] // size, x.strides[2] // size, x.strides[3] // size

    @jit.inner
    def run_item(item, x, weights, bias, y, inside, written, sizes):
        """Compute a strip in some rows; of the masks, [1] are of the last block."""
        rest, strip = divmod(item, sizes[STRIPS])
        rest, part = divmod(rest, sizes[PARTS])
        n, o0 = divmod(rest, sizes[OUT])
        o2 = strip * WIDTH
        i2 = o2 * stride - sizes[BEFORE + 2]
        left = sizes[GROUPS] - (sizes[BLOCKS] - 1) * many  # groups of the last block
        reads = reads_all and i2 >= 0 and i2 + last < x.shape[3]
        writes = writes_all and o2 + WIDTH <= sizes[OUT + 2]
        if not (reads and writes and left == many):
            for tail in range(2):
                groups = left if tail else many
                fill_masks(inside[tail], written[tail], groups, i2, o2, x.shape[3], sizes[OUT + 2])

        xn, x0, x1, pitch = apart(x)
        yn, y0, y1, y2 = apart(y)
        d0, d1, k1, rows = sizes[DILATION], sizes[DILATION + 1], sizes[TAPS + 1], sizes[OUT + 1]
        first0, end0, i0 = meets(o0 * sizes[STRIDE] - sizes[BEFORE], d0, sizes[TAPS], x.shape[1], 1)
        for o1 in range(part * rows // sizes[PARTS], (part + 1) * rows // sizes[PARTS]):
            first1, end1, i1 = meets(o1 * sizes[STRIDE + 1] - sizes[BEFORE + 1], d1, k1, x.shape[2], 1)
            for block in range(sizes[BLOCKS]):
                tail = 1 if block == sizes[BLOCKS] - 1 and left < many else 0
                f = block * many * oc  # the first output channel
                biased = (left if tail else many) * oc * sizes[BIASED]
                tile = repeat(load_elements(pointer(bias) + f * sizes[BIASED], biased, 1), WIDTH)
                corner = pointer(x) + (n * xn + i0 * x0 + i1 * x1 + i2 * pitch + block * many * ic)
                masks, whole = pointer(inside[tail]), reads and not tail
                for t0 in range(end0 - first0):
                    for t1 in range(end1 - first1):
                        tap = (block * sizes[TAPS] + first0 + t0) * k1 + first1 + t1
                        for t2 in range(runs):
                            at = corner + (t0 * d0 * x0 + t1 * d1 * x1 + t2 * run * dilation * pitch)
                            w = pointer(weights) + (tap * runs + t2) * (ic * run * lanes)
                            if whole:
                                tile = slide(tile, at, pitch, None, 0, w, run, stride, dilation, ic, oc)
                            else:
                                mask = t2 * met * vectors
                                tile = slide(tile, at, pitch, masks, mask, w, run, stride, dilation, ic, oc)
                tile = activated(tile, sizes[ACTIVATION])
                place = pointer(y) + (n * yn + o0 * y0 + o1 * y1 + o2 * y2 + f)
                if writes and not tail:
                    store_strip(tile, place, y2, None)
                else:
                    store_strip(tile, place, y2, pointer(written[tail]))

    @jit.compiled
    def run_items(first, end, x, weights, bias, y, sizes):
        """Compute the strips of items."""
        inside, written = np.empty((2, runs * met * vectors), np.int64), np.empty((2, WIDTH), np.int64)
        for item in range(first, end):
            run_item(item, x, weights, bias, y, inside, written, sizes)

    return run_items


@cache
def _loop(dtype: np.dtype, *shape: int) -> jit.Loop:
    """Compile for arrays of `dtype` whose channels lie side by side."""
    line, written = jit.array(dtype, 1), jit.array(dtype, 5, "A", writeable=True)
    return jit.Loop(
        strips(BYTES // dtype.itemsize, *shape),
        jit.array(dtype, 5, "A"),
        line,
        line,
        written,
        jit.array(np.int64, 1),
    )


@dataclass(frozen=True, slots=True)
class Part:
    """One phase of a problem: what computes it, in how many items, and the numbers they go by."""

    outputs: tuple[slice, ...]  # of an array with three spatial axes
    taps: tuple[slice, ...]
    run: int  # taps of a run
    loop: jit.Loop
    items: int
    grain: int  # items that a thread does at a time
    sizes: np.ndarray


@dataclass(frozen=True, slots=True)
class Schedule:
    """What depends on the shapes alone."""

    lift: tuple  # index that gives an array three spatial axes; those of weights come first
    parts: tuple[Part, ...]
    width: int  # output channels of a block
    zero: np.ndarray


@lru_cache(maxsize=256)
def schedule(p: ConvProblem) -> Schedule:
    """Cut a problem into phases and items."""
    lanes = BYTES // p.acc_dtype.itemsize
    return Schedule(
        lift=(slice(None), *(None,) * (RANK - p.window.rank)),
        parts=tuple(_part(p, *phase) for phase in p.window.lifted(RANK).phases()),
        width=lanes // p.oc * p.oc,
        zero=np.zeros(1, p.acc_dtype),
    )


def blocks(p: ConvProblem) -> int:
    """Count the vectors that hold the outputs of a pixel."""
    return -(-p.g // (BYTES // p.acc_dtype.itemsize // p.oc))


def _part(p: ConvProblem, outputs: tuple[slice, ...], taps: tuple[slice, ...], win: Window) -> Part:
    """Cut one phase into items, and its taps into runs."""
    run = next((run for run in range(min(RUN, win.k[2]), 0, -1) if win.k[2] % run == 0), 1)
    runs = win.k[2] // run
    across = -(-win.o[2] // WIDTH)
    rows = min(ROWS, -(-p.n * win.o[0] * win.o[1] * across // ITEMS))
    down = -(-win.o[1] // max(rows, 1))
    items = p.n * win.o[0] * down * across
    sizes = [*win.o, *win.k, *win.s, *win.d, *(before for before, _ in win.p)]
    sizes += [p.g, blocks(p), across, down, p.has_bias, FUSED.index(p.activation)]
    return Part(
        outputs=outputs,
        taps=taps,
        run=run,
        loop=_loop(p.acc_dtype, runs, run, win.s[2], win.d[2] if win.k[2] > 1 else 1, p.ic, p.oc),
        items=items,
        grain=jit.grain(items, p.flops / FLOPS / max(items, 1)),
        sizes=np.array(sizes, np.int64),
    )


def prepare(p: ConvProblem, w: np.ndarray) -> tuple[Schedule, list[np.ndarray]]:
    """Pack the weights of each phase."""
    plan = schedule(p)
    w = w.astype(p.acc_dtype, copy=False)[plan.lift[1:]]
    return plan, [pack(w[part.taps], blocks(p), plan.width, part.run) for part in plan.parts]


def conv(p: ConvProblem, x: np.ndarray, prepared: Any, bias: np.ndarray | None, y: np.ndarray) -> None:
    """Compute all outputs; the channels of a pixel must lie side by side, or are copied so."""
    if x.dtype != p.acc_dtype or x.strides[-1] != x.itemsize or not x.flags.aligned:
        x = channels_last(x, p.acc_dtype)
    result = direct.side_by_side(y, p.acc_dtype)
    for step in listed(x, prepared, bias, result):
        step.do()
    deliver(result, y)


def listed(x: np.ndarray, prepared: Any, bias: np.ndarray | None, y: np.ndarray) -> Iterator[jit.Step]:
    """List what computes outputs whose channels lie side by side, as those of inputs."""
    plan, packed = prepared
    x, y, bias = x[plan.lift], y[plan.lift], plan.zero if bias is None else bias
    for part, weights in zip(plan.parts, packed, strict=True):
        outputs = y[(slice(None), *part.outputs)]
        yield jit.Step(part.loop, part.items, part.grain, (x, weights, bias, outputs, part.sizes))


def steps(p: ConvProblem, x: np.ndarray, *rest: Any) -> list[jit.Step] | None:
    """List what `conv` does, if no array has to be copied."""
    fits = direct.are_direct(p, x, rest[-1]) and x.strides[-1] == x.itemsize
    return list(listed(x, *rest)) if fits else None


def rejects(p: ConvProblem) -> str | None:
    """Say why this kernel cannot compute `p`, if it cannot."""
    if reason := jit.OFF or rejects_conv(p):
        return reason
    lanes = BYTES // p.acc_dtype.itemsize
    if p.g == 1:
        return "1 group, at least 2"
    if p.ic > CHANNELS:
        return f"{p.ic} input channels a group, at most {CHANNELS}"
    if not 1 <= p.oc <= lanes:
        return f"{p.oc} output channels a group, only 1 to the {lanes} of a vector"
    return None


def cost(p: ConvProblem) -> float:
    """Predict vectors of products, those of masked lanes included, moving arrays, and copies."""
    win = p.window.lifted(RANK)
    strips = p.n * math.prod(win.o[:2]) * -(-win.o[2] // WIDTH) * blocks(p)
    products = WIDTH * p.products / math.prod(win.b)
    work = strips * (STRIP + products * PRODUCTS) + p.bytes * MOVED
    return jit.CALL + jit.predicted(1, work) + direct.copies(p)


KERNELS = [
    Kernel(
        "numba:grouped",
        ConvProblem,
        rejects,
        cost,
        conv,
        prepare,
        bind=bound.by(steps),
        fuses=frozenset(FUSED),
    ),
]
