"""A tile of outputs whose windows overlap, so that every vector of inputs serves several of them.

    y[r, l] = activation(bias + sum over taps t, q of w[t, q] * x[at(t) + (r + q) * pitch + l])

for R rows of one vector each. Rows are `pitch` apart in the input, and so are the taps q of one *step* t:
what row r meets by tap q, row r + 1 meets by tap q - 1. A step of three taps loads R + 2 vectors and does
3 R fused multiply-adds; loads that lie across two cache lines take twice as long as an addition, so a step
of one tap runs at half the speed. ``steps`` says which numbers of taps a chain of them is cut into.

A row of the tile may be a row of an image, `pitch` the length of the image's rows; or the next vector of
outputs of the same row, `pitch` one vector, where taps as far apart as that are a step.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastconv.backends.numba.epilogue import activated
from fastconv.backends.numba.jit import inner
from fastconv.backends.numba.simd import (
    REGISTERS,
    after,
    broadcast,
    call,
    get,
    lanes,
    load_vector,
    scalar_type,
    store_vector,
)
from fastconv.backends.numba.tiles import load_row, repeat

R = REGISTERS // 2  # rows of a tile: beside them there is room for the weights of a step, and an input
SIZES = (3, 2, 1)  # taps of a step


def counted(taps: int) -> tuple[int, int, int]:
    """Count the steps of each size that a chain of taps is cut into, none of one tap if that can be."""
    threes = taps // 3 - (taps % 3 == 1 and taps > 1)
    rest = taps - 3 * threes
    return threes, rest // 2, rest % 2


def slots(taps: int) -> int:
    """Return how long a step takes, in multiply-adds of vectors."""
    return max(R * taps, 2 * (R + taps - 1) + taps)


@intrinsic(prefer_literal=True)
def load_numbers(_context, p, n):
    """Return `n` vectors: the elements at `p`, each in every lane of one."""
    kind = p.vector
    result = types.UniTuple(kind, n.literal_value)

    def codegen(context, b, _signature, args):
        pointer = scalar_type(kind.dtype).as_pointer()
        numbers = [b.load(b.inttoptr(after(b, args[0], i, kind), pointer)) for i in range(result.count)]
        return context.make_tuple(b, result, [broadcast(b, number, kind.lanes) for number in numbers])

    return result(p, n), codegen


@intrinsic
def staggered_fma(_context, tile, p, pitch, weights):
    """Add ``weights[q]`` times the vector at ``p + (r + q) * pitch`` to each row r, for every q."""
    kind, rows, taps = tile.dtype, tile.count, weights.count

    def codegen(context, b, _signature, args):
        sums, w = cgutils.unpack_tuple(b, args[0]), cgutils.unpack_tuple(b, args[3])
        for i, at in enumerate(_apart(b, kind, args[1], args[2], rows + taps - 1)):
            x = load_vector(b, at, kind)
            for q in range(max(0, i - rows + 1), min(taps, i + 1)):
                sums[i - q] = call(b, "fma", kind, [x, w[q], sums[i - q]])
        return context.make_tuple(b, tile, sums)

    return tile(tile, p, types.intp, weights), codegen


@intrinsic
def store_rows(_context, tile, p, pitch):
    """Write a tile's rows, of one vector each, `pitch` elements apart."""
    kind = tile.dtype

    def codegen(context, b, _signature, args):
        values = cgutils.unpack_tuple(b, args[0])
        for value, at in zip(values, _apart(b, kind, args[1], args[2], tile.count), strict=True):
            store_vector(b, value, at, kind)
        return context.get_dummy_value()

    return types.void(tile, p, types.intp), codegen


def _apart(b, kind, start, pitch, count):
    """Yield `count` addresses that lie `pitch` elements apart."""
    step = b.mul(pitch, ir.Constant(pitch.type, kind.size))
    for _ in range(count):
        yield start
        start = b.add(start, step)


@inner
def one(_p):
    """Return how many elements ``load_numbers`` makes a vector of."""
    return 1


def tile(load, width):
    """Make the tile whose weights are read by `load`, `width` elements each."""

    @inner
    def run(x, pitch, offsets, threes, twos, ones, w, bias, y, y_pitch, activation):
        """Compute R rows; `offsets` has an element for each step, `w` the taps of one step after another."""
        sums = repeat(load(bias, 1), R)
        step = width(w)
        for _ in range(threes):
            sums = staggered_fma(sums, x + get(offsets), pitch, load(w, 3))
            offsets, w = offsets + 1, w + 3 * step
        for _ in range(twos):
            sums = staggered_fma(sums, x + get(offsets), pitch, load(w, 2))
            offsets, w = offsets + 1, w + 2 * step
        for _ in range(ones):
            sums = staggered_fma(sums, x + get(offsets), pitch, load(w, 1))
            offsets, w = offsets + 1, w + step
        store_rows(activated(sums, activation), y, y_pitch)

    return run


uniform = tile(load_numbers, one)  # every lane has the same weights
varied = tile(load_row, lanes)  # every lane has weights of its own
