"""Max and min pooling over large windows, and where each maximum or minimum was, by doubling.

    y[n, o, c] = max_k x[n, o*s + k*d - lo, c]        at[n, o, c] = the place of that x in its image

Value and place are written as one 64-bit integer, whose maxima ``doubling`` finds, at a cost that hardly
grows with the window: above, the value's 32 bits, changed so that they are ordered as integers; below, the
place, counted backwards, so that of equal elements the first is the greatest. NaNs are above all others, and
places count forwards there: of NaNs the last is meant. A minimum is the maximum of all bits reversed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from fastconv.backends.numba import doubling, jit
from fastconv.backends.numba.arrays import deliver, landing, lifted, rejects_pool
from fastconv.backends.numba.locating import OUTDONE, comparable
from fastconv.backends.numba.scratch import scratch
from fastconv.kernel import Kernel
from fastconv.problem import PoolProblem

LOW = (1 << 32) - 1  # the bits of a place
SIGN, REST, NAN = 1 << 31, (1 << 31) - 1, 0x7F800000  # of 32 bits; above the last are those of NaNs
NOWHERE = -(1 << 63)  # what windows have that meet no input: less than any value at any place
PART = 1 << 13  # elements of a task

# Seconds on one thread, fitted to measurements on a 2.6 GHz AVX-512 machine: to code an element, and back.
CODED, READ = 5e-10, 7e-10
COSTS = ("CODED", "READ")


@jit.inner
def ordered_int(bits):
    """Return an integer that is ordered as the number of these 32 bits is."""
    return bits


@jit.inner
def ordered_uint(bits):
    """Return an integer that is ordered as the number of these 32 bits is."""
    return (bits & LOW) - SIGN


@jit.inner
def ordered_float(bits):
    """Return an integer that is ordered as the number of these 32 bits is; zeros have no sign."""
    return 0 if bits == -SIGN else bits ^ ((bits >> 63) & REST)


@jit.inner
def bits_of_uint(value):
    """Return the bits whose number is ordered as `value` is."""
    return value + SIGN


@jit.inner
def bits_of_float(value):
    """Return the bits whose number is ordered as `value` is."""
    return value ^ ((value >> 63) & REST)


ORDERED = {"i": ordered_int, "u": ordered_uint, "f": ordered_float}
BITS = {"i": ordered_int, "u": bits_of_uint, "f": bits_of_float}


@cache
def _coding(kind: str, reduction: str) -> tuple[jit.Loop, jit.Loop]:
    """Make what codes numbers of 32 bits and their places, and what reads both; `kind` is a dtype's."""
    ordered, bits_of = ORDERED[kind], BITS[kind]
    has_nan, reverse = kind == "f", -1 if reduction == "min" else 0

    @jit.inner
    def code(bits, place):
        value = (ordered(bits) ^ reverse) * (LOW + 1) + (LOW - place)
        return REST * (LOW + 1) + place if has_nan and (bits & REST) > NAN else value

    @jit.compiled
    def encode(first, end, numbers, codes, size, pixels, channels):
        """Code parts of `size` pixels of images one behind the other."""
        at, stop = first * size, min(end * size, len(codes) // channels)
        while at < stop:
            place = at % pixels
            count = min(stop - at, pixels - place) if channels == 1 else 1
            here = at * channels
            step, behind = (1, here + count) if channels == 1 else (0, here + channels)
            for q in range(here, behind):
                codes[np.uintp(q)] = code(np.int64(numbers[np.uintp(q)]), place + (q - here) * step)
            at += count

    @jit.compiled
    def decode(first, end, codes, values, places, init):
        """Read parts of arrays."""
        for q in range(first * PART, min(end * PART, len(codes))):
            found = codes[np.uintp(q)]
            value, low = found >> 32, found & LOW
            is_nan, is_nowhere = has_nan and value == REST, found == NOWHERE
            bits = REST if is_nan else bits_of(value ^ reverse)
            values[np.uintp(q)] = init if is_nowhere else bits
            places[np.uintp(q)] = -1 if is_nowhere else (low if is_nan else LOW - low)

    numbers, codes = jit.array(np.int32, 1), jit.array(np.int64, 1)
    written = jit.array(np.int64, 1, writeable=True)
    return (
        jit.Loop(encode, numbers, written, jit.INDEX, jit.INDEX, jit.INDEX),
        jit.Loop(decode, codes, jit.array(np.int32, 1, writeable=True), written, jit.INDEX),
    )


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that does not depend on the input."""

    codes: doubling.Prepared
    dtype: np.dtype
    encode: jit.Loop
    decode: jit.Loop
    init: int  # the bits of what windows have that meet no input


def _of_codes(p: PoolProblem) -> PoolProblem:
    """Return the problem that is left of `p`."""
    code = np.dtype(np.int64)
    return replace(p, x_dtype=code, acc_dtype=code, y_dtype=code, reduction="max", init=None, indices=False)


def prepare(p: PoolProblem, _w: None) -> Prepared:
    """Prepare for codes."""
    dtype = comparable(p)
    encode, decode = _coding(dtype.kind, str(p.reduction))
    init = np.array(p.identity, dtype).view(np.int32).item()
    return Prepared(doubling.prepare(_of_codes(p), None), dtype, encode, decode, init)


def locate(
    p: PoolProblem,
    x: np.ndarray,
    prepared: Prepared,
    _bias: None,
    y: tuple[np.ndarray, np.ndarray],
) -> None:
    """Code the input, reduce the codes, and read the result."""
    order, codes = prepared.codes.order, np.dtype(np.int64)
    x = np.ascontiguousarray(lifted(x, p.window).transpose(order), prepared.dtype)
    values, places = (lifted(array, p.window).transpose(order) for array in y)
    found = landing(values, prepared.dtype, contiguous=True), landing(places, codes, contiguous=True)
    channels = 1 if doubling.has_planes(p) else p.c
    coded, best = scratch(x.shape, codes), scratch(values.shape, codes)
    size = max(1, PART // channels)
    parts = -(-x.size // (channels * size))
    numbers = x.view(np.int32).ravel(), coded.ravel(), size, math.prod(p.window.i), channels
    prepared.encode(parts, jit.grain(parts, size * channels * CODED), *numbers)
    doubling.reduce(prepared.codes, coded, best)
    parts = -(-best.size // PART)
    results = found[0].view(np.int32).ravel(), found[1].ravel()
    prepared.decode(parts, jit.grain(parts, PART * READ), best.ravel(), *results, prepared.init)
    for result, array in zip(found, (values, places), strict=True):
        deliver(result, array)


def rejects(p: PoolProblem) -> str | None:
    """Say why this kernel cannot compute `p`, if it cannot."""
    if reason := rejects_pool(p, OUTDONE, indices=True):
        return reason
    if comparable(p).itemsize != np.dtype(np.int32).itemsize:
        return f"{p.x_dtype}, only numbers of up to 32 bits"
    if math.prod(p.window.i) >= SIGN:
        return "places of more than 31 bits"
    return doubling.rejects(_of_codes(p))


def cost(p: PoolProblem) -> float:
    """Predict the time for codes, and to make and read them."""
    coded, read = math.prod(p.x_shape) * CODED, math.prod(p.y_shape) * READ
    return doubling.cost(_of_codes(p)) + jit.predicted(1, coded) + jit.predicted(1, read)


KERNELS = [Kernel("numba:coded", PoolProblem, rejects, cost, locate, prepare)]
