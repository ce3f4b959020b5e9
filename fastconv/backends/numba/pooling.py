"""Pooling with small windows: max, min, sum, product and mean, every tap of an output read from the input.

    y[n, o, c] = (init + sum_k x[n, o*s + k*d - lo, c]) / divisor[o]      and likewise for the others

on three spatial axes, any of them of length 1. The loops are those of ``nest``; a run of neighbouring outputs
is reduced in registers, a vector of elements at a time (``blocks``):

    stride 1        channels of all its pixels, which lie side by side in input and output
    few channels    of a run at stride 1, of which pixels are picked; at stride 2, pairs of taps are read
                    at once and taken apart
    else            channels of one pixel after the other

Channels lie side by side, or each is an image of its own; any other order is copied.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from fastconv.backends.numba import blocks, bound, jit
from fastconv.backends.numba.arrays import channels_last, deliver, landing, rejects_pool, working_dtype
from fastconv.backends.numba.blocks import COMBINE
from fastconv.backends.numba.cuts import FEW, cut, predict, seconds
from fastconv.backends.numba.nest import nest, pick
from fastconv.backends.numba.simd import BYTES, PAST, get
from fastconv.backends.numba.slots import K, S
from fastconv.kernel import Kernel
from fastconv.problem import PoolProblem


@cache
def _tasks(reduction: str, group: int, begins: bool, *, past: bool = False) -> Callable:
    """Make the loop nest for one reduction; `group` channels at stride 2 are taken apart, unless 0.

    Outputs begin with what sums begin with, or not; and are written `past` the cache, or not.
    """
    combine, mean = COMBINE[reduction], reduction == "mean"
    finishing = blocks.finish_with(combine, begins=begins, divides=mean)
    elementwise = blocks.contiguous(combine, finishing, past=past)

    @jit.inner
    def beside(x, met, _places, count, y, z, shift, pixel, length, elements, line, init, channels, axis):
        """Reduce outputs that lie in vectors as inputs do."""
        stride, to = axis[S], y + shift
        divisor = get(z + pixel) if mean else init
        picked = stride > 1 and channels < FEW and length > 1
        apart = elements < channels or (stride > 1 and not picked)
        size = elements if apart else ((length - 1) * stride + 1) * channels
        target = line if picked else to
        for o2 in range(length if apart else 1):
            elementwise(x + o2 * stride * channels, met, count, target + o2 * channels, size, init, divisor)
        if picked:
            pick(line, stride * channels, to, length, channels)

    if not group:
        return nest(beside, past=past)
    alternating = blocks.alternating(combine, group, finishing)

    @jit.inner
    def between(x, met, _places, count, y, z, shift, pixel, length, elements, _line, init, _channels, axis):
        """Reduce outputs of which inputs have twice as many."""
        divisor, size = get(z + pixel) if mean else init, length * elements
        if length == 1 or count == 0:
            elementwise(x, met, count, y + shift, size, init, divisor)
        else:
            alternating(x, met, count, axis[K], y + shift, size, init, divisor)

    return nest(between)


@cache
def _loop(reduction: str, group: int, begins: bool, dtype: np.dtype, *, past: bool = False) -> jit.Loop:
    """Compile for contiguous arrays of `dtype`."""
    x, y = jit.array(dtype, 1), jit.array(dtype, 1, writeable=True)
    return jit.Loop(_tasks(reduction, group, begins, past=past), x.dtype, x, y, x, jit.array(np.int64, 1))


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that does not depend on the input."""

    order: tuple[int, ...]  # of the axes of arrays in memory; nothing if as usual
    dtype: np.dtype
    loop: jit.Loop
    tasks: int
    grain: int
    init: int | float
    divisors: np.ndarray  # (o0 * o1 * o2,), empty unless for a mean
    numbers: np.ndarray
    past: jit.Loop | None = None  # for outputs that are too large for the cache, if they are aligned


def prepare(p: PoolProblem, _w: None) -> Prepared:
    """Cut up the work, and find what windows start from and are divided by."""
    c, dtype = cut(p), working_dtype(p)
    which = str(p.reduction), c.group, p.init is not None, dtype
    whole = not c.order and not c.group and p.c * dtype.itemsize % BYTES == 0
    divisors = p.divisors().ravel() if p.reduction == "mean" else np.zeros(0)
    return Prepared(
        order=c.order,
        dtype=dtype,
        loop=_loop(*which),
        past=_loop(*which, past=True) if whole and math.prod(p.y_shape) * dtype.itemsize > PAST else None,
        tasks=c.tasks,
        grain=jit.grain(c.tasks, seconds(p)),
        init=p.acc_dtype.type(p.identity if p.init is None else p.init).item(),
        divisors=divisors.astype(dtype, copy=False),
        numbers=c.numbers,
    )


def pool(_p: PoolProblem, x: np.ndarray, prepared: Prepared, _bias: None, y: np.ndarray) -> None:
    """Reduce every window."""
    if prepared.order:
        x, y = x.transpose(prepared.order), y.transpose(prepared.order)
    result = landing(y, prepared.dtype, contiguous=True)
    x = channels_last(x, prepared.dtype)
    arrays = x.ravel(), result.ravel(), prepared.divisors, prepared.numbers
    loop = prepared.loop
    if prepared.past and result.ctypes.data % BYTES == 0:
        loop = prepared.past
    loop(prepared.tasks, prepared.grain, prepared.init, *arrays)
    deliver(result, y)


def steps(
    _p: PoolProblem, x: np.ndarray, prepared: Prepared, _bias: None, y: np.ndarray
) -> list[jit.Step] | None:
    """List what `pool` does, if no array has to be copied."""
    if prepared.order:
        x, y = x.transpose(prepared.order), y.transpose(prepared.order)
    fits = all(a.flags.c_contiguous and a.dtype == prepared.dtype for a in (x, y))
    if not fits or prepared.past:
        return None
    arguments = prepared.init, x.ravel(), y.ravel(), prepared.divisors, prepared.numbers
    return [jit.Step(prepared.loop, prepared.tasks, prepared.grain, arguments)]


def rejects(p: PoolProblem) -> str | None:
    """Say why this kernel cannot compute `p`, if it cannot."""
    return jit.OFF or rejects_pool(p, COMBINE)


KERNELS = [Kernel("numba:pool", PoolProblem, rejects, predict, pool, prepare, bind=bound.by(steps))]
