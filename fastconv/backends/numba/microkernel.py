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

References
----------
M. Dukhan, "The Indirect Convolution Algorithm", arXiv:1907.02129, 2019.
F. Van Zee, R. van de Geijn, "BLIS: A Framework for Rapidly Instantiating BLAS Functionality", ACM TOMS
41(3), 2015.
"""

from __future__ import annotations

from fastconv.backends.numba.epilogue import activated
from fastconv.backends.numba.jit import inner, merged
from fastconv.backends.numba.simd import REGISTERS, get, halved, lanes, load_pointers, shifted
from fastconv.backends.numba.tiles import (
    claim_tile,
    load_elements,
    load_row,
    outer_fma,
    repeat,
    store_elements,
    store_tile,
    stream_tile,
)

NV = 2  # vectors of output channels in a tile
MR = 14 if REGISTERS >= 32 else 6  # output pixels in a tile
HALF = MR // 2


def microkernel(rows, columns, step=0, whole=True):
    """Make the micro-kernel for tiles of `rows` pixels by `columns` vectors.

    `step` is how many vectors lie between weights, or 0 if that is not known now; `whole` is whether all
    elements of vectors of weights may be read, those that are not valid too.
    """
    wide = columns == NV

    @inner
    def run(
        pixels,
        live,
        first,
        channels,
        weights,
        apart,
        outs,
        shift,
        valid,
        bias,
        biased,
        activation,
        past,
        near,
    ):
        """Compute one tile.

        `live` points at the number of taps and their names, `pixels` at the addresses that each reads,
        MR a tap, behind which are `channels` from the `first` on, whose weights lie `step` vectors, or
        else `apart` elements, from one another; `outs` at the output addresses, to be moved by `shift`
        elements. `valid` output channels are stored, `past` the cache or not, and `biased` of `bias` are
        added. The outputs' places are brought `near` in the cache beforehand, half of them at each of the
        first taps, as all at once would be in the way of weights.
        """
        tile = repeat(load_elements(bias, biased, columns), rows)
        further = step * lanes(weights) if step else apart
        for t in range(get(live)):
            if wide and near and t * HALF < rows:
                claim_tile(shifted(load_pointers(outs + t * HALF, weights, HALF), shift), columns)
            x = load_pointers(pixels + t * MR, weights, rows)
            w = weights + get(live + 1 + t) * channels * further
            for c in range(first, first + channels):
                row = load_row(w, columns) if whole else load_elements(w, valid, columns)
                tile = outer_fma(tile, x, c, row)
                w = w + further
        tile = activated(tile, activation)
        ys = shifted(load_pointers(outs, weights, rows), shift)
        if past and wide and valid == NV * lanes(weights):
            stream_tile(tile, ys)
        elif valid == columns * lanes(weights):  # masks: 1.6 times as long at 27 products
            store_tile(tile, ys)
        else:
            store_elements(tile, ys, valid)

    return run


full_wide, half_wide = microkernel(MR, NV, NV), microkernel(HALF, NV)
half_narrow, half_slim = microkernel(HALF, 1, whole=False), microkernel(HALF, 1, whole=False)


@merged
def tiles_of(count):
    """Return how many tiles cover `count` pixels; all but the last have MR."""
    return (count + MR - 1) // MR


@merged
def compute(
    pixels,
    outs,
    live,
    left,
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
    """Compute a tile of which `left` pixels count, and at most NV vectors of channels.

    Weights lie `apart`; if that is 0, they are packed. Only tiles of half the height have a register for it,
    and for the address of every pixel: they take more loads, which is no matter where products take longer.
    `past` the cache may be written what is aligned in memory.

    Everything is a number or a pointer: arrays would be counted on the way in and out, which takes as long
    as a few taps.
    """
    size = lanes(weights)
    if left > HALF and valid > size and not apart:
        full_wide(
            pixels,
            live,
            first,
            channels,
            weights,
            0,
            outs,
            shift,
            valid,
            bias,
            biased,
            activation,
            past,
            near,
        )
        return
    step = apart or (NV * size if valid > size else size)
    for m in range(0, min(left, MR), HALF):
        x = pixels + m
        y = outs + m
        if valid == NV * size or (valid > size and not apart):
            half_wide(
                x, live, first, channels, weights, step, y, shift, valid, bias, biased, activation, past, near
            )
            continue
        for n in range(0, valid, size):  # a vector at a time
            w = weights + n
            b = bias + n
            here = min(size, valid - n)
            given = here if biased else 0
            if here > size // 2:
                half_narrow(
                    x, live, first, channels, w, step, y, shift + n, here, b, given, activation, past, near
                )
            else:
                v, h = halved(w), halved(b)
                half_slim(
                    x, live, first, channels, v, step, y, shift + n, here, h, given, activation, past, near
                )
