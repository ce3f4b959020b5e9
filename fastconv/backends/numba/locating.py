"""Max and min pooling with small windows, and where each maximum or minimum was.

    y[n, o, c] = max_k x[n, o*s + k*d - lo, c]        at[n, o, c] = the place of that x in its image

Places count the pixels of the image; of equal elements the first is meant, of NaNs the last; where a window
meets no input the place is -1. Beside every vector of values goes one of places, in lanes as wide: they count
from the window's first tap, and become 64-bit places of the image when they are written.

The loops are those of ``nest``. Of few channels at stride 1 or 2 the outputs of a row fill vectors, elsewhere
the channels of a pixel.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np

from fastconv.backends.numba import bound, jit
from fastconv.backends.numba.arrays import channels_last, deliver, landing, rejects_pool
from fastconv.backends.numba.blocks import (
    HALVES,
    MIDDLE,
    READ,
    WIDE,
    covering,
    load_part,
    load_whole,
    store_part,
    store_whole,
)
from fastconv.backends.numba.cuts import FEW, cut, in_vectors, predict, seconds
from fastconv.backends.numba.jit import inner, merged
from fastconv.backends.numba.nest import nest
from fastconv.backends.numba.places import (
    no_places,
    numbered,
    outdone_by_greater,
    outdone_by_lesser,
    pixels_by,
)
from fastconv.backends.numba.pooling import Prepared
from fastconv.backends.numba.simd import BYTES, every, get, lanes
from fastconv.backends.numba.slots import K, S
from fastconv.backends.numba.tiles import (
    await_row,
    every_other,
    load_elements,
    load_row,
    repeat,
    store_elements,
    store_row,
    stream_row,
)
from fastconv.binding import PLACE
from fastconv.kernel import Kernel
from fastconv.problem import PoolProblem

PAST = 3 << 22  # bytes of values and places: of as many, what is written past the cache is not missed
AHEAD = (1 << 15) // BYTES  # vectors between what is read of much input, and what is brought nearer

FACTOR = 1.7  # by how much places slow values down
COSTS = ("FACTOR",)

OUTDONE = {"max": outdone_by_greater, "min": outdone_by_lesser}


def _contiguous(outdone: Callable, *, past: bool) -> Callable:
    """Make the search of any number of elements, whose taps lie as they do; it may write `past` the cache."""
    write = stream_row if past else store_row

    def whole(vectors):
        """Make a block of whole vectors."""

        @inner
        def block(q, _elements, x, met, places, count, to, at, first, factor, init):
            best = repeat((every(init, to),), vectors)
            where = no_places(best)
            if count > 0:
                best = load_row(x + (q + get(met)), vectors)
            for t in range(1, count):
                row = load_row(x + (q + get(met + t)), vectors)
                best, where = outdone(best, where, row, get(places + t) - get(places))
            write(best, to + q)
            write(numbered(where, first, q, factor, 1), at + q)

        return block

    @inner
    def rest(q, elements, x, met, places, count, to, at, first, factor, init):
        best = repeat((every(init, to),), 1)
        where = no_places(best)
        if count > 0:
            best = load_elements(x + (q + get(met)), elements - q, 1)
        for t in range(1, count):
            row = load_elements(x + (q + get(met + t)), elements - q, 1)
            best, where = outdone(best, where, row, get(places + t) - get(places))
        store_elements(best, (to + q,), elements - q)
        store_elements(numbered(where, first, q, factor, 1), (at + q,), elements - q)

    return covering(whole(WIDE), whole(MIDDLE), whole(1), rest)


@inner
def stream_whole(row, p, _elements):
    """Write all of a block past the cache."""
    stream_row(row, p)


@inner
def load_ahead(p, _elements):
    """Load what a block at stride 2 reads, and bring nearer what others will."""
    await_row(p + AHEAD * lanes(p), READ)
    return load_row(p, READ)


def _alternating(outdone: Callable, group: int, *, past: bool) -> Callable:
    """Make the search at stride 2 of a row of `group` channels, whose `k` taps in a row lie side by side."""

    def block(load, store):
        @merged
        def search(q, elements, x, met, places, count, k, to, at, init):
            best = repeat((every(init, to),), HALVES)
            where, t = no_places(best), 0
            while t < count:  # rows; a range would divide
                for tap in range(t, t + k, 2):
                    last = tap + 1 == t + k
                    read = load(x + (2 * q + get(met + tap)), 2 * (elements - q) - group * last)
                    place = get(places + tap) - get(places)
                    even = every_other(read, group, 0)
                    best, where = outdone(best, where, even, place) if tap > 0 else (even, where)
                    if not last:
                        best, where = outdone(best, where, every_other(read, group, 1), place + 1)
                t += k
            store(best, to + q, elements - q)
            store(numbered(where, get(places), q, pixels_by(group), 2), at + q, elements - q)

        return search

    far, near = (load_ahead, stream_whole), (load_whole, store_whole)
    whole, rest = block(*(far if past else near)), block(load_part, store_part)

    @inner
    def searched(elements, x, met, places, count, k, to, at, init):
        q, width = 0, HALVES * lanes(to)
        while elements - q > width:  # so that what is read with the last pair of taps is there
            whole(q, elements, x, met, places, count, k, to, at, init)
            q += width
        rest(q, elements, x, met, places, count, k, to, at, init)

    return searched


@cache
def _tasks(reduction: str, group: int, *, past: bool) -> Callable:
    """Make the loop nest for maxima or minima; with a `group` of channels, of rows at stride 2."""
    cover = _contiguous(OUTDONE[reduction], past=past)

    @inner
    def beside(x, met, places, count, y, z, shift, _pixel, length, elements, _line, init, channels, axis):
        """Search the pixels of a row together, or one after the other."""
        stride, to, at = axis[S], y + shift, z + shift
        apart = stride > 1 or channels > FEW or elements < channels
        pieces, size = (length, elements) if apart else (1, length * channels)
        factor = pixels_by(0 if apart else channels)
        for o2 in range(pieces):
            first = get(places) + o2 * stride if count > 0 else -1
            moved = o2 * channels
            source = x + o2 * stride * channels
            near = factor if count > 0 else 0
            cover(size, lanes(to), source, met, places, count, to + moved, at + moved, first, near, init)

    if not group:
        return nest(beside, past=past)
    alternating = _alternating(OUTDONE[reduction], group, past=past)

    @inner
    def between(x, met, places, count, y, z, shift, pixel, length, elements, line, init, channels, axis):
        """Search a row of which inputs have twice as many."""
        if length == 1 or count == 0:
            beside(x, met, places, count, y, z, shift, pixel, length, elements, line, init, channels, axis)
        else:
            alternating(length * elements, x, met, places, count, axis[K], y + shift, z + shift, init)

    return nest(between, past=past)


@cache
def _loop(reduction: str, group: int, dtype: np.dtype, *, past: bool = False) -> jit.Loop:
    """Compile for contiguous arrays of `dtype`."""
    x, y = jit.array(dtype, 1), jit.array(dtype, 1, writeable=True)
    places = jit.array(PLACE, 1, writeable=True)
    return jit.Loop(_tasks(reduction, group, past=past), x.dtype, x, y, places, jit.array(np.int64, 1))


def comparable(p: PoolProblem) -> np.dtype:
    """Dtype to compare in: small numbers are widened, so that a place fits beside each."""
    if p.x_dtype == np.float16:
        return np.dtype(np.float32)
    return p.x_dtype if p.x_dtype.itemsize >= 4 else np.dtype(np.int32)


def prepare(p: PoolProblem, _w: None) -> Prepared:
    """Cut up the work."""
    c, dtype = cut(p), comparable(p)
    which = str(p.reduction), c.group, dtype
    size = math.prod(p.y_shape) * (dtype.itemsize + PLACE.itemsize)
    far = size >= PAST and in_vectors(p, BYTES // dtype.itemsize)
    return Prepared(
        order=c.order,
        dtype=dtype,
        loop=_loop(*which),
        past=_loop(*which, past=True) if far else None,
        tasks=c.tasks,
        grain=jit.grain(c.tasks, FACTOR * seconds(p)),
        init=p.identity.item(),
        divisors=np.zeros(0),
        numbers=c.numbers,
    )


def locate(
    _p: PoolProblem,
    x: np.ndarray,
    prepared: Prepared,
    _bias: None,
    y: tuple[np.ndarray, np.ndarray],
) -> None:
    """Find the best of every window."""
    values, places = y
    if prepared.order:
        x, values, places = (array.transpose(prepared.order) for array in (x, values, places))
    x = channels_last(x, prepared.dtype)
    value = landing(values, prepared.dtype, contiguous=True)
    place = landing(places, PLACE, contiguous=True)
    arrays = x.ravel(), value.ravel(), place.ravel(), prepared.numbers
    loop = prepared.loop
    if prepared.past and all(array.ctypes.data % BYTES == 0 for array in (value, place)):
        loop = prepared.past
    loop(prepared.tasks, prepared.grain, prepared.init, *arrays)
    deliver(value, values)
    deliver(place, places)


def steps(
    _p: PoolProblem, x: np.ndarray, prepared: Prepared, _bias: None, y: tuple[np.ndarray, np.ndarray]
) -> list[jit.Step] | None:
    """List what `locate` does, if no array has to be copied."""
    arrays = [array.transpose(prepared.order) if prepared.order else array for array in (x, *y)]
    fits = all(a.flags.c_contiguous for a in arrays) and x.dtype == y[0].dtype == prepared.dtype
    if not fits or prepared.past:
        return None
    arguments = prepared.init, *(array.ravel() for array in arrays), prepared.numbers
    return [jit.Step(prepared.loop, prepared.tasks, prepared.grain, arguments)]


def rejects(p: PoolProblem) -> str | None:
    """Say why this kernel cannot compute `p`, if it cannot."""
    return jit.OFF or rejects_pool(p, OUTDONE, indices=True)


def cost(p: PoolProblem) -> float:
    """Predict values alone, and places by experience."""
    return FACTOR * predict(p)


KERNELS = [Kernel("numba:locate", PoolProblem, rejects, cost, locate, prepare, bind=bound.by(steps))]
