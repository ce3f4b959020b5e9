"""Means that need more than a sum and a quotient: integers that stay integers, and power means.

A mean of integers is their sum, which wraps around, divided towards zero. The power mean of a window is
``(sum_k x_k^p)^(1/p)``, by way of the mean, as PyTorch has it: a mean of integers rounds here too.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def signed(x: np.ndarray, p: int | float) -> np.ndarray:
    """Return `x`, or its negative for a negative power: the smallest element is the negatives' largest."""
    return x if p > 0 else -x


@np.errstate(all="ignore")
def divided(problem: Any, totals: np.ndarray) -> np.ndarray:
    """Divide sums of windows, (n, c, *o), by the divisors of their problem, towards zero."""
    divisors = problem.divisors()[..., 0]
    quotients = totals // divisors
    quotients += (quotients < 0) & (quotients * divisors != totals)
    return quotients


@np.errstate(all="ignore")
def powers(x: np.ndarray, p: int | float) -> np.ndarray:
    """Raise elements to a power: in integers where both are, else in float32 where `x` is of integers."""
    if x.dtype.kind == "b":
        x = x.astype(np.int64)
    if x.dtype.kind in "iu" and isinstance(p, float):
        x = x.astype(np.float32)
    return x**p


@np.errstate(all="ignore")
def roots(means: np.ndarray, taps: int, p: int | float) -> np.ndarray:
    """Return the power mean of windows of so many `taps`, given the mean of their elements' powers."""
    totals = means * means.dtype.type(taps)
    return (totals.astype(np.float32) if totals.dtype.kind == "i" else totals) ** (1.0 / p)
