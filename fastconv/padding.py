"""Padding with a number or with what is there; negative padding crops.

constant    v v | a b c d | v v        reflect    c b | a b c d | c b
replicate   a a | a b c d | d d        circular   c d | a b c d | a b     of what cropping leaves
"""

from __future__ import annotations

from typing import Any

import numpy as np

Pairs = tuple[tuple[int, int], ...]


def pad(x: np.ndarray, pairs: Pairs, mode: str, value: Any = 0) -> np.ndarray:
    """Pad every axis of an array by its (before, after)."""
    if mode == "constant":
        return _framed(x, pairs, value)
    for axis, (lo, hi) in enumerate(pairs):
        if (lo, hi) != (0, 0):
            x = x.take(sources(mode, x.shape[axis], lo, hi), axis)
    return np.array(x, order="C")


def sources(mode: str, i: int, lo: int, hi: int) -> np.ndarray:
    """Positions, in an axis of `i`, of the elements of the padded axis."""
    at = np.arange(-lo, i + hi)
    if mode == "replicate":
        return np.clip(at, 0, i - 1)
    if mode == "reflect":
        at = np.abs(at)
        return np.where(at < i, at, 2 * (i - 1) - at)
    first, end = max(-lo, 0), i + min(hi, 0)
    return first + (at - first) % max(end - first, 1)


def _framed(x: np.ndarray, pairs: Pairs, value: Any) -> np.ndarray:
    """Put what is left of an array into a larger one."""
    shape = tuple(i + lo + hi for i, (lo, hi) in zip(x.shape, pairs, strict=True))
    y = np.full(shape, value, x.dtype)
    inside = tuple(slice(max(lo, 0), n - max(hi, 0)) for n, (lo, hi) in zip(shape, pairs, strict=True))
    left = tuple(slice(max(-lo, 0), i + min(hi, 0)) for i, (lo, hi) in zip(x.shape, pairs, strict=True))
    y[inside] = x[left]
    return y
