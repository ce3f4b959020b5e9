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


def of_patches(
    p: ConvProblem, split: tuple[bool, ...], size: np.ndarray, x: np.ndarray, w: np.ndarray
) -> np.ndarray:
    """Bound the error of minimal filtering, F(2, 3), along the axes that are `split`, of the last three.

    With |x| summed over all inputs that a patch may hold, one more on each side than the window does, and |w|
    over its taps, every transformed input is at most the one, and the transformed weights that an output
    takes are together at most twice the other for each axis. A product passes as many roundings as there are
    terms in its sum, and five an axis: one of inputs, two of weights and two of sums.
    """
    window, axes, roundings = p.window, split[-p.window.rank :], 5 * sum(split) + 2  # those of a bias, too
    terms = p.products // math.prod(k for k, two in zip(window.k, axes, strict=True) if two)
    inputs, weights = np.abs(x).astype(np.longdouble), np.abs(w).astype(np.longdouble)
    around, largest = np.zeros(p.y_shape, np.longdouble), inputs.sum()
    for tap in np.ndindex(*(1 if two else k for k, two in zip(window.k, axes, strict=True))):
        met, at = inputs, []
        for axis, (t, two) in enumerate(zip(tap, axes, strict=True)):
            begin = np.arange(window.o[axis]) * window.s[axis] - window.p[axis][0]
            steps = range(-1, window.k[axis] + 1) if two else (t,)
            met = np.sum([_met(met, 1 + axis, begin + step * window.d[axis]) for step in steps], axis=0)
            at.append(slice(None) if two else t)
        taps = weights[tuple(at)].reshape(-1, p.ic, p.g, p.oc).sum(0)
        met = met.reshape(*met.shape[:-1], p.g, p.ic)
        around += np.einsum("...gc,cgf->...gf", met, taps).reshape(p.y_shape)
    unit = np.finfo(p.acc_dtype).eps / 2
    relative = (terms + roundings) * unit / (1 - (terms + roundings) * unit)
    tiny = 16 * (terms + 1) * (largest + weights.sum() + 1) * np.finfo(p.acc_dtype).smallest_subnormal
    last = np.finfo(p.y_dtype).eps / 2 * size + np.finfo(p.y_dtype).smallest_subnormal
    return relative * (2 ** sum(axes) * around + size) + tiny + last


def _met(inputs: np.ndarray, axis: int, at: np.ndarray) -> np.ndarray:
    """Return the inputs at places along an axis; zeros outside of it."""
    size = inputs.shape[axis]
    ends = [(0, int(number == axis)) for number in range(inputs.ndim)]
    return np.take(np.pad(inputs, ends), np.where((at >= 0) & (at < size), at, size), axis)
