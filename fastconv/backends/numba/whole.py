"""Pooling of whole planes, one number each: a reduction over elements that all lie side by side.

    y[n, c] = sum_i x[n, c, i] / divisor      and likewise for max, min and products

where the one window of each plane meets every input, and channels come first. Loop nest, outermost first:

    task      one plane           parallel: tasks write numbers of their own
      q       its elements, four vectors at a time, so that no addition waits for the one before

Lanes are combined at the end. Where channels come last, planes are copied; other kernels do better.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from fastconv.backends.numba import jit
from fastconv.backends.numba.arrays import (
    channels_first,
    copying,
    deliver,
    landing,
    planes,
    rejects_pool,
    working_dtype,
)
from fastconv.backends.numba.blocks import COMBINE
from fastconv.backends.numba.simd import (
    BYTES,
    every,
    greatest,
    lanes,
    least,
    load,
    pointer,
    product,
    put,
    total,
)
from fastconv.backends.numba.tiles import load_over, load_row, repeat
from fastconv.kernel import Kernel
from fastconv.problem import PoolProblem

ACROSS = {"max": greatest, "min": least, "sum": total, "mean": total, "prod": product}
VECTORS = 4  # that are added to at a time

# Seconds on one thread, fitted to measurements on a 2.6 GHz AVX-512 machine.
PLANE, VECTOR = 2e-9, 7e-10  # of each plane, and of each 64 bytes
COSTS = ("PLANE", "VECTOR")


@cache
def _tasks(reduction: str) -> Callable:
    """Make the loops for one reduction."""
    combine, across, mean = COMBINE[reduction], ACROSS[reduction], reduction == "mean"

    def tasks(first, end, identity, divisor, size, x, y):
        step = lanes(pointer(x))
        for plane in range(first, end):
            p = pointer(x) + plane * size
            row = repeat((every(identity, p),), VECTORS)
            q = 0
            while size - q >= VECTORS * step:
                row = combine(row, load_row(p + q, VECTORS))
                q += VECTORS * step
            vector = combine(combine(row[0], row[1]), combine(row[2], row[3]))
            while size - q >= step:
                vector = combine(vector, load(p + q))
                q += step
            if q < size:
                vector = combine(vector, load_over(every(identity, p), p + q, size - q)[0])
            put(across(vector) / divisor if mean else across(vector), pointer(y) + plane)

    return jit.compiled(tasks)


@cache
def _loop(reduction: str, dtype: np.dtype) -> jit.Loop:
    """Compile for contiguous arrays of `dtype`."""
    x, y = jit.array(dtype, 1), jit.array(dtype, 1, writeable=True)
    return jit.Loop(_tasks(reduction), x.dtype, x.dtype, jit.types.int64, x, y)


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that does not depend on the input."""

    dtype: np.dtype
    loop: jit.Loop
    tasks: int
    grain: int
    numbers: tuple[int | float, ...]  # identity, divisor, elements of a plane


def prepare(p: PoolProblem, _w: None) -> Prepared:
    """Find the numbers that the loops take."""
    dtype = working_dtype(p)
    divisor = p.divisors().item(0) if p.reduction == "mean" and p.n * p.c else 1
    return Prepared(
        dtype=dtype,
        loop=_loop(str(p.reduction), dtype),
        tasks=p.n * p.c,
        grain=jit.grain(p.n * p.c, seconds(p)),
        numbers=(p.acc_dtype.type(p.identity).item(), dtype.type(divisor).item(), math.prod(p.window.i)),
    )


def pool(p: PoolProblem, x: np.ndarray, prepared: Prepared, _bias: None, y: np.ndarray) -> None:
    """Reduce every plane."""
    order = planes(p.window.rank)
    x = channels_first(x, prepared.dtype)
    y = y.transpose(order)
    result = landing(y, prepared.dtype, contiguous=True)
    prepared.loop(prepared.tasks, prepared.grain, *prepared.numbers, x.reshape(-1), result.reshape(-1))
    deliver(result, y)


def covers(p: PoolProblem) -> bool:
    """Whether there is one window, and it meets every input."""
    met = (p.window.counts(axis, filled) for axis, (filled, _) in enumerate(p.window.fill()))
    return all(o == 1 for o in p.window.o) and all(
        int(taps[0]) == i for taps, i in zip(met, p.window.i, strict=True)
    )


def rejects(p: PoolProblem) -> str | None:
    """Say why this kernel cannot compute `p`, if it cannot."""
    if reason := jit.OFF or rejects_pool(p, COMBINE):
        return reason
    if p.init is not None:
        return f"starts from {p.init}"
    return None if covers(p) else "windows that are not the whole of a plane"


def seconds(p: PoolProblem) -> float:
    """Predict the seconds of a task."""
    return PLANE + -(-math.prod(p.window.i) * working_dtype(p).itemsize // BYTES) * VECTOR


def cost(p: PoolProblem) -> float:
    """Predict tasks, and copies of arrays whose channels do not come first."""
    order = planes(p.window.rank)
    copies = copying(p.x_shape, p.x_order, order) + copying(p.y_shape, p.y_order, order)
    return jit.CALL + jit.predicted(p.n * p.c, seconds(p)) + copies


KERNELS = [Kernel("numba:whole", PoolProblem, rejects, cost, pool, prepare)]
