"""Integers that hold value and place, of rows of vectors: the greatest is the best value at the first place.

Above are the value's 32 bits, changed so that they are ordered as integers; below the place, counted
backwards, so that of equal elements the first is the greatest. NaNs are above all others, and places count
forwards there: of NaNs the last is meant. A minimum is the maximum of all bits of the values reversed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastconv.backends.numba.simd import I32, VectorType, broadcast, vector_type

SIGN, REST, NAN = -(1 << 31), (1 << 31) - 1, 0x7F800000  # of 32 bits; above the last are those of NaNs
NOWHERE = -(1 << 63)  # what windows have that meet no input: less than any value at any place


def _all(number, lanes):
    """Return a vector of 32-bit integers with the same constant in every lane."""
    return ir.Constant(ir.VectorType(I32, lanes), [number] * lanes)


def _magnitude(b, bits, lanes):
    """Return the bits of negative floats with all but the sign reversed, of others as they are."""
    sign = b.ashr(bits, _all(31, lanes))
    return b.xor(bits, b.and_(sign, _all(REST, lanes)))


@cache
def coding(kind: str, reduction: str) -> tuple[Callable, Callable]:
    """Make the words that code numbers of 32 bits, and read codes; `kind` is a dtype's."""
    reverse = -1 if reduction == "min" else 0

    @intrinsic(prefer_literal=True)
    def coded(_context, row, place, step):
        """Return the codes of a vector at `place` and, from lane to lane, `step` more: a row of two."""
        lanes = row.dtype.lanes
        wide = VectorType(types.int64)
        result = types.UniTuple(wide, lanes // wide.lanes)
        ahead = [lane * step.literal_value for lane in range(lanes)]

        def codegen(context, b, _signature, args):
            (bits,) = cgutils.unpack_tuple(b, args[0])
            places = b.add(broadcast(b, b.trunc(args[1], I32), lanes), ir.Constant(bits.type, ahead))
            value, low = bits, b.not_(places)
            if kind == "u":
                value = b.xor(bits, _all(SIGN, lanes))
            if kind == "f":
                is_zero = b.icmp_signed("==", bits, _all(SIGN, lanes))
                value = b.select(is_zero, _all(0, lanes), _magnitude(b, bits, lanes))
            value = b.xor(value, _all(reverse, lanes))
            if kind == "f":
                is_nan = b.icmp_signed(">", b.and_(bits, _all(REST, lanes)), _all(NAN, lanes))
                value = b.select(is_nan, _all(REST, lanes), value)
                low = b.select(is_nan, places, low)
            vectors = []
            for start in range(0, lanes, wide.lanes):
                take = [n for lane in range(start, start + wide.lanes) for n in (lane, lane + lanes)]
                mask = ir.Constant(ir.VectorType(I32, len(take)), take)
                vectors.append(b.bitcast(b.shuffle_vector(low, value, mask), vector_type(wide)))
            return context.make_tuple(b, result, vectors)

        return result(row, place, step), codegen

    @intrinsic
    def read(_context, codes, init):
        """Return the values of a row of codes, and their places; `init` and -1 of `NOWHERE`."""
        wide = codes.dtype
        narrow = VectorType(types.int32)
        values = types.UniTuple(narrow, 1)
        result, lanes = types.Tuple((values, codes)), narrow.lanes

        def codegen(context, b, _signature, args):
            low, value = _halves(b, cgutils.unpack_tuple(b, args[0]), lanes)
            nowhere = b.and_(
                b.icmp_signed("==", value, _all(SIGN, lanes)),
                b.icmp_signed("==", low, _all(0, lanes)),
            )
            places, bits = b.not_(low), b.xor(value, _all(reverse, lanes))
            if kind == "u":
                bits = b.xor(bits, _all(SIGN, lanes))
            if kind == "f":
                is_nan = b.icmp_signed("==", value, _all(REST, lanes))
                bits = b.select(is_nan, _all(REST, lanes), _magnitude(b, bits, lanes))
                places = b.select(is_nan, low, places)
            begun = broadcast(b, b.trunc(args[1], I32), lanes)
            bits = b.select(nowhere, begun, bits)
            places = b.select(nowhere, _all(-1, lanes), places)
            parts = []
            for start in range(0, lanes, wide.lanes):
                take = ir.Constant(ir.VectorType(I32, wide.lanes), list(range(start, start + wide.lanes)))
                parts.append(b.sext(b.shuffle_vector(places, places, take), vector_type(wide)))
            rows = context.make_tuple(b, values, [bits]), context.make_tuple(b, codes, parts)
            return context.make_tuple(b, result, rows)

        return result(codes, init), codegen

    return coded, read


def _halves(b, vectors, lanes):
    """Return the lower and the upper half of every integer of two vectors."""
    parts = [b.bitcast(vector, ir.VectorType(I32, lanes)) for vector in vectors]
    orders = [ir.Constant(ir.VectorType(I32, lanes), list(range(n, 2 * lanes, 2))) for n in (0, 1)]
    low, high = (b.shuffle_vector(*parts, order) for order in orders)
    return low, high
