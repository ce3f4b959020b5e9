"""Packing the weights of a dense convolution: in the order in which the micro-kernel reads them.

    packed[phase, group, block, tap, c, n] = w[tap, c, group * oc + block * width + n]

for blocks of NV vectors of output channels, `width` elements, the last one of as many vectors as it needs.
A task packs some input channels of all taps and blocks: where output channels lie side by side, it reads
what does so, in rows, and writes to as many places as there are blocks, past the cache if they are too many
for it.
"""

from __future__ import annotations

from fastconv.backends.numba import jit
from fastconv.backends.numba.microkernel import NV
from fastconv.backends.numba.schedule import (
    FIRST_TAP,
    GROUPS,
    IC,
    OC,
    PACKED,
    TAP_STEP,
    TAPS,
    WEIGHTS,
)
from fastconv.backends.numba.simd import PAST, lanes, pointer
from fastconv.backends.numba.squares import load_square, store_square, transposed
from fastconv.backends.numba.tiles import fence, load_elements, load_row, store_row, stream_row


@jit.merged
def padded(oc, lanes):
    """Return a group's output channels, rounded up to whole vectors."""
    return (oc + lanes - 1) // lanes * lanes


@jit.inner
def pack_rows(source, apart, target, first, count, further, oc, past):
    """Lay out rows of `oc` weights, `apart` from one another, as whole vectors: `count` of each block.

    They are the rows from the `first` on of blocks that have `further` rows each. What is read lies side by
    side, and so does what is written to each block, `past` the cache or not.
    """
    size = lanes(source)
    width = NV * size
    whole, rest = divmod(oc, width)
    for c in range(first, first + count):
        for j in range(whole):
            row, to = load_row(source + j * width, NV), target + (j * further + c) * width
            if past:
                stream_row(row, to)
            else:
                store_row(row, to)
        if rest > size:
            row = load_elements(source + whole * width, rest, NV)
            store_row(row, target + (whole * further + c) * width)
        elif rest > 0:
            row = load_elements(source + whole * width, rest, 1)
            store_row(row, target + (whole * further * width + c * size))
        source = source + apart


@jit.inner
def pack_squares(tap, start, target, step, valid):
    """Lay out whole squares of a tap whose input channels lie side by side; return how far they reach."""
    size = lanes(target)
    if tap.strides[0] != tap.itemsize:
        return 0, 0
    high, wide = tap.shape[0] // size * size, valid // size * size
    apart = tap.strides[1] // tap.itemsize
    for n in range(0, wide, size):
        for c in range(0, high, size):
            square = load_square(pointer(tap) + ((start + n) * apart + c), apart)
            store_square(transposed(square), target + (c * step + n), step)
    return high, wide


@jit.inner
def pack_columns(tap, packed, at, first, further):
    """Lay out weights (ic, oc) whose output channels do not lie side by side, as `pack_rows` does."""
    (ic, oc), size = tap.shape, lanes(pointer(packed))
    for start in range(0, oc, NV * size):
        valid = min(NV * size, oc - start)
        step = padded(valid, size)
        to = at + start * further + first * step
        high, wide = pack_squares(tap, start, pointer(packed) + to, step, valid)
        for n in range(valid):
            for c in range(high if n < wide else 0, ic):
                packed[to + c * step + n] = tap[c, start + n]


@jit.merged
def pack_part(item, w, packed, phases, sizes):
    """Lay out the weights of some input channels of one group in one phase."""
    groups, ic, oc, size = sizes[GROUPS], sizes[IC], sizes[OC], lanes(pointer(packed))
    rest, part = divmod(item, (ic + PACKED - 1) // PACKED)
    phase, group = divmod(rest, groups)
    g, first = phases[phase], part * PACKED
    start, count = group * oc, min(PACKED, ic - first)
    rows = g[TAPS] * g[TAPS + 1] * g[TAPS + 2] * ic  # of a block
    past = packed.nbytes > PAST
    at, row = g[WEIGHTS] + group * rows * padded(oc, size), first
    for k0 in range(g[TAPS]):
        for k1 in range(g[TAPS + 1]):
            for k2 in range(g[TAPS + 2]):
                tap = w[
                    g[FIRST_TAP] + k0 * g[TAP_STEP],
                    g[FIRST_TAP + 1] + k1 * g[TAP_STEP + 1],
                    g[FIRST_TAP + 2] + k2 * g[TAP_STEP + 2],
                    first : first + count,
                    start : start + oc,
                ]
                if w.strides[4] == w.itemsize:
                    apart = w.strides[3] // w.itemsize
                    pack_rows(pointer(tap), apart, pointer(packed) + at, row, count, rows, oc, past)
                else:
                    pack_columns(tap, packed, at, row, rows)
                row += ic


@jit.compiled
def pack_parts(begin, end, w, packed, phases, sizes):
    """Lay out the weights of some input channels each."""
    for item in range(begin, end):
        pack_part(item, w, packed, phases, sizes)
    fence()  # of what was written past the cache
