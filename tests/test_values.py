"""NaN, infinity, zeros with a sign, wrapping integers, mixed and narrow dtypes."""

import numpy as np
import pytest

import fastconv

BACKENDS = fastconv.backends()
COMPLETE = ("naive", "einsum", "auto")


def everywhere(*dtypes):
    """Pair dtypes with backends: those that compiled kernels may leave to others are not for "numba"."""
    return [
        (backend, dtype)
        for dtype in dtypes
        for backend in (BACKENDS if dtype in ("float32", "float64") else COMPLETE)
    ]


OPTIONS = dict(strides=(2, 1), padding=((1, 0), (0, 2)))


def holders(shape, at, k):
    """Which windows of `OPTIONS` see the input at `at`: by sliding them over a marked array."""
    marked = np.pad(np.zeros(shape), OPTIONS["padding"])
    marked[at[0] + 1, at[1]] = 1
    s, t = OPTIONS["strides"]
    rows = range(0, marked.shape[0] - k[0] + 1, s)
    columns = range(0, marked.shape[1] - k[1] + 1, t)
    return np.array([[marked[r : r + k[0], c : c + k[1]].any() for c in columns] for r in rows])


@pytest.mark.parametrize(("backend", "dtype"), everywhere("float16", "float32", "float64"))
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("at", [(0, 0), (3, 4), (6, 8), (2, 0)])
def test_special_values_reach_their_windows_and_no_other(backend, at, value, dtype):
    rng = np.random.default_rng(0)
    x = rng.integers(-8, 9, (2, 7, 9, 4)).astype(dtype)
    w, d = np.ones((3, 2, 4, 5), dtype), np.ones((3, 2, 4, 2), dtype)
    clean = x.copy()
    x[1, at[0], at[1], 2] = value
    seen = np.zeros((2, 3, 10), bool)
    seen[1] = holders((7, 9), at, (3, 2))
    every = np.broadcast_to(seen[..., None], (2, 3, 10, 5))
    own = seen[..., None] & (np.arange(4) == 2)
    calls = {
        "conv": (lambda x: fastconv.conv(x, w, backend=backend, **OPTIONS), every),
        "depthwise": (lambda x: fastconv.depthwise_conv(x, d, backend=backend, **OPTIONS), own.repeat(2, -1)),
        "average": (lambda x: fastconv.average_pool(x, (3, 2), backend=backend, **OPTIONS), own),
    }
    if value > 0 or np.isnan(value):
        calls["max"] = lambda x: fastconv.max_pool(x, (3, 2), backend=backend, **OPTIONS), own
    if value < 0 or np.isnan(value):
        calls["min"] = lambda x: fastconv.min_pool(x, (3, 2), backend=backend, **OPTIONS), own

    for name, (call, where) in calls.items():
        np.testing.assert_array_equal(
            call(x), np.where(where, dtype_of(dtype, value), call(clean)), err_msg=name
        )


def dtype_of(dtype, value):
    return np.dtype(dtype).type(value)


@pytest.mark.parametrize("backend", BACKENDS)
def test_infinities_that_meet_are_nan(backend):
    x = np.array([np.inf, 1, -np.inf, 2]).reshape(1, 4, 1)

    y = fastconv.conv(x, np.ones((2, 1, 1)), backend=backend)
    z = fastconv.conv(x, np.ones((3, 1, 1)), backend=backend)
    zero = fastconv.conv(x, np.zeros((1, 1, 1)), backend=backend)

    np.testing.assert_array_equal(y[0, :, 0], [np.inf, -np.inf, -np.inf])
    np.testing.assert_array_equal(z[0, :, 0], [np.nan, -np.inf])
    np.testing.assert_array_equal(zero[0, :, 0], [np.nan, 0, np.nan, 0])


@pytest.mark.parametrize("op", ["max_pool", "min_pool"])
@pytest.mark.parametrize(
    ("backend", "dtype"),
    everywhere("float16", "float32", "float64", "complex64"),
)
def test_nan_beats_every_number(backend, op, dtype):
    """In whatever place of the window it is, and next to infinities."""
    for place in range(6):
        x = np.array([np.inf, -np.inf, 3, -2, 0, 7], dtype)
        x[place] = np.nan
        for size in ((2, 3), (3, 2), (6, 1)):
            y = getattr(fastconv, op)(x.reshape(1, *size, 1), size, backend=backend)
            np.testing.assert_array_equal(np.isnan(y), True, err_msg=f"{place} {size}")


@pytest.mark.parametrize(
    ("backend", "dtype"),
    [*everywhere("float16", "float32", "float64", "int8", "int32", "bool"), ("einsum", "uint8")],
)
def test_windows_wholly_in_padding(backend, dtype):
    x = np.array([1, 0, 1], dtype).reshape(1, 3, 1)
    options = dict(strides=2, padding=((2, 3),), backend=backend)  # windows at -2, 0, 2, 4
    low, high = limits(np.dtype(dtype))

    np.testing.assert_array_equal(
        fastconv.max_pool(x, 2, **options)[0, :, 0], np.array([low, 1, 1, low], dtype)
    )
    np.testing.assert_array_equal(
        fastconv.min_pool(x, 2, **options)[0, :, 0], np.array([high, 0, 1, high], dtype)
    )
    np.testing.assert_array_equal(fastconv.average_pool(x, 2, **options)[0, :, 0], [np.nan, 0.5, 1, np.nan])
    np.testing.assert_array_equal(
        fastconv.average_pool(x, 2, count_include_pad=True, **options)[0, :, 0], [0, 0.5, 0.5, 0]
    )
    np.testing.assert_array_equal(
        fastconv.pool(x, 2, fn=np.sum, **options)[0, :, 0], np.array([0, 1, 1, 0], dtype)
    )


def limits(dtype):
    if dtype.kind == "f":
        return -np.inf, np.inf
    return (False, True) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)


@pytest.mark.parametrize("backend", BACKENDS)
def test_zeros_with_a_sign_are_zeros(backend):
    x = np.array([-0.0, 0.0, -0.0]).reshape(1, 3, 1)

    for op in ("max_pool", "min_pool", "average_pool"):
        np.testing.assert_array_equal(getattr(fastconv, op)(x, 2, 1, backend=backend), np.zeros((1, 2, 1)))
    np.testing.assert_array_equal(fastconv.conv(x, -np.ones((2, 1, 1)), backend=backend), np.zeros((1, 2, 1)))


@pytest.mark.parametrize("backend", COMPLETE)
def test_integers_wrap_around(backend):
    x = np.array([100, 100, -100, -100], np.int8).reshape(1, 4, 1)
    ones = np.ones((2, 1, 1), np.int8)

    y = fastconv.conv(x, ones, backend=backend)
    z = fastconv.conv(x, ones, bias=np.array([100], np.int8), backend=backend)
    total = fastconv.pool(x, 2, 1, fn=np.sum, backend=backend)

    np.testing.assert_array_equal(y[0, :, 0], np.array([200 - 256, 0, -200 + 256], np.int8), strict=True)
    np.testing.assert_array_equal(z[0, :, 0], np.array([300 - 256, 100, -100], np.int8), strict=True)
    np.testing.assert_array_equal(total, y, strict=True)


@pytest.mark.parametrize(("backend", "dtype"), everywhere("int8", "int32", "bool"))
def test_average_of_integers_is_of_float64(backend, dtype):
    x = np.array([1, 0, 1, 1], dtype).reshape(1, 4, 1)

    y = fastconv.average_pool(x, 3, 1, backend=backend)

    np.testing.assert_array_equal(y[0, :, 0], np.array([2 / 3, 2 / 3]), strict=True)


@pytest.mark.parametrize("backend", COMPLETE)
def test_half_precision_rounds_once(backend):
    """2048 + 1 is not a float16: rounded after every addition, the ones would be lost."""
    x = np.array([2048] + [1] * 16, np.float16).reshape(1, 17, 1)

    y = fastconv.conv(x, np.ones((17, 1, 1), np.float16), backend=backend)
    mean = fastconv.average_pool(x, 17, backend=backend)

    np.testing.assert_array_equal(y, np.full((1, 1, 1), 2064, np.float16), strict=True)
    np.testing.assert_array_equal(mean, np.full((1, 1, 1), 2064 / 17, np.float16), strict=True)


@pytest.mark.parametrize(
    ("x", "w", "y"),
    [
        ("float32", "float64", "float64"),
        ("float16", "float32", "float32"),
        ("int8", "float32", "float32"),
        ("uint8", "int8", "int16"),
        ("int32", "float32", "float64"),
        ("bool", "uint8", "uint8"),
        ("float64", "complex64", "complex128"),
    ],
)
@pytest.mark.parametrize("backend", COMPLETE)
def test_mixed_dtypes_promote_as_in_numpy(backend, x, w, y):
    """``np.result_type`` of the arrays; a bias has no part in it."""
    rng = np.random.default_rng(0)
    inputs, kernel = rng.integers(0, 5, (1, 7, 2)).astype(x), rng.integers(0, 5, (3, 2, 4)).astype(w)
    expected = sum(inputs.astype(y)[:, t : t + 5] @ kernel.astype(y)[t] for t in range(3))

    result = fastconv.conv(inputs, kernel, bias=np.arange(4, dtype=np.uint8), backend=backend)

    np.testing.assert_array_equal(result, (expected + np.arange(4)).astype(y), strict=True)


def test_functions_see_the_real_elements_in_order():
    x = np.arange(1, 7).reshape(1, 2, 3, 1)
    seen = []

    def last(window):
        seen.append(window.tolist())
        return window[-1]

    y = fastconv.pool(x, (2, 2), strides=(1, 2), padding=((0, 0), (1, 0)), fn=last)

    np.testing.assert_array_equal(y[0, ..., 0], [[4, 6]])
    assert seen[-2:] == [[1, 4], [2, 3, 5, 6]]


@pytest.mark.parametrize("fn", [np.median, np.std, np.ptp, lambda v: np.sort(v)[len(v) // 2]])
def test_any_function_of_a_window(fn):
    x = np.random.default_rng(0).standard_normal((2, 5, 6, 3))
    views = np.lib.stride_tricks.sliding_window_view(x, (3, 2), (1, 2))[:, :, ::2]
    expected = np.apply_along_axis(fn, -1, views.reshape(*views.shape[:4], 6))

    np.testing.assert_array_equal(fastconv.pool(x, (3, 2), strides=(1, 2), fn=fn), expected)


def test_functions_with_a_name_are_the_named_pools():
    x = np.random.default_rng(0).integers(-9, 10, (1, 6, 7, 2)).astype(np.float32)
    options = dict(strides=(2, 1), padding=((1, 0), (0, 2)))

    for fn, name in {
        np.max: "max_pool",
        np.min: "min_pool",
        np.mean: "average_pool",
        np.maximum: "max_pool",
    }.items():
        np.testing.assert_array_equal(
            fastconv.pool(x, (3, 2), fn=fn, **options), getattr(fastconv, name)(x, (3, 2), **options)
        )
