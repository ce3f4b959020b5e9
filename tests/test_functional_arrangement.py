"""What moves elements about in `fastconv.functional`: NumPy's own functions, and what undoes what."""

import numpy as np
import pytest

import fastconv
from fastconv import functional


def integers(*shape, seed=0):
    return np.random.default_rng(seed).integers(-9, 10, shape).astype(float)


@pytest.mark.parametrize(
    ("mode", "numpys"), [("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap")]
)
def test_pads_as_numpy_does(mode, numpys):
    x = integers(2, 3, 4, 5)

    y = functional.pad(x, (3, 1, 2, 0), mode)

    np.testing.assert_array_equal(y, np.pad(x, ((0, 0), (0, 0), (2, 0), (3, 1)), numpys), strict=True)


def test_what_cropping_leaves_is_what_goes_around():
    x = np.array([[1, 2, 3, 4, 5]])

    np.testing.assert_array_equal(functional.pad(x, (-2, 3), "circular"), [[3, 4, 5, 3, 4, 5]])
    np.testing.assert_array_equal(functional.pad(x, (1, -1), "circular"), [[4, 1, 2, 3, 4]])


def test_pads_with_a_number_and_crops():
    x = integers(2, 3, 4)

    y = functional.pad(x, (-1, 2, 1, -2), value=7)

    expected = np.pad(x[:, :1, 1:], ((0, 0), (1, 0), (0, 2)), constant_values=7)
    np.testing.assert_array_equal(y, expected, strict=True)


BLOCKS = dict(kernel_size=(3, 2), dilation=(1, 2), padding=(2, 1), stride=(2, 1))


def test_unfold_is_what_windows_see():
    x = integers(2, 3, 6, 7)
    y = functional.unfold(x, **BLOCKS)

    rest = dict(dilation_rate=(1, 2), data_format="channels_first")
    seen = fastconv.windows(x, (3, 2), (2, 1), (2, 1), **rest)  # n c *o *k
    np.testing.assert_array_equal(y, seen.transpose(0, 1, 4, 5, 2, 3).reshape(2, 18, -1), strict=True)


def test_fold_is_the_transpose_of_unfold():
    x = integers(2, 3, 6, 7)
    y = functional.unfold(x, **BLOCKS)
    u = integers(*y.shape, seed=1)

    v = functional.fold(u, (6, 7), **BLOCKS)

    np.testing.assert_array_equal(np.vdot(y, u), np.vdot(x, v))


def test_unpooling_puts_maxima_back():
    x = np.random.default_rng(0).permutation(2 * 3 * 6 * 8).reshape(2, 3, 6, 8).astype(float)
    y, at = functional.max_pool2d(x, (3, 2), return_indices=True)

    back = functional.max_unpool2d(y, at, (3, 2))

    np.testing.assert_array_equal(back, np.where(np.isin(x, y), x, 0), strict=True)


def test_shuffling_undoes_unshuffling():
    x = integers(2, 3, 4, 6, 9)

    y = functional.pixel_unshuffle(x, 3)

    assert y.shape == (2, 3, 36, 2, 3)
    np.testing.assert_array_equal(y[..., 9, 1, 2], x[..., 1, 3, 6])  # channel 1, the first of its nine pixels
    np.testing.assert_array_equal(functional.pixel_shuffle(y, 3), x, strict=True)
