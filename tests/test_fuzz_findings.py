"""What random calls have found, one test each: ``python -m tests.fuzz`` looks for more."""

import numpy as np
import pytest

import fastconv
from fastconv import functional, lax, layers
from fastconv.problem import Window

X = np.ones((1, 6, 2), np.float32)
W = np.ones((3, 2, 4), np.float32)
WORDS = np.array(["a", "b"])  # whose comparison with a word is an array, neither true nor false
FEW = np.array([1, 2])


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: fastconv.conv(X, W, data_format=WORDS), "data_format"),
        (lambda: fastconv.conv(X, W, activation=WORDS), "activation"),
        (lambda: fastconv.plan_pool(X.shape, 2, reduction=WORDS), "reduction"),
        (lambda: fastconv.plan_pool(X.shape, 2, reduction=np.zeros(3, "i4,f4")), "reduction"),
        (lambda: fastconv.average_pool(X, 2, count_include_pad=FEW), "count_include_pad"),
        (lambda: lax.conv_transpose(X, W, (1,), "SAME", transpose_kernel=FEW), "transpose_kernel"),
        (lambda: functional.max_pool1d(X, 2, return_indices=FEW), "return_indices"),
        (lambda: functional.adaptive_max_pool1d(X, 2, return_indices=FEW), "return_indices"),
        (lambda: layers.GlobalMaxPooling1D(keepdims=FEW), "keepdims"),
        (lambda: layers.Dense(2, use_bias=FEW), "use_bias"),
        (lambda: layers.Dense(2, activation=WORDS), "activation"),
        (lambda: layers.Sequential(3), "layers"),
    ],
)
def test_arrays_for_words_and_flags_are_refused(call, argument):
    with pytest.raises((ValueError, TypeError), match=rf"^\w+: `{argument}` must .*; got "):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: functional.unfold(np.ones((1, 4, 2, 3)), (1, 3), padding=(2**63 - 1, 0)),
        lambda: functional.unfold(np.ones((1, 4, 2, 3)), (1, 3), padding=(2**60, 0)),
        lambda: functional.fold(np.ones((1, 2, 1)), (2**62, 1), (2, 1), stride=(2**62, 1)),
        lambda: layers.Conv1D(4, 2**63 - 1, input_shape=(9, 2)).get_weights(),
        lambda: lax.conv_general_dilated_patches(np.ones((1, 2, 9)), (5,), (1,), [(0, 0)], (2**62,)),
        lambda: functional.max_unpool1d(np.ones((1, 2, 1)), np.zeros((1, 2, 1), int), 2**62),
        lambda: layers.ZeroPadding2D(((2**63 - 1, 2), (1, 0)))(np.ones((1, 3, 2, 1))),
    ],
)
def test_results_beyond_memory_are_refused(call):
    with pytest.raises(ValueError, match=r"^\w+: the result must have fewer than \d+ bytes; got shape "):
        call()


HUGE = (2**31, 2**40, 2**63 - 1)


@pytest.mark.parametrize("backend", fastconv.backends())
@pytest.mark.parametrize("huge", HUGE)
def test_numbers_beyond_the_array_change_nothing(huge, backend):
    """A stride past the end, a dilation of one tap, and padding where all else is cropped."""
    options = dict(backend=backend)
    one = W[:1]

    np.testing.assert_array_equal(fastconv.conv(X, W, strides=huge, **options), [[[6] * 4]])
    np.testing.assert_array_equal(fastconv.conv(X, one, dilation_rate=huge, **options), np.full((1, 6, 4), 2))
    np.testing.assert_array_equal(fastconv.max_pool(X, 2, strides=huge, **options), [[[1, 1]]])
    np.testing.assert_array_equal(fastconv.depthwise_conv(X, one, strides=huge, **options), [[[1] * 8]])
    away = ((huge, 3 - huge),)
    np.testing.assert_array_equal(fastconv.conv(X, W, padding=away, **options), np.zeros((1, 7, 4)))
    np.testing.assert_array_equal(
        fastconv.average_pool(X, 3, 1, padding=away, count_include_pad=True, **options), np.zeros((1, 7, 2))
    )


def test_windows_of_very_many_phases_are_left_to_others():
    """Each phase of a transposed convolution takes its time to plan: these would take hours."""
    x, w = np.array([[[1.0], [2.0]]], np.float32), np.ones((2, 1, 1), np.float32)
    options = dict(strides=2**20, padding=((0, 2**19),))

    y = fastconv.conv_transpose(x, w, **options)

    assert np.flatnonzero(y).tolist() == [0, 1]
    if "numba" in fastconv.backends():
        with pytest.raises(NotImplementedError, match=r"numba:direct +base dilation .*, at most 4096"):
            fastconv.conv_transpose(x, w, backend="numba", **options)


@pytest.mark.parametrize("backend", fastconv.backends())
def test_holes_wider_than_windows_hold_no_input(backend):
    """Nothing that is as long as the input with its holes may be made to count what windows hold."""
    x, far = np.array([1.0, 2, 3], np.float32), 2**20
    with fastconv.use_backend(backend):
        y = lax.reduce_window(x, -np.inf, lax.max, (2,), (far,), ((0, 1),), (far,))

    np.testing.assert_array_equal(y, [1, 2, 3])


def test_patches_of_a_line_are_refused():
    with pytest.raises(
        TypeError, match=r"^conv_general_dilated_patches: `lhs` must have a batch and a channel"
    ):
        lax.conv_general_dilated_patches(FEW, (1,), (1,), "VALID")


@pytest.mark.parametrize("huge", HUGE)
def test_blocks_of_one_element_have_no_holes(huge):
    x = np.arange(6.0).reshape(1, 1, 2, 3)

    blocks = functional.unfold(x, 1, dilation=huge)
    patches = lax.conv_general_dilated_patches(x, (1, 1), (1, huge), "VALID", rhs_dilation=(huge, huge))

    np.testing.assert_array_equal(blocks, x.reshape(1, 1, 6))
    np.testing.assert_array_equal(patches, x[..., :1])


def test_functions_without_identity_need_elements():
    with pytest.raises(
        ValueError, match=r"^pool: `fn` must have an identity .*; got fmax and windows \(2,\)"
    ):
        fastconv.pool(X, 2, fn=np.fmax, padding=3)


@pytest.mark.parametrize("backend", ["naive", "einsum"])
def test_functions_of_one_element_start_from_their_identity(backend):
    y = fastconv.pool(-X, 1, fn=np.hypot, backend=backend)

    np.testing.assert_array_equal(y, X)


def test_patches_are_the_callers_own():
    x = np.ones((1, 2, 5))

    y = lax.conv_general_dilated_patches(x, (1,), (1,), "VALID")

    assert not np.shares_memory(x, y)


def test_initial_weights_of_half_precision_may_underflow():
    layer = layers.Conv2D(64, 9, dtype="float16", seed=0)
    with np.errstate(all="raise"):
        layer.build((None, 9, 9, 99))

    assert layer.built


def test_halves_that_underflow_are_rounded_to_zero():
    x, w = np.full((1, 3, 1), 6e-8, np.float16), np.full((1, 1, 1), 0.25, np.float16)
    with np.errstate(all="raise"):
        y = fastconv.conv(x, w, activation="elu")

    np.testing.assert_array_equal(y, np.zeros((1, 3, 1)))


@pytest.mark.parametrize("backend", ["naive", "einsum"])
@pytest.mark.parametrize("dtype", ["uint8", "uint32", "int16"])
def test_all_bits_of_padding_are_set_for_bitwise_and(dtype, backend):
    x = np.array([12, 10, 7, 5], dtype).reshape(1, 4, 1)

    y = fastconv.pool(x, 3, fn=np.bitwise_and, strides=1, padding=1, backend=backend)

    np.testing.assert_array_equal(y.ravel(), [12 & 10, 12 & 10 & 7, 10 & 7 & 5, 7 & 5])
    assert y.dtype == dtype


def test_starts_beyond_half_precision_are_infinite():
    with np.errstate(all="raise"):
        y = lax.reduce_window(np.ones(2, np.float16), 2**62, lax.max, (1,), (1,), "VALID")

    np.testing.assert_array_equal(y, [np.inf, np.inf])


@pytest.mark.parametrize("backend", fastconv.backends())
def test_separable_filters_may_be_of_half_precision(backend):
    x = np.arange(2 * 9 * 9).reshape(2, 9, 9, 1).astype(np.float16)
    w = np.outer([1, 2, 1], [1, 0, -1]).reshape(3, 3, 1, 1).astype(np.float16)

    y = fastconv.conv(x, w, backend=backend)

    np.testing.assert_array_equal(y, np.full((2, 7, 7, 1), -8))


def test_patches_too_many_to_count_are_refused_though_none_fits():
    with pytest.raises(ValueError, match=r"^conv_general_dilated_patches: the result must have fewer than"):
        lax.conv_general_dilated_patches(np.ones((1, 2, 9)), (2**63 - 1,), (1,), "VALID")


def test_vast_base_dilations_are_not_gone_through_one_by_one():
    apart = 2**31
    window = Window((138,), (7,), (4,), (1,), (apart,), ((3, 3),))

    (outputs,), (inputs,) = window.meets((3,))

    assert (outputs, inputs) == (slice(0, 138 * apart // 4, apart // 4), slice(0, 138, 1))
    assert window.met(0) == 138 / window.o[0]
    window = Window((4,), (apart,), (1,), (1,), (2,), ((apart - 1, 2),))
    assert window.counts(0, slice(apart - 1, apart + 6, 2)).tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 4]


@pytest.mark.parametrize("backend", fastconv.backends())
def test_vast_batches_of_nothing_are_not_gone_through_one_by_one(backend):
    x = np.broadcast_to(np.ones((1, 4, 1)), (2**33, 4, 1))
    with fastconv.use_backend(backend):
        y = lax.conv_general_dilated(x, np.ones((2, 4, 3)), (1,), "VALID")
        z = lax.reduce_window(x, -np.inf, lax.max, (1, 1, 3), (1, 1, 1), "VALID")

    assert (y.shape, z.shape) == ((2**33, 2, 0), (2**33, 4, 0))
