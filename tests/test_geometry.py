"""The geometry against counting and published numbers: what the definition shares it cannot test."""

import itertools

import numpy as np
import pytest

import fastconv
from fastconv.problem import Layout, Window, Words, conv_problem, pool_problem
from fastconv.problem.arguments import memory_order

F32 = np.dtype(np.float32)

AXES = [  # i, k, s, d, b, lo, hi
    axis
    for axis in itertools.product((0, 1, 4, 7), (0, 1, 3), (1, 2, 3), (1, 2), (1, 3), (-2, 0, 2), (-1, 0, 3))
    if max((axis[0] - 1) * axis[4] + 1, 0) + axis[5] + axis[6] >= 0
]


def slots(i, b, lo, hi):
    """The padded axis, slot by slot: the number of an input, or None for padding and holes."""
    spread = [j // b if j % b == 0 else None for j in range((i - 1) * b + 1)] if i else []
    front, back = [None] * max(lo, 0), [None] * max(hi, 0)
    padded = front + spread + back
    return padded[max(-lo, 0) : len(padded) - max(-hi, 0)]


def windows(i, k, s, d, b, lo, hi):
    """What each window sees, tap by tap, by sliding it along the slots until it does not fit."""
    axis = slots(i, b, lo, hi)
    seen = []
    for start in range(0, len(axis) + 1, s):
        taps = [start + t * d for t in range(k)]
        if taps and taps[-1] >= len(axis):
            break
        seen.append([axis[at] for at in taps])
    return seen


def of_axis(i, k, s, d, b, lo, hi):
    return Window((i,), (k,), (s,), (d,), (b,), ((lo, hi),))


def test_lengths_count_slots_and_positions():
    for axis in AXES:
        window, (i, _, _, _, b, lo, hi) = of_axis(*axis), axis

        assert window.padded == (len(slots(i, b, lo, hi)),), axis
        assert window.o == (len(windows(*axis)),), axis


def test_source_finds_what_a_tap_meets():
    for axis in AXES:
        window, k = of_axis(*axis), axis[1]
        for o, seen in enumerate(windows(*axis)):
            met = [window.source((o,), (t,)) for t in range(k)]
            assert met == [None if at is None else (at,) for at in seen], axis


def test_fill_lays_inputs_into_their_slots():
    for axis in AXES:
        i, _, _, _, b, lo, hi = axis
        expected = slots(i, b, lo, hi)
        ((places, inputs),) = of_axis(*axis).fill()

        found = [None] * len(expected)
        found[places] = list(range(i))[inputs]

        assert found == expected, axis


def test_counts_are_of_taps_on_inputs():
    for axis in AXES:
        window = of_axis(*axis)
        ((places, _),) = window.fill()

        counts = window.counts(0, places)

        assert counts.tolist() == [sum(at is not None for at in seen) for seen in windows(*axis)], axis


def test_axes_are_independent():
    """Of a window on three axes, each has the numbers it has alone."""
    rng = np.random.default_rng(0)
    for _ in range(100):
        axes = [AXES[j] for j in rng.choice(len(AXES), 3, replace=False)]
        alone = [of_axis(*axis) for axis in axes]
        i, k, s, d, b = zip(*(axis[:5] for axis in axes), strict=True)
        window = Window(i, k, s, d, b, tuple(axis[5:] for axis in axes))

        assert window.o == tuple(one.o[0] for one in alone)
        assert window.padded == tuple(one.padded[0] for one in alone)
        assert window.extent == tuple(one.extent[0] for one in alone)
        assert list(window.fill()) == [next(one.fill()) for one in alone]
        assert window.taps == k[0] * k[1] * k[2]


def test_source_needs_an_input_on_every_axis():
    window = Window((4, 5), (2, 3), (2, 1), (1, 2), (1, 1), ((1, 0), (0, 2)))

    assert window.source((1, 2), (1, 1)) == (2, 4)
    assert window.source((0, 2), (0, 1)) is None  # row -1
    assert window.source((1, 2), (1, 2)) is None  # column 6


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
    [  # worked out by hand: a copy of w for each x, s apart, then cropped or extended to s for each x
        ([1], [1, 10, 100], 2, [1, 10], [10, 100]),
        ([1, 2], [1, 10, 100], 1, [12, 120], [12, 120]),
        ([1, 2], [1, 10, 100, 1000], 1, [12, 120], [120, 1200]),
        ([1, 2], [1, 10], 3, [1, 10, 0, 2, 20, 0], [0, 1, 10, 0, 2, 20]),
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


def test_memory_order_follows_strides():
    x = np.zeros((2, 3, 4, 5))

    for axes in itertools.permutations(range(4)):
        y = np.ascontiguousarray(x.transpose(axes)).transpose(np.argsort(axes))
        assert memory_order(y.shape, y.strides) == axes
        assert memory_order(y.shape, y[::-1, :, ::-1].strides) == axes


def test_axes_of_length_one_have_no_place_in_memory():
    x = np.zeros((3, 1, 4, 1))

    assert memory_order(x.shape, x.strides) == (0, 1, 2, 3)
    assert memory_order(x.shape, (32, 8, 8, 5000)) == (0, 1, 2, 3)
    assert memory_order((3, 1, 4, 1), (8, 999, 24, 1)) == (1, 3, 2, 0)
