"""The innermost loop of every dense convolution: a tile of outputs that stays in registers.

    y[m, n] = activation(bias[n] + sum over taps t, channels c of x[pixel(t, m), c] * w[t, c, n])

for MR output pixels m and NV vectors of output channels n. Inputs are reached through an *indirection*: an
address for each tap and pixel, so that padding, stride and dilation cost nothing in here and no matrix of
windows is ever built; a tap outside the image points at zeros. Each step of the loop over channels loads NV
vectors of weights and MR scalars of input, for MR * NV fused multiply-adds.

The tile follows from the registers: with 32 of them, 14 x 2 sums, 2 weights and 1 input are 31; with 16,
6 x 2 sums, 2 weights and 1 input are 15. What is left over of an image gets tiles of half the height, and
what is left over of the channels a vector, or half of one, with which a processor may be twice as quick.
All are masked where that is still too much.

Where runs of products are short, it is what lies between tiles that counts. So tiles follow one another in
here; the first products start sums instead of being added to some; and each row of a tile is written as
soon as its last product is there, while those of others are still computed: a store of a long vector takes
the place of a fused multiply-add, but not that of a product. Where inputs or outputs are more than a
cache holds, what the next tile reads and where this one is written is brought near meanwhile.

There are four of them, and kernels call them by their addresses, which stand in a `table`. So each is
compiled once for all kernels, when a layer first needs it; linked into a kernel, all would be compiled over
again for it.

References
----------
M. Dukhan, "The Indirect Convolution Algorithm", arXiv:1907.02129, 2019.
F. Van Zee, R. van de Geijn, "BLIS: A Framework for Rapidly Instantiating BLAS Functionality", ACM TOMS
41(3), 2015.
"""

from __future__ import annotations

from functools import lru_cache

import numba
import numpy as np
from numba import types

from fastconv.backends.numba import native
from fastconv.backends.numba.epilogue import activated
from fastconv.backends.numba.jit import inner, merged
from fastconv.backends.numba.products import (
    outer_fma,
    outer_product,
    store_last,
    store_last_relu,
    stream_last,
    stream_last_relu,
)
from fastconv.backends.numba.simd import (
    BYTES,
    REGISTERS,
    PointerType,
    get,
    halved,
    lanes,
    load_pointers,
    plus,
    shifted,
)
from fastconv.backends.numba.tiles import (
    await_each,
    await_row,
    claim_tile,
    load_elements,
    load_row,
    repeat,
    store_elements,
    store_tile,
    stream_tile,
)
from fastconv.backends.numba.words import call, look

NV = 2  # vectors of output channels in a tile
MR = 14 if REGISTERS >= 32 else 6  # output pixels in a tile
HALF = MR // 2
# What may be brought near: what the next tile reads; where this one is written; a block's weights.
NEAR_INPUTS, NEAR_OUTPUTS, NEAR_WEIGHTS = 1, 2, 4
LINE = max(1, 64 // BYTES)  # vectors in a line of memory, which comes as a whole
PAGE = max(1, 4096 // (NV * BYTES))  # rows of weights in a page, at whose end a processor stops reading ahead


def microkernel(rows, columns, step=0, whole=True):
    """Make the micro-kernel for tiles of `rows` pixels by `columns` vectors.

    `step` is how many vectors lie between weights, or 0 if that is not known now; `whole` is whether all
    elements of vectors of weights may be read, those that are not valid too.
    """
    wide, tall = columns == NV, rows == MR

    @inner
    def run(
        pixels,
        outs,
        live,
        tiles,
        room,
        first,
        channels,
        weights,
        apart,
        shift,
        valid,
        bias,
        biased,
        activation,
        past,
        near,
    ):
        """Compute tiles.

        `live` points at the number of taps and their names, `pixels` at the addresses that each reads,
        MR a tap, behind which are `channels` from the `first` on, whose weights lie `step` vectors, or
        else `apart` elements, from one another; `outs` at the output addresses, to be moved by `shift`
        elements. For each tile there is `room` for so many taps. `valid` output channels are stored, `past`
        the cache or not, and `biased` of `bias` are added. `near` says what is brought near in the cache
        beforehand, little by little, as all at once would be in the way of products: outputs' places, half
        of them at each of the first taps; what the next tile reads at its taps of the same numbers, a line of
        each pixel at a time (where it meets fewer, that may be anything); and by the first tile, weights.
        """
        further = step * lanes(weights) if step else apart
        is_whole = valid == columns * lanes(weights)
        for left in range(tiles, 0, -1):
            taps = get(live)
            last = taps if wide and is_whole and activation <= 1 and taps * channels > 1 else 0
            if taps * channels > 0:
                w = weights + get(live + 1) * channels * further
                row = load_row(w, columns) if whole else load_elements(w, valid, columns)
                tile = outer_product(load_pointers(pixels, weights, rows), first, row)
                if biased > 0:
                    tile = plus(tile, repeat(load_elements(bias, biased, columns), rows))
            else:
                tile = repeat(load_elements(bias, biased, columns), rows)
            c, x, w = first, load_pointers(outs, weights, rows), weights  # of the last tap, behind the loop
            for t in range(taps):
                if wide and near & NEAR_OUTPUTS and t * HALF < rows:
                    claim_tile(shifted(load_pointers(outs + t * HALF, weights, HALF), shift), columns)
                x = load_pointers(pixels + t * MR, weights, rows)
                done = 1 if t == 0 else 0
                w = weights + (get(live + 1 + t) * channels + done) * further
                c, end = first + done, first + channels - (t + 1 == last)
                while c < end:
                    stop = end
                    if tall and near & (NEAR_INPUTS | NEAR_WEIGHTS):
                        stop = min(end, c + LINE * lanes(weights))
                        if left > 1 and near & NEAR_INPUTS:
                            await_each(load_pointers(pixels + (room + t) * MR, weights, rows), c)
                        if left == tiles and near & NEAR_WEIGHTS:
                            for ahead in range(PAGE, PAGE + LINE * lanes(weights)):
                                await_row(w + ahead * further, columns)
                    while c < stop:
                        row = load_row(w, columns) if whole else load_elements(w, valid, columns)
                        tile, c = outer_fma(tile, x, c, row)
                        w = w + further
            if wide and last:
                finish(tile, x, c, load_row(w, columns), outs, shift, activation, past)
            else:
                ys = shifted(load_pointers(outs, weights, rows), shift)
                tile = activated(tile, activation)
                if wide and past and is_whole:
                    stream_tile(tile, ys)
                elif is_whole:  # masks: 1.6 times as long at 27 products
                    store_tile(tile, ys)
                else:
                    store_elements(tile, ys, valid)
            pixels, outs, live = pixels + room * MR, outs + MR, live + (1 + room)
        return 0

    return run


@merged
def finish(tile, x, c, row, outs, shift, activation, past):
    """Add the last products to a tile, and write its rows as they are done."""
    if past and activation:
        stream_last_relu(tile, x, c, row, outs, shift)
    elif past:
        stream_last(tile, x, c, row, outs, shift)
    elif activation:
        store_last_relu(tile, x, c, row, outs, shift)
    else:
        store_last(tile, x, c, row, outs, shift)


MADE = (
    microkernel(MR, NV, NV),
    microkernel(HALF, NV),
    microkernel(HALF, 1, whole=False),
    microkernel(HALF, 1, whole=False),  # for vectors of half the width
)
FULL_WIDE, HALF_WIDE, HALF_NARROW, HALF_SLIM = range(4)
_tables: dict[np.dtype, np.ndarray] = {}  # of addresses, by these numbers; 0 where nothing has been compiled


@lru_cache(maxsize=256)
def table(dtype: np.dtype, oc: int, *, packed: bool) -> int:
    """Compile what `compute` needs for `oc` channels of a group; return the address of a table of it."""
    listed, number, element = PointerType(types.int64), types.int64, numba.from_dtype(dtype)
    addresses = _tables.setdefault(dtype, np.zeros(len(MADE), np.int64))
    for kind in needed(oc, BYTES // dtype.itemsize, packed=packed):
        given = PointerType(element, BYTES // 2 if kind == HALF_SLIM else BYTES)
        signature = *(listed,) * 3, *(number,) * 4, given, *(number,) * 3, given, *(number,) * 4
        addresses[kind], _ = native.machine_code(MADE[kind], signature)
    return addresses.ctypes.data


def needed(oc: int, size: int, *, packed: bool) -> set[int]:
    """List which micro-kernels `compute` calls for blocks of `oc` channels, with vectors of `size`."""
    kinds = set()
    for valid in {min(oc, NV * size), oc % (NV * size)} - {0}:
        if valid == NV * size or (valid > size and packed):
            kinds |= {FULL_WIDE, HALF_WIDE} if packed else {HALF_WIDE}
        else:
            kinds |= {
                HALF_NARROW if min(size, valid - n) > size // 2 else HALF_SLIM for n in range(0, valid, size)
            }
    return kinds


@merged
def tiles_of(count):
    """Return how many tiles cover `count` pixels; all but the last have MR."""
    return (count + MR - 1) // MR


@merged
def compute(
    kernels,
    pixels,
    outs,
    live,
    count,
    room,
    first,
    channels,
    weights,
    apart,
    shift,
    valid,
    bias,
    biased,
    activation,
    past,
    near,
):
    """Compute `count` pixels, in tiles for which there is `room` for so many taps, of at most NV vectors.

    Weights lie `apart`; if that is 0, they are packed. Only tiles of half the height have a register for it,
    and for the address of every pixel: they take more loads, which is no matter where products take longer.
    `past` the cache may be written what is aligned in memory. `kernels` is the address of a `table`.

    Everything is a number or a pointer: arrays would be counted on the way in and out, which takes as long
    as a few taps.
    """
    size, run, end = lanes(weights), (room, first, channels), (activation, past, near)
    is_wide = valid == NV * size or (valid > size and not apart)
    if is_wide and not apart:
        tiles = (count + HALF - 1) // MR  # the last one, too, if more than half of it counts
        at = pixels, outs, live, tiles
        call(look(kernels, FULL_WIDE), at + run + (weights, 0, shift, valid, bias, biased) + end)
        pixels, outs, live = pixels + tiles * room * MR, outs + tiles * MR, live + tiles * (1 + room)
        count -= tiles * MR
    step = apart or (NV * size if valid > size else size)
    for m in range(0, MR, HALF):  # halves of tiles: the first of each, then the second
        at = pixels + m, outs + m, live, (count + MR - 1 - m) // MR
        if is_wide:
            call(look(kernels, HALF_WIDE), at + run + (weights, step, shift, valid, bias, biased) + end)
            continue
        for n in range(0, valid, size):  # a vector at a time
            w, b, to, here = weights + n, bias + n, shift + n, min(size, valid - n)
            given = here if biased else 0
            if here > size // 2:
                call(look(kernels, HALF_NARROW), at + run + (w, step, to, here, b, given) + end)
            else:
                v, h = halved(w), halved(b)
                call(look(kernels, HALF_SLIM), at + run + (v, step, to, here, h, given) + end)
