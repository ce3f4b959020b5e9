"""`fastconv.functional` by its definitions: NumPy's own functions, plain loops, and what undoes what.

That it equals PyTorch, in every option, `tests/parity` says.
"""

import itertools
import math

import numpy as np
import pytest

import fastconv
from fastconv import functional

RNG = np.random.default_rng


def integers(*shape, dtype="float64"):
    return RNG(0).integers(-9, 10, shape).astype(dtype)


@pytest.mark.parametrize("g", [1, 2])
def test_conv_is_that_of_keras_with_other_axes(g):
    x, w = integers(2, 3 * g, 9, 11), integers(4 * g, 3, 3, 2)
    options = dict(data_format="channels_first", bias=np.arange(4.0 * g))

    y = functional.conv2d(x, w, np.arange(4.0 * g), (2, 3), (1, 0), (1, 2), g)

    expected = fastconv.conv(x, w.transpose(2, 3, 1, 0), (2, 3), (1, 0), dilation_rate=(1, 2), **options)
    np.testing.assert_array_equal(y, expected, strict=True)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_conv_transpose_is_the_transpose(rank):
    """``<conv(x), y> == <x, conv_transpose(y)>`` for weights of both."""
    i, k, s, d = (9, 8, 7)[:rank], (3, 2, 2)[:rank], (2, 1, 3)[:rank], (1, 3, 2)[:rank]
    x, w = integers(2, 6, *i), integers(4, 3, *k)
    options = dict(stride=s, dilation=d, groups=2)
    y = functional.__dict__[f"conv{rank}d"](x, w, padding=1, **options)
    rest = tuple((n + 2 - (m - 1) * e - 1) % t for n, m, t, e in zip(i, k, s, d, strict=True))
    back = functional.__dict__[f"conv_transpose{rank}d"]
    u = integers(*y.shape)

    v = back(u, w, padding=1, output_padding=rest, **options)

    assert v.shape == x.shape
    np.testing.assert_array_equal(np.vdot(y, u), np.vdot(x, v))


X = integers(4, 5, 7, 6)
UNBATCHED = {
    "conv3d": ((integers(3, 4, 2, 2, 2),), {}),
    "conv_transpose3d": ((integers(4, 3, 2, 2, 2),), {}),
    "max_pool3d": ((2,), dict(return_indices=True)),
    "avg_pool3d": ((2,), {}),
    "lp_pool3d": ((2, 2), {}),
    "adaptive_max_pool3d": ((3,), dict(return_indices=True)),
    "adaptive_avg_pool3d": (((5, 1, 2),), {}),
    "fractional_max_pool3d": ((2, 2), dict(return_indices=True, _random_samples=np.full((1, 4, 3), 0.4))),
    "max_unpool3d": ((np.arange(5 * 7 * 6).reshape(1, 5, 7, 6).repeat(4, 0), 1), {}),
}


@pytest.mark.parametrize("op", UNBATCHED)
def test_without_a_batch_there_is_none_in_the_result(op):
    args, options = UNBATCHED[op]
    function = getattr(functional, op)
    batched = (args[0][None], *args[1:]) if op == "max_unpool3d" else args

    alone, of_one = function(X, *args, **options), function(X[None], *batched, **options)

    pairs = zip(alone, of_one, strict=True) if isinstance(alone, tuple) else [(alone, of_one)]
    for y, one in pairs:
        np.testing.assert_array_equal(y, one[0], strict=True)


def windows_begun(i, k, s, p):
    """Count, one by one, windows that fit or at least begin in the input or the padding before it."""
    starts = itertools.takewhile(lambda start: start < i + p, itertools.count(0, s))
    fit = [start for start in starts if start + k <= i + 2 * p or start - s + k < i + 2 * p]
    return len(fit)


@pytest.mark.parametrize(
    ("i", "k", "s", "p"), [*itertools.product(range(3, 9), (2, 3), (1, 2, 3, 5), (0, 1))]
)
def test_last_windows_hang_over(i, k, s, p):
    x = np.arange(1.0, i + 1)[None]
    padded = np.concatenate((np.zeros(p), x[0], np.zeros(p)))

    y, at = functional.max_pool1d(x, k, s, p, ceil_mode=True, return_indices=True)
    mean = functional.avg_pool1d(x, k, s, p, ceil_mode=True)

    parts = [padded[o * s : o * s + k] for o in range(windows_begun(i, k, s, p))]
    np.testing.assert_array_equal(y, [[part.max() for part in parts]])
    np.testing.assert_array_equal(at, y - 1)
    np.testing.assert_array_equal(mean, [[part.sum() / len(part) for part in parts]])


def test_what_equals_an_argument_of_an_earlier_call_is_not_taken_for_it():
    x = integers(1, 2, 8, 8)
    y = functional.max_pool2d(x, 3, 1, ceil_mode=True)

    with pytest.raises(TypeError, match="`ceil_mode` must be a bool; got 1"):
        functional.max_pool2d(x, 3, 1, ceil_mode=1)
    for stride in (1.0, True):
        with pytest.raises(TypeError, match=f"`stride` must be a positive int .*; got {stride}"):
            functional.max_pool2d(x, 3, stride, ceil_mode=True)
    np.testing.assert_array_equal(functional.max_pool2d(x, [3], [1, 1], ceil_mode=True), y)


def test_the_end_gets_more_of_an_odd_padding():
    x, w = integers(1, 7), integers(1, 1, 4)

    y = functional.conv1d(x, w, padding="same")

    np.testing.assert_array_equal(y[0], np.correlate(np.pad(x[0], (1, 2)), w[0, 0], "valid"))


def test_indices_of_padding_alone_are_none():
    """A window's two taps lie on either side of the input."""
    y, at = functional.max_pool1d(np.ones((1, 2)), 2, 1, 1, 3, return_indices=True)

    np.testing.assert_array_equal(y, [[-np.inf]])
    np.testing.assert_array_equal(at, [[-1]])


def test_means_of_integers_are_cut():
    x = np.array([[-3, -4, 3, 4, -1, 0, 0, 1, 2**62, 2**62 - 1, 2**53, 2**53 + 2]])

    np.testing.assert_array_equal(functional.avg_pool1d(x, 2), [[-3, 3, 0, 0, 2**62 - 1, 2**53 + 1]])
    np.testing.assert_array_equal(
        functional.avg_pool2d(x[None], (1, 2), divisor_override=-3)[0, 0, :4], [2, -2, 0, 0]
    )


@pytest.mark.parametrize("p", [1, 2, 3.0, 0.5, math.inf, -math.inf])
def test_power_means(p):
    x = np.abs(integers(1, 6, 8)) + 1

    y = functional.lp_pool2d(x, p, (3, 2))

    parts = x.reshape(1, 2, 3, 4, 2).transpose(0, 1, 3, 2, 4).reshape(1, 2, 4, 6)
    np.testing.assert_allclose(y, np.linalg.norm(parts, p, axis=-1), rtol=1e-13)


TRIVIAL = {
    "conv3d": (np.ones((4, 4, 1, 1, 1)),),
    "max_pool3d": (1,),
    "avg_pool3d": (1,),
    "lp_pool3d": (1, 1),
    "adaptive_max_pool3d": ((None, None, None),),
    "adaptive_avg_pool3d": ((None, None, None),),
    "fractional_max_pool3d": (1, 1),
    "max_unpool3d": (np.arange(5 * 7 * 6).reshape(1, 5, 7, 6).repeat(4, 0), 1),
    "pixel_shuffle": (1,),
    "pixel_unshuffle": (1,),
    "pad": ((0, 0, 0, 0, 0, 0), "reflect"),
    "pad circular": ((0, 0, 0, 0, 0, 0), "circular"),
    "pad constant": ((0, 0, 0, 0, 0, 0), "constant"),
    "unfold": (1,),
}


@pytest.mark.parametrize("op", TRIVIAL)
def test_results_are_arrays_of_their_own(op):
    """Also where nothing is to be done."""
    x = X[:, :, :, 0].copy() if op == "unfold" else X.copy()

    y = getattr(functional, op.split()[0])(x, *TRIVIAL[op])

    assert not np.shares_memory(x, y)
    assert y.flags.writeable
    assert y.flags.c_contiguous


@pytest.mark.parametrize("m", range(1, 12))
@pytest.mark.parametrize("i", [5, 8])
def test_adaptive_windows_cover_the_input(i, m):
    x = integers(2, i)
    parts = [x[:, o * i // m : math.ceil((o + 1) * i / m)] for o in range(m)]
    offsets = [o * i // m for o in range(m)]

    mean = functional.adaptive_avg_pool1d(x, m)
    y, at = functional.adaptive_max_pool1d(x, m, return_indices=True)

    np.testing.assert_array_equal(mean, np.stack([part.sum(1) / part.shape[1] for part in parts], 1))
    np.testing.assert_array_equal(y, np.stack([part.max(1) for part in parts], 1))
    np.testing.assert_array_equal(
        at, np.stack([part.argmax(1) + first for part, first in zip(parts, offsets, strict=True)], 1)
    )


def test_uneven_windows_find_the_first_of_equals_and_the_last_nan():
    x = np.array([[5, np.nan, 1, np.nan, 2, 7, 7, 3]])

    y, at = functional.adaptive_max_pool1d(x, 3, return_indices=True)  # of 0-2, 2-5 and 5-7

    np.testing.assert_array_equal(y, [[np.nan, np.nan, 7]])
    np.testing.assert_array_equal(at, [[1, 3, 5]])


def test_fractional_windows_begin_where_their_samples_say():
    """With ``a = (9 - 2) / 3``: floor(q * a + u * a) - floor(u * a), and the last at the end."""
    x = np.arange(9.0 * 3).reshape(1, 9, 3)
    samples = np.array([[[0.0, 0.6]]])  # along columns, then along rows

    _, at = functional.fractional_max_pool2d(x, (2, 3), (4, 1), None, True, samples)

    rows = [0, int(1.6 * 7 / 3) - 1, int(2.6 * 7 / 3) - 1, 7]
    np.testing.assert_array_equal(at[0, :, 0], [(row + 1) * 3 + 2 for row in rows])


def test_fractional_windows_are_random_without_samples():
    y = functional.fractional_max_pool2d(np.arange(400.0).reshape(1, 20, 20), 2, 7)

    assert y.shape == (1, 7, 7)
    assert y[0, -1, -1] == 399  # the last windows end with the axes
    assert (np.diff(y, axis=1) > 0).all()
    assert (np.diff(y, axis=2) > 0).all()


@pytest.mark.parametrize("dtype", ["float16", "float32", "complex64", "int8"])
def test_results_keep_their_dtype(dtype):
    x, w = integers(1, 2, 5, 6, dtype=dtype), integers(3, 2, 2, 2, dtype=dtype)

    assert functional.conv2d(x, w).dtype == dtype
    if dtype != "complex64":
        assert functional.max_pool2d(x, 2).dtype == dtype


def test_arrays_of_any_strides_and_byte_order():
    x, w = integers(2, 6, 9, 7), integers(4, 6, 3, 2)
    expected = functional.conv2d(x, w), functional.max_pool2d(x, 2), functional.pad(x, (1, -1))
    strided = np.repeat(x, 2, axis=3)[:, :, ::-1, ::2][:, :, ::-1]

    for given in (strided, x.astype(">f8"), np.asfortranarray(x)):
        np.testing.assert_array_equal(functional.conv2d(given, w), expected[0])
        np.testing.assert_array_equal(functional.max_pool2d(given, 2), expected[1])
        np.testing.assert_array_equal(functional.pad(given, (1, -1)), expected[2])
