"""Plans: what they keep, what they accept, and that they are the functions in two steps."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

import fastconv
from fastconv import plan
from fastconv.activations import FUNCTIONS
from fastconv.problem import Layout, Words, memory_order, pool_problem

BACKENDS = fastconv.backends()


def integers(shape, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).integers(-8, 9, shape).astype(dtype)


X, W, T, B = integers((2, 7, 9, 4)), integers((3, 2, 4, 5)), integers((3, 2, 5, 4)), integers(5)
OPTIONS = dict(strides=(2, 1), padding=((1, 0), (0, 2)), dilation_rate=(1, 2))
PLANS = {
    "conv": lambda x, **more: fastconv.plan_conv(x, W, bias=B, activation="relu", **OPTIONS, **more),
    "conv_transpose": lambda x, **more: fastconv.plan_conv_transpose(
        x, T, bias=B, activation="relu", output_padding=(1, 0), **OPTIONS, **more
    ),
    "max": lambda x, **more: fastconv.plan_pool(x, (3, 2), **OPTIONS, **more),
    "mean": lambda x, **more: fastconv.plan_pool(
        x, (3, 2), reduction="mean", count_include_pad=True, **OPTIONS, **more
    ),
    "sum": lambda x, **more: fastconv.plan_pool(x, (3, 2), reduction="sum", **OPTIONS, **more),
}
FUNCTIONS_OF = {
    "conv": lambda x, **more: fastconv.conv(x, W, bias=B, activation="relu", **OPTIONS, **more),
    "conv_transpose": lambda x, **more: fastconv.conv_transpose(
        x, T, bias=B, activation="relu", output_padding=(1, 0), **OPTIONS, **more
    ),
    "max": lambda x, **more: fastconv.max_pool(x, (3, 2), **OPTIONS, **more),
    "mean": lambda x, **more: fastconv.average_pool(x, (3, 2), count_include_pad=True, **OPTIONS, **more),
    "sum": lambda x, **more: fastconv.pool(x, (3, 2), fn=np.sum, **OPTIONS, **more),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("op", PLANS)
def test_plan_is_the_function_in_two_steps(op, data_format, backend):
    x = X if data_format == "channels_last" else np.moveaxis(X, -1, 1).copy()
    more = dict(data_format=data_format, backend=backend if op != "sum" else "auto")

    plan = PLANS[op](x.shape, **more)

    np.testing.assert_array_equal(plan(x), FUNCTIONS_OF[op](x, **more), strict=True)
    np.testing.assert_array_equal(plan(-x), FUNCTIONS_OF[op](-x, **more), strict=True)
    y = plan(x)
    assert plan.y_shape == y.shape
    assert y.flags.c_contiguous
    canonical = y if data_format == "channels_last" else np.moveaxis(y, 1, -1)
    assert plan.problem.y_order == memory_order(canonical.shape, canonical.strides)


@pytest.mark.parametrize("op", PLANS)
def test_every_call_gives_a_new_array(op):
    plan = PLANS[op](X.shape)

    first = plan(X)
    kept = first.copy()
    second = plan(-X)

    assert not np.shares_memory(first, second)
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_plan_keeps_its_own_weights(backend, dtype):
    x, w, t, bias = (array.astype(dtype) for array in (X, W, T, B))
    for make, weights in (fastconv.plan_conv, w), (fastconv.plan_conv_transpose, t):
        plan = make(X.shape, weights, bias=bias, backend=backend)
        before = plan(x)

        weights *= 3
        bias += 1

        np.testing.assert_array_equal(plan(x), before)


@pytest.mark.parametrize("op", PLANS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_inputs_in_another_memory_order_than_planned(op, backend):
    plan = PLANS[op](X.shape, backend="auto" if op == "sum" else backend)
    expected = plan(X)

    for axes in ((3, 2, 1, 0), (0, 3, 1, 2), (1, 0, 3, 2)):
        x = np.ascontiguousarray(X.transpose(axes)).transpose(np.argsort(axes))
        np.testing.assert_array_equal(plan(x), expected)
    np.testing.assert_array_equal(plan(np.flip(np.flip(X).copy())), expected)
    np.testing.assert_array_equal(plan(X.astype(">f4")), expected)


@pytest.mark.parametrize("op", PLANS)
def test_kernels_get_the_memory_order_that_they_were_chosen_for(op):
    given = []
    plan = PLANS[op](X.shape)
    spied = replace(plan, kernel=replace(plan.kernel, run=lambda _p, x, *_rest: given.append(x)))

    for x in (X, np.asfortranarray(X), X.astype(">f4"), unaligned(X)):
        spied(x)

    for x in given:
        assert memory_order(x.shape, x.strides) == plan.problem.x_order
        assert x.flags.aligned
        assert x.dtype.isnative
        np.testing.assert_array_equal(x, X)


def unaligned(x):
    """A copy of `x` that begins one byte into its memory."""
    copy = np.zeros(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    copy[...] = x
    return copy


def test_narrower_inputs_are_widened():
    plan = fastconv.plan_conv(X.shape, W, dtype=np.float64)

    assert plan.problem.y_dtype == np.float64
    for dtype in ("float16", "float32", "int32", "int8", "bool"):
        x = X.astype(dtype)
        np.testing.assert_array_equal(plan(x), plan(x.astype(float)))
    np.testing.assert_array_equal(plan(X.tolist()), plan(X))


def test_planned_dtype_is_the_kernels_if_not_given():
    assert fastconv.plan_conv(X.shape, W.astype(np.float16)).problem.y_dtype == np.float16
    assert fastconv.plan_conv(X.shape, W, dtype=np.int64).problem.y_dtype == np.float64
    assert fastconv.plan_pool(X.shape, 2).problem.y_dtype == np.float32
    assert fastconv.plan_pool(X.shape, 2, dtype=np.int8, reduction="mean").problem.y_dtype == np.float64


@pytest.mark.parametrize("op", PLANS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_out(op, backend):
    plan = PLANS[op](X.shape, backend="auto" if op == "sum" else backend)
    expected = plan(X)
    frame = np.full([2 * n for n in expected.shape], np.nan, np.float32)

    for out in (np.empty_like(expected), np.empty_like(expected, order="F"), frame[::2, 1::2, ::2, ::-2]):
        assert plan(X, out=out) is out
        np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("activation", FUNCTIONS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_activations(activation, backend):
    linear = fastconv.conv(X / 8, W, bias=B / 8)

    y = fastconv.conv(X / 8, W, bias=B / 8, activation=activation, backend=backend)

    expected = FUNCTIONS[activation](linear.astype(np.float64))
    eps = np.finfo(np.float32).eps
    np.testing.assert_allclose(y, expected, rtol=4 * eps, atol=4 * eps)
    assert y.dtype == np.float32


@pytest.mark.parametrize("backend", BACKENDS)
def test_callable_activations(backend):
    """They get the whole output, in the caller's layout and the precision of the sum."""
    x, shapes = np.moveaxis(X, -1, 1).copy(), []

    def halved(y):
        shapes.append((y.shape, y.dtype))
        return y / 2

    linear = fastconv.conv(x, W, bias=B, data_format="channels_first")
    out = np.empty_like(linear, order="F")
    options = dict(bias=B, data_format="channels_first", backend=backend)

    np.testing.assert_array_equal(fastconv.conv(x, W, activation=halved, **options), linear / 2)
    np.testing.assert_array_equal(fastconv.conv(x, W, activation=halved, out=out, **options), linear / 2)
    assert shapes == [(linear.shape, np.float32)] * 2
    # One that writes what it is given, and one of integers: the kind is kept.
    in_place = fastconv.conv(x, W, activation=lambda y: np.negative(y, out=y), **options)
    np.testing.assert_array_equal(in_place, -linear)
    whole = fastconv.conv(
        x.astype(int), W.astype(int), activation=lambda y: y % 3, data_format="channels_first"
    )
    np.testing.assert_array_equal(whole, fastconv.conv(x, W, data_format="channels_first").astype(int) % 3)


@pytest.mark.parametrize("backend", ["naive", "einsum", "auto"])
def test_half_precision_is_rounded_once_after_the_activation(backend):
    """1 + 2^-11 lies halfway between two float16s: rounded early it is 1, and the rest is lost."""
    x, w = np.array([[[1.0], [2.0**-11]]], np.float16), np.ones((2, 1, 1), np.float16)
    seen = []

    y = fastconv.conv(x, w, activation=lambda y: seen.append(y.dtype) or (y - 1) * 1024, backend=backend)
    z = fastconv.conv(x, w, activation="softplus", backend=backend)

    np.testing.assert_array_equal(y, np.full((1, 1, 1), 0.5, np.float16), strict=True)
    assert seen == [np.float32]
    exact = np.log1p(np.exp(1 + 2.0**-11))
    np.testing.assert_array_equal(z, np.full((1, 1, 1), exact, np.float16), strict=True)


@pytest.mark.parametrize("op", PLANS)
def test_many_threads_may_call_one_plan(op):
    plan = PLANS[op](X.shape)
    inputs = [integers(X.shape, seed=seed) for seed in range(40)]
    expected = [plan(x) for x in inputs]

    with ThreadPoolExecutor(8) as pool:
        for y, right in zip(pool.map(plan, inputs), expected, strict=True):
            np.testing.assert_array_equal(y, right)


def test_plans_are_not_to_be_changed():
    plan = PLANS["conv"](X.shape)

    for name, value in (("prepared", None), ("kernel", None), ("problem", None)):
        with pytest.raises(AttributeError, match=name):
            setattr(plan, name, value)


def test_plans_without_spatial_axes():
    x, w = integers((3, 4)), integers((4, 5))

    np.testing.assert_array_equal(fastconv.plan_conv(x.shape, w)(x), x @ w)
    np.testing.assert_array_equal(fastconv.plan_pool(x.shape, ())(x), x)


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_plan_with_indices_gives_values_and_positions(dtype):
    """Positions are flat in the spatial axes, so that they find the values again."""
    words, x = Words("case"), integers((2, 4, 7, 9), dtype)
    layout = Layout.of(words, "channels_first", x.ndim)
    problem = pool_problem(words, layout, x.shape, x.dtype, (3, 2), strides=(2, 1), indices=True)

    values, positions = plan.make(words, layout, problem, "auto").with_indices(x)

    maxima = fastconv.max_pool(x, (3, 2), (2, 1), data_format="channels_first")
    np.testing.assert_array_equal(values, maxima, strict=True)
    assert values.flags.c_contiguous
    assert positions.flags.c_contiguous
    assert positions.dtype == np.int64
    found = np.take_along_axis(x.reshape(2, 4, -1), positions.reshape(2, 4, -1), axis=2)
    np.testing.assert_array_equal(found.reshape(values.shape), values)
    row, column = np.divmod(positions, 9)
    o = np.indices(positions.shape)[2:]
    assert ((row - 2 * o[0] >= 0) & (row - 2 * o[0] < 3) & (column - o[1] >= 0) & (column - o[1] < 2)).all()


@pytest.mark.parametrize("backend", ["naive", "einsum"])
def test_indices_are_of_the_first_of_equals_and_the_last_nan(backend):
    words, nan = Words("case"), np.nan
    x = np.array([[[5, 1, 5, 5, nan, 2, nan, 3]]])
    layout = Layout.of(words, "channels_first", x.ndim)
    problem = pool_problem(words, layout, x.shape, x.dtype, 4, strides=2, indices=True)

    values, positions = plan.make(words, layout, problem, backend).with_indices(x)

    np.testing.assert_array_equal(values, [[[5, nan, nan]]])
    np.testing.assert_array_equal(positions, [[[0, 4, 6]]])
