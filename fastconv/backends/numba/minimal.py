"""Minimal filtering, F(2, 3): two outputs of three taps by four products, along one axis or both.

    y = A' [(G w) * (B' x)]    B' x = (x0 - x2, x1 + x2, x2 - x1, x1 - x3)
                               G w  = (w0, (w0 + w1 + w2) / 2, (w0 - w1 + w2) / 2, w2)
                               A' m = (m0 + m1 + m2, m1 - m2 - m3)

A patch of 4 x 4 inputs and one of 3 x 3 weights are transformed along both axes, and meet in 16 products, for
2 x 2 outputs: 36 in any other way. Tiles here hold one number of the patch in each row, of as many channels
as a vector has lanes.

References
----------
S. Winograd, "Arithmetic Complexity of Computations", SIAM, 1980.
A. Lavin, S. Gray, "Fast Algorithms for Convolutional Neural Networks", arXiv:1509.09308, 2015.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastconv.backends.numba.epilogue import activated
from fastconv.backends.numba.jit import inner
from fastconv.backends.numba.simd import (
    call,
    lanes,
    load_pointers,
    load_vector,
    plus,
    shifted,
    vector_type,
)
from fastconv.backends.numba.tiles import load_elements, load_masked, repeat, store_elements, store_tile

SIDE, TAPS, OUTS = 4, 3, 2  # numbers of a patch along an axis: inputs and products, weights, outputs


def _inputs(b, _half, x):
    return [b.fsub(x[0], x[2]), b.fadd(x[1], x[2]), b.fsub(x[2], x[1]), b.fsub(x[1], x[3])]


def _weights(b, half, w):
    outer, middle = b.fmul(half, b.fadd(w[0], w[2])), b.fmul(half, w[1])
    return [w[0], b.fadd(outer, middle), b.fsub(outer, middle), w[2]]


def _outputs(b, _half, m):
    return [b.fadd(b.fadd(m[0], m[1]), m[2]), b.fsub(b.fsub(m[1], m[2]), m[3])]


def _transform(line, given, made):
    """Make the word that maps every line of `given` vectors of a patch to `made`, along each of its axes."""

    @intrinsic
    def word(_context, tile):
        kind, rows = tile.dtype, tile.count // given
        result = types.UniTuple(kind, made if rows == 1 else made * made)

        def codegen(context, b, _signature, args):
            vectors = cgutils.unpack_tuple(b, args[0])
            half = ir.Constant(vector_type(kind), [0.5] * kind.lanes)
            lines = [line(b, half, vectors[at : at + given]) for at in range(0, len(vectors), given)]
            if rows > 1:
                columns = [line(b, half, column) for column in zip(*lines, strict=True)]
                lines = list(zip(*columns, strict=True))
            return context.make_tuple(b, result, [vector for each in lines for vector in each])

        return result(tile), codegen

    return word


inputs_transformed = _transform(_inputs, SIDE, SIDE)
weights_transformed = _transform(_weights, TAPS, SIDE)
outputs_transformed = _transform(_outputs, SIDE, OUTS)


@intrinsic
def load_each(_context, pointers):
    """Return a tile of rows of one vector, one from each pointer."""
    kind = pointers.dtype.vector
    result = types.UniTuple(kind, pointers.count)

    def codegen(context, b, _signature, args):
        at = cgutils.unpack_tuple(b, args[0])
        return context.make_tuple(b, result, [load_vector(b, start, kind) for start in at])

    return result(pointers), codegen


@intrinsic
def load_each_part(_context, pointers, elements):
    """Return a tile as `load_each` does, with only the first `elements` of each row read, zeros behind."""
    kind = pointers.dtype.vector
    result = types.UniTuple(kind, pointers.count)

    def codegen(context, b, _signature, args):
        zero = ir.Constant(vector_type(kind), [0] * kind.lanes)
        starts = cgutils.unpack_tuple(b, args[0])
        vectors = [next(load_masked(b, kind, start, args[1], [zero])) for start in starts]
        return context.make_tuple(b, result, vectors)

    return result(pointers, types.intp), codegen


@intrinsic
def marked(_context, marks, tile):
    """Return `marks`, a row of one vector, with a NaN in each lane where one of a tile's is not finite."""
    kind = tile.dtype

    def codegen(context, b, _signature, args):
        (found,) = cgutils.unpack_tuple(b, args[0])
        zero = ir.Constant(vector_type(kind), [0] * kind.lanes)
        for vector in cgutils.unpack_tuple(b, args[1]):
            found = call(b, "fma", kind, [vector, zero, found])
        return context.make_tuple(b, marks, [found])

    return marks(marks, tile), codegen


def stages(products, written):
    """Make what comes before and after the sums of patches: of `products` numbers, for `written` outputs."""

    @inner
    def transform(inputs, places, like, shift, first, ic, runs):
        """Write `ic` channels, from the `first` on, of each run of inputs to `places`, moved by `shift`."""
        size = lanes(like)
        for r in range(runs):
            x = shifted(load_pointers(inputs + r * products, like, products), first)
            v = shifted(load_pointers(places, like, products), shift + r * ic)
            whole = ic // size * size
            for c in range(0, whole, size):
                store_tile(inputs_transformed(load_each(shifted(x, c))), shifted(v, c))
            if whole < ic:  # what fills up the vector is written over by what comes next
                part = load_each_part(shifted(x, whole), ic - whole)
                store_tile(inputs_transformed(part), shifted(v, whole))

    @inner
    def untransform(places, shift, outputs, first, valid, bias, biased, activation, marks):
        """Write outputs of `valid` filters, from the `first` on, from sums at `places`, moved by `shift`."""
        size = lanes(bias)
        y = shifted(load_pointers(outputs, bias, written), first)
        m = shifted(load_pointers(places, bias, products), shift)
        for n in range(0, valid, size):
            here = min(size, valid - n)
            if here == size:
                tile = outputs_transformed(load_each(shifted(m, n)))
            else:
                tile = outputs_transformed(load_each_part(shifted(m, n), here))
            marks = marked(marks, tile)
            tile = activated(
                plus(tile, repeat(load_elements(bias + n, here * biased, 1), written)), activation
            )
            if here == size:
                store_tile(tile, shifted(y, n))
            else:
                store_elements(tile, shifted(y, n), here)
        return marks

    return transform, untransform
