"""Weights of groups of few channels as ``grouped`` reads them: a vector holds a tap of several groups.

    packed[block, k0, k1, run, c, t, lane] = w[k0, k1, run * RUN + t, c, block * WIDTH + lane]

for the taps `t` of a run and all channels `c` of a group. What fills up a vector beyond the channels of a
block may be anything, as nothing that comes of it is stored.
"""

from __future__ import annotations

import numpy as np

from fastconv.backends.numba import jit
from fastconv.backends.numba.simd import BYTES, lanes, pointer
from fastconv.backends.numba.tiles import load_elements, store_row
from fastconv.binding import at_a_line

RUN, WIDTH = range(2)  # places in ``sizes``: taps of a run, output channels of a block
ELEMENT = 1e-10  # seconds to pack a weight on one thread


@jit.merged
def pack_block(block, w, packed, sizes):
    """Lay out the weights of one block."""
    size, run = lanes(pointer(packed)), sizes[RUN]
    start = block * sizes[WIDTH]
    valid = min(size, w.shape[4] - start)
    at = block * size * (w.shape[0] * w.shape[1] * w.shape[2] * w.shape[3])
    for k0 in range(w.shape[0]):
        for k1 in range(w.shape[1]):
            for first in range(0, w.shape[2], run):
                for c in range(w.shape[3]):
                    for t in range(run):
                        tap = w[k0, k1, first + t, c]
                        if w.strides[4] == w.itemsize:
                            store_row(load_elements(pointer(tap) + start, valid, 1), pointer(packed) + at)
                        else:
                            for n in range(valid):
                                packed[at + n] = tap[start + n]
                        at += size


@jit.compiled
def pack_blocks(first, end, w, packed, sizes):
    """Lay out the weights of blocks."""
    for block in range(first, end):
        pack_block(block, w, packed, sizes)


def _loop(dtype):
    """Make what packs weights of a type."""
    packed = jit.array(dtype, 1, writeable=True)
    return jit.Loop(pack_blocks, jit.array(dtype, 5, "A"), packed, jit.array(np.int64, 1))


LOOPS = {np.dtype(dtype): _loop(dtype) for dtype in (np.float32, np.float64)}


def pack(w: np.ndarray, blocks: int, width: int, run: int) -> np.ndarray:
    """Pack weights with three spatial axes for so many blocks of so many output channels."""
    vectors = blocks * (w.size // w.shape[-1])
    packed = at_a_line((vectors * (BYTES // w.itemsize),), w.dtype)
    grain = jit.grain(blocks, packed.size * ELEMENT / max(blocks, 1))
    LOOPS[w.dtype](blocks, grain, w, packed, np.array([run, width], np.int64))
    return packed
