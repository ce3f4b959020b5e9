"""Regions of interest equal their definitions, written as loops over bins, samples and elements.

Boxes are in quarters, sizes of bins and numbers of samples powers of two and the elements small integers, so
that all places, products and sums are exact.
"""

import itertools
import math

import numpy as np
import pytest

from fastconv.roi import roi_align, roi_pool

BOXES = {  # x1 y1 x2 y2, of images of 6 rows and 7 columns
    "inside": (1.25, 0.5, 5.25, 4.5),
    "on elements": (1, 1, 5, 5),
    "of an edge": (3, 4, 7, 6),
    "hanging over all edges": (-2.75, -3.5, 9.25, 8.5),
    "an element outside": (-1, -1, 7, 6),
    "outside": (40, 2, 44, 6),
    "far before": (-900, -800, -896, -796),
    "before and behind": (-8, 2, 24, 2.5),
    "a point": (2.5, 3, 2.5, 3),
    "a line": (1, 3, 5, 3),
    "ends before it begins": (5, 4, 1, 2),
}
SIZES = [(2, 4), (4, 1), (1, 2)]


def image(c, *i, dtype="float32"):
    return np.random.default_rng(0).integers(-8, 9, (2, c, *i)).astype(dtype)


def corners(x, at):
    """Yield the elements around a place and their shares; beyond one element outside there is none."""
    if all(-1 <= q <= i for q, i in zip(at, x.shape, strict=True)):
        q = [min(max(q, 0), i - 1) for q, i in zip(at, x.shape, strict=True)]
        for more in itertools.product((0, 1), repeat=2):
            near = [math.floor(a) + m for a, m in zip(q, more, strict=True)]
            share = math.prod(1 - abs(a - b) for a, b in zip(q, near, strict=True))
            yield share * x[tuple(min(a, i - 1) for a, i in zip(near, x.shape, strict=True))]


def aligned_bin(x, begin, size, samples, mode):
    """Reduce one bin of one channel."""
    values = []
    for sample in np.ndindex(*samples):
        at = [b + (q + 0.5) * s / m for b, s, q, m in zip(begin, size, sample, samples, strict=True)]
        values.append(list(corners(x, at)) or [0])
    if not values:
        return 0
    return sum(map(sum, values)) / len(values) if mode == "avg" else max(map(max, values))


def definition(x, boxes, images, bins, scale, ratio, aligned, mode):
    y = np.zeros((len(boxes), x.shape[1], *bins))
    for r, c, *j in np.ndindex(y.shape):
        begin = [boxes[r][a] * scale - aligned / 2 for a in (1, 0)]
        sizes = [(boxes[r][a + 2] - boxes[r][a]) * scale for a in (1, 0)]
        sizes = [each if aligned else max(each, 1) for each in sizes]
        size = [each / m for each, m in zip(sizes, bins, strict=True)]
        samples = [ratio or max(math.ceil(each), 0) for each in size]
        first = [b + each * q for b, each, q in zip(begin, size, j, strict=True)]
        y[r, c, *j] = aligned_bin(x[images[r], c], first, size, samples, mode)
    return y


@pytest.mark.parametrize("mode", ["avg", "max"])
@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("ratio", [0, 1, 2])
@pytest.mark.parametrize("bins", SIZES)
def test_align_equals_definition(bins, ratio, aligned, mode):
    x, boxes = image(3, 6, 7), list(BOXES.values())
    images = np.arange(len(boxes)) % 2

    y = roi_align(x, boxes, images, bins, 1.0, ratio, aligned, mode=mode)

    expected = definition(x, boxes, images, bins, 1.0, ratio, aligned, mode)
    if ratio:
        np.testing.assert_array_equal(y, expected.astype(x.dtype), strict=True)
    else:  # means of three samples, say, are rounded axis by axis: 4 times on a way to at most 8
        np.testing.assert_allclose(y, expected, rtol=0, atol=8 * 4 * np.finfo(x.dtype).eps)


def test_align_scales_boxes():
    x, boxes = image(2, 6, 7), np.array([BOXES["inside"], BOXES["of an edge"]], "float32")

    y = roi_align(x, boxes * 16, [1, 0], (2, 4), 1 / 16, 2)

    np.testing.assert_array_equal(y, roi_align(x, boxes, [1, 0], (2, 4), 1.0, 2), strict=True)


def test_align_of_an_image_that_is_a_slope_is_the_middle_of_each_bin():
    rows, columns = np.mgrid[:20, :30].astype("float64")
    box, bins = (3.0, 5.0, 24.0, 12.0), (7, 3)  # bins of 1 by 7

    y = roi_align((10 * rows + columns)[None, None], [box], [0], bins, aligned=True)

    middle = 10 * (5 + np.arange(7))[:, None] + (3 + 7 * (np.arange(3) + 0.5) - 0.5)
    np.testing.assert_allclose(y[0, 0], middle, rtol=1e-14)


@pytest.mark.parametrize("ratio", [0, 2])
def test_align_lets_bins_see_what_they_sample_alone(ratio):
    x = image(2, 8, 9, dtype="float64")
    x[0, 0, 2, 3], x[0, 0, 5, 6], x[0, 1, 0, 0] = np.nan, np.inf, -np.inf
    box, outside = (1, 1, 8, 8), (50, 50, 60, 60)

    y = roi_align(x, [box, outside], [0, 0], 7, 1.0, ratio)  # bins of one element

    finite = np.where(np.isfinite(x), x, 1e6)
    seen = np.abs(roi_align(finite, [box, outside], [0, 0], 7, 1.0, ratio)) > 1e4
    assert 0 < seen.sum() < 20
    np.testing.assert_array_equal(~np.isfinite(y), seen)


@pytest.mark.parametrize("mode", ["avg", "max"])
@pytest.mark.parametrize("box", [(0, 0, 2e9, 2), (-2e9, -2e9, 2e9, 2e9), (-1e9, 0, 5, 4), (2e9, 0, -2e9, 1)])
def test_align_of_a_box_far_larger_than_the_image(box, mode):
    """It has billions of samples, of which those inside count."""
    x = np.ones((1, 1, 5, 6))

    y = roi_align(x, [box], [0], (2, 3), mode=mode, aligned=True)

    assert ((y >= 0) & (y <= 1)).all()
    if mode == "avg":
        area = max(box[2] - box[0], 0) * max(box[3] - box[1], 0)
        assert y.sum() * area / 6 <= 7 * 8 + 1e-6


def test_align_counts_samples_outside_as_zero():
    x, box = (
        np.full((1, 1, 6, 7), -16.0),
        (1, 1, 11, 6),
    )  # one bin, samples at 3.5 and 8.5 across, all inside down

    mean, largest = (
        roi_align(x, [box], [0], 1, sampling_ratio=2, mode=mode).item() for mode in ("avg", "max")
    )

    assert (mean, largest) == (-8, 0)
    assert roi_align(x, [(1, 1, 6, 6)], [0], 1, sampling_ratio=2, mode="max").item() < 0


def test_align_of_no_boxes_and_of_no_images():
    x = image(3, 6, 7)
    for each in (x, x[:0]):
        for mode in ("avg", "max"):
            y = roi_align(each, np.zeros((0, 4)), [], (2, 4), mode=mode)
            np.testing.assert_array_equal(y, np.zeros((0, 3, 2, 4), "float32"), strict=True)
        y = roi_pool(each, np.zeros((0, 4)), np.zeros(0, int), (2, 4))
        np.testing.assert_array_equal(y, np.zeros((0, 3, 2, 4), "float32"), strict=True)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_halves_are_rounded_once(dtype):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    x = np.random.default_rng(0).standard_normal((2, 3, 6, 7))
    half = x.astype(getattr(ml_dtypes, dtype, dtype))
    boxes, images = list(BOXES.values()), np.zeros(len(BOXES))

    for mode in ("avg", "max"):
        y = roi_align(half, boxes, images, 3, sampling_ratio=2, mode=mode)
        wide = roi_align(half.astype("float32"), boxes, images, 3, sampling_ratio=2, mode=mode)
        np.testing.assert_array_equal(y, wide.astype(half.dtype), strict=True)


def rounded(q):
    """Round halves away from zero."""
    return int(math.copysign(math.floor(abs(q) + 0.5), q))


def pooled(x, boxes, images, bins, scale):
    y = np.zeros((len(boxes), x.shape[1], *bins), x.dtype)
    for r, c, *j in np.ndindex(y.shape):
        spans = []
        for axis, lo, hi in ((0, 1, 3), (1, 0, 2)):
            begin, last = rounded(boxes[r][lo] * scale), rounded(boxes[r][hi] * scale)
            size = max(last - begin + 1, 1)
            first, end = j[axis] * size // bins[axis], -(-(j[axis] + 1) * size // bins[axis])
            spans.append([begin + q for q in range(first, end) if 0 <= begin + q < x.shape[2 + axis]])
        values = [x[images[r], c, a, b] for a, b in itertools.product(*spans)]
        y[r, c, *j] = max(values, default=0)
    return y


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("scale", [1.0, 0.5, 0.25])
@pytest.mark.parametrize("bins", [*SIZES, (3, 5), (9, 2)])
def test_pool_equals_definition(bins, scale, dtype):
    x, boxes = image(3, 6, 7, dtype=dtype) - 9, list(BOXES.values())  # all are negative: 0 is no element
    images = np.arange(len(boxes)) % 2

    y = roi_pool(x, boxes, images, bins, scale)

    np.testing.assert_array_equal(y, pooled(x, boxes, images, bins, scale), strict=True)


def test_pool_rounds_halves_away_from_zero_and_keeps_nan():
    x = np.arange(12.0).reshape(1, 1, 3, 4)
    x[0, 0, 0, 1] = np.nan

    y = roi_pool(x, [[0.5, 0.5, 2.5, 1.5], [-0.5, -0.5, 0.5, -0.5], [0, 0, 3, 2]], [0, 0, 0], (1, 2))

    np.testing.assert_array_equal(y[:, 0, 0], [[10, 11], [0, 0], [np.nan, 11]])


def test_pool_of_a_box_far_larger_than_the_image():
    x = image(1, 5, 6)

    y = roi_pool(x, [[-2e9, -2e9, 2e9, 2e9], [0, 0, 2e9, 3]], [1, 0], (2, 2))

    np.testing.assert_array_equal(np.sort(y[0].ravel())[-1:], x[1].max(keepdims=True).ravel())
    np.testing.assert_array_equal(y[1, 0], [[x[0, 0, :2].max(), 0], [x[0, 0, 2:4].max(), 0]])
