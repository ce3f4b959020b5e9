"""ONNX's operators on regions, blocks and places: ONNX Runtime, and definitions as loops."""

from __future__ import annotations

import builtins
import itertools

import numpy as np
import pytest
from refusal import pattern
from refused import read

from .onnx_answers import by_fastconv, by_onnxruntime

pytestmark = pytest.mark.parity


def integers(*shape, dtype="float32", seed=0):
    return np.random.default_rng(seed).integers(-8, 9, shape).astype(dtype)


def agree(op, opset, inputs, **attributes):
    """Check that sums of small integers are the same to the last bit."""
    expected = by_onnxruntime(op, opset, inputs, **attributes)
    np.testing.assert_array_equal(by_fastconv(op, opset, inputs, **attributes), expected, strict=True)


def boxes(count, seed=0):
    """Boxes in quarters in and around an image of 9 by 11."""
    rng = np.random.default_rng(seed)
    begin = rng.integers(-12, 40, (count, 2))
    return (np.concatenate((begin, begin + rng.integers(0, 40, (count, 2))), axis=1) / 4).astype("float32")


@pytest.mark.parametrize("mode", ["avg", "max"])
@pytest.mark.parametrize("ratio", [0, 1, 2, 3])
@pytest.mark.parametrize("transformation", ["half_pixel", "output_half_pixel", None])
def test_roi_align(transformation, ratio, mode):
    rng = np.random.default_rng(ratio)
    x = rng.standard_normal((3, 2, 9, 11)).astype("float32")
    inputs = [x, boxes(12) * 2, rng.integers(0, 3, 12)]
    options = dict(mode=mode, sampling_ratio=ratio, spatial_scale=0.5, output_height=3, output_width=2)
    if transformation:
        options |= dict(coordinate_transformation_mode=transformation)
    opset = 16 if transformation else 10  # before there were modes

    expected = by_onnxruntime("RoiAlign", opset, inputs, **options)

    y = by_fastconv("RoiAlign", opset, inputs, **options)
    np.testing.assert_allclose(y, expected, rtol=0, atol=3e-6 * np.abs(x).max(), strict=True)


def test_roi_align_of_later_opsets_is_that_of_16():
    inputs = [integers(2, 3, 9, 11), boxes(5), np.array([0, 1, 1, 0, 1])]
    before = by_fastconv("RoiAlign", 16, inputs, output_height=2)

    np.testing.assert_array_equal(by_fastconv("RoiAlign", 22, inputs, output_height=2), before, strict=True)
    assert (before != by_fastconv("RoiAlign", 10, inputs, output_height=2)).any()


@pytest.mark.parametrize("shape", [(3, 2), (7, 7), (11, 4), (1, 1)])
@pytest.mark.parametrize("scale", [1.0, 0.5, 0.0625])
def test_max_roi_pool(shape, scale):
    rois = np.concatenate((np.array([[0, 2, 1, 1, 0, 2, 0, 1]], "float32").T, boxes(8) / scale), axis=1)

    agree("MaxRoiPool", 1, [integers(3, 2, 9, 11), rois], pooled_shape=shape, spatial_scale=scale)


def test_max_roi_pool_cuts_bins_in_float32():
    """Seven bins of 57 rows end with the 58th, for 7 times 57 / 7 is more than 57 there."""
    x = np.arange(60 * 60, dtype="float32").reshape(1, 1, 60, 60)

    agree("MaxRoiPool", 1, [x, np.array([[0, 0, 0, 56, 56]], "float32")], pooled_shape=(7, 7))


@pytest.mark.parametrize("groups", [(1, 1), (2, 1), (1, 4), (2, 2)])
def test_deform_conv(groups):
    group, offset_group = groups
    rng = np.random.default_rng(0)
    x, w, bias = integers(2, 4, 9, 8), integers(6, 4 // group, 3, 2), integers(6)
    offset = (rng.integers(-12, 13, (2, offset_group * 12, 5, 7)) / 4).astype("float32")
    offset[0, 0, 0] = [np.nan, np.inf, -np.inf, 1e9, -1e9, 0, -1]
    mask = integers(2, offset_group * 6, 5, 7)
    options = dict(
        group=group, offset_group=offset_group, pads=(1, 2, 2, 0), strides=(2, 1), dilations=(1, 3)
    )

    for inputs in (
        [x, w, offset],
        [x, w, offset, bias],
        [x, w, offset, None, mask],
        [x, w, offset, bias, mask],
    ):
        for opset in (19, 22):
            agree("DeformConv", opset, inputs, kernel_shape=(3, 2), **options)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "bool", "uint8"])
@pytest.mark.parametrize(
    ("image", "block", "options"),
    [
        ((5, 6), (2, 3), dict()),
        ((5, 6), (2, 3), dict(strides=(2, 1), pads=(1, 0, 2, 1), dilations=(1, 2))),
        ((4, 5, 6), (1, 2, 3), dict(strides=(1, 2, 3), pads=(0, 1, 2, 1, 0, 3))),
        ((7,), (3,), dict(strides=(2,), pads=(1, 1))),
    ],
)
def test_col2im_equals_definition(image, block, options, dtype):
    rank = len(image)
    s, d = options.get("strides", (1,) * rank), options.get("dilations", (1,) * rank)
    pads = options.get("pads", (0,) * (2 * rank))
    o = [
        (i + lo + hi - (k - 1) * dilation - 1) // stride + 1
        for i, k, stride, dilation, lo, hi in zip(image, block, s, d, pads[:rank], pads[rank:], strict=True)
    ]
    x = integers(2, 3 * np.prod(block), np.prod(o), dtype=dtype)

    y = by_fastconv("Col2Im", 18, [x, np.array(image), np.array(block)], **options)

    blocks, expected = x.reshape(2, 3, *block, *o), np.zeros((2, 3, *image), dtype)
    for n, c, tap, place in itertools.product(range(2), range(3), np.ndindex(block), np.ndindex(*o)):
        at = [q * t + k * e - lo for q, t, k, e, lo in zip(place, s, tap, d, pads, strict=False)]
        if all(0 <= a < i for a, i in zip(at, image, strict=True)):
            expected[n, c, *at, None] += blocks[n, c, *tap, *place]  # an array, of which integers may wrap
    np.testing.assert_array_equal(y, expected, strict=True)
    if rank > 1 and dtype == "float32":
        agree("Col2Im", 18, [x, np.array(image), np.array(block)], **options)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize(
    ("sizes", "options"),
    [
        ((7,), dict(kernel_shape=(3,), strides=(2,))),
        ((6, 8), dict(kernel_shape=(3, 2), strides=(3, 2))),
        ((5, 7), dict(kernel_shape=(2, 2), strides=(2, 2))),
        ((7, 8), dict(kernel_shape=(3, 2), strides=(3, 3), pads=(1, 0, 1, 1))),
        ((8, 9), dict(kernel_shape=(2, 2), strides=(3, 4), dilations=(2, 3))),
        ((3, 5, 7), dict(kernel_shape=(1, 2, 3), strides=(1, 2, 3))),
    ],
)
def test_unpooling_undoes_pooling(sizes, options, dtype):
    """A result of the shape of what was pooled has its largest elements where they were, zeros elsewhere."""
    x = np.random.default_rng(0).permutation(6 * int(np.prod(sizes))).reshape(2, 3, *sizes).astype(dtype) + 1
    y, at = by_fastconv("MaxPool", 12, [x], 2, **options)
    undone = {name: value for name, value in options.items() if name != "dilations"}

    back = by_fastconv("MaxUnpool", 11, [y, at, np.array(x.shape)], **undone)

    np.testing.assert_array_equal(back, np.where(np.isin(x, y), x, 0), strict=True)
    if dtype == "float32":
        agree("MaxUnpool", 11, [y, at, np.array(x.shape)], **undone)


def test_unpooling_without_an_output_shape():
    x, at = integers(1, 2, 2, 3), np.arange(12).reshape(1, 2, 2, 3) * 2 + 1

    agree("MaxUnpool", 11, [x, at], kernel_shape=(2, 3), strides=(2, 1), pads=(1, 0, 0, 1))
    agree("MaxUnpool", 11, [x, at % 4], kernel_shape=(2, 3), strides=(2, 1))  # the last of many stays


EMPTY = [
    ("DeformConv", [(0, 4, 5, 6), (6, 4, 3, 2), (0, 12, 3, 5)], {}, (0, 6, 3, 5)),
    ("RoiAlign", [(2, 3, 5, 6), (0, 4), (0,)], {}, (0, 3, 1, 1)),
    ("RoiAlign", [(0, 3, 5, 6), (0, 4), (0,)], dict(mode="max", output_width=2), (0, 3, 1, 2)),
    ("MaxRoiPool", [(2, 3, 5, 6), (0, 5)], dict(pooled_shape=(2, 3)), (0, 3, 2, 3)),
    ("MaxUnpool", [(0, 3, 5, 6), (0, 3, 5, 6)], dict(kernel_shape=(2, 3)), (0, 3, 6, 8)),
    ("MaxUnpool", [(2, 0, 5, 6), (2, 0, 5, 6)], dict(kernel_shape=(2, 3)), (2, 0, 6, 8)),
    ("DepthToSpace", [(0, 8, 5, 6)], dict(blocksize=2), (0, 2, 10, 12)),
    ("DepthToSpace", [(2, 0, 5, 6)], dict(blocksize=2), (2, 0, 10, 12)),
    ("SpaceToDepth", [(2, 3, 0, 6)], dict(blocksize=2), (2, 12, 0, 3)),
]


@pytest.mark.parametrize(("op", "shapes", "options", "expected"), EMPTY)
def test_of_nothing_there_is_nothing(op, shapes, options, expected):
    places = dict(RoiAlign=2, MaxUnpool=1).get(op)  # which input is of int64
    inputs = [np.zeros(shape, "int64" if at == places else "float32") for at, shape in enumerate(shapes)]

    assert by_fastconv(op, 22, inputs, **options).shape == expected


def test_col2im_of_no_images():
    y = by_fastconv("Col2Im", 18, [np.zeros((0, 12, 4), "float32"), np.array([3, 4]), np.array([2, 3])])

    assert y.shape == (0, 2, 3, 4)


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
@pytest.mark.parametrize(("r", "h", "w"), [(2, 3, 5), (3, 4, 2), (1, 2, 3), (4, 0, 2)])
def test_depth_and_space(r, h, w, mode):
    x = integers(2, 3 * r * r, h, w)

    y = by_fastconv("DepthToSpace", 13, [x], blocksize=r, mode=mode)

    expected = np.empty((2, 3, h * r, w * r), x.dtype)
    for c, a, b in np.ndindex(3, r, r):
        channel = (a * r + b) * 3 + c if mode == "DCR" else (c * r + a) * r + b
        expected[:, c, a::r, b::r] = x[:, channel]
    np.testing.assert_array_equal(y, expected, strict=True)
    np.testing.assert_array_equal(
        by_fastconv("SpaceToDepth", 28, [y], blocksize=r, mode=mode), x, strict=True
    )
    if h:
        agree("DepthToSpace", 13, [x], blocksize=r, mode=mode)


def test_space_to_depth_has_had_one_mode():
    x = integers(2, 3, 4, 6)
    agree("SpaceToDepth", 13, [x], blocksize=2)

    y = by_fastconv("SpaceToDepth", 13, [x], blocksize=2)
    np.testing.assert_array_equal(by_fastconv("SpaceToDepth", 28, [x], blocksize=2), y, strict=True)


def test_strings_move_too():
    x = np.array([f"{n}" for n in range(8)], object).reshape(1, 8, 1, 1)

    y = by_fastconv("DepthToSpace", 13, [x], blocksize=2)

    assert y.ravel().tolist() == ["0", "2", "4", "6", "1", "3", "5", "7"]


ARRAYS = dict(
    **dict(x=np.zeros((2, 4, 5, 6), "float32"), places=np.zeros((2, 4, 5, 6), "int64")),
    **dict(w=np.zeros((6, 2, 3, 2), "float32"), offset=np.zeros((2, 12, 3, 5), "float32")),
    **dict(rois=np.zeros((3, 4), "float32"), images=np.zeros(3, "int64")),
)
NAMES = dict(**ARRAYS, array=np.array, zeros=lambda *shape: np.zeros(shape, "float32"), nan=np.nan)


@pytest.mark.parametrize(("text", "refusal"), read("onnx_region_refusals.txt"))
def test_refusal(text, refusal):
    op, _, rest = text.partition("(")
    error, _, sentence = refusal.partition(": ")

    def call(*inputs, **attributes):
        return by_fastconv(op, 22, list(inputs), **attributes)

    with pytest.raises(getattr(builtins, error), match=f"^{op}: {pattern(sentence)}$"):
        eval(f"call({rest}", dict(NAMES, call=call))
