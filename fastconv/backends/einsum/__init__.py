"""NumPy: a strided view of every window, contracted with the weights or reduced tap by tap.

``einsum:matmul``     windows copied into rows, one BLAS product per group:
                      ``(g, n*o, ic*k) @ (g, ic*k, oc)``
``einsum:fft``        one input channel a group and a large filter, by way of spectra: ``fft``
``einsum:depthwise``  one input channel a group: windows and filters summed in place, nothing copied
``einsum:separable``  max, min, sums: an associative reduction, so one axis at a time, k passes an
                      axis instead of one for each of the window's taps
``einsum:ufunc``      any other ufunc: folded over the taps in row-major order
``einsum:fold``       any function of two, which takes arrays: tap by tap too, over what is no padding
``einsum:indices``    max and min with the position of each
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from fastconv.kernel import Kernel, Refusal
from fastconv.problem import ConvProblem, FoldProblem, PoolProblem
from fastconv.view import along, padded, windows

# Seconds, fitted to measurements on two 2.6 GHz AVX-512 cores.
CALL = 1.9e-5  # of Python and NumPy around any call
BLAS = 1.2e-11  # of a multiply-add, in float32 as the next two
RESULT = 5.6e-10  # of each output, copied from the product
GATHER, SHORT = 4.5e-10, 2.7e-9  # of each element copied from windows into rows, and of each run of channels
INNER, STARVED = 3.1e-10, 1.2e-9  # of a multiply-add of einsum's own loops, and more where they are short
PASS = 4.3e-10  # of each element in one pass of a ufunc
GROUP = 1e-6  # of a product for each group
COSTS = ("CALL", "BLAS", "RESULT", "GATHER", "SHORT", "INNER", "STARVED", "PASS", "GROUP")
ROWS = 1 << 26  # bytes of windows copied at a time: memory stays bounded

BINARY = {"max": np.maximum, "min": np.minimum, "sum": np.add, "mean": np.add, "prod": np.multiply}


@np.errstate(all="ignore")
def matmul(p: ConvProblem, x: np.ndarray, w: np.ndarray, bias: np.ndarray | None, y: np.ndarray) -> None:
    """Copy windows into rows ``(g, n*o, k*ic)`` and multiply them by ``(g, k*ic, oc)``."""
    rank = p.window.rank
    outer, taps = range(1 + rank), range(3 + rank, 3 + 2 * rank)
    view = windows(p.window, x.astype(p.acc_dtype, copy=False))
    view = view.reshape(*view.shape[: 1 + rank], p.g, p.ic, *p.window.k)  # n *o g ic *k
    for block in _blocks(p):
        part = view[block]
        positions = part.shape[: 1 + rank]
        columns = part.transpose(1 + rank, *outer, *taps, 2 + rank)
        result = np.matmul(columns.reshape(p.g, math.prod(positions), p.products), w)  # g n*o oc
        _finish(result.transpose(1, 0, 2).reshape(*positions, p.g * p.oc), bias, y[block])


def _blocks(p: ConvProblem) -> Iterator[tuple[slice, ...]]:
    """Cut batch and first spatial axis so that the rows of one block stay within `ROWS` bytes."""
    size = math.prod(p.window.o) * p.products * p.g * p.acc_dtype.itemsize
    images = max(1, ROWS // max(size, 1))
    for n in range(0, p.n, images):
        if size <= ROWS or p.window.rank == 0:
            yield (slice(n, n + images),)
            continue
        step = max(1, ROWS * p.window.o[0] // size)
        for first in range(0, p.window.o[0], step):
            yield slice(n, n + 1), slice(first, first + step)


def group_weights(p: ConvProblem, w: np.ndarray) -> np.ndarray:
    """Arrange ``(*k, ic, g*oc)`` as ``(g, k*ic, oc)``."""
    w = w.astype(p.acc_dtype, copy=False).reshape(p.products, p.g, p.oc)
    return np.ascontiguousarray(w.transpose(1, 0, 2))


@np.errstate(all="ignore")
def depthwise(p: ConvProblem, x: np.ndarray, w: np.ndarray, bias: np.ndarray | None, y: np.ndarray) -> None:
    """Sum ``(n, *o, g, *k)`` times ``(*k, g, m)`` over the taps."""
    rank = p.window.rank
    n, g, m, *spatial = range(3 + 2 * rank)  # labels of axes
    o, k = spatial[:rank], spatial[rank:]
    view = windows(p.window, x.astype(p.acc_dtype, copy=False))
    result = np.einsum(view, [n, *o, g, *k], w, [*k, g, m], [n, *o, g, m])
    _finish(result.reshape(p.y_shape), bias, y)


def channel_weights(p: ConvProblem, w: np.ndarray) -> np.ndarray:
    """Arrange ``(*k, 1, g*m)`` as ``(*k, g, m)``."""
    w = w.astype(p.acc_dtype, copy=False).reshape(*p.window.k, p.g, p.oc)
    return np.ascontiguousarray(w)


def _finish(result: np.ndarray, bias: np.ndarray | None, y: np.ndarray) -> None:
    """Add the bias in the accumulator's precision and round once."""
    if bias is not None:
        result += bias
    y[...] = result


@np.errstate(all="ignore")
def separable(p: PoolProblem, x: np.ndarray, _w: None, _bias: None, y: np.ndarray) -> None:
    """Reduce along one axis after another, the innermost first."""
    if 0 in p.y_shape:
        return  # an axis may not hold even one window
    function, win = BINARY[str(p.reduction)], p.window
    x = padded(win, x.astype(p.acc_dtype, copy=False), p.identity)
    for axis in reversed(range(win.rank)):
        x = _folded(function, along(x, 1 + axis, win.k[axis], win.s[axis], win.d[axis]), 1)
    if p.init is not None:
        x = function(x, p.acc_dtype.type(p.init))
    y[...] = x / p.divisors() if p.reduction == "mean" else x


@np.errstate(all="ignore")
def ufunc(p: PoolProblem, x: np.ndarray, _w: None, _bias: None, y: np.ndarray) -> None:
    """Fold any ufunc over the taps of every window."""
    view = windows(p.window, x.astype(p.acc_dtype, copy=False), p.identity)
    start = p.init
    if start is None and p.window.taps == 1 and p.identity is not None:
        start = np.asarray(p.identity).astype(p.acc_dtype)  # hypot of one number is its size
    y[...] = _folded(p.reduction, view, p.window.rank, start)


def _folded(function, view: np.ndarray, taps: int, init=None) -> np.ndarray:
    """Apply a binary ufunc from tap to tap, which are the last `taps` axes, in row-major order."""
    first, *others = np.ndindex(view.shape[view.ndim - taps :])
    result = view[(..., *first)].copy()
    if init is not None:
        function(view.dtype.type(init), result, out=result)
    for tap in others:
        function(result, view[(..., *tap)], out=result)
    return result


@np.errstate(all="ignore")
def positions(p: PoolProblem, x: np.ndarray, _w: None, _bias: None, y: tuple[np.ndarray, np.ndarray]) -> None:
    """Keep the best value of every window and where it was: of equals the first, but of NaNs the last."""
    win, beats = p.window, np.greater if p.reduction == "max" else np.less
    places = np.arange(math.prod(win.i)).reshape(1, *win.i, 1)
    seen, at = windows(win, x, p.identity), windows(win, places, -1)
    best = np.full(p.y_shape, p.identity, x.dtype)
    where = np.full(p.y_shape, -1, np.int64)
    for tap in np.ndindex(win.k):
        value, place = seen[(..., *tap)], at[(..., *tap)]
        better = beats(value, best) | (value != value) | (where < 0)
        better &= place >= 0
        np.copyto(best, value, where=better)
        np.copyto(where, place, where=better)
    y[0][...], y[1][...] = best, where


@np.errstate(all="ignore")
def fold(p: FoldProblem, x: tuple[np.ndarray, ...], _w: None, _bias: None, y: tuple[np.ndarray, ...]) -> None:
    """Apply the function from tap to tap, to all windows together that meet an input there."""
    for array, init in zip(y, p.inits, strict=True):
        array[...] = init
    if 0 in p.window.o:
        return
    for tap in np.ndindex(p.window.k):
        outputs, inputs = p.window.meets(tap)
        there: Any = (*outputs, ...)
        here: Any = (*inputs, ...)
        results = p.reduction(tuple(_shown(a[there]) for a in y), tuple(_shown(a[here]) for a in x))
        if len(y) > 1:  # what was accumulated in one array may be the result for another
            results = tuple(r.copy() if any(np.may_share_memory(r, a) for a in y) else r for r in results)
        for array, result in zip(y, results, strict=True):
            array[there] = result


def _shown(view: np.ndarray) -> np.ndarray:
    """Make a view read-only: a caller's function must not write to it."""
    view.flags.writeable = False
    return view


@np.errstate(all="ignore")
def elementwise(p: FoldProblem, _w: None) -> None:
    """Try the function on arrays: it must do with them what it does with their elements."""
    numbers = np.array([[3, 1, 0], [2, 5, 4]]), np.array([[1, 4, 0], [7, 2, 6]])
    left, right = (tuple(n.astype(dtype) for dtype in p.dtypes) for n in numbers)
    try:
        together = [np.broadcast_to(result, (2, 3)) for result in p.reduction(left, right)]
        pairs = [[tuple(a[at] for a in side) for side in (left, right)] for at in np.ndindex(2, 3)]
        alone = [p.reduction(*pair) for pair in pairs]
    except Exception as error:
        raise Refusal(f"{_name(p)} is not for arrays: {type(error).__name__}") from error
    for result, *values in zip(together, *alone, strict=True):
        one_by_one = [complex(value) for value in values]
        if not np.allclose(result.astype(complex).ravel(), one_by_one, rtol=0.02, equal_nan=True):
            raise Refusal(f"{_name(p)} does with arrays what it does not with their elements")


def rejects_nothing(_problem: ConvProblem | FoldProblem) -> str | None:
    """Everything is accepted."""
    return None


def rejects_depthwise(p: ConvProblem) -> str | None:
    """Contract taps alone: there is no matrix product in it."""
    return None if p.ic == 1 else f"{p.ic} input channels a group, only 1"


def rejects_separable(p: PoolProblem) -> str | None:
    """One axis at a time needs an operation that may be regrouped."""
    if p.indices:
        return "values only, no indices"
    return None if p.reduction in BINARY else f"reduction {_name(p)}, only {', '.join(BINARY)}"


def rejects_ufunc(p: PoolProblem) -> str | None:
    """Fold what NumPy can fold."""
    if p.indices:
        return "values only, no indices"
    if not isinstance(p.reduction, np.ufunc) or p.reduction.nin != 2:
        return f"reduction {_name(p)}, only binary ufuncs"
    if p.identity is None and not p.window.is_plain:
        return f"{_name(p)} has no identity to stand for padding"
    return None


def rejects_positions(p: PoolProblem) -> str | None:
    """Find positions of maxima and minima."""
    if not p.indices:
        return "for indices only"
    return None if p.reduction in ("max", "min") else f"reduction {_name(p)}, only max and min"


def _name(p: PoolProblem | FoldProblem) -> str:
    """Name a reduction that may be a callable."""
    return p.reduction if isinstance(p.reduction, str) else getattr(p.reduction, "__name__", "fn")


def cost_matmul(p: ConvProblem) -> float:
    """Gather every window, a run of channels at a time, then one product, whose result is copied."""
    win, words = p.window, p.acc_dtype.itemsize / 4
    as_it_is = p.g == win.taps == 1 and set(win.s) <= {1} and win.is_plain
    gathered = 0 if as_it_is else p.n * math.prod(win.o) * p.products * p.g
    work = gathered * GATHER + p.flops / 2 * BLAS + math.prod(p.y_shape) * RESULT
    return 3 * CALL + words * work + gathered * SHORT / max(p.ic, 3) + p.g * GROUP


def cost_depthwise(p: ConvProblem) -> float:
    """Count multiply-adds of einsum's own loops, over channels or filters side by side."""
    channels = p.g if p.oc == 1 else p.oc
    starved = STARVED if 1 < channels < 16 else STARVED / 5 if channels == 1 else 0
    return 3 * CALL + p.flops / 2 * (INNER + starved)


def cost_separable(p: PoolProblem) -> float:
    """Count passes over an array that shrinks axis by axis."""
    win, total, left = p.window, 0, list(p.window.padded)
    for axis in reversed(range(win.rank)):
        left[axis] = win.o[axis]
        total += win.k[axis] * math.prod(left)
    return CALL * (1 + win.rank) + p.n * p.c * total * PASS


def cost_ufunc(p: PoolProblem) -> float:
    """Count one pass a tap."""
    return 2 * CALL + p.flops * PASS


def cost_fold(p: FoldProblem) -> float:
    """Count, for every array, three passes a tap."""
    return 2 * CALL + len(p.dtypes) * (CALL / 3 * p.window.taps + 3 * p.flops * PASS)


def cost_positions(p: PoolProblem) -> float:
    """Count seven passes a tap."""
    return 2 * CALL + 7 * p.flops * PASS


KERNELS = [
    Kernel("einsum:matmul", ConvProblem, rejects_nothing, cost_matmul, matmul, group_weights),
    Kernel(
        "einsum:depthwise",
        ConvProblem,
        rejects_depthwise,
        cost_depthwise,
        depthwise,
        channel_weights,
    ),
    Kernel("einsum:fold", FoldProblem, rejects_nothing, cost_fold, fold, elementwise),
    Kernel("einsum:separable", PoolProblem, rejects_separable, cost_separable, separable),
    Kernel("einsum:ufunc", PoolProblem, rejects_ufunc, cost_ufunc, ufunc),
    Kernel("einsum:indices", PoolProblem, rejects_positions, cost_positions, positions),
]
