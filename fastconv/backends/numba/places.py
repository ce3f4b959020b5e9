"""Places beside the elements of a row: integers in as many lanes, as wide as the elements are."""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastconv.backends.numba.simd import I32, VectorType, broadcast, vector_type


@intrinsic
def no_places(_context, row):
    """Return zeros as places of the elements of a row."""
    kind = VectorType(types.Integer.from_bitwidth(row.dtype.dtype.bitwidth))
    result = types.UniTuple(kind, row.count)

    def codegen(context, b, _signature, _args):
        zero = ir.Constant(vector_type(kind), [0] * kind.lanes)
        return context.make_tuple(b, result, [zero] * row.count)

    return result(row), codegen


def _outdone(sign):
    """Make the word that keeps the better of two rows and its places; the other's are all `place`.

    Of equals the first stays, but a NaN beats all that was before, another NaN too. `sign` says which
    numbers do not beat others.
    """

    @intrinsic
    def word(_context, row, places, other, place):
        result = types.Tuple((row, places))

        def codegen(context, b, signature, args):
            number = context.cast(b, args[3], signature.args[3], places.dtype.dtype)
            here = broadcast(b, number, places.dtype.lanes)
            kept = []
            for old, at, new in zip(*(cgutils.unpack_tuple(b, arg) for arg in args[:3]), strict=True):
                if isinstance(row.dtype.dtype, types.Float):
                    stays = b.and_(b.fcmp_ordered("ord", new, new), b.fcmp_unordered(sign, new, old))
                else:
                    compare = b.icmp_signed if row.dtype.dtype.signed else b.icmp_unsigned
                    stays = compare(sign, new, old)
                kept.append((b.select(stays, old, new), b.select(stays, at, here)))
            rows = [
                context.make_tuple(b, kind, vectors)
                for kind, vectors in zip((row, places), zip(*kept, strict=True), strict=True)
            ]
            return context.make_tuple(b, result, rows)

        return result(row, places, other, place), codegen

    return word


outdone_by_greater, outdone_by_lesser = _outdone("<="), _outdone(">=")


@intrinsic(prefer_literal=True)
def numbered(_context, places, first, step, group):
    """Return a row of 64-bit places: those given, plus `first` and, every `group` lanes, `step` more."""
    kind, wide = places.dtype, VectorType(types.int64)
    parts = kind.lanes // wide.lanes
    result = types.UniTuple(wide, places.count * parts)

    def codegen(context, b, _signature, args):
        base, distance = (broadcast(b, number, wide.lanes) for number in args[1:3])
        numbers = []
        for i, vector in enumerate(cgutils.unpack_tuple(b, args[0])):
            for part in range(parts):
                lanes = range(part * wide.lanes, (part + 1) * wide.lanes)
                half = b.shuffle_vector(
                    vector, vector, ir.Constant(ir.VectorType(I32, wide.lanes), list(lanes))
                )
                pixels = [(i * kind.lanes + lane) // group.literal_value for lane in lanes]
                ahead = b.mul(ir.Constant(vector_type(wide), pixels), distance)
                given = b.sext(half, vector_type(wide)) if parts > 1 else half
                numbers.append(b.add(given, b.add(base, ahead)))
        return context.make_tuple(b, result, numbers)

    return result(places, types.int64, types.int64, group), codegen
