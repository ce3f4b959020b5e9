"""Every attribute, drawn at random, against ONNX Runtime; dtypes, and what it leaves out, against others.

Drawn are small integers, whose sums are exact: results are the same to the last bit, but for roots.
ONNX Runtime 1.32 departs from the specification in two places, which have tests of their own below:
"SAME" pads of pools are not those of dilated windows, and "SAME" outputs of transposed convolutions with
windows shorter than their stride are fewer than ``input * stride``.
"""

import math

import numpy as np
import pytest

from .onnx_answers import by_fastconv, by_onnxruntime

pytestmark = pytest.mark.parity

SEEDS = 40
WORDS = ("SAME_UPPER", "SAME_LOWER", "VALID")


def integers(rng, shape, dtype="float32"):
    return rng.integers(-4, 5, shape).astype(dtype)


def drawn_window(rng):
    """Draw input sizes and the attributes that lay out windows over them."""
    rank = rng.integers(1, 4)
    i, k, s, d = (rng.integers(low, high, rank) for low, high in ((4, 9), (1, 4), (1, 4), (1, 3)))
    attributes = dict(strides=s.tolist(), dilations=d.tolist())
    if rng.random() < 0.3:
        attributes |= dict(auto_pad=WORDS[rng.integers(3)], dilations=[1] * rank)
    else:
        attributes |= dict(pads=rng.integers(0, [*k, *k]).tolist())
    return i, k, attributes


def drawn_conv(rng):
    i, k, attributes = drawn_window(rng)
    n, g, ic, oc = rng.integers(1, 4, 4)
    attributes |= dict(group=g) | (dict(kernel_shape=k.tolist()) if rng.random() < 0.5 else {})
    bias = integers(rng, g * oc) if rng.random() < 0.5 else None
    return [integers(rng, (n, g * ic, *i)), integers(rng, (g * oc, ic, *k)), bias], attributes, 1


def drawn_transpose(rng):
    i, k, attributes = drawn_window(rng)
    n, g, ic, oc = rng.integers(1, 4, 4)
    attributes |= dict(group=g, output_padding=rng.integers(0, attributes["strides"]).tolist())
    if "auto_pad" in attributes:
        attributes["strides"] = rng.integers(1, k + 1).tolist()
        attributes["output_padding"] = [0] * len(k)
    elif rng.random() < 0.5:  # sizes in place of pads: what pads would leave
        pads = np.reshape(attributes.pop("pads"), (2, -1)).sum(0)
        extent = (k - 1) * attributes["dilations"] + 1
        full = (i - 1) * attributes["strides"] + extent + attributes["output_padding"]
        attributes["output_shape"] = np.maximum(full - pads, 1).tolist()
    bias = integers(rng, g * oc) if rng.random() < 0.5 else None
    return [integers(rng, (n, g * ic, *i)), integers(rng, (g * ic, oc, *k)), bias], attributes, 1


def drawn_pool(rng, **more):
    i, k, attributes = drawn_window(rng)
    attributes |= dict(kernel_shape=k.tolist(), ceil_mode=rng.integers(2), **more)
    return [integers(rng, (*rng.integers(1, 4, 2), *i))], attributes, 1


def drawn_max_pool(rng):
    (x,), attributes, _ = drawn_pool(rng, storage_order=rng.integers(2))
    return [rng.permutation(x.size).reshape(x.shape).astype("float32")], attributes, 2  # none are equal


DRAWN = {
    "Conv": drawn_conv,
    "ConvTranspose": drawn_transpose,
    "MaxPool": drawn_max_pool,
    "AveragePool": lambda rng: drawn_pool(rng, count_include_pad=rng.integers(2)),
    "LpPool": lambda rng: drawn_pool(rng, p=rng.integers(1, 4)),
}


@pytest.mark.parametrize("op", DRAWN)
def test_attributes(op, onnxruntime):
    opset = 18 if op == "LpPool" else 22  # the runtime has none of 22
    compared = 0
    for seed in range(SEEDS):
        inputs, attributes, outputs = DRAWN[op](np.random.default_rng(seed))
        try:
            expected = by_onnxruntime(op, opset, inputs, outputs, **attributes)
        except onnxruntime.capi.onnxruntime_pybind11_state.RuntimeException:
            continue  # a window that does not fit
        y = by_fastconv(op, opset, inputs, outputs, **attributes)
        for ours, theirs in zip(*((y, expected) if outputs > 1 else ([y], [expected])), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=0 if op != "LpPool" else 1e-6, strict=True)
        compared += 1
    assert compared > SEEDS // 2


@pytest.mark.parametrize("word", WORDS)
def test_same_pads_of_dilated_windows(word, torch):
    x = integers(np.random.default_rng(0), (1, 2, 9, 8))
    totals = {"VALID": (0, 0)}.get(word, (4, 3))  # 5 outputs: (5 - 1)*2 + 5 - 9; and 8 of windows of 4
    halves = [(t // 2, t - t // 2) if word == "SAME_UPPER" else (t - t // 2, t // 2) for t in totals]
    padded = torch.nn.functional.pad(torch.from_numpy(x), (*halves[1], *halves[0]), value=-math.inf)
    expected = torch.nn.functional.max_pool2d(padded, (3, 2), (2, 1), 0, (2, 3)).numpy()
    assert expected.shape == ((1, 2, 3, 5) if word == "VALID" else (1, 2, 5, 8))

    options = dict(kernel_shape=(3, 2), strides=(2, 1), dilations=(2, 3))
    np.testing.assert_array_equal(by_fastconv("MaxPool", 22, [x], auto_pad=word, **options), expected)


@pytest.mark.parametrize("options", [dict(auto_pad="SAME_UPPER"), dict(output_shape=(12, 8))])
def test_transposed_outputs_that_no_input_reaches(options, torch):
    rng = np.random.default_rng(0)
    x, w, b = integers(rng, (1, 2, 4, 4)), integers(rng, (2, 3, 2, 2)), integers(rng, (3,))
    tensors = map(torch.from_numpy, (x, w, b))
    expected = torch.nn.functional.conv_transpose2d(*tensors, (3, 2), output_padding=(1, 0)).numpy()
    assert expected.shape == (1, 3, 12, 8)

    y = by_fastconv("ConvTranspose", 22, [x, w, b], strides=(3, 2), **options)
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("dtype", ["float16", "float64", "int8", "uint8", "bfloat16"])
def test_max_pools_of_every_dtype(dtype):
    ml_dtypes = pytest.importorskip("ml_dtypes") if dtype == "bfloat16" else None
    dtype = np.dtype(ml_dtypes.bfloat16 if ml_dtypes else dtype)
    x = np.random.default_rng(0).integers(0 if dtype.kind == "u" else -99, 99, (1, 3, 7, 6))
    options = dict(kernel_shape=(3, 2), strides=(2, 1), pads=(1, 0, 0, 1))
    expected = by_onnxruntime("MaxPool", 22, [x.astype("float64")], **options)

    y = by_fastconv("MaxPool", 22, [x.astype(dtype)], **options)
    np.testing.assert_array_equal(y, expected.astype(dtype), strict=True)


@pytest.mark.parametrize("dtype", ["float16", "float64", "bfloat16"])
@pytest.mark.parametrize("op", ["Conv", "ConvTranspose", "AveragePool", "GlobalAveragePool", "LpPool"])
def test_floats_of_every_size(op, dtype):
    """Sums are small enough to be exact in all of them; means and roots are rounded once."""
    ml_dtypes = pytest.importorskip("ml_dtypes")
    dtype = np.dtype(getattr(ml_dtypes, dtype, None) or dtype)
    rng = np.random.default_rng(0)
    inputs = [integers(rng, (1, 2, 5, 4)), integers(rng, (2, 2, 2, 3)) % 3, integers(rng, (2,))]
    options = {"AveragePool": dict(kernel_shape=(2, 3)), "LpPool": dict(kernel_shape=(2, 3))}.get(op, {})
    inputs = inputs if op.startswith("Conv") else inputs[:1]
    expected = by_onnxruntime(op, 18, inputs, **options)

    y = by_fastconv(op, 22, [array.astype(dtype) for array in inputs], **options)
    assert y.dtype == dtype
    rounding = 2.0 ** -{"float16": 11, "bfloat16": 8}.get(dtype.name, 23)
    bound = 0 if op.startswith("Conv") else rounding
    np.testing.assert_allclose(y.astype("float64"), expected, rtol=bound, strict=False)


@pytest.mark.parametrize("per_output", [False, True])
def test_quantized(per_output):
    rng = np.random.default_rng(0)
    count = 6 if per_output else ()
    x, w = rng.integers(0, 256, (2, 4, 7, 6)), rng.integers(-9, 9, (6, 2, 3, 2))
    w_scale, w_zero = rng.uniform(0.01, 0.05, count), rng.integers(0, 1, count)
    inputs = [x, 0.1, 131, w, w_scale, w_zero, 0.1, 77, rng.integers(-999, 999, 6)]
    dtypes = "uint8", "float32", "uint8", "int8", "float32", "int8", "float32", "uint8", "int32"
    inputs = [np.asarray(value, dtype) for value, dtype in zip(inputs, dtypes, strict=True)]
    options = dict(group=2, strides=(2, 1), pads=(1, 0, 0, 1))
    expected = by_onnxruntime("QLinearConv", 10, inputs, **options)
    assert np.unique(expected).size > 50

    y = by_fastconv("QLinearConv", 10, inputs, **options)
    np.testing.assert_array_equal(y, expected, strict=True)


@pytest.mark.parametrize("w_zero", [np.array(7), np.array([7, 0, 255, 3, 9, 128])])
def test_integers_with_zero_points(w_zero, torch):
    rng = np.random.default_rng(0)
    x, w = (rng.integers(0, 256, shape).astype("uint8") for shape in ((2, 4, 7, 6), (6, 2, 3, 2)))
    wide = torch.from_numpy(x - 131.0), torch.from_numpy(w - np.reshape(w_zero * 1.0, (-1, 1, 1, 1)))
    padded = torch.nn.functional.pad(wide[0], (0, 1, 1, 0))
    expected = torch.nn.functional.conv2d(padded, wide[1], None, (2, 1), groups=2).numpy()

    inputs = [x, w, np.array(131, "uint8"), w_zero.astype("uint8")]
    y = by_fastconv("ConvInteger", 10, inputs, group=2, strides=(2, 1), pads=(1, 0, 0, 1))
    np.testing.assert_array_equal(y, expected.astype("int32"), strict=True)
