"""Rows and tiles of vectors: tuples that LLVM keeps in registers, so that a kernel may hold many sums.

A row is consecutive vectors; a tile is rows of one width, one behind the other. ``simd`` has the pointers
and single vectors, and the reason for the form of everything here.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastconv.backends.numba.simd import (
    I32,
    after,
    broadcast,
    load_vector,
    scalar_type,
    store_vector,
    suffix,
    vector_type,
)


def masks(b, kind, columns, count):
    """For each vector of a row, which lanes are among the row's first `count` elements."""
    limit = broadcast(b, count, kind.lanes)
    for column in range(columns):
        lanes = [kind.lanes * column + lane for lane in range(kind.lanes)]
        yield b.icmp_signed("<", ir.Constant(limit.type, lanes), limit)


def masked(b, name, kind, result, types_after, args):
    """Call ``llvm.masked.load`` or ``llvm.masked.store``, which touch no lane that is masked out."""
    full = f"llvm.masked.{name}.{suffix(kind)}.p0"
    function = cgutils.get_or_insert_function(b.module, ir.FunctionType(result, types_after), full)
    return b.call(function, args)


@intrinsic(prefer_literal=True)
def load_row(_context, p, n):
    """Return `n` consecutive vectors."""
    kind = p.vector
    result = types.UniTuple(kind, n.literal_value)

    def codegen(context, b, _signature, args):
        at = [after(b, args[0], kind.lanes * i, kind) for i in range(result.count)]
        return context.make_tuple(b, result, [load_vector(b, a, kind) for a in at])

    return result(p, n), codegen


def load_masked(b, kind, start, count, rest):
    """Load vectors of which only the first `count` elements are read, and the others are those of `rest`."""
    for i, (mask, other) in enumerate(zip(masks(b, kind, len(rest), count), rest, strict=True)):
        at = b.inttoptr(after(b, start, kind.lanes * i, kind), other.type.as_pointer())
        arguments = [at, ir.Constant(I32, kind.size), mask, other]
        yield masked(b, "load", kind, other.type, [each.type for each in arguments], arguments)


@intrinsic(prefer_literal=True)
def load_elements(_context, p, elements, n):
    """Return `n` consecutive vectors of which only the first `elements` are read; the rest is 0."""
    kind = p.vector
    result = types.UniTuple(kind, n.literal_value)

    def codegen(context, b, _signature, args):
        zeros = [ir.Constant(vector_type(kind), [0] * kind.lanes)] * result.count
        return context.make_tuple(b, result, list(load_masked(b, kind, args[0], args[1], zeros)))

    return result(p, types.intp, n), codegen


@intrinsic
def load_over(_context, vector, p, elements):
    """Return a vector with its first `elements` replaced by those at `p`."""
    result = types.UniTuple(vector, 1)

    def codegen(context, b, _signature, args):
        row = list(load_masked(b, vector, args[1], args[2], [args[0]]))
        return context.make_tuple(b, result, row)

    return result(vector, p, types.intp), codegen


def stream_vector(b, value, at, kind):
    """Store a vector past the cache: memory is not read first for what is going to be written whole."""
    store = b.store(value, b.inttoptr(at, value.type.as_pointer()), align=kind.size * kind.lanes)
    store.set_metadata("nontemporal", b.module.add_metadata([ir.Constant(I32, 1)]))


def _row_to(write):
    """Make the word that writes a row's vectors to where a pointer says, one behind the other."""

    @intrinsic
    def word(_context, row, p):
        kind = row.dtype

        def codegen(context, b, _signature, args):
            for i, value in enumerate(cgutils.unpack_tuple(b, args[0])):
                write(b, value, after(b, args[1], kind.lanes * i, kind), kind)
            return context.get_dummy_value()

        return types.void(row, p), codegen

    return word


def _tile_to(write):
    """Make the word that writes each of a tile's rows to where one of the pointers says."""

    @intrinsic
    def word(_context, tile, pointers):
        kind, columns = tile.dtype, tile.count // pointers.count

        def codegen(context, b, _signature, args):
            values = cgutils.unpack_tuple(b, args[0])
            for m, start in enumerate(cgutils.unpack_tuple(b, args[1])):
                for n in range(columns):
                    write(b, values[m * columns + n], after(b, start, kind.lanes * n, kind), kind)
            return context.get_dummy_value()

        return types.void(tile, pointers), codegen

    return word


store_row, store_tile = (
    _row_to(store_vector),
    _tile_to(store_vector),
)  # store_row(row, p), store_tile(tile, ps)
# Past the cache, to where vectors have their places in memory; `fence` ends such writing.
stream_row, stream_tile = _row_to(stream_vector), _tile_to(stream_vector)


def bring(b, start, kind, columns, is_written, near):
    """Emit what brings `columns` vectors into a cache, the nearest if `near` is 3."""
    byte = ir.IntType(8).as_pointer()
    function = ir.FunctionType(ir.VoidType(), [byte, I32, I32, I32])
    fetch = cgutils.get_or_insert_function(b.module, function, "llvm.prefetch.p0")
    for i in range(columns):
        at = b.inttoptr(after(b, start, kind.lanes * i, kind), byte)
        b.call(fetch, [at, *(ir.Constant(I32, word) for word in (is_written, near, 1))])  # 1 is data


@intrinsic(prefer_literal=True)
def claim_tile(_context, pointers, n):
    """Have rows of `n` vectors at these pointers brought into the nearest cache, to be written there soon."""

    def codegen(context, b, _signature, args):
        for start in cgutils.unpack_tuple(b, args[0]):
            bring(b, start, pointers.dtype.vector, n.literal_value, is_written=1, near=3)
        return context.get_dummy_value()

    return types.void(pointers, n), codegen


@intrinsic(prefer_literal=True)
def await_row(_context, p, n):
    """Have `n` vectors brought into the second cache, to be read later; there need not be any."""

    def codegen(context, b, _signature, args):
        bring(b, args[0], p.vector, n.literal_value, is_written=0, near=2)
        return context.get_dummy_value()

    return types.void(p, n), codegen


@intrinsic
def await_each(_context, pointers, elements):
    """Have the line of memory that is so many elements behind each pointer brought near, to be read soon."""

    def codegen(context, b, _signature, args):
        for start in cgutils.unpack_tuple(b, args[0]):
            at = after(b, start, args[1], pointers.dtype)
            bring(b, at, pointers.dtype.vector, columns=1, is_written=0, near=3)
        return context.get_dummy_value()

    return types.void(pointers, types.int64), codegen


@intrinsic
def fence(_context):
    """Have all that was written be seen by other threads before what is written from now on."""

    def codegen(context, b, _signature, _args):
        b.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic(prefer_literal=True)
def every_other(_context, row, group, first):
    """Return, of groups of so many elements that alternate in a row, the even ones (`first` 0) or the odd."""
    kind, size = row.dtype, group.literal_value
    result = types.UniTuple(kind, row.count // 2)
    lanes = [2 * lane - lane % size + size * first.literal_value for lane in range(kind.lanes)]

    def codegen(context, b, _signature, args):
        vectors = cgutils.unpack_tuple(b, args[0])
        mask = ir.Constant(ir.VectorType(I32, kind.lanes), lanes)  # in two vectors, one behind the other
        pairs = zip(vectors[::2], vectors[1::2], strict=True)
        return context.make_tuple(b, result, [b.shuffle_vector(*pair, mask) for pair in pairs])

    return result(row, group, first), codegen


@intrinsic(prefer_literal=True)
def repeat(_context, row, n):
    """Return a tile of `n` rows, each of them `row`."""
    result = types.UniTuple(row.dtype, row.count * n.literal_value)

    def codegen(context, b, _signature, args):
        return context.make_tuple(b, result, list(cgutils.unpack_tuple(b, args[0])) * n.literal_value)

    return result(row, n), codegen


@intrinsic(prefer_literal=True)
def same_in_rows(_context, pointers, n):
    """Return a tile of rows of `n` vectors that hold the number behind one pointer each, in every lane."""
    kind = pointers.dtype.vector
    result = types.UniTuple(kind, pointers.count * n.literal_value)

    def codegen(context, b, _signature, args):
        vectors = []
        for at in cgutils.unpack_tuple(b, args[0]):
            scalar = b.load(b.inttoptr(at, scalar_type(kind.dtype).as_pointer()))
            vectors += [broadcast(b, scalar, kind.lanes)] * n.literal_value
        return context.make_tuple(b, result, vectors)

    return result(pointers, n), codegen


@intrinsic
def store_elements(_context, tile, pointers, elements):
    """Write the first `elements` of each of a tile's rows to where `pointers` say."""
    kind, columns = tile.dtype, tile.count // pointers.count

    def codegen(context, b, _signature, args):
        values = cgutils.unpack_tuple(b, args[0])
        vector = vector_type(kind)
        for n, mask in enumerate(masks(b, kind, columns, args[2])):
            for m, start in enumerate(cgutils.unpack_tuple(b, args[1])):
                at = b.inttoptr(after(b, start, kind.lanes * n, kind), vector.as_pointer())
                types_after = [vector, at.type, I32, mask.type]
                given = [values[m * columns + n], at, ir.Constant(I32, kind.size), mask]
                masked(b, "store", kind, ir.VoidType(), types_after, given)
        return context.get_dummy_value()

    return types.void(tile, pointers, types.intp), codegen


def greater(b, least, vector):
    """Return the greater of both in every lane, and NaN if `vector` is.

    Zeros may have any sign and `least` is no NaN: so it is one instruction.
    """
    return b.select(b.fcmp_ordered(">", least, vector), least, vector)


def lesser(b, most, vector):
    """Return the lesser of both in every lane, as `greater`."""
    return b.select(b.fcmp_ordered("<", most, vector), most, vector)


def _each(combine):
    """Make the word that combines every element of a tile with one number."""

    @intrinsic
    def word(_context, tile, scalar):
        kind = tile.dtype

        def codegen(context, b, signature, args):
            number = context.cast(b, args[1], signature.args[1], kind.dtype)
            other = broadcast(b, number, kind.lanes)
            vectors = cgutils.unpack_tuple(b, args[0])
            return context.make_tuple(b, tile, [combine(b, other, v) for v in vectors])

        return tile(tile, scalar), codegen

    return word


at_least = _each(greater)  # at_least(tile, s): max(x, s) of every x; NaN stays
at_most = _each(lesser)  # at_most(tile, s): min(x, s) of every x; NaN stays


@intrinsic
def leaked(_context, tile, slope):
    """Return ``x`` where it is not negative, `slope` times it elsewhere, for every x of a tile."""
    kind = tile.dtype

    def codegen(context, b, signature, args):
        factor = broadcast(b, context.cast(b, args[1], signature.args[1], kind.dtype), kind.lanes)
        zero = ir.Constant(vector_type(kind), [0] * kind.lanes)
        vectors = [
            b.select(b.fcmp_ordered(">=", v, zero), v, b.fmul(v, factor))
            for v in cgutils.unpack_tuple(b, args[0])
        ]
        return context.make_tuple(b, tile, vectors)

    return tile(tile, slope), codegen
