"""Groups of few channels at every remainder: pixels of a strip, channels of a vector, sizes of a group."""

import numpy as np
import pytest

import fastconv

PIXELS = range(1, 26)  # past three strips of 8
CHANNELS = (2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 48)  # around vectors of 4, 8 and 16 lanes
# Channels in and out of a group: fewer or more outputs, vectors that they fill or not, vectors of inputs.
GROUPS = ((1, 2), (1, 3), (1, 7), (2, 1), (3, 5), (4, 4), (5, 8), (6, 1), (7, 3), (8, 2), (16, 4))


def arrays(dtype, *shapes):
    rng = np.random.default_rng(0)
    return [rng.integers(-8, 9, shape).astype(dtype) for shape in shapes]


def assert_equals_einsum(x, w, **options):
    y = fastconv.conv(x, w, backend="numba:grouped", **options)

    np.testing.assert_array_equal(y, fastconv.conv(x, w, backend="einsum", **options), err_msg=f"{x.shape}")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("channels", CHANNELS)
def test_depthwise_at_every_remainder(channels, dtype):
    for pixels in PIXELS:
        x, w, bias = arrays(dtype, (1, pixels, channels), (3, 1, channels), channels)

        assert_equals_einsum(x, w, padding="same", bias=bias, activation="relu")


@pytest.mark.parametrize(("ic", "oc"), GROUPS)
def test_groups_at_every_remainder(ic, oc):
    for groups in range(2, 2 * (16 // oc) + 2):  # to more than two vectors
        x, w, bias = arrays("float32", (1, 11, groups * ic), (3, ic, groups * oc), groups * oc)

        assert_equals_einsum(x, w, padding="same", bias=bias)


@pytest.mark.parametrize(("ic", "oc"), [(1, 3), (3, 1), (4, 4), (5, 2)])  # AVX2 has 4
def test_groups_of_doubles(ic, oc):
    for groups in range(2, 2 * (8 // oc) + 2):
        assert_equals_einsum(*arrays("float64", (1, 11, groups * ic), (3, ic, groups * oc)), padding="same")


@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 2), (3, 1), (2, 3)])
@pytest.mark.parametrize("taps", [2, 5, 7])
def test_taps_at_every_distance(taps, stride, dilation):
    for pixels in (6, 33):
        for padding in ((3, 4), (0, 0), (11, -2)):
            x, w = arrays("float32", (2, pixels + (taps - 1) * dilation, 19), (taps, 1, 19))
            x = x.reshape(2, 1, -1, 19)

            assert_equals_einsum(
                x, w[None], strides=(1, stride), dilation_rate=(1, dilation), padding=((1, 2), padding)
            )


def test_items_meet_where_the_rows_are_cut():
    """Large enough to be cut into several items of rows and of strips, with remainders in both."""
    x, w = arrays("float32", (3, 37, 41, 20), (3, 2, 4, 20))

    assert_equals_einsum(x, w, strides=(2, 1), padding="same")


def test_neighbours_in_memory_are_left_alone():
    """Stores are masked: what lies behind the channels and pixels of a view stays as it was."""
    x, w = arrays("float32", (1, 6, 5, 9), (2, 2, 1, 9))
    ground = np.full((1, 7, 6, 12), 77, np.float32)

    fastconv.conv(x, w, backend="numba:grouped", out=ground[:, 1:6, 1:5, 1:10])

    expected = np.full_like(ground, 77)
    expected[:, 1:6, 1:5, 1:10] = fastconv.conv(x, w, backend="einsum")
    np.testing.assert_array_equal(ground, expected)


def test_nan_does_not_leave_its_window_nor_its_channel():
    x, w = arrays("float32", (1, 9, 13, 18), (3, 3, 1, 18))
    x[0, 4, 5, 16] = np.nan

    y = fastconv.conv(x, w, padding="same", backend="numba:grouped")

    expected = np.zeros(y.shape, bool)
    expected[0, 3:6, 4:7, 16] = True
    np.testing.assert_array_equal(np.isnan(y), expected)


@pytest.mark.parametrize("shape", [(1, 14, 12, 48), (1, 3000, 48)])
def test_many_channels_of_their_own_are_for_this_row(shape):
    plan = fastconv.plan_conv(shape, np.zeros((*[3] * (len(shape) - 2), 1, 48), np.float32))

    assert plan.kernel.name == "numba:grouped"


def test_a_dense_layer_is_not_compiled_for_its_channels():
    plan = fastconv.plan_conv((1, 14, 12, 4), np.zeros((3, 3, 4, 4), np.float32), backend="numba")

    assert plan.kernel.name != "numba:grouped"
