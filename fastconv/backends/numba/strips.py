"""Strips of outputs: neighbours along a row, a vector of channels each, that stay in registers.

Tap `k` of output `m` meets the input at *position* ``m*s + k*d`` of a strip. Each input is loaded once for
all that meet it. Where a strip is not whole, *masks* say which lanes of its inputs and outputs are there:
an integer for each vector, a bit for each lane, and no other lane is touched in memory.

A vector may hold the channels of several groups, ``lanes // oc`` of them: `spread` then brings input channel
c of every group to the lanes of that group's outputs. How lanes move is known when a kernel is compiled.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastconv.backends.numba.simd import (
    I32,
    I64,
    PointerType,
    after,
    call,
    load_vector,
    store_vector,
    vector_type,
)
from fastconv.backends.numba.tiles import masked


def positions(outputs: int, taps: int, stride: int, dilation: int) -> tuple[int, ...]:
    """List the positions that a strip of so many outputs meets, in order."""
    return tuple(sorted({m * stride + k * dilation for m in range(outputs) for k in range(taps)}))


def spread(b, vectors, kind, ic, oc, c):
    """Give every lane of outputs its input: channel `c` of its group, out of consecutive vectors."""
    lanes, result = kind.lanes, vectors[0]
    source = [min(lane // oc, lanes // oc - 1) * ic + c for lane in range(lanes)]
    if source == list(range(lanes)):
        return result
    for n, vector in enumerate(vectors):
        take = [s - n * lanes if s // lanes == n else lanes + lane for lane, s in enumerate(source)]
        if min(take) < lanes:
            result = b.shuffle_vector(vector, result, ir.Constant(ir.VectorType(I32, lanes), take))
    return result


def _mask(b, masks, n, kind):
    """Load the bits of the vector that is `n`, a number or a value, behind `masks`."""
    at = b.inttoptr(after(b, masks, n, PointerType(types.int64)), I64.as_pointer())
    bits = b.trunc(b.load(at), ir.IntType(kind.lanes))
    return b.bitcast(bits, ir.VectorType(ir.IntType(1), kind.lanes))


def _load(b, at, mask, kind):
    """Load the lanes of a vector that `mask` says; the others are 0."""
    vector = vector_type(kind)
    given = [b.inttoptr(at, vector.as_pointer()), ir.Constant(I32, kind.size), mask]
    given.append(ir.Constant(vector, [0] * kind.lanes))
    return masked(b, "load", kind, vector, [value.type for value in given], given)


def _store(b, value, at, mask, kind):
    """Store the lanes of a vector that `mask` says."""
    given = [value, b.inttoptr(at, vector_type(kind).as_pointer()), ir.Constant(I32, kind.size), mask]
    masked(b, "store", kind, ir.VoidType(), [each.type for each in given], given)


@intrinsic(prefer_literal=True)
def slide(_context, tile, x, pitch, masks, first, w, taps, stride, dilation, ic, oc):
    """Add to a strip the products of a run of taps and all channels of each group.

    `x` points at the inputs, pixels `pitch` elements apart; `w` at weights (ic, taps, lanes). `masks` are
    those of the inputs, (positions, vectors of a pixel), from the `first` on; or None: all is there.
    """
    kind, whole = tile.dtype, isinstance(masks, types.NoneType)
    numbers = taps, stride, dilation, ic, oc
    taps, stride, dilation, ic, oc = (number.literal_value for number in numbers)
    places = positions(tile.count, taps, stride, dilation)
    vectors = -(-(kind.lanes // oc) * ic // kind.lanes)

    def codegen(context, b, _signature, args):
        sums = cgutils.unpack_tuple(b, args[0])
        steps = [after(b, args[1], b.mul(args[2], ir.Constant(I64, place)), kind) for place in places]

        def load(n, j):
            at = after(b, steps[n], j * kind.lanes, kind)
            if whole:
                return load_vector(b, at, kind)
            return _load(
                b, at, _mask(b, args[3], b.add(args[4], ir.Constant(I64, n * vectors + j)), kind), kind
            )

        for c in range(ic):
            weights = [
                load_vector(b, after(b, args[5], (c * taps + k) * kind.lanes, kind), kind)
                for k in range(taps)
            ]
            for n, place in enumerate(places):
                value = spread(b, [load(n, j) for j in range(vectors)], kind, ic, oc, c)
                for k in range(taps):
                    m, rest = divmod(place - k * dilation, stride)
                    if rest == 0 and 0 <= m < len(sums):
                        sums[m] = call(b, "fma", kind, [value, weights[k], sums[m]])
        return context.make_tuple(b, tile, sums)

    return tile(tile, x, types.intp, masks, types.intp, w, *numbers), codegen


@intrinsic
def store_strip(_context, tile, y, pitch, masks):
    """Write a strip to pixels `pitch` elements apart, by the masks of its outputs, or None."""
    kind, whole = tile.dtype, isinstance(masks, types.NoneType)

    def codegen(context, b, _signature, args):
        for m, value in enumerate(cgutils.unpack_tuple(b, args[0])):
            at = after(b, args[1], b.mul(args[2], ir.Constant(I64, m)), kind)
            if whole:
                store_vector(b, value, at, kind)
            else:
                _store(b, value, at, _mask(b, args[3], m, kind), kind)
        return context.get_dummy_value()

    return types.void(tile, y, types.intp, masks), codegen
