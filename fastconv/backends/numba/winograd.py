"""Dense convolution by three taps an axis with fewer products than it has, where a caller asks for it.

    y = A' [sum over channels c of (G w[c]) * (B' x[c])]      ``minimal`` has the transforms

16 products for 2 x 2 outputs where all other rows take 36, or 4 for 2 where only the last axis has three
taps; what they save is less, as patches are transformed there and back. Loop nest, outermost first:

    task         patches of outputs, and some of the filters        parallel: each writes its own
      transform  the inputs of all patches, into cache
      block      NV vectors of filters
        multiply one matrix for each of a patch's numbers: patches by channels by filters, ``microkernel``
        untransform the products of the block's patches, in cache; bias, activation

An error goes by all inputs of a patch: one beside the window may leave a trace, of a rounding unit of its
own, where those in the window are small, or zeros. (In return sums are a ninth as long: of inputs of like
sizes, errors are smaller than those of ``direct``.) So only who asks for it gets this row. NaN and infinity
would reach all of their patch: if an output is not finite, all are computed by ``direct`` instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from fastconv.backends.numba import direct, jit
from fastconv.backends.numba.arrays import channels_last, deliver, rejects_conv
from fastconv.backends.numba.epilogue import FUSED
from fastconv.backends.numba.jit import array, compiled, inner
from fastconv.backends.numba.microkernel import NV, compute, table
from fastconv.backends.numba.minimal import (
    OUTS,
    SIDE,
    TAPS,
    load_each_part,
    marked,
    stages,
    weights_transformed,
)
from fastconv.backends.numba.patches import (
    ACTIVATION,
    BIASED,
    BLOCKS,
    CHUNK,
    GROUPS,
    IC,
    PARTS,
    PATCHES,
    RUNS,
    Schedule,
    block_of,
    cost,
    locate,
    schedule,
    split,
)
from fastconv.backends.numba.planes import aligned
from fastconv.backends.numba.scratch import scratch
from fastconv.backends.numba.simd import BYTES, address, lanes, load_pointers, pointer, shifted
from fastconv.backends.numba.tiles import load_elements, store_row, store_tile
from fastconv.kernel import Kernel, Refusal
from fastconv.problem import ConvProblem
from fastconv.rounding import of_patches


@inner
def note(marks, line, odd):
    """Note in `odd` if a lane of `marks` is not finite; `line` is scratch."""
    store_row(marks, pointer(line))
    for lane in range(lanes(pointer(line))):
        if not np.isfinite(line[lane]):
            odd[0] = 1


def _packing(products, taps):
    """Make the transform of weights, `taps` at a time to `products`."""

    @compiled
    def pack(first, end, w, packed, odd, sizes):
        """Transform weights as the micro-kernel reads them; note in `odd` what is not finite."""
        size, ic = lanes(pointer(packed)), sizes[IC]
        length = sizes[RUNS] * ic
        given, places = np.empty(taps, np.int64), np.empty(products, np.int64)
        line = np.empty(size, w.dtype)
        marks = load_elements(pointer(line), 0, 1)
        for number in range(first, end):
            f, valid, width, begin = block_of(number, sizes, size)
            for at in range(products):
                places[at] = address(pointer(packed) + (begin * products + at * length * width))
            v = load_pointers(pointer(places), pointer(packed), products)
            for run in range(length):
                r, c = divmod(run, ic)
                tap = pointer(w) + (r * taps * ic + c) * w.shape[4] + f
                for t in range(taps):
                    given[t] = address(tap + t * ic * w.shape[4])
                x = load_pointers(pointer(given), pointer(packed), taps)
                for n in range(0, width, size):  # zeros where there are fewer filters
                    tile = weights_transformed(load_each_part(shifted(x, n), min(size, valid - n)))
                    marks = marked(marks, tile)
                    store_tile(tile, shifted(v, run * width + n))
        note(marks, line, odd)

    return pack


@inner
def list_places(kept, products, rows, across, apart, reads, writes):
    """List where the transformed inputs of every patch begin, and its products, number by number."""
    size = lanes(pointer(kept))
    summed = rows * NV * size + size
    for at in range(products):
        x, y = pointer(kept) + at * across, pointer(kept) + (products * across + at * summed)
        for row in range(rows):
            reads[at * rows + row] = address(x + row * apart)
            writes[at * rows + row] = address(y + row * NV * size)


def _running(products, written):
    """Make the tasks of patches of `products` numbers, of which `written` outputs come."""
    transform, untransform = stages(products, written)

    @compiled
    def tasks(first, end, x, weights, bias, y, zeros, odd, sizes, kernels):
        """Compute tasks `first` to `end`; note in `odd` where an output is not finite."""
        size, ic, runs, blocks = lanes(pointer(x)), sizes[IC], sizes[RUNS], sizes[BLOCKS]
        length, rows = runs * ic, sizes[CHUNK]  # whole tiles of half the height, at least
        across = rows * length + size  # elements of one number of all patches
        kept = aligned(np.empty(products * (across + (rows * NV + 1) * size) + size, x.dtype))
        reads, writes = np.empty(products * rows, np.int64), np.empty(products * rows, np.int64)
        list_places(kept, products, rows, across, length, reads, writes)
        inputs, outputs = np.empty(products * runs, np.int64), np.empty(rows * written, np.int64)
        first_reads, first_writes = reads[::rows].copy(), writes[::rows].copy()
        spill, live = np.empty(y.shape[4], x.dtype), np.zeros(2 * rows, np.int64)
        live[::2] = 1  # each tile meets one tap, the first
        marks, held, count = load_elements(pointer(kept), 0, 1), -1, 0
        for task in range(first, end):
            rest, part = divmod(task, sizes[PARTS])
            chunk, group = divmod(rest, sizes[GROUPS])
            if rest != held:  # else the last part's are there
                held, count = rest, min(sizes[CHUNK], sizes[PATCHES] - chunk * sizes[CHUNK])
                for row in range(count):
                    patch, to = chunk * sizes[CHUNK] + row, pointer(outputs) + row * written
                    locate(patch, x, y, zeros, spill, pointer(inputs), to, sizes)
                    at = pointer(first_reads)
                    transform(pointer(inputs), at, pointer(x), row * length, group * ic, ic, runs)
            for j in range(part * blocks // sizes[PARTS], (part + 1) * blocks // sizes[PARTS]):
                f, valid, width, begin = block_of(group * blocks + j, sizes, size)
                for at in range(products):
                    compute(
                        kernels,
                        pointer(reads) + at * rows,
                        pointer(writes) + at * rows,
                        pointer(live),
                        count,
                        1,
                        0,
                        length,
                        pointer(weights) + (begin * products + at * length * width),
                        0,
                        0,
                        width,
                        pointer(zeros),
                        0,
                        0,
                        False,
                        0,
                    )
                for row in range(count):
                    marks = untransform(
                        pointer(first_writes),
                        row * NV * size,
                        pointer(outputs) + row * written,
                        f,
                        valid,
                        pointer(bias) + f * sizes[BIASED],
                        sizes[BIASED],
                        sizes[ACTIVATION],
                        marks,
                    )
        note(marks, kept, odd)

    return tasks


@cache
def _loops(dtype: np.dtype, axes: int) -> tuple[jit.Loop, jit.Loop]:
    """Compile for arrays of `dtype`, and windows that are split along so many axes."""
    products, line, sizes = SIDE**axes, array(dtype, 1), array(np.int64, 1)
    written, odd = array(dtype, 5, "A", writeable=True), array(np.int64, 1, writeable=True)
    packed = array(dtype, 1, writeable=True)
    pack, run = _packing(products, TAPS**axes), _running(products, OUTS**axes)
    return (
        jit.Loop(pack, array(dtype, 5), packed, odd, sizes),
        jit.Loop(run, array(dtype, 5, "A"), line, line, written, line, odd, sizes, jit.INDEX),
    )


@dataclass(frozen=True, slots=True)
class Prepared:
    """Weights, and what they are transformed to."""

    w: np.ndarray  # as they came
    transformed: np.ndarray
    schedule: Schedule


def prepare(p: ConvProblem, w: np.ndarray) -> Prepared:
    """Transform ``(*k, ic, g*oc)``, and keep a copy."""
    return lend(p, w.copy())


def lend(p: ConvProblem, w: np.ndarray) -> Prepared:
    """Transform the weights, and keep them as they are."""
    plan, odd = schedule(p), np.zeros(1, np.int64)
    result = scratch((plan.weights,), p.acc_dtype)
    pack, _ = _loops(p.acc_dtype, sum(split(p)))
    whole = np.ascontiguousarray(w, p.acc_dtype)[plan.lift[1:]]
    pack(plan.pack_tasks, plan.pack_grain, whole, result, odd, plan.sizes)
    if odd[0]:
        raise Refusal("a weight is not finite, or a sum of three")
    return Prepared(w, result, plan)


def conv(p: ConvProblem, x: np.ndarray, prepared: Prepared, bias: np.ndarray | None, y: np.ndarray) -> None:
    """Compute all outputs; where one shows that an input is not finite, by what they mean."""
    plan, odd = prepared.schedule, np.zeros(1, np.int64)
    source, result = x, direct.side_by_side(y, p.acc_dtype)
    if x.dtype != p.acc_dtype or x.strides[-1] != x.itemsize:
        source = channels_last(x, p.acc_dtype)
    _, run = _loops(p.acc_dtype, sum(split(p)))
    size = BYTES // p.acc_dtype.itemsize
    kernels = table(p.acc_dtype, -(-p.oc // size) * size, packed=True)
    given = source[plan.lift], prepared.transformed, plan.zeros if bias is None else bias, result[plan.lift]
    run(plan.tasks, plan.grain, *given, plan.zeros, odd, plan.sizes, kernels)
    if odd[0]:
        direct.conv(p, x, direct.prepare(p, prepared.w), bias, y)
    else:
        deliver(result, y)


def error(p: ConvProblem, size: np.ndarray, x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Bound the error by what patches hold."""
    return of_patches(p, split(p), size, x, w)


def rejects(p: ConvProblem) -> str | None:
    """Say why this kernel cannot compute `p`, if it cannot."""
    if reason := jit.OFF or rejects_conv(p):
        return reason
    if not split(p)[-1]:
        return (
            f"a window of {p.window.k} at strides {p.window.s}, only of three taps along the last axis at 1"
        )
    if any(b > 1 for b in p.window.b):
        return "zeros between inputs"
    return None


KERNELS = [
    Kernel(
        "numba:winograd",
        ConvProblem,
        rejects,
        cost,
        conv,
        prepare,
        once=lend,
        exact=False,
        error=error,
        fuses=frozenset(FUSED),
        asked=True,
    ),
]
