"""Convolution by windows of one tap, 1x1, of images whose channels come first: products of matrices.

    y[n, f, o] = activation(bias[f] + sum over channels c of w[f, c] * x[n, c, o*s])

The tile is that of ``microkernel`` with pixels and filters in each other's place, so that nothing has to be
transposed. Loop nest, outermost first:

    task      a stretch of pixels of an image, some filters of a group      parallel: each writes its own
    panel     a copy of the pixels, block by block, in cache; that of whole blocks is made by their first tile
      block   NV vectors of pixels
        tile  MR filters, in registers, over all channels
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from fastconv.backends.numba import bound, jit
from fastconv.backends.numba.arrays import deliver, landing, lies, planes, rejects_conv
from fastconv.backends.numba.copying import copy_elements, gather_elements
from fastconv.backends.numba.epilogue import FUSED, activated
from fastconv.backends.numba.jit import OFF, array, compiled, inner, merged
from fastconv.backends.numba.microkernel import HALF, MR, NV
from fastconv.backends.numba.planes import aligned
from fastconv.backends.numba.products import outer_fma
from fastconv.backends.numba.simd import address, lanes, load_pointers, pointer, shifted
from fastconv.backends.numba.slots import RANK
from fastconv.backends.numba.stretches import (
    ACTIVATION,
    BLOCKS,
    FAR,
    GROUPS,
    IC,
    OC,
    OUT,
    PARTS,
    STRETCHES,
    STRIDE,
    cost,
    schedule,
)
from fastconv.backends.numba.tiles import (
    fence,
    load_row,
    same_in_rows,
    store_elements,
    store_row,
    store_tile,
    stream_tile,
)
from fastconv.backends.numba.transposition import transpose
from fastconv.kernel import Kernel
from fastconv.problem import ConvProblem


def _tile(rows, packs):
    """Make what computes a tile of `rows` filters; that of a block's first ones `packs` its pixels."""

    @inner
    def run(weights, biases, outs, shift, source, apart, panel, channels, valid, activation, past):
        """Compute a tile from the addresses of its filters' weights, biases and outputs.

        Pixels are read from the panel, or where they are, channels `apart`, and put there.
        """
        tile = same_in_rows(load_pointers(biases, panel, rows), NV)
        w = load_pointers(weights, panel, rows)
        c = 0
        while c < channels:
            if packs:
                pixels = load_row(source, NV)
                store_row(pixels, panel)
                source = source + apart
            else:
                pixels = load_row(panel, NV)
            tile, c = outer_fma(tile, w, c, pixels)
            panel = panel + NV * lanes(panel)
        tile = activated(tile, activation)
        y = shifted(load_pointers(outs, panel, rows), shift)
        if valid < NV * lanes(panel):
            store_elements(tile, y, valid)
        elif past:
            stream_tile(tile, y)
        else:
            store_tile(tile, y)

    return run


first_tile, whole, half = _tile(MR, True), _tile(MR, False), _tile(HALF, False)


@inner
def gather(line, source, first, count, x, sizes):
    """Copy what `count` outputs of a plane read, from the `first` on, to where they lie side by side."""
    rest, o2 = first // sizes[OUT + 2], first % sizes[OUT + 2]
    o0, o1 = rest // sizes[OUT + 1], rest % sizes[OUT + 1]
    done = 0
    while done < count:
        here = min(count - done, sizes[OUT + 2] - o2)
        at = o0 * sizes[STRIDE] * x.strides[2] + o1 * sizes[STRIDE + 1] * x.strides[3]
        at += o2 * sizes[STRIDE + 2] * x.strides[4]
        apart = sizes[STRIDE + 2] * x.strides[4] // x.itemsize
        gather_elements(source + at // x.itemsize, apart, pointer(line) + done, here)
        done += here
        o2, o1 = 0, o1 + 1
        if o1 == sizes[OUT + 1]:
            o1, o0 = 0, o0 + 1


@merged
def is_dense(x, sizes):
    """Whether what the outputs of a plane read lies side by side, in their order."""
    dense = True
    size = x.itemsize
    for axis in range(2, -1, -1):
        if x.shape[2 + axis] > 1 and (sizes[STRIDE + axis] != 1 or x.strides[2 + axis] != size):
            dense = False
        size *= x.shape[2 + axis]
    return dense


@inner
def fill(panel, line, x, n, channel, first, count, dense, sizes):
    """Copy the channels of `count` pixels, from the `first` on, as blocks; put zeros behind the last one."""
    width = NV * lanes(pointer(panel))
    blocks = (count + width - 1) // width
    kept = count // width if dense else 0
    for c in range(sizes[IC]):
        source = pointer(x) + (n * x.strides[0] + (channel + c) * x.strides[1]) // x.itemsize
        if dense:
            source = source + first
        else:
            gather(line, source, first, count, x, sizes)
            source = pointer(line)
        for block in range(kept, blocks):
            target = (block * sizes[IC] + c) * width
            here = min(width, count - block * width)
            copy_elements(source + block * width, pointer(panel) + target, here)
            for element in range(here, width):
                panel[target + element] = 0
    return kept


@compiled
def tasks(first, end, x, weights, bias, y, sizes):
    """Compute tasks `first` to `end`."""
    size, width = lanes(pointer(x)), NV * lanes(pointer(x))
    pixels = y.shape[2]
    stretch = sizes[BLOCKS] * width
    panel = aligned(np.empty(sizes[IC] * stretch + size, x.dtype))
    line = np.empty(stretch, x.dtype)
    tiles = (sizes[OC] + MR - 1) // MR
    reads, biases = np.empty(tiles * MR, np.int64), np.empty(tiles * MR, np.int64)
    outs = np.empty(tiles * MR, np.int64)
    dense = is_dense(x, sizes)
    past = sizes[FAR] and (address(pointer(y)) | pixels * y.itemsize) % (size * y.itemsize) == 0
    for task in range(first, end):
        rest, part = task // sizes[PARTS], task % sizes[PARTS]
        rest, at = rest // sizes[STRETCHES], rest % sizes[STRETCHES] * stretch
        n, group = rest // sizes[GROUPS], rest % sizes[GROUPS]
        count = min(stretch, pixels - at)
        kept = fill(panel, line, x, n, group * sizes[IC], at, count, dense, sizes)
        begin, stop = part * tiles // sizes[PARTS] * MR, (part + 1) * tiles // sizes[PARTS] * MR
        for f in range(begin, stop):
            row = group * sizes[OC] + min(f, sizes[OC] - 1)
            reads[f] = address(pointer(weights) + row * sizes[IC])
            biases[f] = address(pointer(bias) + row)
            outs[f] = address(pointer(y) + (n * y.shape[1] + row) * pixels)
        source = pointer(x) + (n * x.strides[0] + group * sizes[IC] * x.strides[1]) // x.itemsize + at
        apart = x.strides[1] // x.itemsize
        for f in range(begin, min(stop, sizes[OC]), MR):
            for block in range((count + width - 1) // width):
                given = (
                    pointer(reads) + f,
                    pointer(biases) + f,
                    pointer(outs) + f,
                    at + block * width,
                    source + block * width,
                    apart,
                )
                more = (
                    pointer(panel) + block * sizes[IC] * width,
                    sizes[IC],
                    min(width, count - block * width),
                )
                if f == begin and block < kept:
                    first_tile(*given, *more, sizes[ACTIVATION], past)
                elif sizes[OC] - f > HALF:
                    whole(*given, *more, sizes[ACTIVATION], past)
                else:
                    half(*given, *more, sizes[ACTIVATION], past)
    if past:
        fence()


@cache
def _loop(dtype: np.dtype) -> jit.Loop:
    """Compile for arrays of `dtype`."""
    y = array(dtype, 3, writeable=True)
    return jit.Loop(tasks, array(dtype, 5, "A"), array(dtype, 2), array(dtype, 1), y, array(np.int64, 1))


def prepare(p: ConvProblem, w: np.ndarray) -> np.ndarray:
    """Transpose ``(*1, ic, g*oc)``, to have the weights of a filter side by side."""
    matrix = w.reshape(p.ic, p.g * p.oc).astype(p.acc_dtype, copy=False)
    rows = np.empty((p.g * p.oc, p.ic), p.acc_dtype)
    if not transpose(matrix[None], rows[None]):
        rows[...] = matrix.T
    return rows


def lend(p: ConvProblem, w: np.ndarray) -> np.ndarray:
    """Take the weights as they lie, if those of a filter are side by side, or transpose them."""
    rows = w.reshape(p.ic, p.g * p.oc).T
    fits = rows.dtype == p.acc_dtype and rows.flags.c_contiguous and rows.flags.aligned
    return rows if fits else prepare(p, w)


def conv(p: ConvProblem, x: np.ndarray, rows: np.ndarray, bias: np.ndarray | None, y: np.ndarray) -> None:
    """Compute all outputs, which are planes as the inputs are."""
    y = y.transpose(planes(p.window.rank))
    result = landing(y, p.acc_dtype, contiguous=True)
    step(p, x.astype(p.acc_dtype, copy=False), rows, bias, result).do()
    deliver(result, y)


def step(p: ConvProblem, x: np.ndarray, rows: np.ndarray, bias: Any, y: np.ndarray) -> jit.Step:
    """Say what computes contiguous planes."""
    plan = schedule(p)
    lift = slice(None), slice(None), *(None,) * (RANK - p.window.rank)
    x, y = x.transpose(planes(p.window.rank))[lift], y.reshape(p.n, p.g * p.oc, -1)
    arguments = x, rows, plan.zeros if bias is None else bias, y, plan.sizes
    return jit.Step(_loop(p.acc_dtype), plan.tasks, plan.grain, arguments)


def steps(p: ConvProblem, x: np.ndarray, rows: np.ndarray, bias: Any, y: np.ndarray) -> list[jit.Step] | None:
    """List what `conv` does, if no array has to be copied."""
    y = y.transpose(planes(p.window.rank))
    if not (x.dtype == y.dtype == p.acc_dtype and y.flags.c_contiguous):
        return None
    return [step(p, x, rows, bias, y)]


def rejects(p: ConvProblem) -> str | None:
    """Say why this kernel cannot compute `p`, if it cannot."""
    if reason := OFF or rejects_conv(p):
        return reason
    if p.window.taps != 1:
        return f"a window of {p.window.k}, only of one tap"
    if not p.window.is_plain:
        return "padding or zeros between inputs"
    order = planes(p.window.rank)
    if not (lies(p.x_shape, p.x_order, order) and lies(p.y_shape, p.y_order, order)):
        return "channels that do not come first"
    return None


KERNELS = [
    Kernel(
        "numba:pointwise",
        ConvProblem,
        rejects,
        cost,
        conv,
        prepare,
        once=lend,
        fuses=frozenset(FUSED),
        bind=bound.by(steps),
    ),
]
