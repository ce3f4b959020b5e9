"""Whatever NumPy can hold is taken, and taken right; and a caller's arrays are never written."""

import numpy as np
import pytest
from forms import FORMS, memory_mapped, unaligned

import fastconv

BACKENDS = fastconv.backends()
RNG = np.random.default_rng


def integers(shape, dtype=np.float32):
    return RNG(0).integers(-8, 9, shape).astype(dtype)


X, W, D = integers((2, 7, 9, 4)), integers((3, 2, 4, 5)), integers((3, 2, 4, 2))
T, P, B = integers((3, 2, 5, 4)), integers((1, 1, 8, 5)), integers(5)

OPTIONS = dict(strides=(2, 1), padding=((1, 0), (0, 2)))
OPS = {  # name: (other arrays, options)
    "conv": ((W,), dict(bias=B, activation="relu", **OPTIONS)),
    "depthwise_conv": ((D,), OPTIONS),
    "separable_conv": ((D, P), dict(bias=B, **OPTIONS)),
    "conv_transpose": ((T,), dict(bias=B, **OPTIONS)),
    "max_pool": (((3, 2),), OPTIONS),
    "min_pool": (((3, 2),), OPTIONS),
    "average_pool": (((3, 2),), OPTIONS),
    "pool": (((3, 2),), dict(fn=np.add, **OPTIONS)),
    "windows": (((3, 2),), OPTIONS),
    "adaptive_max_pool": (((3, 2),), {}),
    "adaptive_average_pool": (((3, 2),), {}),
}


def call(op, x, others=None, **more):
    arrays, options = OPS[op]
    return getattr(fastconv, op)(x, *(arrays if others is None else others), **{**options, **more})


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_any_form_of_array(op, form, backend):
    make, (arrays, options) = FORMS[form], OPS[op]
    expected = call(op, X.astype(float) if form == "list" else X)

    with fastconv.use_backend(backend):
        y = call(op, make(X))
        z = call(
            op,
            make(X),
            [make(array) if isinstance(array, np.ndarray) else array for array in arrays],
            **({"bias": make(options["bias"])} if "bias" in options else {}),
        )

    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(z, expected)
    assert type(y) is np.ndarray
    assert y.dtype == expected.dtype == z.dtype


@pytest.mark.parametrize("axis", range(4))
@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_broadcast_inputs(op, axis, backend):
    """Along one axis, every element is the same in memory: its stride is 0."""
    x = np.broadcast_to(X.take([0], axis), X.shape)

    with fastconv.use_backend(backend):
        np.testing.assert_array_equal(call(op, x), call(op, x.copy()))


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_empty_batch(op, backend):
    with fastconv.use_backend(backend):
        y = call(op, X[:0])

    assert y.shape == (0, *call(op, X).shape[1:])
    assert y.dtype == X.dtype


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_arrays_are_not_written(op, backend):
    arrays, options = OPS[op]
    given = [X, *(a for a in (*arrays, options.get("bias")) if isinstance(a, np.ndarray))]
    before = [array.tobytes() for array in given]

    with fastconv.use_backend(backend):
        y = call(op, X)
        if op in OUT:
            call(op, X, out=np.empty_like(y))
            call(op, np.asfortranarray(X), out=np.empty_like(y, order="F"))

    assert [array.tobytes() for array in given] == before
    assert op == "windows" or not any(np.shares_memory(y, array) for array in given)


OUT = ["conv", "depthwise_conv", "separable_conv", "conv_transpose", "max_pool", "min_pool", "average_pool"]
PLACES = {
    "contiguous": lambda shape: np.full(shape, np.nan, np.float32),
    "Fortran": lambda shape: np.full(shape, np.nan, np.float32, order="F"),
    "spread": lambda shape: np.full([2 * n for n in shape], np.nan, np.float32)[
        tuple([slice(1, None, 2)] * len(shape))
    ],
    "backwards": lambda shape: np.full(shape, np.nan, np.float32)[::-1, ::-1, ::-1, ::-1],
    "channels first": lambda shape: np.moveaxis(
        np.full((shape[0], *shape[:0:-1]), np.nan, np.float32), (1, 2, 3), (3, 2, 1)
    ),
    "unaligned": lambda shape: unaligned(np.full(shape, np.nan, np.float32)),
    "memory-mapped": lambda shape: memory_mapped(np.full(shape, np.nan, np.float32)),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("op", OUT)
@pytest.mark.parametrize("backend", BACKENDS)
def test_out_is_filled(op, place, backend):
    expected = call(op, X)
    out = PLACES[place](expected.shape)

    with fastconv.use_backend(backend):
        y = call(op, X, out=out)

    assert y is out
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("op", OUT)
@pytest.mark.parametrize("backend", BACKENDS)
def test_nothing_beside_out_is_written(op, backend):
    expected = call(op, X)
    frame = np.full([n + 2 for n in expected.shape], 77, np.float32)

    with fastconv.use_backend(backend):
        call(op, X, out=frame[1:-1, 1:-1, 1:-1, 1:-1])

    np.testing.assert_array_equal(frame[1:-1, 1:-1, 1:-1, 1:-1], expected)
    frame[1:-1, 1:-1, 1:-1, 1:-1] = 77
    np.testing.assert_array_equal(frame, 77)


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_results_are_contiguous_in_the_callers_layout(op, backend):
    with fastconv.use_backend(backend):
        last, first = call(op, X), call(op, np.moveaxis(X, -1, 1), data_format="channels_first")

    axes = (0, 3, 1, 2, 4, 5) if op == "windows" else (0, 3, 1, 2)
    np.testing.assert_array_equal(first, last.transpose(axes))
    assert op == "windows" or (first.flags.c_contiguous and last.flags.c_contiguous)


def test_windows_are_a_view_to_be_read():
    plain = fastconv.windows(X, (3, 2), strides=(2, 1), dilation_rate=(1, 2))
    padded = fastconv.windows(X, (3, 2), padding=1)

    assert np.shares_memory(plain, X)
    assert not np.shares_memory(padded, X)
    for view in (plain, padded, fastconv.windows(X[0, 0], ())):
        assert not view.flags.writeable
    np.testing.assert_array_equal(plain[1, 2, 3, 1], X[1, 4:7, 3:6:2, 1])
    assert X.flags.writeable
