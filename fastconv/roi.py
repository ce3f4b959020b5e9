"""Regions of interest: boxes of feature maps, whatever their sizes, reduced to as many bins each.

    roi_align   y[r, c, j] = mean over samples q of bin j of x(images[r], c, q)    linear between elements
    roi_pool    y[r, c, j] = max over elements q of bin j of x[images[r], c, q]

Both are separable: rows are reduced to bins, then columns. Feature maps are laid out with channels together,
so that each step is long loops over columns and channels, or over channels. (He et al., Mask R-CNN, 2017;
Girshick, Fast R-CNN, 2015.)
"""

from __future__ import annotations

import numpy as np

from fastconv import sampling
from fastconv.adaptive import reduced
from fastconv.problem import Words
from fastconv.problem.functional import flag
from fastconv.problem.roi import checked_mode, checked_ratio, checked_regions

ALIGN, POOL = (Words(op, "input") for op in ("roi_align", "roi_pool"))


def roi_align(
    input,
    rois,
    batch_indices,
    output_size,
    spatial_scale=1.0,
    sampling_ratio=0,
    aligned=False,
    *,
    mode="avg",
):
    """Reduce boxes of images to bins, from samples between elements: RoIAlign, in the words of torchvision.

    A bin is sampled at the centres of a regular grid. A sample is linear between the four elements around it;
    up to one element outside the nearest counts, and farther away the sample is zero.

    Parameters
    ----------
    input : array_like, shape (n, c, h, w)
        Of a float dtype.
    rois : array_like, shape (r, 4)
        Corners ``x1, y1, x2, y2``. There may be none.
    batch_indices : array_like, shape (r,)
        The image that each box is in.
    output_size : int or sequence of 2 ints
        Bins down and across.
    spatial_scale : float
        Elements of `input` for one unit of `rois`.
    sampling_ratio : int
        Samples along each axis of a bin; where it is not positive, ``ceil(size of a bin)``.
    aligned : bool
        Whether elements are at the centres of pixels, half a unit from where `rois` count; if not, no box is
        smaller than an element. ONNX: ``coordinate_transformation_mode="half_pixel"``.
    mode : {"avg", "max"}
        The mean of the samples, or, as ONNX defines it, the largest of the four *weighted* elements around
        any of them.

    Returns
    -------
    ndarray, shape (r, c, *output_size)
        In the dtype of `input`; one of 16 bits is computed in float32 and rounded once. A bin without samples
        (of a box that ends before it begins) is 0.

    Raises
    ------
    ValueError : shapes or options break a rule, or a box is not finite; the message names it.
    TypeError : an argument is of a type that cannot be meant, or `input` holds no floats.

    Examples
    --------
    >>> x = np.arange(16.0).reshape(1, 1, 4, 4)
    >>> fastconv.roi.roi_align(x, [[0.5, 0.5, 2.5, 2.5]], [0], 2)
    array([[[[ 5.,  6.],
             [ 9., 10.]]]])
    """
    ratio = checked_ratio(ALIGN, sampling_ratio)
    half = flag(ALIGN, "aligned", aligned)
    return align(ALIGN, input, rois, batch_indices, output_size, spatial_scale, ratio, half, mode)


def roi_pool(input, rois, batch_indices, output_size, spatial_scale=1.0):
    """Reduce boxes of images to the largest element of each bin: RoIPool, as Fast R-CNN has it.

    Corners are rounded to elements, halves away from zero, and belong to the box. Bins overlap where sizes do
    not divide; those outside of the image are 0.

    Parameters
    ----------
    input : array_like, shape (n, c, h, w)
        Of a float dtype.
    rois, batch_indices, output_size, spatial_scale
        As in `roi_align`.

    Returns
    -------
    ndarray, shape (r, c, *output_size)
        In the dtype of `input`. A NaN is larger than any number.

    Raises
    ------
    ValueError, TypeError : as `roi_align`.

    Examples
    --------
    >>> x = np.arange(16.0).reshape(1, 1, 4, 4)
    >>> fastconv.roi.roi_pool(x, [[0, 0, 2, 3]], [0], (2, 1))
    array([[[[ 6.],
             [14.]]]])
    """
    return pool(POOL, input, rois, batch_indices, output_size, spatial_scale)


def align(words: Words, x, rois, images, size, scale, ratio: int, aligned: bool, mode) -> np.ndarray:
    """Do what `roi_align` does, in the words of any face."""
    regions = checked_regions(words, x, rois, images, size, scale)
    return sampling.sampled(*regions, ratio, aligned, checked_mode(words, mode))


def pool(words: Words, x, rois, images, size, scale) -> np.ndarray:
    """Do what `roi_pool` does, in the words of any face."""
    x, corners, images, bins = checked_regions(words, x, rois, images, size, scale)
    return _largest(x, _rounded(corners), images, bins)


def _rounded(corners: np.ndarray) -> np.ndarray:
    """Round halves away from zero: (r, 4) of int64."""
    far = corners.astype(np.float64)
    return np.copysign(np.floor(np.abs(far) + 0.5), far).astype(np.int64)


def _largest(x: np.ndarray, corners: np.ndarray, images: np.ndarray, bins: tuple[int, int]) -> np.ndarray:
    """Take the largest element of each bin: (r, c, *bins)."""
    maps = np.ascontiguousarray(np.moveaxis(x, 1, -1))
    y = np.zeros((len(corners), *bins, x.shape[1]), x.dtype)
    for region, (x1, y1, x2, y2), image in zip(y, corners, images, strict=True):
        rows, first, end = _bins(y1, y2, bins[0], x.shape[2])
        columns, left, right = _bins(x1, x2, bins[1], x.shape[3])
        if len(first) and len(left):
            seen = maps[image, first[0] : end[-1], left[0] : right[-1]]
            band = reduced(np.maximum, seen, 0, first - first[0], end - first[0])
            region[rows, columns] = reduced(np.maximum, band, 1, left - left[0], right - left[0])
    return np.ascontiguousarray(np.moveaxis(y, -1, 1))


def _bins(begin: int, last: int, m: int, i: int) -> tuple[slice, np.ndarray, np.ndarray]:
    """Cut the elements from `begin` to `last` into `m` bins: which have any of `i`, from where, to where.

    Edges are multiples of a bin's size in float32, as they are in Caffe: some are one off for it.
    """
    size = np.float32(max(last - begin + 1, 1)) / np.float32(m)
    edges = np.arange(m + 1, dtype=np.float32) * size
    first = np.clip(begin + np.floor(edges[:-1]).astype(np.int64), 0, i)
    end = np.clip(begin + np.ceil(edges[1:]).astype(np.int64), 0, i)
    real = np.flatnonzero(first < end)
    inside = slice(real[0], real[-1] + 1) if real.size else slice(0, 0)
    return inside, first[inside], end[inside]
