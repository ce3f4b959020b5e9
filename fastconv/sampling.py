"""Bins of boxes, reduced from samples between elements, one axis after the other.

Along an axis, the samples of a bin touch some of its elements, each with one weight or several: the distance
of the sample to the other neighbour. What a bin has to know of them, for each element:

    avg   their sum, over the number of samples   y[j] = sum_q share[j, q] * x[q]
    max   the largest and the smallest            y[j] = max_q max(most[j, q] * x[q], least[j, q] * x[q])

The first is a product of matrices. A sample outside of the image is zero; so is an empty bin.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from fastconv.problem.dtypes import accumulator


class Samples(NamedTuple):
    """Weights that samples along an axis of a box give to elements, each in its bin."""

    bins: np.ndarray  # of every weight
    elements: np.ndarray
    weights: np.ndarray
    m: int  # bins
    g: int  # samples in each, those outside of the image included

    @property
    def support(self) -> slice:
        """Elements from the first to the last that is touched."""
        return slice(self.elements.min(), self.elements.max() + 1) if self.elements.size else slice(0, 0)

    def table(self, function: np.ufunc, start: float) -> np.ndarray:
        """Combine the weights of each element of the support in each bin, (m, k)."""
        first, end = self.support.start, self.support.stop
        values = np.full((self.m, end - first), start, self.weights.dtype)
        function.at(values, (self.bins, self.elements - first), self.weights)
        return values


@np.errstate(all="ignore")
def sampled(
    x: np.ndarray,
    corners: np.ndarray,
    images: np.ndarray,
    bins: tuple[int, int],
    ratio: int,
    aligned: bool,
    mode: str,
) -> np.ndarray:
    """Reduce boxes (r, 4) of ``(n, c, h, w)`` to (r, c, *bins)."""
    maps = np.ascontiguousarray(np.moveaxis(x, 1, -1), accumulator(x.dtype))
    begin, end = (corners[:, at] - corners.dtype.type(aligned / 2) for at in (slice(0, 2), slice(2, 4)))
    sizes = end - begin if aligned else np.maximum(end - begin, 1)
    reduced = _largest if mode == "max" else _mean if np.isfinite(maps).all() else _mean_of_any
    y = np.empty((len(corners), *bins, x.shape[1]), x.dtype)
    for region, image, (left, top), (width, height) in zip(y, images, begin, sizes, strict=True):
        rows = _samples(top, height, bins[0], x.shape[2], ratio)
        columns = _samples(left, width, bins[1], x.shape[3], ratio)
        seen = maps[image, rows.support, columns.support]
        band = reduced(rows, seen.reshape(len(seen), math.prod(seen.shape[1:])))
        region[...] = reduced(columns, band.reshape(bins[0], *seen.shape[1:]))
    return np.ascontiguousarray(np.moveaxis(y, -1, 1))


def _samples(begin: np.floating, size: np.floating, m: int, i: int, ratio: int) -> Samples:
    """Sample `m` bins along an axis of `i` elements; places are rounded as in Caffe2 and ONNX Runtime."""
    bin_size = size / m
    g = ratio or max(math.ceil(bin_size), 0)
    sample = np.arange(*_near(float(begin), float(bin_size) / max(g, 1), m * g, i))
    bins, within = np.divmod(sample, max(g, 1))
    real = type(begin)
    at = begin + bins.astype(real) * bin_size + (within.astype(real) + real(0.5)) * bin_size / real(g)
    inside = (at >= -1) & (at <= i)
    bins, at = bins[inside], np.maximum(at[inside], 0)
    low = np.minimum(at.astype(np.intp), i - 1)
    high = np.minimum(low + 1, i - 1)
    share = np.minimum(at, high) - low
    both = np.concatenate((bins, bins)), np.concatenate((low, high)), np.concatenate((1 - share, share))
    return Samples(*both, m, g)


def _near(begin: float, step: float, count: int, i: int) -> tuple[int, int]:
    """Bound the samples that can be inside of an image: a box may be far larger than it."""
    if step == 0:
        return 0, count
    ends = sorted(((-1 - begin) / step, (i - begin) / step))
    first, last = (min(max(end, 0.0), float(count)) for end in (ends[0] - 2, ends[1] + 2))
    return math.floor(first), math.ceil(last)


def _mean(samples: Samples, x: np.ndarray) -> np.ndarray:
    """Average the last axis but one, all of its elements finite."""
    return np.matmul(_shares(samples, x), x)


def _mean_of_any(samples: Samples, x: np.ndarray) -> np.ndarray:
    """Average the last axis but one, where a bin must not see what it has no share of."""
    used = [(row, np.flatnonzero(row)) for row in _shares(samples, x)]
    return np.stack([np.matmul(row[at], x[..., at, :]) for row, at in used], axis=-2)


def _shares(samples: Samples, x: np.ndarray) -> np.ndarray:
    return (samples.table(np.add, 0.0) / samples.weights.dtype.type(max(samples.g, 1))).astype(x.dtype)


def _largest(samples: Samples, x: np.ndarray) -> np.ndarray:
    """Take the largest weighted element of the last axis but one."""
    most, least = samples.table(np.maximum, -1.0), samples.table(np.minimum, 2.0)
    y = np.zeros((*x.shape[:-2], samples.m, x.shape[-1]), x.dtype)
    inside = np.bincount(samples.bins, minlength=samples.m)
    for j in np.flatnonzero(inside):
        at = np.flatnonzero(most[j] >= 0)
        seen = x[..., at, :]
        products = [weights[j, at, None].astype(x.dtype) * seen for weights in (most, least)]
        start = 0 if inside[j] < 2 * samples.g else -np.inf
        y[..., j, :] = np.maximum(*products).max(axis=-2, initial=start)
    return y
