"""Where the pixels of a dense convolution read and write: addresses for the micro-kernel.

For every tile of MR output pixels there is a list of the taps that meet the image at some of its pixels,
and for each of those the address that each pixel reads from; a pixel whose tap is outside the image reads
zeros. A tap that is outside for the whole tile is left out: its products are zeros.

    live[tile]           how many taps are listed, and then which
    inputs[tile, t, m]   what pixel `m` reads for the t-th of them
    outputs[tile, m]     where it writes

Beyond the last pixel a tile is filled up with that pixel, which is then computed and stored again.
"""

from __future__ import annotations

import numpy as np

from fastconv.backends.numba.jit import inner, merged
from fastconv.backends.numba.microkernel import MR, tiles_of
from fastconv.backends.numba.schedule import (
    BEFORE,
    DILATION,
    FIRST_OUT,
    OUT,
    OUT_STEP,
    STRIDE,
    TAPS,
)
from fastconv.backends.numba.simd import address, pointer


@merged
def room(count, taps):
    """Return arrays for the inputs, outputs and live taps of `count` pixels."""
    tiles = tiles_of(count)
    inputs, live = np.empty((tiles, taps, MR), np.int64), np.empty((tiles, 1 + taps), np.int64)
    return inputs, np.empty((tiles, MR), np.int64), live


@inner
def list_addresses(inputs, outputs, live, x, y, zeros, g, first, count):
    """List what `count` pixels of the region `g` read and write, from the `first` on."""
    at = np.empty((4, MR), np.int64)  # of each pixel of a tile: first address read, and its place
    rest, o2 = divmod(first, g[OUT + 2])
    rest, o1 = divmod(rest, g[OUT + 1])
    n, o0 = divmod(rest, g[OUT])
    left = count - 1
    for tile in range(tiles_of(count)):
        in_a_row = o2 + MR <= g[OUT + 2] and left >= MR - 1
        for m in range(1 if in_a_row else MR):
            i0 = o0 * g[STRIDE] - g[BEFORE]
            i1 = o1 * g[STRIDE + 1] - g[BEFORE + 1]
            i2 = o2 * g[STRIDE + 2] - g[BEFORE + 2]
            at[0, m] = n * x.strides[0] + i0 * x.strides[1] + i1 * x.strides[2] + i2 * x.strides[3]
            at[1, m] = i0
            at[2, m] = i1
            at[3, m] = i2
            outputs[tile, m] = (
                address(pointer(y))
                + n * y.strides[0]
                + (g[FIRST_OUT] + o0 * g[OUT_STEP]) * y.strides[1]
                + (g[FIRST_OUT + 1] + o1 * g[OUT_STEP + 1]) * y.strides[2]
                + (g[FIRST_OUT + 2] + o2 * g[OUT_STEP + 2]) * y.strides[3]
            )
            step = MR if in_a_row else 1
            if left > 0:  # the next pixel, or the one behind the tile
                left -= step
                o2 += step
                if o2 == g[OUT + 2]:
                    o2, o1 = 0, o1 + 1
                    if o1 == g[OUT + 1]:
                        o1, o0 = 0, o0 + 1
                        if o0 == g[OUT]:
                            o0, n = 0, n + 1
        if in_a_row:
            for m in range(1, MR):
                outputs[tile, m] = outputs[tile, 0] + m * g[OUT_STEP + 2] * y.strides[3]
                at[0, m] = at[0, 0] + m * g[STRIDE + 2] * x.strides[3]
                at[1, m] = at[1, 0]
                at[2, m] = at[2, 0]
                at[3, m] = at[3, 0] + m * g[STRIDE + 2]
        list_tile(inputs[tile], live[tile], at, x, zeros, g, in_a_row)


@merged
def list_tile(inputs, live, at, x, zeros, g, in_a_row):
    """List the taps of one tile that meet the image, and what they read.

    The pixels of a tile `in_a_row` are as far from one another in the image. What all of them read is then
    known from the first and the last.
    """
    x_at, nothing = address(pointer(x)), address(pointer(zeros))
    i0, i1, i2 = np.uint64(x.shape[1]), np.uint64(x.shape[2]), np.uint64(x.shape[3])
    step = g[STRIDE + 2] * x.strides[3]
    tap, listed = 0, 0
    for k0 in range(g[TAPS]):
        a0 = k0 * g[DILATION]
        for k1 in range(g[TAPS + 1]):
            a1 = k1 * g[DILATION + 1]
            for k2 in range(g[TAPS + 2]):
                a2 = k2 * g[DILATION + 2]
                move = x_at + a0 * x.strides[1] + a1 * x.strides[2] + a2 * x.strides[3]
                met = np.int64(0)
                if in_a_row and not (np.uint64(at[1, 0] + a0) < i0 and np.uint64(at[2, 0] + a1) < i1):
                    pass
                elif in_a_row and np.uint64(at[3, 0] + a2) < i2 and np.uint64(at[3, MR - 1] + a2) < i2:
                    met = np.int64(MR)
                    for m in range(MR):
                        inputs[listed, m] = at[0, 0] + move + m * step
                else:
                    for m in range(MR):
                        # What is negative is too large as an unsigned number.
                        inside = (
                            (np.uint64(at[1, m] + a0) < i0)
                            & (np.uint64(at[2, m] + a1) < i1)
                            & (np.uint64(at[3, m] + a2) < i2)
                        )
                        inputs[listed, m] = at[0, m] + move if inside else nothing
                        met += np.int64(inside)
                if met:
                    live[1 + listed] = tap
                    listed += 1
                tap += 1
    live[0] = listed
