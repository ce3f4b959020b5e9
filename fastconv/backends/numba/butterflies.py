"""Fourier transforms in place, of as many signals at once as a vector has lanes, and products of spectra.

    point        a complex number of each signal: a vector of real parts, then one of imaginary parts
    transform    passes of radix 4 and 2, from the largest span to the smallest (decimation in frequency),
                 which leaves the frequencies in the order that ``spectra`` tells
    back         the same passes the other way about, undoing each: points come out in their order

Every lane has a signal of its own, so that no pass moves anything between lanes. An axis of a block is
transformed as the signals are, its points so far apart as the axes after it have points.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastconv.backends.numba.jit import inner, merged
from fastconv.backends.numba.simd import (
    after,
    broadcast,
    call,
    lanes,
    minus,
    plus,
    pointer,
    scalar_type,
    vector_type,
)
from fastconv.backends.numba.tiles import load_row, store_row

RADIX, SPAN, APART, TWIDDLES = range(4)  # of a pass; how far neighbours are apart, where its factors are


# ---- complex numbers: rows of two vectors --------------------------------------------------------------


def _quarter(sign):
    """Make the word that adds a row to another after a quarter turn of it."""

    @intrinsic
    def word(_context, x, y):
        def codegen(context, b, _signature, args):
            (x0, x1), (y0, y1) = (cgutils.unpack_tuple(b, row) for row in args)
            parts = [b.fsub(x0, y1), b.fadd(x1, y0)] if sign > 0 else [b.fadd(x0, y1), b.fsub(x1, y0)]
            return context.make_tuple(b, x, parts)

        return x(x, y), codegen

    return word


plus_i, minus_i = _quarter(1), _quarter(-1)  # x + iy, x - iy


@intrinsic
def factor(_context, p, like):
    """Return the complex number at `p` in every lane of a row of the type of `like`'s vectors."""
    result = types.UniTuple(like.vector, 2)

    def codegen(context, b, _signature, args):
        scalars = [after(b, args[0], i, p) for i in range(2)]
        numbers = [b.load(b.inttoptr(at, scalar_type(p.dtype).as_pointer())) for at in scalars]
        return context.make_tuple(b, result, [broadcast(b, s, like.vector.lanes) for s in numbers])

    return result(p, like), codegen


def _product(*, conjugate):
    """Make the word that multiplies a row by another, or by that one's conjugate."""

    @intrinsic
    def word(_context, x, y):
        def codegen(context, b, _signature, args):
            (x0, x1), (y0, y1) = (cgutils.unpack_tuple(b, row) for row in args)
            y1 = b.fneg(y1) if conjugate else y1
            real = call(b, "fma", x.dtype, [x0, y0, b.fneg(b.fmul(x1, y1))])
            imaginary = call(b, "fma", x.dtype, [x0, y1, b.fmul(x1, y0)])
            return context.make_tuple(b, x, [real, imaginary])

        return x(x, y), codegen

    return word


turned, turned_back = _product(conjugate=False), _product(conjugate=True)


# ---- passes --------------------------------------------------------------------------------------------


@merged
def _crossed(a, b, c, d):
    """Return the spectrum of four points; of b and d in each other's place, undo that, but for a factor."""
    s, t, u, v = plus(a, c), plus(b, d), minus(a, c), minus(b, d)
    return plus(s, t), minus_i(u, v), minus(s, t), plus_i(u, v)


@inner
def _fours(p, quarter, apart, twiddles):
    """Split a span into quarters, of the frequencies that leave the same remainder by 4."""
    point = 2 * lanes(p)
    step = quarter * point
    for j in range(quarter // apart):
        by = twiddles + 6 * j
        first, second, third = factor(by, p), factor(by + 2, p), factor(by + 4, p)
        for i in range(j * apart, (j + 1) * apart):
            at = p + i * point
            a, b = load_row(at, 2), load_row(at + step, 2)
            c, d = load_row(at + 2 * step, 2), load_row(at + 3 * step, 2)
            a, b, c, d = _crossed(a, b, c, d)
            store_row(a, at)
            store_row(turned(b, first), at + step)
            store_row(turned(c, second), at + 2 * step)
            store_row(turned(d, third), at + 3 * step)


@inner
def _fours_back(p, quarter, apart, twiddles):
    """Undo `_fours`, but for a factor of 4."""
    point = 2 * lanes(p)
    step = quarter * point
    for j in range(quarter // apart):
        by = twiddles + 6 * j
        first, second, third = factor(by, p), factor(by + 2, p), factor(by + 4, p)
        for i in range(j * apart, (j + 1) * apart):
            at = p + i * point
            a, b = load_row(at, 2), turned_back(load_row(at + step, 2), first)
            c = turned_back(load_row(at + 2 * step, 2), second)
            d = turned_back(load_row(at + 3 * step, 2), third)
            a, d, c, b = _crossed(a, b, c, d)
            store_row(a, at)
            store_row(b, at + step)
            store_row(c, at + 2 * step)
            store_row(d, at + 3 * step)


@inner
def _twos(p, half, apart, twiddles):
    """Split a span into halves, of even and of odd frequencies."""
    point = 2 * lanes(p)
    for j in range(half // apart):
        by = factor(twiddles + 2 * j, p)
        for i in range(j * apart, (j + 1) * apart):
            at, further = p + i * point, p + (i + half) * point
            a, b = load_row(at, 2), load_row(further, 2)
            store_row(plus(a, b), at)
            store_row(turned(minus(a, b), by), further)


@inner
def _twos_back(p, half, apart, twiddles):
    """Undo `_twos`, but for a factor of 2."""
    point = 2 * lanes(p)
    for j in range(half // apart):
        by = factor(twiddles + 2 * j, p)
        for i in range(j * apart, (j + 1) * apart):
            at, further = p + i * point, p + (i + half) * point
            a, b = load_row(at, 2), turned_back(load_row(further, 2), by)
            store_row(plus(a, b), at)
            store_row(minus(a, b), further)


@inner
def _fours_multiplied(source, target, spectrum, points):
    """Do the last pass, in which four points are neighbours, multiply by a spectrum, and undo the pass."""
    point = 2 * lanes(source)
    for i in range(0, points, 4):
        at, to, by = source + i * point, target + i * point, spectrum + 2 * i
        a, b = load_row(at, 2), load_row(at + point, 2)
        c, d = load_row(at + 2 * point, 2), load_row(at + 3 * point, 2)
        a, b, c, d = _crossed(a, b, c, d)
        a, b = turned(a, factor(by, source)), turned(b, factor(by + 2, source))
        c, d = turned(c, factor(by + 4, source)), turned(d, factor(by + 6, source))
        a, d, c, b = _crossed(a, b, c, d)
        store_row(a, to)
        store_row(b, to + point)
        store_row(c, to + 2 * point)
        store_row(d, to + 3 * point)


@inner
def transform(data, points, passes, twiddles):
    """Do all passes but the last; those of a part of the points while it is in cache."""
    point, least = 2 * lanes(pointer(data)), passes[-1, SPAN]
    for start in range(0, points, least):
        for number in range(len(passes)):
            span, apart = passes[number, SPAN], passes[number, APART]
            if start % span == 0:
                at, by = pointer(data) + start * point, pointer(twiddles) + passes[number, TWIDDLES]
                if passes[number, RADIX] == 4:
                    _fours(at, span // 4, apart, by)
                else:
                    _twos(at, span // 2, apart, by)


@inner
def multiply(data, result, spectrum, points, passes, twiddles):
    """Multiply what was transformed by a spectrum, and transform it back, from number `result` on."""
    point, least = 2 * lanes(pointer(data)), passes[-1, SPAN]
    for start in range(0, points, least):
        source, target = pointer(data) + start * point, pointer(data) + (result + start * point)
        _fours_multiplied(source, target, spectrum + 2 * start, least)
        for number in range(len(passes) - 1, -1, -1):
            span, apart = passes[number, SPAN], passes[number, APART]
            if (start + least) % span == 0:
                at, by = target + (least - span) * point, pointer(twiddles) + passes[number, TWIDDLES]
                if passes[number, RADIX] == 4:
                    _fours_back(at, span // 4, apart, by)
                else:
                    _twos_back(at, span // 2, apart, by)


# ---- points from and to numbers of half the size -------------------------------------------------------


@intrinsic
def store_points(_context, tile, p):
    """Write each vector of a tile as a point: the first half of it is real, the other imaginary."""

    def codegen(context, b, _signature, args):
        wide = ir.VectorType(scalar_type(p.dtype), tile.dtype.lanes)
        for i, value in enumerate(cgutils.unpack_tuple(b, args[0])):
            at = b.inttoptr(after(b, args[1], i * wide.count, p), wide.as_pointer())
            b.store(b.fpext(value, wide), at).align = p.size
        return context.get_dummy_value()

    return types.void(tile, p), codegen


@intrinsic
def load_points(_context, p, like, added):
    """Return a square tile of the type of `like` from as many points, with a number added to every part."""
    kind = like.vector
    result = types.UniTuple(kind, kind.lanes)

    def codegen(context, b, _signature, args):
        wide = ir.VectorType(scalar_type(p.dtype), kind.lanes)
        offset, vectors = broadcast(b, args[2], kind.lanes), []
        for i in range(kind.lanes):
            value = b.load(b.inttoptr(after(b, args[0], i * kind.lanes, p), wide.as_pointer()))
            value.align = p.size
            vectors.append(b.fptrunc(b.fadd(value, offset), vector_type(kind)))
        return context.make_tuple(b, result, vectors)

    return result(p, like, added), codegen
