"""Bounds of what rounding does, of rows that are not sums of products.

References
----------
N. Higham, "Accuracy and Stability of Numerical Algorithms", 2nd ed., 2002, section 24.1: the error of a
transform.
"""

from __future__ import annotations

import math

import numpy as np

from fastconv.problem import ConvProblem


def of_spectra(p: ConvProblem, points: int, size: np.ndarray, x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Bound the error of products of spectra, in float64, of blocks of so many points.

    It goes by the norms of all inputs and weights, and the last rounding by an output's `size`. With e the
    relative error, in the 2-norm, of a transform of N numbers, a spectrum adds e |x| |w| at most, and the
    inverse transform e sqrt(m) |x| |w| for m products. Higham's bound of e is below 8 u log2(N). Where
    numbers are so small that they underflow, every operation adds a unit of the smallest instead, which
    the sums of a transform collect N times, and the weights multiply.
    """
    axes = tuple(range(1, 1 + p.window.rank))
    norms = np.sqrt(np.sum(np.square(x, dtype=np.longdouble), axes, keepdims=True))
    norms = norms.repeat(p.oc, -1) * np.sqrt(
        np.sum(np.square(w, dtype=np.longdouble), axis=tuple(range(w.ndim - 1)))
    )
    transformed = 8 * np.finfo(np.float64).eps / 2 * math.log2(points + 1)
    relative = (2 + math.sqrt(p.products)) * transformed * norms + np.finfo(p.y_dtype).eps / 2 * size
    weights = np.sum(np.abs(w), axis=tuple(range(w.ndim - 1)), dtype=np.longdouble)
    tiny = 8 * points * np.longdouble(np.finfo(np.float64).smallest_subnormal) * (1 + weights)
    return relative + tiny + np.finfo(p.y_dtype).smallest_subnormal
