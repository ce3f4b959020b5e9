"""How a convolution by rows is cut into bands of rows, and these into tasks: a function of the problem alone.

More rows a band fill up tiles of pixels, and copy rows that windows share less often; but the addresses of
their windows are more to list, and the bands fewer to share among threads. What the cycles come to is counted
for each height, and the least is taken.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fastconv.backends.numba import jit
from fastconv.backends.numba.epilogue import FUSED
from fastconv.backends.numba.microkernel import MR, NEAR_INPUTS, NV
from fastconv.backends.numba.schedule import CACHED, count_tiles, seconds
from fastconv.backends.numba.simd import BYTES, PAST
from fastconv.backends.numba.slots import RANK
from fastconv.problem import ConvProblem, Window

# Places in ``sizes``; of what has three axes, the first of three.
OUT, TAPS, STRIDE, DILATION, BEFORE = range(0, 15, 3)
# Of a band: output rows, input rows, and how far these lie apart in the input; whether windows may be read
# where they are; whether what is written is too much for the cache; what tiles bring near.
IC, OC, BLOCKS, BIASED, ACTIVATION, PADDED, CHUNK, BAND, ROWS, APART, WITHIN, FAR, NEAR = range(15, 28)

CHUNKS = 16  # parts that the bands are cut into
BANDS = 16  # output rows a band at most
PANEL = 1 << 14  # bytes of input rows, or of addresses, that several output rows may take

# Cycles of a band, and of a tile beside its products; to copy a row, and a vector of it; to list an address.
START, TILE, ROW, VECTOR, LISTED = 50, 45, 40, 5, 2


@dataclass(frozen=True, slots=True)
class Schedule:
    """The numbers of one problem."""

    sizes: np.ndarray
    tasks: int
    grain: int  # tasks that a thread does at a time


@dataclass(frozen=True, slots=True)
class Band:
    """Output rows of one image that are computed together, and the input rows that they meet."""

    outputs: int
    inputs: int
    apart: int  # how far from one another these are


@lru_cache(maxsize=256)
def schedule(p: ConvProblem) -> Schedule:
    """Cut a problem into chunks of bands."""
    win = p.window.lifted(RANK)
    band = min((band_of(win, rows) for rows in range(1, BANDS + 1)), key=lambda band: _cycles(p, win, band))
    chunk, tasks = cut(p, win, band)
    blocks = -(-p.oc * p.acc_dtype.itemsize // (NV * BYTES))
    far = math.prod(p.y_shape) * p.acc_dtype.itemsize > PAST
    near = NEAR_INPUTS if is_within(win) and math.prod(p.x_shape) * p.acc_dtype.itemsize > CACHED else 0
    sizes = [*win.o, *win.k, *win.s, *win.d, *(before for before, _ in win.p)]
    sizes += [p.ic, p.oc, blocks, p.has_bias, FUSED.index(p.activation), win.padded[2], chunk]
    sizes += [band.outputs, band.inputs, band.apart, is_within(win), far, near]
    return Schedule(np.array(sizes, np.int64), tasks, jit.grain(tasks, seconds(p) / max(tasks, 1)))


def is_within(win: Window) -> bool:
    """Whether no window meets padding."""
    return all(lo <= 0 and hi <= 0 for lo, hi in win.p)


def band_of(win: Window, rows: int) -> Band:
    """Describe a band of so many output rows."""
    outputs = max(1, min(rows, win.o[1]))
    apart = win.d[1] if outputs == 1 else win.s[1] if win.k[1] == 1 else math.gcd(win.s[1], win.d[1])
    return Band(outputs, ((outputs - 1) * win.s[1] + (win.k[1] - 1) * win.d[1]) // apart + 1, apart)


def cut(p: ConvProblem, win: Window, band: Band) -> tuple[int, int]:
    """Return the bands of a task, and the number of tasks."""
    bands = p.n * win.o[0] * -(-win.o[1] // band.outputs)
    chunk = max(1, -(-bands // CHUNKS))
    return chunk, -(-bands // chunk)


def _cycles(p: ConvProblem, win: Window, band: Band) -> float:
    """Predict the time of all bands, as far as their height matters; for ever, if they fill the cache."""
    taps, item = win.k[0] * win.k[1], p.acc_dtype.itemsize
    rows, row = win.k[0] * band.inputs, win.padded[2] * p.ic * item
    addresses = band.outputs * win.o[2] * taps
    if band.outputs > 1 and max(rows * row, addresses * 8) > PANEL:
        return math.inf
    blocks = -(-p.oc * item // BYTES) / NV
    tile = blocks * (win.taps * p.ic * MR * NV + TILE)
    start = START + (0 if is_within(win) else rows * (ROW + row / BYTES * VECTOR))
    whole, rest = divmod(win.o[1], band.outputs)
    images, times = p.n * win.o[0], 1
    full = count_tiles(band.outputs * win.o[2]) * tile + start
    if seconds(p) < jit.ALONE:
        work = images * (whole * full + (count_tiles(rest * win.o[2]) * tile + start if rest else 0))
    else:
        chunk, times = cut(p, win, band)
        work = chunk * -(-times // jit.THREADS) * jit.THREADS * full
    listed = (addresses + rest * win.o[2] * taps) * (images if rest else times)
    return work + listed * LISTED
