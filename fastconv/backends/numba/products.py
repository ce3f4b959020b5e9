"""Outer products: what adds scalars times a row of vectors to a tile, the heart of dense convolutions.

One step loads a scalar for each row of the tile, from pointers that run along together, and multiplies all
with one row of vectors. The tile takes all registers but a few, which LLVM is to use in turn. Left to
itself, it loads the scalars all at once and keeps sums in memory for that, or counts every pointer on by
itself, in memory. So what is loaded next is `tied` to the sums before it.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastconv.backends.numba.registers import TRIPLE
from fastconv.backends.numba.simd import I64, after, broadcast, call, scalar_type, store_vector
from fastconv.backends.numba.tiles import greater, stream_vector

# What inline assembly calls any vector register, by the first word of a target's name.
VECTOR = {"x86_64": "v", "aarch64": "w", "arm64": "w"}.get(TRIPLE.partition("-")[0])
LEAST = 16  # bytes of a vector that has a register of its own everywhere


def tied(b, kind, vector, *numbers):
    """Return all unchanged, the numbers as ones that LLVM cannot know before the vector: no instruction."""
    if VECTOR is None or kind.size * kind.lanes < LEAST:
        return [vector, *numbers]
    given = [vector, *numbers]
    kinds = [value.type for value in given]
    outputs = [f"={VECTOR}", *["=r"] * len(numbers)]
    constraints = ",".join([*outputs, *map(str, range(len(given)))])
    nothing = ir.InlineAsm(ir.FunctionType(ir.LiteralStructType(kinds), kinds), "", constraints)
    result = b.call(nothing, given)
    return [b.extract_value(result, i) for i in range(len(given))]


def rows_in_turn(b, kind, starts, element, combine):
    """Yield what `combine` makes of each row's number and scalar, and how many elements that is `element`.

    The scalars are those `element` behind the pointers `starts`; they come in every lane of a vector.
    """
    for m, start in enumerate(starts):
        at = b.inttoptr(after(b, start, element, kind), scalar_type(kind.dtype).as_pointer())
        *others, last = combine(m, broadcast(b, b.load(at), kind.lanes))
        last, element = tied(b, kind, last, element)
        yield [*others, last], element


@intrinsic
def outer_product(_context, pointers, element, row):
    """Return a tile: the outer product of the scalars `element` behind `pointers`, and `row`."""
    kind = row.dtype
    result = types.UniTuple(kind, pointers.count * row.count)

    def codegen(context, b, _signature, args):
        starts, weights = (cgutils.unpack_tuple(b, args[i]) for i in (0, 2))
        rows = rows_in_turn(b, kind, starts, args[1], lambda _m, x: [b.fmul(x, w) for w in weights])
        return context.make_tuple(b, result, [vector for made, _ in rows for vector in made])

    return result(pointers, types.int64, row), codegen


def _added(b, kind, args):
    """Yield the rows of a tile, the first argument, with an outer product added, and its elements' number."""
    sums, starts, weights = (cgutils.unpack_tuple(b, args[i]) for i in (0, 1, 3))
    many = len(weights)

    def combine(m, x):
        pairs = zip(weights, sums[m * many : (m + 1) * many], strict=True)
        return [call(b, "fma", kind, [x, *pair]) for pair in pairs]

    return rows_in_turn(b, kind, starts, args[2], combine)


@intrinsic
def outer_fma(_context, tile, pointers, element, row):
    """Add to a tile the outer product of the scalars `element` behind `pointers`, and `row`.

    Return it and the number of the element behind that.
    """
    result = types.Tuple((tile, types.int64))

    def codegen(context, b, _signature, args):
        rows, numbers = zip(*_added(b, tile.dtype, args), strict=True)
        added = context.make_tuple(b, tile, [vector for made in rows for vector in made])
        return context.make_tuple(b, result, [added, b.add(numbers[-1], ir.Constant(I64, 1))])

    return result(tile, pointers, types.int64, row), codegen


def _last(write, finish):
    """Make the word that adds the last outer product to a tile and writes each row as it is done.

    `outputs` points at an address for every row, to be moved by `shift` elements.
    """

    @intrinsic
    def word(_context, tile, pointers, element, row, outputs, shift):
        kind = tile.dtype

        def codegen(context, b, _signature, args):
            place = args[4]
            for m, (vectors, _) in enumerate(_added(b, kind, args)):
                *others, last = [finish(b, vector) for vector in vectors]
                last, place = tied(b, kind, last, place)
                output = b.load(b.inttoptr(after(b, place, m, outputs), I64.as_pointer()))
                start = after(b, output, args[5], kind)
                for n, vector in enumerate([*others, last]):
                    write(b, vector, after(b, start, kind.lanes * n, kind), kind)
            return context.get_dummy_value()

        return types.void(tile, pointers, types.int64, row, outputs, types.int64), codegen

    return word


def _same(_b, vector):
    """Leave a vector as it is."""
    return vector


def _rectified(b, vector):
    """Replace what is less than 0 by 0."""
    zero = ir.Constant(vector.type, [0] * vector.type.count)
    return greater(b, zero, vector)


# To memory or past the cache, and with what is negative left out.
store_last, stream_last = _last(store_vector, _same), _last(stream_vector, _same)
store_last_relu, stream_last_relu = _last(store_vector, _rectified), _last(stream_vector, _rectified)
