"""What is remembered from call to call: choices, bounded in number, and never a caller's arrays."""

import gc
import weakref

import numpy as np
import pytest
from rows import row

import fastconv
from fastconv import calls, dispatch
from fastconv.kernel import Refusal

RNG = np.random.default_rng
X = RNG(0).integers(-8, 9, (2, 7, 9, 4)).astype(np.float32)
W = RNG(1).integers(-8, 9, (3, 2, 4, 5)).astype(np.float32)


def test_remembered_choices_are_bounded():
    for size in range(1, 1500):
        dispatch.ranking(fastconv.plan_pool((1, size, 1), 1, backend="einsum").problem, "einsum")

    info = dispatch.ranking.cache_info()
    assert info.maxsize is not None
    assert info.currsize <= info.maxsize <= 4096


def test_remembered_calls_are_bounded():
    for size in range(1, 1500):
        fastconv.max_pool(np.zeros((1, size, 1), np.float32), 1, backend="einsum")

    assert 0 < len(calls._recent) <= calls.LIMIT <= 4096


@pytest.mark.parametrize("backend", fastconv.backends())
def test_arrays_live_no_longer_than_their_callers_want(backend):
    x, w, bias = X.copy(), W.copy(), np.zeros(5, np.float32)
    watched = [weakref.ref(array) for array in (x, w, bias)]

    for _ in range(2):
        y = fastconv.conv(x, w, bias=bias, backend=backend)
        z = fastconv.max_pool(x, 2, backend=backend)
    watched += [weakref.ref(y), weakref.ref(z)]
    del x, w, bias, y, z
    gc.collect()

    assert [ref() for ref in watched] == [None] * 5


def test_prepared_weights_live_no_longer_than_a_call(add_rows):
    class Prepared:
        pass

    made = []

    def prepare(_problem, _w):
        prepared = Prepared()
        made.append(weakref.ref(prepared))
        return prepared

    add_rows(row("einsum:prepares", prepare=prepare))

    for _ in range(3):
        fastconv.conv(X, W)
    gc.collect()

    assert len(made) == 3  # anew for each call
    assert [ref() for ref in made] == [None] * 3


def calls_of_one_kind():
    """Calls that differ in one thing each, to be made in any order: name and function."""
    minus = -W
    yield "plain", lambda: fastconv.conv(X, W)
    yield "weights", lambda: fastconv.conv(X, minus)
    yield "inputs", lambda: fastconv.conv(-X, W)
    yield "bias", lambda: fastconv.conv(X, W, bias=np.arange(5))
    yield "no bias", lambda: fastconv.conv(X, W, bias=None)
    yield "activation", lambda: fastconv.conv(X, W, activation="relu")
    yield "callable", lambda: fastconv.conv(X, W, activation=np.abs)
    yield "another callable", lambda: fastconv.conv(X, W, activation=np.negative)
    yield "strides", lambda: fastconv.conv(X, W, (1, 2))
    yield "strides of 1", lambda: fastconv.conv(X, W, (1, 1))
    yield "padding", lambda: fastconv.conv(X, W, padding=1)
    yield "dilation", lambda: fastconv.conv(X, W, dilation_rate=(1, 2))
    yield "memory order", lambda: fastconv.conv(np.asfortranarray(X), W)
    yield "negative strides", lambda: fastconv.conv(X[:, ::-1], W[::-1])
    yield "float64", lambda: fastconv.conv(X.astype(float), W.astype(float))
    yield "mixed", lambda: fastconv.conv(X, W.astype(float))
    yield "integers", lambda: fastconv.conv(X.astype(int), W.astype(int))
    yield "big-endian", lambda: fastconv.conv(X.astype(">f4"), W)
    yield "list", lambda: fastconv.conv(X.tolist(), W)
    yield "transposed", lambda: fastconv.conv_transpose(X, W.swapaxes(-1, -2))
    yield "depthwise", lambda: fastconv.depthwise_conv(X, W)
    yield "max", lambda: fastconv.max_pool(X, 2)
    yield "min", lambda: fastconv.min_pool(X, 2)
    yield "average", lambda: fastconv.average_pool(X, 2, padding=1)
    yield "average of all", lambda: fastconv.average_pool(X, 2, padding=1, count_include_pad=True)
    yield "sum", lambda: fastconv.pool(X, 2, fn=np.sum)
    yield "function", lambda: fastconv.pool(X, 2, fn=np.ptp)


def test_no_call_is_taken_for_another(monkeypatch):
    """Each gives what it gives when nothing is remembered, whatever came before it."""
    functions = dict(calls_of_one_kind())
    expected = {}
    for name, function in functions.items():
        monkeypatch.setattr(calls, "_recent", {})
        expected[name] = function()
    rng = RNG(0)

    for _ in range(4):
        for name in rng.permutation(list(functions)):
            np.testing.assert_array_equal(functions[name](), expected[name], strict=True, err_msg=name)


def test_a_remembered_call_does_not_excuse_a_wrong_one():
    for _ in range(2):
        fastconv.conv(X, W, strides=1, bias=np.zeros(5))
        fastconv.max_pool(X, 2)

    with pytest.raises(TypeError, match="strides"):
        fastconv.conv(X, W, strides=True, bias=np.zeros(5))
    with pytest.raises(TypeError, match="strides"):
        fastconv.conv(X, W, strides=1.0, bias=np.zeros(5))
    with pytest.raises(ValueError, match="bias"):
        fastconv.conv(X, W, strides=1, bias=np.zeros(4))
    with pytest.raises(TypeError, match="pool_size"):
        fastconv.max_pool(X, 2.0)
    with pytest.raises(TypeError, match="masked"):
        fastconv.max_pool(np.ma.array(X), 2)


@pytest.mark.parametrize("order", [(1, -1), (-1, 1)])
def test_weights_decide_in_each_call_anew(add_rows, order):
    """Whichever came first: the row that is first in line gets the weights it takes."""

    def prepare(_problem, w):
        if w.sum() < 0:
            raise Refusal("negative")
        return w

    add_rows(
        row("einsum:first", prepare=prepare, cost=1e-9, value=1), row("einsum:second", cost=2e-9, value=2)
    )
    w = np.ones((3, 2, 4, 5), np.float32)

    for sign in (*order, *order):
        np.testing.assert_array_equal(fastconv.conv(X, sign * w), 1 if sign > 0 else 2)


class Unhashable:
    """A callable that is equal to nothing in particular: it can be no key."""

    __hash__ = None

    def __eq__(self, other):
        return NotImplemented

    def __call__(self, values):
        return values.max() if values.ndim == 1 else -values


def test_functions_need_no_hash():
    np.testing.assert_array_equal(fastconv.conv(X, W, activation=Unhashable()), -fastconv.conv(X, W))
    np.testing.assert_array_equal(fastconv.pool(X, 2, fn=Unhashable()), fastconv.max_pool(X, 2))
