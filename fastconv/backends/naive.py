"""The definition: plain loops over images, window positions and filters. Any rank, any dtype.

This is what a layer does, written to be read; it is what the tests trust, and it is never made
faster. In one dimension, without options, it comes down to::

    for o in range(outputs):
        y[o] = np.sum(x[o * stride : o * stride + len(w)] * w)
"""

from __future__ import annotations

import math

import numpy as np

from fastconv.kernel import Kernel
from fastconv.problem import ConvProblem, FoldProblem, PoolProblem, Window


def patch(window: Window, x: np.ndarray, o: tuple[int, ...]) -> np.ndarray:
    """Copy what the window at position `o` sees of ``(*i, c)``, as ``(*k, c)``: zeros in the padding."""
    seen = np.zeros((*window.k, x.shape[-1]), x.dtype)
    for tap in np.ndindex(window.k):
        at = window.source(o, tap)
        if at is not None:
            seen[tap] = x[at]
    return seen


@np.errstate(all="ignore")
def conv(p: ConvProblem, x: np.ndarray, w: np.ndarray, bias: np.ndarray | None, y: np.ndarray) -> None:
    """Multiply every window by every filter of its group, element by element, and sum."""
    x, w = x.astype(p.acc_dtype, copy=False), w.astype(p.acc_dtype, copy=False)
    for n in range(p.n):
        for o in np.ndindex(p.window.o):
            seen = patch(p.window, x[n], o)
            for f in range(p.g * p.oc):
                first = f // p.oc * p.ic  # channel of the filter's group
                total = np.sum(seen[..., first : first + p.ic] * w[..., f], dtype=p.acc_dtype)
                y[(n, *o, f)] = total if bias is None else total + bias[f]


def elements(window: Window, x: np.ndarray, o: tuple[int, ...]) -> tuple[np.ndarray, list[int]]:
    """List what the window at `o` sees of ``(*i,)`` without its padding, and the flat positions."""
    met = [window.source(o, tap) for tap in np.ndindex(window.k)]
    inside = [at for at in met if at is not None]
    values = np.array([x[at] for at in inside], x.dtype)
    return values, [int(np.ravel_multi_index(at, window.i)) if at else 0 for at in inside]


@np.errstate(all="ignore")
def pool(p: PoolProblem, x: np.ndarray, _w: None, _bias: None, y: np.ndarray) -> None:
    """Reduce the real elements of every window, one channel at a time."""
    values, positions = y if p.indices else (y, None)
    for n in range(p.n):
        for o in np.ndindex(p.window.o):
            for c in range(p.c):
                seen, at = elements(p.window, x[n, ..., c], o)
                values[(n, *o, c)] = _reduced(p, seen, o)
                if positions is not None:
                    positions[(n, *o, c)] = at[_best(p, seen)] if at else -1


def _best(p: PoolProblem, seen: np.ndarray) -> int:
    """Say which element is the result: of equals the first, but of NaNs the last."""
    nans = np.flatnonzero(np.isnan(seen))
    if len(nans):
        return int(nans[-1])
    return int(np.argmax(seen) if p.reduction == "max" else np.argmin(seen))


def _reduced(p: PoolProblem, seen: np.ndarray, o: tuple[int, ...]):
    """Reduce one window's elements."""
    start = p.identity if p.init is None else p.init
    match p.reduction:
        case "max":
            return np.max(seen, initial=start)
        case "min":
            return np.min(seen, initial=start)
        case "prod":
            return np.prod(seen, dtype=p.acc_dtype, initial=start)
        case "sum":
            return np.sum(seen, dtype=p.acc_dtype, initial=start)
        case "mean":
            return np.sum(seen, dtype=p.acc_dtype, initial=start) / p.acc_dtype.type(_divisor(p, seen, o))
        case np.ufunc() as function if p.init is not None:
            return function.reduce(seen, dtype=p.acc_dtype, initial=p.init)
        case np.ufunc() as function:
            return function.reduce(seen, dtype=p.acc_dtype)
        case _:
            return p.reduction(seen)  # type: ignore[operator]  # every name is above


@np.errstate(all="ignore")
def fold(p: FoldProblem, x: tuple[np.ndarray, ...], _w: None, _bias: None, y: tuple[np.ndarray, ...]) -> None:
    """Apply the function to what has been accumulated and to the next element, from tap to tap."""
    for o in np.ndindex(p.window.o):
        values = p.inits
        for tap in np.ndindex(p.window.k):
            at = p.window.source(o, tap)
            if at is not None:
                results = p.reduction(values, tuple(array[at] for array in x))
                values = tuple(np.asarray(r, t)[()] for r, t in zip(results, p.dtypes, strict=True))
        for array, value in zip(y, values, strict=True):
            array[o] = value


def _divisor(p: PoolProblem, seen: np.ndarray, o: tuple[int, ...]) -> int:
    """Count what the sum of a window is divided by."""
    if p.divisor == "real":
        return len(seen)
    if isinstance(p.divisor, int):
        return p.divisor
    win = p.window
    ends = [size - over for size, over in zip(win.padded, p.overhang, strict=True)]
    taps = [tuple(np.multiply(o, win.s) + np.multiply(tap, win.d)) for tap in np.ndindex(win.k)]
    return sum(all(at < end for at, end in zip(tap, ends, strict=True)) for tap in taps)


def _accepts_conv(_problem: ConvProblem) -> str | None:
    """Everything is accepted: this is the definition."""
    return None


def _accepts_fold(_problem: FoldProblem) -> str | None:
    """Everything is accepted."""
    return None


def _accepts_pool(p: PoolProblem) -> str | None:
    """Everything is accepted but positions of what has none."""
    if p.indices and p.reduction not in ("max", "min"):
        return f"only max and min have indices, not {p.reduction}"
    return None


def _last(_problem) -> float:
    """Never chosen while anything else can compute the problem."""
    return math.inf


KERNELS = [
    Kernel("naive:conv", ConvProblem, _accepts_conv, _last, conv),
    Kernel("naive:fold", FoldProblem, _accepts_fold, _last, fold),
    Kernel("naive:pool", PoolProblem, _accepts_pool, _last, pool),
]
