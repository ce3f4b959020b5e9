"""Max and min pooling over large windows, and where each maximum or minimum was, by doubling.

    y[n, o, c] = max_k x[n, o*s + k*d - lo, c]        at[n, o, c] = the place of that x in its image

Value and place become one 64-bit integer (``codes``) where ``doubling`` lays out its columns, and come apart
where it writes: in between their maxima are found, at a cost that hardly grows with the window.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from fastconv.backends.numba import doubling, jit, sweep
from fastconv.backends.numba.arrays import deliver, landing, lifted, rejects_pool
from fastconv.backends.numba.blocks import COMBINE
from fastconv.backends.numba.codes import NOWHERE, coding
from fastconv.backends.numba.locating import OUTDONE, comparable
from fastconv.backends.numba.simd import BYTES, address, lanes, pointer
from fastconv.backends.numba.sliding import joining
from fastconv.backends.numba.tiles import load_elements, load_row, store_elements, store_row, stream_row
from fastconv.kernel import Kernel
from fastconv.problem import PoolProblem

PAST = 3 << 23  # bytes of values and places: more are written past the cache
CHANNELS, PIXELS = 5, 6  # of the image that places are of, behind how a sweep is cut

# Seconds on one thread, fitted to measurements on a 2.6 GHz AVX-512 machine: to code an element, and back,
# and to begin with each pixel of several channels.
CODED, READ, BEGUN = 1.5e-10, 2e-10, 6e-9
COSTS = ("CODED", "READ", "BEGUN")


@cache
def _coding(kind: str, reduction: str) -> Callable:
    """Make the copy that codes numbers of 32 bits and their places; `kind` is a dtype's."""
    coded, _ = coding(kind, reduction)

    def coding_by(step):
        """Make the copy of elements whose places are `step` apart."""

        @jit.inner
        def code(source, place, to, count):
            width = lanes(source)
            whole = count // width * width
            for q in range(0, whole, width):
                store_row(coded(load_row(source + q, 1), place + q * step, step), to + q)
            if whole < count:
                row = load_elements(source + whole, count - whole, 1)
                store_elements(coded(row, place + whole * step, step), (to + whole,), count - whole)

        return code

    neighbours, equals = coding_by(1), coding_by(0)

    @jit.inner
    def code(x, at, to, count, cut):
        """Code elements from number `at` on: pixels of one channel, or the channels of pixels."""
        source, channels, pixels = pointer(x) + at, cut[CHANNELS], cut[PIXELS]
        if channels == 1:
            neighbours(source, at % pixels, to, count)
        else:
            q = 0
            while q < count:
                pixel, channel = divmod(at + q, channels)
                part = min(count - q, channels - channel)
                equals(source + q, pixel % pixels, to + q, part)
                q += part

    return code


@cache
def _reading(kind: str, reduction: str, *, past: bool) -> Callable:
    """Make the end of a row's way to values of 32 bits, and to their places, `past` the cache if aligned."""
    joined, (_, read) = joining(COMBINE["max"]), coding(kind, reduction)

    @jit.inner
    def write(source, first, shift, extra, init, places, _factor, to, count):
        """Do the last pass for `count` codes, and read them."""
        q, step = 0, lanes(source)
        far = past and (address(to) | address(places)) % BYTES == 0
        while q < count:
            low = joined(source + q, first + q, shift, extra)
            high = joined(source + (q + step), first + (q + step), shift, extra)
            values, found = read((low, high), init)
            if far and count - q >= lanes(to):
                stream_row(values, to + q)
                stream_row(found, places + q)
            elif count - q >= lanes(to):
                store_row(values, to + q)
                store_row(found, places + q)
            else:
                store_elements(values, (to + q,), count - q)
                store_elements(found, (places + q,), count - q)
            q += lanes(to)

    return write


@cache
def _loop(kind: str, reduction: str, *, first: bool, last: bool, past: bool) -> jit.Loop:
    """Compile a sweep over codes that makes them, if it is the `first`, and reads them, if the `last`."""
    copy = _coding(kind, reduction) if first else sweep.copy
    write = _reading(kind, reduction, past=past) if last else sweep.writing("max")
    tasks = sweep.tasks("max", copy, write, sweep.in_array if last else sweep.in_row, past=past)
    code, number = np.dtype(np.int64), np.dtype(np.int32)
    return sweep.loop_of(tasks, number if first else code, code, number if last else code)


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that does not depend on the input."""

    codes: doubling.Prepared
    dtype: np.dtype


def _of_codes(p: PoolProblem) -> PoolProblem:
    """Return the problem that is left of `p`."""
    code = np.dtype(np.int64)
    return replace(p, x_dtype=code, acc_dtype=code, y_dtype=code, reduction="max", init=None, indices=False)


def prepare(p: PoolProblem, _w: None) -> Prepared:
    """Prepare for codes, the first sweep to make them, and the last to read them."""
    dtype, codes = comparable(p), doubling.prepare(_of_codes(p), None)
    image = 1 if doubling.has_planes(p) else p.c, max(1, math.prod(p.window.i))
    past = math.prod(p.y_shape) * (dtype.itemsize + np.dtype(np.int64).itemsize) > PAST
    end, init = len(codes.stages) - 1, np.array(p.identity, dtype).view(np.int32).item()
    stages = tuple(
        replace(
            stage,
            loop=_loop(dtype.kind, str(p.reduction), first=number == 0, last=number == end, past=past),
            cut=np.append(stage.cut, image),
            identity=NOWHERE,
            init=init if number == end else NOWHERE,
        )
        for number, stage in enumerate(codes.stages)
    )
    return Prepared(replace(codes, stages=stages), dtype)


def locate(
    p: PoolProblem,
    x: np.ndarray,
    prepared: Prepared,
    _bias: None,
    y: tuple[np.ndarray, np.ndarray],
) -> None:
    """Bring the input into an order that can be swept, and the results into their own."""
    order = prepared.codes.order
    x = np.ascontiguousarray(lifted(x, p.window).transpose(order), prepared.dtype)
    values, places = (lifted(array, p.window).transpose(order) for array in y)
    value = landing(values, prepared.dtype, contiguous=True)
    place = landing(places, np.dtype(np.int64), contiguous=True)
    doubling.reduce(prepared.codes, x.view(np.int32), value.view(np.int32), place)
    deliver(value, values)
    deliver(place, places)


def rejects(p: PoolProblem) -> str | None:
    """Say why this kernel cannot compute `p`, if it cannot."""
    if reason := rejects_pool(p, OUTDONE, indices=True):
        return reason
    if comparable(p).itemsize != np.dtype(np.int32).itemsize:
        return f"{p.x_dtype}, only numbers of up to 32 bits"
    if math.prod(p.window.i) >= 1 << 31:
        return "places of more than 31 bits"
    return doubling.rejects(_of_codes(p))


def cost(p: PoolProblem) -> float:
    """Predict the time for codes, and to make and read them."""
    work = math.prod(p.x_shape) * CODED + math.prod(p.y_shape) * READ
    if p.c > 1 and not doubling.has_planes(p):
        work += math.prod(p.x_shape) // p.c * BEGUN
    return doubling.cost(_of_codes(p)) + jit.predicted(1, work)


KERNELS = [Kernel("numba:coded", PoolProblem, rejects, cost, locate, prepare)]
