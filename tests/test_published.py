"""Padding and output sizes against numbers that others have published, and against work by hand."""

import itertools

import numpy as np
import pytest

import fastconv
from fastconv.problem import Layout, Words, conv_problem, pool_problem

F32 = np.dtype(np.float32)


# jax.lax.padtype_to_pads((i,), (k,), (s,), padding) of jax 0.10.2
@pytest.mark.parametrize(
    ("i", "k", "s", "same", "same_lower"),
    [
        (224, 7, 2, (2, 3), (3, 2)),  # the first layer of ResNet
        (112, 3, 2, (0, 1), (1, 0)),  # its pool
        (5, 3, 1, (1, 1), (1, 1)),
        (5, 4, 1, (1, 2), (2, 1)),
        (5, 2, 2, (0, 1), (1, 0)),
        (6, 1, 2, (0, 0), (0, 0)),
        (10, 3, 2, (0, 1), (1, 0)),
        (10, 3, 3, (1, 1), (1, 1)),
        (28, 2, 2, (0, 0), (0, 0)),
        (7, 2, 5, (0, 0), (0, 0)),
        (3, 5, 2, (2, 2), (2, 2)),
        (1, 2, 1, (0, 1), (1, 0)),
    ],
)
def test_same_pads_as_published(i, k, s, same, same_lower):
    layout = Layout.of(Words("conv"), "channels_last", 3)
    for padding, expected in {"same": same, "same_lower": same_lower, "SAME": same}.items():
        options = dict(strides=s, padding=padding)
        conv = conv_problem(Words("conv"), layout, (1, i, 1), (k, 1, 1), x_dtype=F32, w_dtype=F32, **options)
        pool = pool_problem(Words("pool"), layout, (1, i, 1), F32, k, **options)

        assert conv.window.p == pool.window.p == (expected,)
        assert conv.window.o == pool.window.o == (-(-i // s),)


@pytest.mark.parametrize(("k", "d", "before"), [(1, 3, 0), (2, 1, 1), (3, 2, 4), (4, 3, 9)])
def test_causal_pads_the_beginning_alone(k, d, before):
    """(k - 1) d, as the documentation of keras.layers.Conv1D has it: output o sees no input after o."""
    x, w = np.eye(11)[None], np.ones((k, 11, 1))  # channel c is 1 at c: inputs that are told apart

    y = fastconv.conv(x, w, padding="causal", dilation_rate=d)
    seen = [[o - t * d for t in range(k) if o >= t * d] for o in range(11)]

    assert y.shape == (1, 11, 1)
    np.testing.assert_array_equal(y[0, :, 0], [len(inputs) for inputs in seen])
    plan = fastconv.plan_conv(x.shape, w, padding="causal", dilation_rate=d)
    assert plan.problem.window.p == ((before, 0),)


# Output sizes as their papers' tables give them.
@pytest.mark.parametrize(
    ("i", "k", "s", "padding", "o"),
    [
        (227, 11, 4, "valid", 55),  # AlexNet, Krizhevsky et al. 2012 (with the 227 that 55 needs)
        (55, 3, 2, "valid", 27),  # its overlapping pool
        (224, 7, 2, "same", 112),  # ResNet, He et al. 2015
        (32, 5, 1, "valid", 28),  # LeNet-5, LeCun et al. 1998
        (28, 2, 2, "valid", 14),  # its first pool, and the one that the article takes for 13
        (224, 3, 1, 1, 224),  # VGG, Simonyan and Zisserman 2014
        (299, 3, 2, "valid", 149),  # Inception-v3, Szegedy et al. 2015
    ],
)
def test_published_output_sizes(i, k, s, padding, o):
    y = fastconv.max_pool(np.zeros((1, i, 1), np.float32), k, s, padding)
    z = fastconv.conv(np.zeros((1, i, 1), np.float32), np.zeros((k, 1, 1), np.float32), s, padding)

    assert y.shape == z.shape == (1, o, 1)


# keras.ops.conv_transpose of keras 3.15.1
@pytest.mark.parametrize(
    ("i", "k", "s", "d", "padding", "output_padding", "o"),
    [
        (5, 3, 2, 1, "valid", None, 11),
        (5, 3, 2, 1, "same", None, 10),
        (5, 2, 3, 1, "valid", None, 15),
        (5, 2, 3, 1, "same", None, 15),
        (5, 3, 2, 1, "valid", 1, 12),
        (5, 3, 2, 1, "same", 1, 10),
        (4, 4, 2, 1, "same", 0, 6),
        (4, 4, 2, 1, "same", None, 8),
        (7, 3, 1, 2, "valid", None, 11),
        (7, 3, 1, 2, "same", None, 7),
        (6, 5, 3, 1, "same", 2, 18),
        (1, 1, 1, 1, "valid", None, 1),
    ],
)
def test_published_transposed_sizes(i, k, s, d, padding, output_padding, o):
    x, w = np.ones((1, i, 1)), np.ones((k, 1, 1))

    assert fastconv.conv_transpose(x, w, s, padding, output_padding, dilation_rate=d).shape == (1, o, 1)


@pytest.mark.parametrize(
    ("x", "w", "s", "same", "same_lower"),
    [  # by hand: a copy of w for each x, s apart, cropped to s for each x, or extended at the end
        ([1], [1, 10, 100], 2, [1, 10], [10, 100]),
        ([1, 2], [1, 10, 100], 1, [12, 120], [12, 120]),
        ([1, 2], [1, 10, 100, 1000], 1, [12, 120], [120, 1200]),
        ([1, 2], [1, 10], 3, [1, 10, 0, 2, 20, 0], [1, 10, 0, 2, 20, 0]),
    ],
)
def test_transposed_same_crops_the_end_more(x, w, s, same, same_lower):
    x, w = np.reshape(x, (1, -1, 1)), np.reshape(w, (-1, 1, 1))

    np.testing.assert_array_equal(fastconv.conv_transpose(x, w, s, "same")[0, :, 0], same)
    np.testing.assert_array_equal(fastconv.conv_transpose(x, w, s, "same_lower")[0, :, 0], same_lower)


def test_transposed_padding_undoes_forward_padding():
    """Of the inputs that a convolution takes to `i` outputs, the smallest is what comes back."""
    for i, k, s, d, lo, hi, extra in itertools.product(
        (1, 4), (1, 3), (1, 2, 3), (1, 2), (0, 1), (0, 2), (0, 1)
    ):
        size = (i - 1) * s + (k - 1) * d + 1 - lo - hi + extra
        if size <= 0:
            continue
        x, w = np.ones((1, i, 1)), np.ones((k, 1, 1))
        options = dict(strides=s, padding=((lo, hi),), dilation_rate=d)

        y = fastconv.conv_transpose(x, w, output_padding=extra, **options)

        assert y.shape == (1, size, 1)
        if extra < s and size + lo + hi >= (k - 1) * d + 1:
            assert fastconv.conv(y, w, **options).shape == x.shape


@pytest.mark.parametrize(("i", "m"), [(5, 2), (7, 3), (3, 5), (12, 4), (224, 7), (1, 1), (4, 3)])
def test_adaptive_windows_cover_the_input_evenly(i, m):
    """Window o of m: floor(o i / m) up to ceil((o + 1) i / m), as PyTorch documents it."""
    x = np.random.default_rng(0).integers(-99, 100, (1, i, 2)).astype(float)
    spans = [slice(int(np.floor(o * i / m)), int(np.ceil((o + 1) * i / m))) for o in range(m)]

    np.testing.assert_array_equal(
        fastconv.adaptive_max_pool(x, m), np.stack([x[:, span].max(axis=1) for span in spans], axis=1)
    )
    np.testing.assert_array_equal(
        fastconv.adaptive_average_pool(x, m),
        np.stack([x[:, span].sum(axis=1) / (span.stop - span.start) for span in spans], axis=1),
    )
