"""Regions of interest: boxes in images, each cut into as many bins, and what is refused of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastconv.problem.arguments import Words, as_index, check_size, checked_array, per_axis
from fastconv.problem.arrangement import check_not_empty
from fastconv.problem.dtypes import accumulator, kind

FARTHEST = 2**31  # elements from the origin that a box may reach to: bins are counted in int64
MOST = 2**16  # samples along an axis of a bin
MODES = ("avg", "max")


def checked_regions(
    words: Words, x: Any, rois: Any, images: Any, size: Any, scale: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[int, int]]:
    """Take feature maps, scaled boxes, the image of each, and the numbers of bins down and across."""
    x = _image(words, x)
    corners = _boxes(words, rois, scale)
    images = _images(words, images, len(corners), len(x))
    down, across = per_axis(words, "output_size", size, 2)
    check_size(words, (len(corners), x.shape[1], down, across), np.dtype(np.float64))
    return x, corners, images, (down, across)


def _image(words: Words, value: Any) -> np.ndarray:
    """Take feature maps (n, c, h, w) of floats."""
    x = checked_array(words, words.x, value)
    if x.ndim != 4:
        raise ValueError(
            f"{words.op}: `{words.x}` must have a batch, channels, height and width; got {x.ndim} axes "
            f"({words.x} {x.shape})"
        )
    if kind(x.dtype) != "f":
        raise TypeError(f"{words.op}: `{words.x}` must be of a float dtype; got {x.dtype}")
    check_not_empty(words, x.shape)
    return x


def _boxes(words: Words, value: Any, scale: Any) -> np.ndarray:
    """Take boxes (r, 4), each ``x1, y1, x2, y2``, scaled to feature maps, in a precision to compute in."""
    boxes = checked_array(words, "rois", value)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"{words.op}: `rois` must be rows of x1, y1, x2, y2; got shape {boxes.shape}")
    if kind(boxes.dtype) not in "iuf":
        raise TypeError(f"{words.op}: `rois` must hold real numbers; got {boxes.dtype}")
    if not isinstance(scale, (int, float, np.integer, np.floating)) or isinstance(scale, bool):
        raise TypeError(f"{words.op}: `spatial_scale` must be a number; got {scale!r}")
    if not (math.isfinite(scale) and scale > 0):
        raise ValueError(f"{words.op}: `spatial_scale` must be positive and finite; got {scale!r}")
    dtype = accumulator(boxes.dtype) if kind(boxes.dtype) == "f" else np.dtype(np.float64)
    with np.errstate(all="ignore"):
        scaled = boxes.astype(dtype) * dtype.type(scale)
    wrong = np.flatnonzero(~(np.abs(scaled) < FARTHEST).all(axis=1))
    if wrong.size:
        raise ValueError(
            f"{words.op}: `rois` must be finite, and less than {FARTHEST} elements away once scaled; "
            f"got {boxes[wrong[0]].tolist()} in row {wrong[0]}, scaled by {scale}"
        )
    return scaled


def _images(words: Words, value: Any, count: int, n: int) -> np.ndarray:
    """Take the number of the image that each of `count` boxes is in, whole whatever its dtype."""
    images = checked_array(words, "batch_indices", value)
    if images.shape != (count,):
        raise ValueError(
            f"{words.op}: `batch_indices` must have one axis with the image of each of {count} boxes; "
            f"got shape {images.shape}"
        )
    if kind(images.dtype) not in "iuf":
        raise TypeError(f"{words.op}: `batch_indices` must hold whole numbers; got {images.dtype}")
    with np.errstate(invalid="ignore"):
        wrong = np.flatnonzero(~((images >= 0) & (images < n) & (images % 1 == 0)))
    if wrong.size:
        raise ValueError(
            f"{words.op}: `batch_indices` must be whole numbers of images that there are, less than {n}; "
            f"got {images[wrong[0]]} in row {wrong[0]}"
        )
    return images.astype(np.intp)


def checked_ratio(words: Words, value: Any) -> int:
    """Take a number of samples on each axis of a bin; 0 where it follows from the size of the bin."""
    rule = f"{words.op}: `sampling_ratio` must be an int, {MOST} at most; got {value!r}"
    try:
        ratio = as_index(value)
    except TypeError:
        raise TypeError(rule) from None
    if ratio > MOST:
        raise ValueError(rule)
    return max(ratio, 0)


def checked_mode(words: Words, value: Any) -> str:
    """Take a way to reduce samples."""
    if not isinstance(value, str) or value not in MODES:
        raise ValueError(f"{words.op}: `mode` must be one of {', '.join(MODES)}; got {value!r}")
    return value
