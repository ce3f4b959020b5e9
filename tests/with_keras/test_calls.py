"""What Keras asks for in odd ways, and what its backend got wrong without fastconv."""

import pytest

from tests.with_keras.conftest import ROOT

SETUP = """
from fastconv.integrations import keras as plugin
plugin.install()
import keras, numpy as np
from keras import layers, ops
rng = np.random.default_rng(0)
def whole(*shape, dtype="float32"):
    return rng.integers(-4, 5, shape).astype(dtype)
"""

# Sums of small integers are exact: `expected` is written out in NumPy.
CALLS = {
    "a variable as kernel, and its new value": """
x, w = whole(1, 4, 2), keras.Variable(whole(2, 2, 3))
for _ in range(2):
    y = ops.conv(x, w, [2], "valid")
    expected = np.einsum("nokc,kcf->nof", x.reshape(1, 2, 2, 2), w.value)
    np.testing.assert_array_equal(y, expected)
    w.assign(whole(2, 2, 3))
w.value[...] = 1  # written into, behind Keras' back
np.testing.assert_array_equal(ops.conv(x, w, [2]), x.reshape(1, 2, 4).sum(-1, keepdims=True).repeat(3, -1))
""",
    "float64 stays float64": """
x = whole(1, 4, 4, 2, dtype="float64") + 2.0**-40
for y in (
    ops.conv(x, whole(1, 1, 2, 3, dtype="float64")),
    ops.depthwise_conv(x, whole(2, 2, 2, 1, dtype="float64")),
    ops.separable_conv(x, whole(2, 2, 2, 1, dtype="float64"), whole(1, 1, 2, 3, dtype="float64")),
    ops.conv_transpose(x, whole(2, 2, 3, 2, dtype="float64"), 2),
    ops.max_pool(x, 2), ops.average_pool(x, 2), ops.adaptive_max_pool(x, 3), ops.adaptive_average_pool(x, 3),
):
    assert y.dtype == np.float64
np.testing.assert_array_equal(ops.max_pool(x, 4), x.max((1, 2), keepdims=True))
""",
    "float16 is rounded once": """
x = np.full((1, 4096, 1), 1, "float16")
np.testing.assert_array_equal(ops.conv(x, np.ones((4096, 1, 1), "float16")), np.float16(4096))
np.testing.assert_array_equal(ops.average_pool(x, 4096), np.float16(1))
""",
    "bfloat16": """
x = ops.cast(whole(1, 4, 2), "bfloat16")
y = ops.conv(x, ops.cast(np.ones((2, 2, 1)), "bfloat16"), 2)
assert y.dtype == x.dtype
np.testing.assert_array_equal(ops.cast(y, "float32")[..., 0], ops.cast(x, "float32").reshape(1, 2, 4).sum(-1))
""",
    "windows are as far apart as they are long": """
x = whole(2, 4, 6, 3)
blocks = x.reshape(2, 2, 2, 3, 2, 3)
np.testing.assert_array_equal(ops.max_pool(x, 2), blocks.max((2, 4)))
np.testing.assert_array_equal(ops.average_pool(x, [2, 2]), blocks.mean((2, 4)))
first = np.moveaxis(x, -1, 1)
expected = np.moveaxis(blocks.max((2, 4)), -1, 1)
np.testing.assert_array_equal(ops.max_pool(first, 2, data_format="channels_first"), expected)
""",
    "a symbolic transposed convolution": """
x, w = whole(1, 4, 5, 2), whole(3, 3, 4, 2)
for padding, extra in (("valid", None), ("same", None), ("same", 1), ("valid", (0, 1))):
    i = keras.Input((4, 5, 2))
    model = keras.Model(i, ops.conv_transpose(i, w, (2, 3), padding, extra))
    np.testing.assert_array_equal(model(x), ops.conv_transpose(x, w, (2, 3), padding, extra))
""",
    "the configured data format": """
x, w = whole(1, 2, 4, 4), whole(1, 1, 2, 3)
keras.config.set_image_data_format("channels_first")
np.testing.assert_array_equal(ops.conv(x, w), np.einsum("nchw,cf->nfhw", x, w[0, 0]))
keras.config.set_image_data_format("channels_last")
""",
    "models, whole and in parts": """
i = keras.Input((8, 8, 3))
a = layers.Conv2D(4, 3, strides=2, padding="same", activation="relu", name="a")(i)
b = layers.SeparableConv2D(5, 3, name="b")(a)
model = keras.Model(i, layers.GlobalAveragePooling2D()(layers.Conv2DTranspose(2, 2, strides=2)(b)))
x = whole(3, 8, 8, 3)
y = model(x)
np.testing.assert_allclose(model.predict(x, batch_size=2, verbose=0), y, rtol=0, atol=1e-5)
np.testing.assert_allclose(model.predict_on_batch(x), y, rtol=0, atol=1e-5)
part = keras.Model(i, [a, b])(x)
assert [o.shape for o in part] == [(3, 4, 4, 4), (3, 2, 2, 5)]
""",
    "half precision in layers": """
layer = layers.Conv2D(4, 3, dtype="mixed_float16")
assert layer(whole(1, 5, 5, 2)).dtype == np.float16
""",
    "padding in numbers, where Keras lets it through": """
backend = keras.src.backend.nn
x = whole(1, 4, 2)
w = whole(2, 2, 3)
padded = np.pad(x, ((0, 0), (1, 2), (0, 0)))
np.testing.assert_array_equal(backend.conv(x, w, padding=[(1, 2)]), backend.conv(padded, w))
""",
    "blocks of images": """
x = whole(2, 3, 4, 5, dtype="int32")
columns = ops.unfold(x, (2, 3))
assert columns.dtype == x.dtype
np.testing.assert_array_equal(columns[1, :, 5], x[1, :, 1:3, 2:5].ravel())
columns = ops.unfold(np.ones_like(x), 2, padding=1, stride=(1, 2))
counts = ops.fold(columns, (4, 5), 2, padding=1, stride=(1, 2))
np.testing.assert_array_equal(counts[0, 0], np.full((4, 5), 2))
""",
    "nothing in, nothing out": """
assert ops.conv(np.ones((0, 4, 2), "float32"), np.ones((2, 2, 3), "float32")).shape == (0, 3, 3)
""",
}

REFUSED = {
    "ops.conv(whole(1, 4, 3), whole(2, 2, 4))": "must be evenly divisible by kernel's in_channels. "
    "Received input channels 3 and kernel in_channels 2",
    "ops.conv(whole(1, 4, 3), whole(5, 3, 4))": "The convolution operation resulted in an empty output",
    "ops.depthwise_conv(whole(1, 4, 3), whole(2, 2, 4))": "input channels=3, kernel input channels=2",
    "ops.conv_transpose(whole(1, 4, 3), whole(2, 3, 4))": "input channels=3, kernel input channels=4",
    "ops.max_pool(whole(1, 4, 3), 2, padding='causal')": "Invalid padding 'causal', must be",
    "ops.conv(whole(1, 4, 3), whole(2, 3, 4), 0)": "conv: `strides` must be a positive int",
    "ops.conv(whole(1, 4, 3), whole(2, 3, 4), data_format='NHWC')": "Received: data_format=nhwc",
}


def test_calls(python):
    program = f"""{SETUP}
import sys, traceback
for name, source in {CALLS!r}.items():
    try:
        exec(compile(source, name, "exec"))
    except Exception:
        traceback.print_exc(file=sys.stdout)
"""
    said = python("-c", program)
    assert not said, "\n".join(said)


def test_refusals(python):
    attempts = "".join(
        f"try:\n    {call}\nexcept ValueError as error:\n    print(str(error).replace(chr(10), ' '))\n"
        for call in REFUSED
    )
    for said, wanted in zip(python("-c", SETUP + attempts), REFUSED.values(), strict=True):
        assert wanted in said


def test_functions_of_elements_are_keras_own_with_fewer_copies(python):
    code = """
import fastconv, importlib
nn, numpy = (importlib.import_module(f"keras.src.backend.numpy.{name}") for name in ("nn", "numpy"))
def results():
    rng = np.random.default_rng(0)
    for dtype in ("float16", "float32", "float64", "int32", "bfloat16"):
        x, y = (ops.cast(8 * rng.standard_normal((2, 3, 4)), dtype) for _ in range(2))
        before = x.copy()
        a, b, c, d = (ops.cast(rng.random(4), dtype) for _ in range(4))
        for function in (nn.relu, nn.relu6, nn.sigmoid, nn.silu, nn.gelu) * (dtype != "int32"):
            yield function(x)
            yield function(x[0, ::2, ::-1])
        if dtype != "int32":
            with fastconv.use_backend("einsum"):
                yield nn.gelu(x, approximate=False)
            yield nn.batch_normalization(x, a, b, -1, c, d)
            yield nn.batch_normalization(x, mean=a[:3], variance=b[:3], axis=1, epsilon=0.1)
        for function in (numpy.add, numpy.subtract, numpy.multiply):
            yield function(x, y)
            yield function(x, keras.Variable(a, dtype=dtype))
            yield function(2, x)
            yield function(x, 0.5)
            yield function(x, np.float64(0.5))
            yield function(x, x.astype("float64"))
            yield function(x, [1, 2, 3, 4])
        np.testing.assert_array_equal(x, before)
ours = list(results())
plugin.uninstall()
theirs = list(results())
assert len(ours) == 157
for one, other in zip(ours, theirs, strict=True):
    assert type(one) is type(other)
    assert one.dtype == other.dtype
    np.testing.assert_array_equal(one, other)
"""
    assert python("-W", "ignore", "-c", SETUP + code) == []


@pytest.mark.parametrize(
    ("environment", "is_compiled"),
    [
        ({}, True),
        ({"FASTCONV_BACKEND": "einsum"}, False),
        ({"NUMBA_DISABLE_JIT": "1"}, False),
        ({"PYTHONPATH": f"{ROOT}/.ci/without/numba:{ROOT}"}, False),
    ],
    ids=lambda value: "".join(value) if isinstance(value, dict) else "",
)
def test_gelu_is_within_its_bound_however_it_is_computed(environment, is_compiled, python):
    code = """
import math
grid = np.linspace(-9, 9, 30_000, dtype="float32").reshape(2, -1, 3)
for x in (grid[1, ::-2], grid):
    y = ops.gelu(x, approximate=False)
    exact = np.reshape([v * math.erfc(-v * math.sqrt(0.5)) / 2 for v in x.ravel().tolist()], x.shape)
    assert y.dtype == np.float32
    assert (abs(y - exact) <= 2.0**-23 * abs(x)).all()
plugin.uninstall()
print((y != ops.gelu(x, approximate=False)).any())
"""
    assert python("-c", SETUP + code, **environment) == [str(is_compiled)]


def test_products_of_matrices(python):
    code = """
x = whole(2, 3, 4)
for w in (whole(4, 5), whole(2, 4, 5), whole(4)):
    np.testing.assert_array_equal(ops.matmul(x, w), np.matmul(x, w))
    np.testing.assert_array_equal(ops.matmul(x[:, ::-1], w), np.matmul(x[:, ::-1], w))
np.testing.assert_array_equal(ops.matmul(whole(4), whole(4, 5)).shape, (5,))
assert ops.matmul(whole(2, 4, dtype="int8"), whole(4, 5, dtype="int8")).dtype == np.int32
"""
    assert python("-c", SETUP + code) == []
