"""What rows promise of their rounding, for numbers whose sums are not exact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fastconv import activations
from fastconv.backends import naive
from fastconv.problem import ConvProblem, FoldProblem

from .rows import Run


class BeyondError(AssertionError):
    """An error larger than its bound."""


def check(each: Run) -> None:
    """Hold a row to its bound; functions without a name have none."""
    p = each.problem
    if (
        isinstance(p, FoldProblem)
        or not isinstance(getattr(p, "reduction", ""), str)
        or getattr(p, "indices", False)
        or not np.size(each.y)
    ):
        return
    if p.acc_dtype.name not in ("float32", "float64") or {p.x_dtype.kind, p.y_dtype.kind} != {"f"}:
        return
    ideal, size = _widened(each), np.abs(_widened(each, abs))  # divisors may be negative
    if isinstance(p, ConvProblem):
        m = p.products + 2
    else:
        m = p.window.taps + 2 if p.reduction in ("sum", "prod", "mean") else 0
    u, last = np.finfo(p.acc_dtype).eps / 2, np.finfo(p.y_dtype)
    with np.errstate(all="ignore"):
        bound = m * u / (1 - m * u) * size if each.row.exact else _promised(each, size)
        if getattr(p, "activation", "linear") != "linear":
            ideal = activations.FUNCTIONS[p.activation](ideal)
            bound = bound + 8 * u * (1 + np.abs(ideal))
        bound = bound + last.eps / 2 * (np.abs(ideal) + bound) + last.smallest_subnormal
        bound = bound + m * np.finfo(np.longdouble).eps * size
        y = np.asarray(each.y)
        wrong = ~((y == ideal) | (np.isnan(y) & np.isnan(ideal)) | (np.abs(y - ideal) <= bound))
        wrong &= ~(np.isinf(y) & (np.abs(ideal) + bound >= last.max))  # it may have overflowed
    if wrong.any():
        at = tuple(np.argwhere(wrong)[0])
        raise BeyondError(
            f"{each.row.name} {p}: {int(wrong.sum())} of {y.size} beyond their bound, at {at} "
            f"{y[at]!r} for {ideal[at]!r}, bound {np.broadcast_to(bound, y.shape)[at]!r}"
        )


def _promised(each: Run, size: np.ndarray) -> np.ndarray:
    """Return the bound of an inexact row, for what is finite: the rest must be where it is."""
    x = np.where(np.isfinite(each.x), each.x, 0)
    return each.row.error(each.problem, np.where(np.isfinite(size), size, 0), x, each.w)


def _widened(each: Run, of=np.asarray) -> np.ndarray:
    """Compute a problem, or the one of the sizes of its numbers, in long doubles."""
    wide = np.dtype(np.longdouble)
    p = each.problem
    p = replace(
        p, **{name: wide for name in ("x_dtype", "w_dtype", "acc_dtype", "y_dtype") if hasattr(p, name)}
    )
    if hasattr(p, "activation"):
        p = replace(p, activation="linear")
    elif p.init is not None:
        p = replace(p, init=wide.type(of(p.init)))
    x, w, bias = (None if a is None else of(np.asarray(a, wide)) for a in (each.x, each.w, each.bias))
    y = np.empty(p.y_shape, wide)
    (naive.conv if isinstance(p, ConvProblem) else naive.pool)(p, x, w, bias, y)
    return y


def roughly(y: np.ndarray, expected: np.ndarray, *, loose: bool) -> bool:
    """Whether arrays are nearly equal, measured by the largest elements: a check of what went where."""
    if loose:  # rows that bound their errors by all of an input have been held to that
        return True
    if not expected.size or y.dtype.kind not in "fc":
        return bool(np.all(y == expected))
    with np.errstate(all="ignore"):
        least = 1e3 * float(np.finfo(y.dtype).smallest_subnormal)
        finite = np.abs(expected[np.isfinite(expected)])
        most = float(finite.max()) if finite.size else 0.0
        allowed = (1e-2 if y.dtype.itemsize == 2 else 1e-3) * most + least
        near = (y == expected) | (np.isnan(y) & np.isnan(expected)) | (np.abs(y - expected) <= allowed)
    return bool(near.all())
