"""Arrays as compiled loops take them: with three spatial axes, of one dtype, in an order they know."""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np

from fastconv.backends.numba.scratch import scratch
from fastconv.backends.numba.slots import RANK
from fastconv.backends.numba.transposition import FEW, transpose
from fastconv.problem import ConvProblem, PoolProblem, Window

CHANNELS_LAST = (0, 1, 2, 3, 4)  # axes of a lifted array in the order of memory
CHANNELS_FIRST = (0, 4, 1, 2, 3)
PHASES = 4096  # windows that a convolution may fall into: each takes some time in Python
COPIED = 6e-10  # seconds an element whose neighbours are elsewhere in the copy ...
TRANSPOSED = 1.5e-10  # ... and where whole vectors change places
COSTS = ("COPIED", "TRANSPOSED")


def lifted(x: np.ndarray, window: Window) -> np.ndarray:
    """View ``(n, *i, c)`` with three spatial axes."""
    return x[(slice(None), *(None,) * (RANK - window.rank))]


def per_axis(numbers: tuple[int, ...]) -> tuple[int, int, int]:
    """Fill up one number for each spatial axis to three, with ones in front as `lifted` does."""
    first, second, third = (1,) * (RANK - len(numbers)) + numbers
    return first, second, third


def landing(y: np.ndarray, dtype: np.dtype, *, contiguous: bool) -> np.ndarray:
    """Return `y` if compiled code may write to it as it is, else an array to `deliver`."""
    fits = y.dtype == dtype and y.flags.aligned and (y.flags.c_contiguous or not contiguous)
    return y if fits else scratch(y.shape, dtype)


def channels_last(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return ``(n, *i, c)`` contiguous, a copy if need be."""
    if x.flags.c_contiguous and x.dtype == dtype:
        return x
    y = scratch(x.shape, dtype)
    if not transpose(x.transpose(planes(x.ndim - 2)), y):
        y[...] = x
    return y


def channels_first(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return ``(n, c, *i)`` contiguous, a copy if need be, of ``(n, *i, c)``."""
    moved = x.transpose(planes(x.ndim - 2))
    if moved.flags.c_contiguous and x.dtype == dtype:
        return moved
    n, *pixels, c = x.shape
    y = scratch(moved.shape, dtype)
    if not (x.flags.c_contiguous and transpose(x.reshape(n, math.prod(pixels), c), y)):
        y[...] = moved
    return y


def deliver(result: np.ndarray, y: np.ndarray) -> None:
    """Copy to `y`, rounding once, what could not be written there."""
    if result is y:
        return
    n, *pixels, c = y.shape
    elsewhere = result.flags.c_contiguous and not y.flags.c_contiguous
    if elsewhere and transpose(result.reshape(n, -1, c), y.transpose(planes(len(pixels)))):
        return
    with np.errstate(all="ignore"):
        y[...] = result


def lies(shape: tuple[int, ...], order: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Whether axes in `order` are in the order `wanted`; those of length 1 are anywhere."""
    return [a for a in order if shape[a] > 1] == [a for a in wanted if shape[a] > 1]


def copying(shape: tuple[int, ...], order: tuple[int, ...], wanted: tuple[int, ...]) -> float:
    """Predict the seconds to copy an array whose axes do not lie as wanted."""
    if lies(shape, order, wanted):
        return 0.0
    orders = {tuple(range(len(shape))), planes(len(shape) - 2)}
    is_transposed = {order, wanted} == orders and shape[-1] >= FEW
    return math.prod(shape) * (TRANSPOSED if is_transposed else COPIED)


def planes(rank: int) -> tuple[int, ...]:
    """Order of the axes of an array whose channels come first: each is an image of its own."""
    return (0, rank + 1, *range(1, rank + 1))


def working_dtype(p: PoolProblem) -> np.dtype:
    """Dtype to reduce in; the greatest of float16 numbers is the same in float32."""
    return np.dtype(np.float32) if p.acc_dtype == np.float16 else p.acc_dtype


def rejects_conv(p: ConvProblem) -> str | None:
    """Say why no convolution here can compute `p`, if so."""
    if p.window.rank > RANK:
        return f"{p.window.rank} spatial axes, at most {RANK}"
    if p.acc_dtype not in (np.float32, np.float64):
        return f"accumulates {p.acc_dtype}, only float32 and float64"
    if (phases := p.window.phase_count) > PHASES:
        return f"base dilation {p.window.b} makes {phases} windows of different taps, at most {PHASES}"
    return None


def rejects_pool(p: PoolProblem, reductions: Collection[str], *, indices: bool = False) -> str | None:
    """Say why no pooling here by any of these reductions can compute `p`, if so."""
    if p.indices != indices:
        return "for indices only" if indices else "values only, no indices"
    if p.reduction not in reductions:
        return f"reduction {getattr(p.reduction, '__name__', p.reduction)}, only {', '.join(reductions)}"
    if p.acc_dtype.kind not in "fiu" or p.acc_dtype.itemsize > 8:
        return f"reduces {p.acc_dtype}, only integers and floats of up to 64 bits"
    if p.window.rank > RANK:
        return f"{p.window.rank} spatial axes, at most {RANK}"
    return None if p.window.taps else "a window without taps"
