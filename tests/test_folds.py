"""Folds by any function of two: every row equals the definition, and that what is written out here."""

import math
from dataclasses import replace

import numpy as np
import pytest

from fastconv import dispatch, plan
from fastconv.kernel import Refusal
from fastconv.problem import FoldProblem, Window, Words, fold_problem, reduction_window

WORDS = Words("case", size="size", dilation="dilation", allow_empty=True)
ROWS = [row for row in dispatch.table() if row.problem is FoldProblem]
OTHERS = [row for row in ROWS if row.backend != "naive"]


def halved(a, b):
    """Neither commutes nor associates, so that order shows; exact in floats."""
    return (a[0] * 2 - b[0],)


def later(a, b):
    """Keep the greater value, and where it was; of equals, the later."""
    keep = a[0] > b[0]
    return np.where(keep, a[0], b[0]), np.where(keep, a[1], b[1])


def exchanged(a, b):
    """Accumulate each array in the place of the other."""
    return a[1] + b[0], a[0] - b[1]


#        name: shape, window, options
GEOMETRIES = {
    "no axes": ((), (), {}),
    "1d": ((7,), (3,), {}),
    "2d": ((5, 8), (2, 3), dict(strides=(2, 1))),
    "3d": ((3, 4, 5), (2, 1, 3), dict(strides=(1, 2, 2))),
    "padding": ((4, 6), (3, 2), dict(padding=((2, 0), (1, 3)), strides=(1, 2))),
    "crop": ((6, 7), (2, 3), dict(padding=((-2, 1), (0, -3)))),
    "cropped away": ((4, 6), (2, 3), dict(padding=((-3, -2), (0, 0)))),
    "padding alone": ((2, 3), (2, 3), dict(padding=((5, 4), (1, 6)), strides=(3, 2))),
    "base dilation": ((4, 5), (3, 2), dict(base_dilation=(2, 3), padding=((1, 0), (0, 2)))),
    "all": (
        (5, 6),
        (3, 4),
        dict(strides=(3, 2), padding=((-1, 4), (3, -2)), base_dilation=(2, 3), dilation=(2, 1)),
    ),
    "same": ((5, 7), (3, 2), dict(padding="same", strides=(2, 3))),
    "same_lower": ((5, 7), (4, 2), dict(padding="SAME_LOWER", dilation=(1, 3))),
    "nothing": ((0, 4), (1, 2), {}),
    "nothing but padding": ((0, 4), (2, 3), dict(padding=((1, 2), (0, 0)))),
}
FUNCTIONS = {
    "halved": (halved, ("float64",), (3,)),
    "wrapping": (halved, ("int8",), (3,)),
    "later": (later, ("float32", "int64"), (-np.inf, -1)),
    "exchanged": (exchanged, ("int32", "float64"), (1, 2)),
}


def stated(geometry, function):
    shape, size, options = GEOMETRIES[geometry]
    reduction, names, numbers = FUNCTIONS[function]
    dtypes = tuple(map(np.dtype, names))
    inits = tuple(dtype.type(n) for dtype, n in zip(dtypes, numbers, strict=True))
    if function == "exchanged":  # each array in the dtype of the other
        dtypes = (np.dtype("int32"),) * 2
        inits = tuple(map(np.int32, numbers))
    return fold_problem(WORDS, reduction_window(WORDS, shape, size, **options), dtypes, inits, reduction)


def drawn(p):
    rng = np.random.default_rng(0)
    return tuple(rng.integers(-4, 5, p.window.i).astype(dtype) for dtype in p.dtypes)


def computed(row, p, x):
    y = tuple(np.full(p.window.o, 77, dtype) for dtype in p.dtypes)
    row.run(p, x, row.prepare(p, None), None, y)
    return y


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("geometry", GEOMETRIES)
@pytest.mark.parametrize("row", OTHERS, ids=lambda row: row.name)
def test_row_equals_definition(row, geometry, function):
    p = stated(geometry, function)
    x = drawn(p)
    (naive,) = dispatch.table("naive:fold")

    for got, wanted in zip(computed(row, p, x), computed(naive, p, x), strict=True):
        np.testing.assert_array_equal(got, wanted, strict=True)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_fold_goes_over_taps_in_row_major_order_from_init(row):
    (x,) = np.arange(1, 7).reshape(1, 2, 3).astype(float)
    window = reduction_window(WORDS, x.shape, (2, 2), padding=((0, 0), (0, 1)))
    p = fold_problem(WORDS, window, (x.dtype,), (np.float64(10),), halved)

    (y,) = computed(row, p, (x,))

    # ((((10*2 - 1)*2 - 2)*2 - 4)*2 - 5), and the last without the padding: (10*2 - 3)*2 - 6.
    np.testing.assert_array_equal(y, [[131, 116, 28]])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_row_reads_and_writes_any_strides(row):
    p = stated("all", "later")
    x = drawn(p)
    y = tuple(np.empty((*p.window.o[::-1], 2), dtype)[..., 1].T for dtype in p.dtypes)

    row.run(p, tuple(np.repeat(a, 2, 0)[::-2][::-1] for a in x), row.prepare(p, None), None, y)

    (naive,) = dispatch.table("naive:fold")
    for got, wanted in zip(y, computed(naive, p, x), strict=True):
        np.testing.assert_array_equal(got, wanted)


def branching(a, b):
    return (a[0] if a[0] > b[0] else b[0],)


def stacked(a, b):
    return (np.max(np.stack([a[0], b[0]])),)


def of_all(a, b):
    return (a[0] + np.max(b[0]),)


def of_scalars(a, b):
    return (math.hypot(a[0], b[0]),)


def of_its_own(a, b):
    b[0][...] += a[0]  # scalars cannot, and a view must not
    return b


@pytest.mark.parametrize("function", [branching, stacked, of_all, of_scalars])
def test_what_is_not_for_arrays_is_called_with_scalars(function):
    x = np.array([3.0, 1, 4, 1, 5, 9, 2, 6])
    window = reduction_window(WORDS, x.shape, (3,), padding=((1, 0),))
    p = fold_problem(WORDS, window, (x.dtype,), (np.float64(0.5),), function)
    (einsum,) = dispatch.table("einsum:fold")

    with pytest.raises(Refusal, match=function.__name__):
        einsum.prepare(p, None)
    (y,) = plan.fold(WORDS, p, (x,))

    for o in range(8 - 1):
        value = 0.5
        for element in x[max(o - 1, 0) : o + 2]:
            value = np.asarray(function((np.float64(value),), (element,))[0])[()]
        assert y[o] == value


def test_inputs_are_not_to_be_written_to():
    x = np.arange(5.0)
    p = FoldProblem(reduction_window(WORDS, x.shape, (2,)), (x.dtype,), (np.float64(0),), of_its_own)
    (einsum,) = dispatch.table("einsum:fold")

    with pytest.raises(ValueError, match="read-only"):
        computed(replace(einsum, prepare=lambda _problem, _w: None), p, (x,))
    np.testing.assert_array_equal(x, np.arange(5.0))


def test_line_names_the_fold():
    p = stated("padding", "later")

    assert str(p) == "fold later i4x6 k3x2 s1x2 d1x1 p2+0x1+3 float32 int64"
    assert p == replace(p)
    assert isinstance(p.window, Window)
