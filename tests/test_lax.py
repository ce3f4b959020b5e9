"""``fastconv.lax`` by what it promises, without JAX: tests/parity has the rest."""

import numpy as np
import pytest

import fastconv
from fastconv import lax

NHWC = ("NHWC", "HWIO", "NHWC")


def drawn(*shape, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).integers(-4, 5, shape).astype(dtype)


def test_the_call_of_the_article():
    """Images as Keras gives them, in float64, and the float32 kernels of its layer, as they stand."""
    images, kernels = drawn(3, 28, 28, 3, dtype=np.float64), drawn(2, 2, 3, 4)

    y = lax.conv_general_dilated(images, kernels, (2, 2), "valid", dimension_numbers=NHWC)
    z = lax.reduce_window(y, -np.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "valid")

    assert (y.shape, y.dtype, z.shape, z.dtype) == ((3, 14, 14, 4), np.float64, (3, 7, 7, 4), np.float64)
    np.testing.assert_array_equal(y, fastconv.conv(images, kernels, 2))
    np.testing.assert_array_equal(z, fastconv.max_pool(y, 2))


@pytest.mark.parametrize(
    ("left", "right", "wanted"),
    [
        ("float32", "float64", "float64"),
        ("float16", "float32", "float32"),
        ("float64", "float16", "float64"),
        ("float16", "float16", "float16"),
    ],
)
def test_floats_of_different_sizes_promote(left, right, wanted):
    x, w = drawn(1, 2, 5, dtype=left), drawn(3, 2, 2, dtype=right, seed=1)

    y = lax.conv(x, w, (1,), "SAME")

    assert y.dtype == wanted
    np.testing.assert_array_equal(y, lax.conv(x.astype("float64"), w.astype("float64"), (1,), "SAME"))


@pytest.mark.parametrize("backend", fastconv.backends())
@pytest.mark.parametrize("numbers", [NHWC, None, ("CWHN", "HOWI", "NCHW"), ("HNWC", "OWIH", "CNWH")])
def test_a_layout_is_only_a_layout(numbers, backend):
    x, w = drawn(2, 9, 7, 3), drawn(3, 2, 3, 4, seed=1)
    given = numbers or ("NCHW", "OIHW", "NCHW")
    lhs = x.transpose(["NHWC".index(a) for a in given[0]])
    rhs = w.transpose(["HWIO".index(a) for a in given[1]])
    steps = (1, 2), ((1, 0), (0, 2)), None, (2, 1)  # along height and width ...
    if given[1].index("W") < given[1].index("H"):  # ... in the order of the kernel's letters
        steps = (2, 1), ((0, 2), (1, 0)), None, (1, 2)

    with fastconv.use_backend(backend):
        y = lax.conv_general_dilated(lhs, rhs, *steps, dimension_numbers=numbers)

    plain = fastconv.conv(x, w, (1, 2), padding=((1, 0), (0, 2)), dilation_rate=(2, 1))
    np.testing.assert_array_equal(y, plain.transpose(["NHWC".index(a) for a in given[2]]))
    assert y.flags.c_contiguous


def test_groups_of_the_batch_are_convolutions_side_by_side():
    x, w = drawn(6, 2, 7), drawn(6, 2, 3, seed=1)

    y = lax.conv_general_dilated(x, w, (2,), "SAME", batch_group_count=3)

    parts = [lax.conv(x[2 * g : 2 * g + 2], w[2 * g : 2 * g + 2], (2,), "SAME") for g in range(3)]
    np.testing.assert_array_equal(y, np.concatenate(parts, axis=1))


def test_sums_are_taken_in_the_preferred_dtype():
    x, w = np.full((1, 3, 1), 100, np.int8), np.full((1, 3, 1), 100, np.int8)

    assert lax.conv(x, w, (1,), "VALID").item() == np.int64(30_000).astype(np.int8)
    y = lax.conv(x, w, (1,), "VALID", preferred_element_type=np.int32)
    z = lax.conv(x, w, (1,), "VALID", preferred_element_type="float32")

    np.testing.assert_array_equal(y, np.full((1, 1, 1), 30_000, np.int32), strict=True)
    np.testing.assert_array_equal(z, np.full((1, 1, 1), 30_000, np.float32), strict=True)


def test_precision_has_names():
    assert lax.Precision("highest") is lax.Precision("float32") is lax.Precision.HIGHEST
    assert lax.Precision("high") is lax.Precision("tensorfloat32") is lax.Precision.HIGH
    assert lax.Precision("fastest") is lax.Precision(0) is lax.Precision.DEFAULT
    x = drawn(1, 1, 4)
    for precision in (None, "highest", lax.Precision.HIGH, ("default", "high"), (lax.Precision.HIGH,) * 2):
        np.testing.assert_array_equal(lax.conv(x, x, (1,), "VALID", precision), [[[np.sum(x * x)]]])


def test_transposed_kernel_is_that_of_keras():
    x, w = drawn(2, 4, 5, 3), drawn(3, 2, 4, 3, seed=1)

    y = lax.conv_transpose(x, w, (2, 3), "SAME", transpose_kernel=True)

    np.testing.assert_array_equal(y, fastconv.conv_transpose(x, w, (2, 3), padding="same"))


def test_consistent_padding_undoes_that_of_the_convolution():
    x, w = drawn(2, 4, 5, 3), drawn(3, 2, 4, 3, seed=1)
    pads = ((1, 0), (0, 1))

    y = lax.conv_transpose(x, w, (2, 3), pads, (1, 2), transpose_kernel=True, use_consistent_padding=True)

    np.testing.assert_array_equal(
        y, fastconv.conv_transpose(x, w, (2, 3), padding=pads, dilation_rate=(1, 2))
    )


def test_patches_count_channels_then_taps():
    x = drawn(2, 3, 6, 7)

    y = lax.conv_general_dilated_patches(x, (2, 3), (1, 2), "VALID")

    view = fastconv.windows(x, (2, 3), (1, 2), data_format="channels_first")
    np.testing.assert_array_equal(y, view.transpose(0, 1, 4, 5, 2, 3).reshape(2, 18, 5, 3))


def test_local_convolution_has_weights_for_each_position():
    x, w = drawn(2, 3, 6), drawn(4, 6, 5, seed=1)

    y = lax.conv_general_dilated_local(x, w, (1,), "VALID", (2,))

    for o in range(5):
        np.testing.assert_array_equal(y[:, :, o], x[:, :, o : o + 2].reshape(2, 6) @ w[:, :, o].T)


@pytest.mark.parametrize(
    ("x_shape", "w_shape", "y_shape"),
    [
        ((0, 2, 5), (3, 2, 2), (0, 3, 4)),
        ((1, 0, 5), (3, 0, 2), (1, 3, 4)),
        ((1, 2, 0), (3, 2, 2), (1, 3, 0)),
        ((1, 2, 5), (0, 2, 2), (1, 0, 4)),
        ((1, 2, 1), (3, 2, 2), (1, 3, 0)),
    ],
)
def test_sizes_of_zero_are_legal(x_shape, w_shape, y_shape):
    y = lax.conv(np.ones(x_shape), np.ones(w_shape), (1,), "VALID")

    np.testing.assert_array_equal(y, np.zeros(y_shape))
    assert y.shape == y_shape


def test_zero_spatial_axes_are_a_matrix_product():
    x, w = drawn(3, 4), drawn(5, 4, seed=1)

    np.testing.assert_array_equal(lax.conv(x, w, (), "VALID"), x @ w.T)
    np.testing.assert_array_equal(lax.conv_transpose(x, w.T, (), "SAME"), x @ w.T)


def test_shapes_without_computing():
    shapes = (1, 9, 8, 2), (3, 4, 2, 5), (2, 1), "SAME", NHWC
    x, w = np.zeros(shapes[0]), np.zeros(shapes[1])

    assert lax.conv_general_shape_tuple(*shapes) == (1, 5, 8, 5)
    assert lax.conv_general_dilated(x, w, *shapes[2:4], dimension_numbers=NHWC).shape == (1, 5, 8, 5)
    assert lax.conv_transpose_shape_tuple(*shapes) == lax.conv_transpose(x, w, *shapes[2:4]).shape
    assert lax.padtype_to_pads((9, 8), (3, 4), (2, 1), "same_lower") == [(1, 1), (2, 1)]
    assert lax.padtype_to_pads((9, 8), (3, 4), (2, 1), "VALID") == [(0, 0), (0, 0)]


def test_what_a_call_is_given_is_left_alone():
    x, w = drawn(1, 2, 5), drawn(3, 2, 2, seed=1)
    x.flags.writeable = w.flags.writeable = False
    strides, padding = [1], [[0, 1]]

    y = lax.conv_general_dilated(x, w, strides, padding)

    assert (strides, padding) == ([1], [[0, 1]])
    np.testing.assert_array_equal(y, lax.conv(x, w, (1,), "SAME"))
