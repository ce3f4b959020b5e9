"""Square tiles, of as many vectors as one has lanes: what transposes a matrix in registers.

``tiles`` has the words for tiles of any shape.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastconv.backends.numba.simd import I32, I64, after, load_vector, store_vector, vector_type
from fastconv.backends.numba.tiles import masked, masks


def _rows(b, start, pitch, kind):
    """Yield the address of each row of a square tile in memory."""
    for i in range(kind.lanes):
        at = after(b, start, b.mul(pitch, ir.Constant(I64, i)), kind)
        yield b.inttoptr(at, vector_type(kind).as_pointer())


def _corner(b, kind, rows, elements):
    """Yield for each row of a square tile which of its lanes are in its upper left corner."""
    (mask,) = masks(b, kind, 1, elements)
    for i in range(kind.lanes):
        here = b.icmp_signed("<", ir.Constant(I64, i), rows)
        yield b.select(here, mask, ir.Constant(mask.type, [0] * kind.lanes))


@intrinsic
def load_square(_context, p, pitch):
    """Return a tile of as many vectors as one has lanes, from rows that are `pitch` elements apart."""
    kind = p.vector
    result = types.UniTuple(kind, kind.lanes)

    def codegen(context, b, _signature, args):
        at = [after(b, args[0], b.mul(args[1], ir.Constant(I64, i)), kind) for i in range(kind.lanes)]
        return context.make_tuple(b, result, [load_vector(b, a, kind) for a in at])

    return result(p, types.intp), codegen


@intrinsic
def load_corner(_context, p, pitch, rows, elements):
    """As `load_square`, but only the first `elements` of the first `rows` are read; the rest is 0."""
    kind = p.vector
    result = types.UniTuple(kind, kind.lanes)

    def codegen(context, b, _signature, args):
        start, pitch, rows, elements = args
        vector = vector_type(kind)
        zero, square = ir.Constant(vector, [0] * kind.lanes), []
        for at, mask in zip(_rows(b, start, pitch, kind), _corner(b, kind, rows, elements), strict=True):
            types_after = [at.type, I32, mask.type, vector]
            given = [at, ir.Constant(I32, kind.size), mask, zero]
            square.append(masked(b, "load", kind, vector, types_after, given))
        return context.make_tuple(b, result, square)

    return result(p, types.intp, types.intp, types.intp), codegen


@intrinsic
def store_square(_context, tile, p, pitch):
    """Write the vectors of a tile to rows that are `pitch` elements apart."""
    kind = tile.dtype

    def codegen(context, b, _signature, args):
        for i, value in enumerate(cgutils.unpack_tuple(b, args[0])):
            store_vector(b, value, after(b, args[1], b.mul(args[2], ir.Constant(I64, i)), kind), kind)
        return context.get_dummy_value()

    return types.void(tile, p, types.intp), codegen


@intrinsic
def store_corner(_context, tile, p, pitch, rows, elements):
    """As `store_square`, but only the first `elements` of the first `rows` are written."""
    kind = tile.dtype

    def codegen(context, b, _signature, args):
        values, start, pitch, rows, elements = args
        places = zip(_rows(b, start, pitch, kind), _corner(b, kind, rows, elements), strict=True)
        for value, (at, mask) in zip(cgutils.unpack_tuple(b, values), places, strict=True):
            types_after = [value.type, at.type, I32, mask.type]
            given = [value, at, ir.Constant(I32, kind.size), mask]
            masked(b, "store", kind, ir.VoidType(), types_after, given)
        return context.get_dummy_value()

    return types.void(tile, p, types.intp, types.intp, types.intp), codegen


@intrinsic
def transposed(_context, tile):
    """Return the transpose of a square tile.

    Interleaving each vector of the first half with its fellow of the second, as often as halving a vector
    leads to one lane, moves every element to its place.
    """
    kind = tile.dtype

    def codegen(context, b, _signature, args):
        vectors = list(cgutils.unpack_tuple(b, args[0]))
        size = kind.lanes
        index = ir.VectorType(I32, size)
        low = ir.Constant(index, [lane // 2 + lane % 2 * size for lane in range(size)])
        high = ir.Constant(index, [(size + lane) // 2 + lane % 2 * size for lane in range(size)])
        for _ in range(size.bit_length() - 1):
            pairs = list(zip(vectors[: size // 2], vectors[size // 2 :], strict=True))
            vectors = [b.shuffle_vector(x, y, order) for x, y in pairs for order in (low, high)]
        return context.make_tuple(b, tile, vectors)

    return tile(tile), codegen
