"""How a convolution is cut into blocks whose spectra are multiplied, and in what order these come.

A block is the inputs that ``n - extent + 1`` neighbouring outputs meet, `n` a power of two, along each axis.
A *group* of blocks, as many as a vector has floats, is transformed at a time: half of them as the real parts
of the lanes' signals and half as the imaginary ones, which a filter without imaginary parts keeps apart.

The passes of ``butterflies`` leave frequencies in an order of their own: after a pass of radix r, each of the
r parts of a span holds the frequencies of one remainder by r, and so on within the part.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np

from fastconv.backends.numba import jit
from fastconv.backends.numba.simd import BYTES
from fastconv.backends.numba.slots import RANK
from fastconv.problem import ConvProblem

MOST = 1 << 16  # points of a block
LANES = BYTES // 4  # blocks of a group; what the last axis is a multiple of
LAST = 4  # radix of the last pass, which is not the only one
POINT = 2 * BYTES  # bytes of a point of a group: complex numbers of twice the precision
L2 = 1 << 20  # bytes
PASS, MOVED = 1.6e-9, 5e-9  # seconds of a point of a group: in a pass, read or written
FAR = 1.5  # times as many where groups do not stay in cache
COSTS = ("PASS", "MOVED", "FAR")

# Places in `sizes`, of the first of three axes each, and of the filters of a plane.
SIZE, HOP, COUNT, BEFORE, STRIDE = range(0, 15, 3)
FILTERS = 15


class Cut(NamedTuple):
    """Blocks of one shape."""

    shape: tuple[int, ...]
    hops: tuple[int, ...]  # from one block to the next, and outputs of each (but for strides)
    counts: tuple[int, ...]  # blocks along each axis
    groups: int  # of an image
    passes: int  # over the points of a group

    @property
    def points(self) -> int:
        """Points of a block."""
        return math.prod(self.shape)


@lru_cache(maxsize=256)
def cut(p: ConvProblem) -> Cut | None:
    """Choose the shape of blocks that is the least work, if any holds the filter."""
    window = p.window.lifted(RANK)
    least = [_power(extent) for extent in window.extent]
    least[-1] = max(least[-1], LANES, 2 * LAST)
    if math.prod(least) > MOST:
        return None
    axes = zip(least, window.padded, strict=True)
    sizes = [[n << e for e in range(_power(max(1, -(-size // n))).bit_length())] for n, size in axes]
    shapes = (shape for shape in product(*sizes) if math.prod(shape) <= MOST)
    return min((cut_into(p, shape) for shape in shapes), key=lambda c: c.groups * seconds(p, c))


def cut_into(p: ConvProblem, shape: tuple[int, ...]) -> Cut:
    """Cut an image into blocks of a shape, one number for each of three axes."""
    window = p.window.lifted(RANK)
    hops = tuple(n - extent + 1 for n, extent in zip(shape, window.extent, strict=True))
    outputs = [(o - 1) * s + 1 for o, s in zip(window.o, window.s, strict=True)]
    counts = tuple(max(0, -(-o // hop)) for o, hop in zip(outputs, hops, strict=True))
    passes = sum(len(radices(n)) for n in shape)
    return Cut(shape, hops, counts, -(-math.prod(counts) // LANES), passes)


def seconds(p: ConvProblem, c: Cut) -> float:
    """Predict how long a group takes on one thread: to be read and, for each filter, to be written."""
    held = c.points * POINT * (2 if p.oc > 1 else 1)
    return (1 + p.oc) * c.points * (c.passes * PASS + MOVED) * (1.0 if held <= L2 else FAR)


def cost(p: ConvProblem) -> float:
    """Count the passes of all tasks."""
    if not (c := cut(p)):
        return math.inf
    count = p.n * p.g * c.groups
    count += count % jit.THREADS  # as a thread waits for the last one
    return jit.CALL + jit.predicted(count, seconds(p, c))


def _power(size: int) -> int:
    """Return the least power of two that is not less."""
    return 1 << (size - 1).bit_length() if size > 1 else 1


@cache
def radices(n: int) -> tuple[int, ...]:
    """Return the radix of each pass along an axis: one of 2 if need be, then of 4."""
    twos = n.bit_length() - 1
    return (2,) * (twos % 2) + (4,) * (twos // 2)


@dataclass(frozen=True, slots=True)
class Passes:
    """The passes over a block of a shape, but for the last."""

    steps: np.ndarray  # radix, span, how far neighbours are apart, and where the twiddle factors are
    twiddles: np.ndarray  # real and imaginary parts
    order: np.ndarray  # of the frequencies of a block


@lru_cache(maxsize=32)
def passes(shape: tuple[int, ...]) -> Passes:
    """List the passes, axis by axis."""
    steps, factors, place = [], [np.empty(0)], 0
    for axis, n in enumerate(shape):
        apart = math.prod(shape[axis + 1 :])
        for radix in radices(n):
            steps.append((radix, n * apart, apart, place))
            angles = np.outer(np.arange(n // radix), np.arange(1, radix)) * (-2 * np.pi / n)
            factors.append(np.exp(1j * angles).ravel().view(np.float64))
            place += factors[-1].size
            n //= radix
    order = np.ravel_multi_index(np.ix_(*map(_order, shape)), shape).ravel()
    return Passes(np.array(steps[:-1], np.int64), np.concatenate(factors), order)


def _order(n: int) -> np.ndarray:
    """Return the order of the frequencies of an axis."""
    order = np.zeros(1, np.int64)
    for radix in reversed(radices(n)):
        order = (np.arange(radix)[:, None] + radix * order).ravel()
    return order


def spectra(p: ConvProblem, w: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the conjugate spectra of ``(*k, 1, f)`` in order, as filters are not flipped: (f, 2 * points).

    They are divided by the number of points, as transforms there and back multiply by it.
    """
    window = p.window.lifted(RANK)
    holed = np.zeros((w.shape[-1], *shape))
    holes = (slice(0, extent, d) for extent, d in zip(window.extent, window.d, strict=True))
    holed[(slice(None), *holes)] = np.moveaxis(w[..., 0, :], -1, 0).reshape(-1, *window.k)
    found = np.conj(np.fft.fftn(holed, axes=(1, 2, 3))).reshape(len(holed), math.prod(shape))
    return (np.take(found, passes(shape).order, axis=1) / math.prod(shape)).view(np.float64)


def numbers(p: ConvProblem, c: Cut) -> np.ndarray:
    """List what the places say."""
    window = p.window.lifted(RANK)
    before = (lo for lo, _ in window.p)
    return np.array([*c.shape, *c.hops, *c.counts, *before, *window.s, p.oc], np.int64)
