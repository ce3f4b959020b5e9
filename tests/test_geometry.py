"""The geometry against counting: what the definition shares it cannot test."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fastconv.problem import Window
from fastconv.problem.arguments import memory_order

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


def test_meets_pairs_outputs_with_the_inputs_under_a_tap():
    for axis in AXES:
        window, k = of_axis(*axis), axis[1]
        for tap in range(k):
            (outputs,), (inputs,) = window.meets((tap,))
            met = [seen[tap] for seen in windows(*axis)]
            pairs = [(o, at) for o, at in enumerate(met) if at is not None]
            found = zip(range(len(met))[outputs], range(axis[0])[inputs], strict=True)
            assert list(found) == pairs, (axis, tap)


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
        assert window.met(0) == pytest.approx(counts.mean() if len(counts) else 0), axis


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


def test_phases_split_outputs_and_leave_out_taps_on_zeros():
    """Each output is of one phase; its taps there meet what they met, and those left out met nothing."""
    for axis in AXES:
        window, seen, met = of_axis(*axis), windows(*axis), []
        for (outputs,), (taps,), part in window.phases():
            positions, kept = range(len(seen))[outputs], range(axis[1])[taps]
            assert part.b == (1,), axis
            assert part.k == (len(kept),), axis
            assert part.o == (len(positions),), axis
            for j, o in enumerate(positions):
                sources = [part.source((j,), (u,)) for u in range(len(kept))]
                assert sources == [None if seen[o][t] is None else (seen[o][t],) for t in kept], axis
                assert all(at is None for t, at in enumerate(seen[o]) if t not in kept), axis
            met.extend(positions)
        assert sorted(met) == list(range(len(seen))), axis


def test_phases_of_axes_are_combined():
    window = Window((4, 5), (3, 2), (1, 1), (1, 1), (2, 3), ((2, 1), (1, 1)))
    alone = [list(Window(*zip(axis, strict=True)).phases()) for axis in zip(*fields(window), strict=True)]

    together = list(window.phases())

    assert len(together) == len(alone[0]) * len(alone[1]) == 6
    for (outputs, taps, part), ((rows, down, first), (columns, across, second)) in zip(
        together, itertools.product(*alone), strict=True
    ):
        assert (outputs, taps) == (rows + columns, down + across)
        assert fields(part) == [one + other for one, other in zip(fields(first), fields(second), strict=True)]
    assert [w for _, _, w in Window((), (), (), (), (), ()).phases()] == [Window((), (), (), (), (), ())]


def fields(window):
    return [window.i, window.k, window.s, window.d, window.b, window.p]


def test_lifted_windows_have_more_axes_of_one_position():
    window = Window((4, 5), (3, 2), (1, 2), (1, 3), (2, 1), ((2, 1), (0, -1)))

    lifted = window.lifted(4)

    assert lifted.o == (1, 1, *window.o)
    assert lifted.taps == window.taps
    assert lifted.source((0, 0, 1, 0), (0, 0, 1, 1)) == (0, 0, 0, 3)
    assert window.source((1, 0), (1, 1)) == (0, 3)
    assert window.lifted(2) == window


def test_source_needs_an_input_on_every_axis():
    window = Window((4, 5), (2, 3), (2, 1), (1, 2), (1, 1), ((1, 0), (0, 2)))

    assert window.source((1, 2), (1, 1)) == (2, 4)
    assert window.source((0, 2), (0, 1)) is None  # row -1
    assert window.source((1, 2), (1, 2)) is None  # column 6


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


def test_stretches_are_outputs_that_meet_the_same_taps():
    """Against `source`, output by output."""
    windows = [
        Window((33,), (3,), (1,), (6,), (1,), ((6, 6),)),
        Window((7,), (5,), (2,), (1,), (1,), ((3, 1),)),
        Window((4,), (3,), (1,), (9,), (1,), ((20, 7),)),
        Window((9,), (2,), (3,), (2,), (1,), ((-2, 3),)),
        Window((2,), (6,), (1,), (1,), (1,), ((5, 5),)),
        *(of_axis(*axis) for axis in AXES if axis[4] == 1),
    ]
    for window in windows:
        met = [
            [t for t in range(window.k[0]) if window.source((o,), (t,)) is not None]
            for o in range(window.o[0])
        ]
        found = window.stretches(0)
        assert [o for start, stop, _ in found for o in range(start, stop)] == list(range(window.o[0]))
        for start, stop, taps in found:
            assert all(met[o] == met[start] for o in range(start, stop))
            assert len(met[start]) == taps
        live = [taps for taps in met if taps]
        assert sum(taps > 0 for _, _, taps in found) == (live != []) + sum(
            a != b for a, b in itertools.pairwise(live)
        )


@given(st.data())
def test_tightened_windows_meet_the_same_inputs(data):
    """Also where strides, dilations and padding are beyond the input, or crop all of it."""
    far = st.sampled_from([1, 2, 3, 7, 100])
    i, k = data.draw(st.integers(0, 4)), data.draw(st.integers(0, 3))
    s, d, b = data.draw(far), data.draw(far), data.draw(st.integers(1, 3))
    padding = st.sampled_from([-100, -3, -1, 0, 2, 100])
    lo, hi = data.draw(padding), data.draw(padding)
    window = Window((i,), (k,), (s,), (d,), (b,), ((lo, hi),))
    assume(window.padded[0] >= 0)

    tight = window.tightened()

    assert (tight.o, tight.padded) == (window.o, window.padded)
    assert max(*tight.s, *tight.d, tight.p[0][0], tight.p[0][1]) <= window.padded[0] + 1
    for o in range(window.o[0]):
        for tap in range(k):
            assert tight.source((o,), (tap,)) == window.source((o,), (tap,))
