"""Places beside the elements of a row: integers in as many lanes, as wide as the elements are."""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastconv.backends.numba.jit import inner
from fastconv.backends.numba.simd import I32, VectorType, broadcast, scalar_type, vector_type

SHIFT = 17  # bits by which pixels of elements are counted further up


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
def numbered(_context, places, first, q, factor, stride):
    """Return a row of 64-bit places: those given, plus `first` and, of each element, where its pixel is.

    Elements are counted from `q` on; `factor` is `pixels_by` of their channels; pixels are `stride` apart.
    """
    kind, wide = places.dtype, VectorType(types.int64)
    parts = kind.lanes // wide.lanes
    result = types.UniTuple(wide, places.count * parts)

    def codegen(context, b, _signature, args):
        number = scalar_type(kind.dtype)
        start, times = (broadcast(b, b.trunc(arg, number), kind.lanes) for arg in args[2:4])
        base = broadcast(b, args[1], wide.lanes)
        shift = ir.Constant(vector_type(kind), [SHIFT] * kind.lanes)
        apart = ir.Constant(vector_type(kind), [stride.literal_value] * kind.lanes)
        numbers = []
        for i, vector in enumerate(cgutils.unpack_tuple(b, args[0])):
            lanes = [i * kind.lanes + lane for lane in range(kind.lanes)]
            elements = b.add(start, ir.Constant(vector_type(kind), lanes))
            moved = b.add(vector, b.mul(b.lshr(b.mul(elements, times), shift), apart))
            for part in range(parts):
                take = [part * wide.lanes + lane for lane in range(wide.lanes)]
                half = b.shuffle_vector(moved, moved, ir.Constant(ir.VectorType(I32, wide.lanes), take))
                numbers.append(b.add(base, b.sext(half, vector_type(wide)) if parts > 1 else half))
        return context.make_tuple(b, result, numbers)

    return result(places, types.int64, types.int64, types.int64, stride), codegen


@inner
def pixels_by(channels):
    """Return by what to multiply the number of an element for that of its pixel, `SHIFT` bits further up.

    For numbers of less than 15 bits and up to 8 channels, or 0: all elements are of one pixel.
    """
    return ((1 << SHIFT) + channels - 1) // channels if channels > 0 else 0
