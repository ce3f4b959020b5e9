"""Blocks of neighbouring outputs, reduced in registers.

    to[q] = finish(init + x[taps[0] + q] + x[taps[1] + q] + ...)       for q < elements

and likewise for max, min and products. `taps` says where the taps of the first output meet the input; those
of its neighbours lie behind them as the outputs do: the channels of a pixel or, at stride 1, of a whole row.
At stride 2 and few channels, ``every_other`` of them: two taps are then read at once and taken apart.
"""

from __future__ import annotations

from collections.abc import Callable

from fastconv.backends.numba.jit import inner
from fastconv.backends.numba.simd import every, get, lanes, maximum, minimum, over, plus, times
from fastconv.backends.numba.tiles import (
    every_other,
    load_elements,
    load_row,
    repeat,
    store_elements,
    store_row,
    stream_row,
)

COMBINE = {"max": maximum, "min": minimum, "sum": plus, "mean": plus, "prod": times}

WIDE, MIDDLE = 8, 4  # vectors of a block
HALVES, READ = 2, 4  # vectors of a block at stride 2, and those that are read for it


def finish_with(combine: Callable, *, begins: bool, divides: bool) -> Callable[[int], Callable]:
    """Make what makes the last steps of rows of so many vectors: what sums begin with, and a divisor."""

    def finishing(vectors):
        @inner
        def finish(row, count, init, divisor, to):
            if begins and count > 0:  # with no taps, a row is what sums begin with already
                row = combine(row, repeat((every(init, to),), vectors))
            if divides:
                row = over(row, repeat((every(divisor, to),), vectors))
            return row

        return finish

    return finishing


def covering(wide: Callable, middle: Callable, single: Callable, rest: Callable) -> Callable:
    """Make what covers any number of elements with blocks of whole vectors, and one of what is left.

    Each is called as ``block(q, elements, ...)`` to compute the elements from number `q` on.
    """

    @inner
    def covered(elements, step, *given):
        q = 0
        while elements - q >= WIDE * step:
            wide(q, elements, *given)
            q += WIDE * step
        if elements - q >= MIDDLE * step:
            middle(q, elements, *given)
            q += MIDDLE * step
        while elements - q >= step:
            single(q, elements, *given)
            q += step
        if q < elements:
            rest(q, elements, *given)

    return covered


def contiguous(combine: Callable, finishing: Callable, *, past: bool) -> Callable:
    """Make the reduction of elements whose taps lie as they do; it may write `past` the cache."""
    write = stream_row if past else store_row

    def whole(vectors):
        """Make a block of whole vectors."""
        finish = finishing(vectors)

        @inner
        def block(q, _elements, x, taps, count, to, init, divisor):
            row = repeat((every(init, to),), vectors)
            if count > 0:
                row = load_row(x + (q + get(taps)), vectors)
            for t in range(1, count):
                row = combine(row, load_row(x + (q + get(taps + t)), vectors))
            write(finish(row, count, init, divisor, to), to + q)

        return block

    finish = finishing(1)

    @inner
    def rest(q, elements, x, taps, count, to, init, divisor):
        row = repeat((every(init, to),), 1)
        if count > 0:
            row = load_elements(x + (q + get(taps)), elements - q, 1)
        for t in range(1, count):
            row = combine(row, load_elements(x + (q + get(taps + t)), elements - q, 1))
        store_elements(finish(row, count, init, divisor, to), (to + q,), elements - q)

    cover = covering(whole(WIDE), whole(MIDDLE), whole(1), rest)

    @inner
    def reduced(x, taps, count, to, elements, init, divisor):
        cover(elements, lanes(to), x, taps, count, to, init, divisor)

    return reduced


@inner
def load_whole(p, _elements):
    """Load what a block at stride 2 reads."""
    return load_row(p, READ)


@inner
def load_part(p, elements):
    """Load the first elements of what a block at stride 2 reads."""
    return load_elements(p, elements, READ)


@inner
def store_whole(row, p, _elements):
    """Write all of a block."""
    store_row(row, p)


@inner
def store_part(row, p, elements):
    """Write the first elements of a block."""
    store_elements(row, (p,), elements)


def alternating(combine: Callable, group: int, finishing: Callable) -> Callable:
    """Make the reduction at stride 2 of pixels of `group` channels; `k` taps a row lie side by side."""
    finish = finishing(HALVES)

    def block(load, store):
        @inner
        def column(x, taps, count, k, met):
            """Reduce downwards what a pair of taps meets, and what lies between."""
            pair = load(x + get(taps), met)
            other = k
            while other < count:  # a range would divide
                pair = combine(pair, load(x + get(taps + other), met))
                other += k
            return pair

        @inner
        def computed(x, taps, count, k, to, elements, init, divisor):
            pair = column(x, taps, count, k, 2 * elements - (group if k == 1 else 0))
            row = every_other(pair, group, 0)
            if k > 1:
                row = combine(row, every_other(pair, group, 1))
            for t in range(2, k, 2):
                last = t + 1 == k
                pair = column(x, taps + t, count, k, 2 * elements - (group if last else 0))
                row = combine(row, every_other(pair, group, 0))
                if not last:
                    row = combine(row, every_other(pair, group, 1))
            store(finish(row, count, init, divisor, to), to, elements)

        return computed

    whole, rest = block(load_whole, store_whole), block(load_part, store_part)

    @inner
    def reduced(x, taps, count, k, to, elements, init, divisor):
        q = 0
        width = HALVES * lanes(to)
        while elements - q > width:  # so that what is read with the last pair of taps is there
            whole(x + 2 * q, taps, count, k, to + q, width, init, divisor)
            q += width
        rest(x + 2 * q, taps, count, k, to + q, elements - q, init, divisor)

    return reduced
