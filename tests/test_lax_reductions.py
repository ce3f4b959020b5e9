"""``fastconv.lax.reduce_window`` by what it promises, without JAX: tests/parity has the rest."""

import math

import numpy as np
import pytest

import fastconv
from fastconv import lax


def drawn(*shape, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).integers(-4, 5, shape).astype(dtype)


@pytest.mark.parametrize("backend", fastconv.backends())
@pytest.mark.parametrize(
    ("window", "layout"), [((1, 2, 3, 1), "channels_last"), ((1, 1, 2, 3), "channels_first")]
)
@pytest.mark.parametrize(("name", "start"), [("max", -np.inf), ("min", np.inf)])
def test_reductions_over_spatial_axes_are_poolings(name, start, window, layout, backend):
    x, size = drawn(2, 6, 7, 5), (2, 3)

    with fastconv.use_backend(backend):
        y = lax.reduce_window(x, start, getattr(lax, name), window, window)

    np.testing.assert_array_equal(y, getattr(fastconv, f"{name}_pool")(x, size, data_format=layout))


def test_init_counts_once_a_window_and_padding_never():
    x = np.ones(3, np.float32)

    np.testing.assert_array_equal(lax.reduce_window(x, 1, lax.add, (3,), padding=((1, 1),)), [3, 4, 3])
    np.testing.assert_array_equal(lax.reduce_window(x, 2.0, lax.mul, (2,), padding=((3, 0),)), [2] * 5)
    np.testing.assert_array_equal(lax.reduce_window(x, 5, lax.max, (2,)), [5, 5])


@pytest.mark.parametrize("init", [0, 0.0, np.float32(0), np.zeros((), np.float32), False, np.int8(0)])
def test_the_identity_may_be_of_any_dtype(init):
    y = lax.reduce_window(np.ones(4, np.float32), init, lax.add, (2,))

    np.testing.assert_array_equal(y, np.full(3, 2, np.float32), strict=True)


def test_calls_are_told_apart_by_their_start():
    x = np.arange(4)
    for init in (0, 1, np.int64(2), True, 3):
        for _ in range(2):
            np.testing.assert_array_equal(
                lax.reduce_window(x, init, lax.add, (2,)), np.array([1, 3, 5]) + int(init)
            )


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int64"])
def test_bits(dtype):
    x = np.array([1, 3, 5, 0, 7]).astype(dtype)

    for name in ("and", "or", "xor"):
        function = getattr(np, f"bitwise_{name}")
        start = np.array(-1 if name == "and" else 0).astype(dtype)[()]
        y = lax.reduce_window(x, start, getattr(lax, f"bitwise_{name}"), (3,))
        np.testing.assert_array_equal(y, [function.reduce(x[o : o + 3]) for o in range(3)], strict=True)


def test_any_function_of_two():
    x = np.array([3.0, 1, 4, 1, 5, 9, 2, 6])
    starts = range(6)

    def folded(function, start):
        return [function(function(function(start, x[o]), x[o + 1]), x[o + 2]) for o in starts]

    for function in (np.hypot, math.hypot, max, lambda a, b: a if a > b else b, lambda a, b: 2 * a - b):
        y = lax.reduce_window(x, 0.0, function, (3,))
        np.testing.assert_allclose(y, folded(function, 0.0), rtol=4 * np.finfo(float).eps)


def test_cumulative_sum():
    x = drawn(3, 8, dtype=np.int64)

    y = lax.reduce_window(x, 0, lax.add, (1, 8), (1, 1), ((0, 0), (7, 0)))

    np.testing.assert_array_equal(y, np.cumsum(x, axis=1))


def test_cumulative_maximum_from_behind():
    x = drawn(8, 3)

    y = lax.reduce_window(x, -np.inf, lax.max, (8, 1), padding=((0, 7), (0, 0)))

    np.testing.assert_array_equal(y, np.maximum.accumulate(x[::-1])[::-1])


def test_positions_of_maxima():
    x = drawn(2, 6, 8, 3)
    at = np.arange(48).reshape(1, 6, 8, 1) + np.zeros(x.shape, np.int64)

    def first(a, b):
        keep = (a[0] > b[0]) | ((a[0] == b[0]) & (a[1] < b[1]))
        return np.where(keep, a[0], b[0]), np.where(keep, a[1], b[1])

    window = (1, 3, 2, 1)
    values, places = lax.reduce_window((x, at), (-np.inf, 48), first, window, window)

    view = fastconv.windows(x, (3, 2), (3, 2)).reshape(2, 2, 4, 3, 6)
    taps = fastconv.windows(at, (3, 2), (3, 2)).reshape(2, 2, 4, 3, 6)
    best = view.argmax(-1)[..., None]
    np.testing.assert_array_equal(values, view.max(-1))
    np.testing.assert_array_equal(places, np.take_along_axis(taps, best, -1)[..., 0])


def test_operands_are_trees():
    x = {"b": [np.arange(4.0)], "a": np.arange(4)}

    y = lax.reduce_window(
        x, {"b": [0.0], "a": 0}, lambda a, b: {"a": a["a"] + b["a"], "b": [a["b"][0] - b["b"][0]]}, (2,)
    )

    assert list(y) == ["a", "b"]
    np.testing.assert_array_equal(y["a"], [1, 3, 5])
    np.testing.assert_array_equal(y["b"], [[-1, -3, -5]])


@pytest.mark.parametrize("x", [np.float32(3), np.array(3.0)])
def test_an_array_without_axes_is_one_window(x):
    np.testing.assert_array_equal(lax.reduce_window(x, 2, lax.mul, ()), 6)


def test_a_named_backend_is_obeyed_or_refused():
    x = np.arange(4.0)
    with (
        fastconv.use_backend("numba"),
        pytest.raises(NotImplementedError, match="cannot compute fold <lambda> i4 k2"),
    ):
        lax.reduce_window(x, 0.0, lambda a, b: a * b, (2,))
    with (
        fastconv.use_backend("einsum"),
        pytest.raises(NotImplementedError, match="max is not for arrays: ValueError"),
    ):
        lax.reduce_window(x, 0.0, max, (2,))
    with fastconv.use_backend("naive"):
        np.testing.assert_array_equal(lax.reduce_window(x, 0.0, max, (2,)), [1, 2, 3])


def test_what_a_call_is_given_is_left_alone():
    x, window = drawn(1, 2, 5), [1, 1, 2]
    x.flags.writeable = False

    np.testing.assert_array_equal(lax.reduce_window(x, 0.0, lambda _, b: b, window), x[..., 1:])
    assert window == [1, 1, 2]
