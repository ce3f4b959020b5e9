"""Compute a call by plain loops and by other rows, and say what is wrong with what comes out."""

from __future__ import annotations

import re
import warnings
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np

import fastconv
import fastconv.functional
import fastconv.lax
import fastconv.layers

from . import bounds, environment
from .data import Array, Call, Code, Dice, content, dtype_of
from .memory import Placed
from .rows import Recorder, TooMuchError

MANY = 10**7
REFUSALS = (ValueError, TypeError, NotImplementedError)


class FindingError(AssertionError):
    """What should not have come out."""


def whole(seed: int):
    """Make an initializer that draws small whole numbers."""
    return lambda shape, dtype=None: (
        np.random.default_rng(seed).integers(-3, 4, shape).astype(dtype or np.float32)
    )


def names() -> dict[str, Any]:
    """What code in cases may name."""
    from tests import functions

    return dict(
        np=np, lax=fastconv.lax, layers=fastconv.layers, functions=functions, dtype_of=dtype_of, whole=whole
    )


class Made:
    """The arguments of one call, made of data."""

    def __init__(self, *, plain: bool):
        self.plain, self.placed = plain, []

    def of(self, value: Any) -> Any:
        """Make a value: arrays as odd as they are said to be, or, for plain loops, as NumPy has them."""
        if isinstance(value, Array):
            return self._array(value)
        if isinstance(value, Code):
            return eval(value.text, names())
        if isinstance(value, (tuple, list)):
            return type(value)(map(self.of, value))
        return value

    def _array(self, array: Array) -> np.ndarray:
        if "vast" in array.form:
            return np.broadcast_to(content(Array((), array.dtype, "whole", (), array.seed)), array.shape)
        placed = Placed(content(array), array.form)
        if self.plain:
            return np.array(placed.array, dtype_of(array.dtype), subok=False)
        self.placed.append(placed)
        return placed.array


def run(call: Call, made: Made, options: dict[str, Any], out: np.ndarray | None = None) -> Any:
    """Call what a case calls."""
    function: Any = fastconv
    for name in call.function.split("."):
        function = getattr(function, name)
    more = {} if out is None else {"out": out}
    args, options = made.of(call.args), {name: made.of(value) for name, value in options.items()}
    if call.inputs is None:
        return function(*args, **options, **more)
    ready = function(*args, **options)
    inputs = made.of(call.inputs)
    if call.weights is not None:
        if isinstance(inputs[0], np.ndarray):
            ready.build(inputs[0].shape)
        ready.set_weights(made.of(call.weights))
    return ready(*inputs, **more)


def judge(call: Call, dice: Dice, recorder: Recorder) -> None:
    """Compute a call several ways; raise a `FindingError` if one of them is wrong."""
    if "adaptive" in call.function.lower() and "vast" in repr(call):
        return None  # all of it is read, for minutes, by none of the rows whose work is limited
    options = {name: value for name, value in call.options.items() if name != "backend"}
    recorder.begin(most=2e6)
    expected: Any = None
    error: Exception | None = None
    try:
        with fastconv.use_backend("naive"):
            expected = run(call, Made(plain=True), options)
    except (TooMuchError, MemoryError):
        return _survives(call, recorder)
    except Exception as refused:
        error = refused
        _check_refusal(call, refused)
    backends = ["auto", dice.of("einsum", "numba", *recorder.accepting())]
    if call.out is None and not call.spoilt:
        backends.append("auto")  # what is known of the first time now
    for backend in backends:
        recorder.begin(most=1e9)
        with fastconv.use_backend(backend), _strict(dice):
            _judge_one(call, recorder, backend, expected, error)
    return None


def _survives(call: Call, recorder: Recorder) -> None:
    """Run what is too much for plain loops: it must be refused, or end."""
    recorder.begin(most=1e9)
    try:
        run(call, Made(plain=False), call.options)
    except (TooMuchError, MemoryError):
        if not call.spoilt:
            raise FindingError("too much work for a call that is not spoilt") from None
    except Exception as refused:
        _check_refusal(call, refused)


@contextmanager
def _strict(dice: Dice):
    """Have NumPy raise at every flag, sometimes: results must not depend on it."""
    with np.errstate(all="raise") if dice.maybe(0.3) else nullcontext():
        before = environment.state()
        yield
        if environment.state() != before:
            raise FindingError(f"floating-point environment was {before}, is {environment.state()}")


def _judge_one(call: Call, recorder: Recorder, backend: str, expected: Any, error) -> None:
    made = Made(plain=False)
    out = original = None
    if call.out is not None and isinstance(expected, np.ndarray):
        out, original = _place(call, expected)
    try:
        y = run(call, made, call.options, out and out.array)
    except MemoryError:
        if not call.spoilt:
            raise
        return
    except Exception as refused:
        if not isinstance(refused, (*REFUSALS, RuntimeError)):
            raise
        _check_refusal(call, refused)
        _check_untouched(made)
        if out is not None and not out.is_untouched():
            raise FindingError(f"{backend}: `out` was written by a call that was refused") from refused
        fine = error is not None or call.spoilt in ("out", "backend")
        if not fine and not (isinstance(refused, NotImplementedError) and backend != "auto"):
            raise FindingError(f"{backend}: refused what plain loops compute: {refused!r}") from refused
        same = type(error) is type(refused) or isinstance(refused, NotImplementedError)
        if error is not None and call.spoilt != "backend" and not same:
            raise FindingError(f"{backend}: refused by {refused!r}, plain loops by {error!r}") from refused
        return
    if error is not None and not isinstance(error, NotImplementedError):
        raise FindingError(f"{backend}: computed what plain loops refuse: {error!r}")
    _check_untouched(made)
    if error is None:
        if call.out is not None and call.out.wrong and out is not None:
            raise FindingError(f"{backend}: took an `out` with the wrong {call.out.wrong}")
        _compare(call, recorder, backend, y, expected)
    if out is not None:
        if y is not out.array:
            raise FindingError(f"{backend}: returned something else than `out`")
        if not out.is_clean_beside(original):
            raise FindingError(f"{backend}: wrote beside `out`")
    elif isinstance(y, np.ndarray):
        _check_new(call, y, made)


def _place(call: Call, expected: np.ndarray):
    """Make a place for the result, or one that is wrong for it."""
    form, wrong = call.out.form, call.out.wrong
    usable = tuple(
        w for w in form if not w.startswith(("order", "back", "spread")) or _fits(w, expected.ndim)
    )
    blank = np.full(expected.shape, 85, expected.dtype)
    if wrong == "shape":
        blank = np.full((*expected.shape, 1), 85, expected.dtype)
    if wrong == "dtype":
        blank = np.full(expected.shape, 85, np.complex64 if expected.dtype != np.complex64 else np.float32)
    if wrong in ("readonly", "same"):
        return _Wrong(blank, wrong), blank
    if wrong in ("overlap", "list"):
        return (_Wrong(blank, "readonly"), blank) if wrong == "overlap" else (_List(blank.tolist()), blank)
    return Placed(blank, usable), blank


def _fits(word: str, ndim: int) -> bool:
    """Whether a word of a form is of axes that an array has."""
    axes = [int(a) for a in word.split()[1:]]
    return len(axes) == ndim if word.startswith("order") else max(axes) < ndim


class _Wrong:
    """A place that cannot be written, or that is one element for all."""

    def __init__(self, blank: np.ndarray, wrong: str):
        self.array = (
            np.broadcast_to(blank.ravel()[:1].reshape((1,) * blank.ndim), blank.shape)
            if blank.size
            else blank
        )
        if wrong == "same" and blank.size > 1:
            self.array = np.lib.stride_tricks.as_strided(blank.copy(), blank.shape, (0,) * blank.ndim)
        elif not blank.flags.writeable or wrong == "readonly" or blank.size <= 1:
            self.array = blank.copy()
            self.array.flags.writeable = False
        self._before = self.array.tobytes()

    def is_untouched(self) -> bool:
        return self.array.tobytes() == self._before


class _List:
    """A place that is no array."""

    def __init__(self, values: list):
        self.array = values
        self._before = repr(values)

    def is_untouched(self) -> bool:
        return repr(self.array) == self._before


def _check_untouched(made: Made) -> None:
    if not all(placed.is_untouched() for placed in made.placed):
        raise FindingError("an argument, or what lies beside it, was written")


def _check_refusal(call: Call, error: Exception) -> None:
    """Refusals are sentences of ours, of the types that are promised."""
    if not call.spoilt and not isinstance(error, (ValueError, NotImplementedError)):
        raise FindingError(f"refused what is right: {error!r}") from error
    allowed = (*REFUSALS, RuntimeError) if call.function.startswith("lax.") else REFUSALS
    if type(error) not in allowed:
        raise FindingError(f"no refusal of the types that are promised: {error!r}") from error
    text = str(error)
    if not re.match(r"[\w.]+(: |\(\) |\.__init__\(\) )|backend=", text):
        raise FindingError(f"no sentence of ours: {error!r}") from error


def _check_new(call: Call, y: np.ndarray, made: Made) -> None:
    """Results are plain arrays of their own."""
    is_view = call.function == "windows" or call.function.startswith(
        ("layers.", "functional.pad", "functional.pixel")
    )
    if type(y) is not np.ndarray or y.dtype != y.dtype.newbyteorder("="):
        raise FindingError(f"a result of {type(y)} and {y.dtype}")
    if not is_view and not y.flags.c_contiguous:
        raise FindingError(f"a result that is not contiguous: {y.strides}")
    if not is_view and any(np.may_share_memory(y, placed.array) for placed in made.placed):
        raise FindingError("a result that shares memory with an argument")


def _compare(call: Call, recorder: Recorder, backend: str, y: Any, expected: Any) -> None:
    """Compare results: equal if all sums are exact, else each row within its bound and all of it roughly."""
    if isinstance(expected, (tuple, list)) and any(isinstance(each, np.ndarray) for each in expected):
        for one, other in zip(y, expected, strict=True):
            _compare(call, recorder, backend, one, other)
        return
    if not isinstance(expected, np.ndarray):
        if y != expected:
            raise FindingError(f"{backend}: {y!r}, plain loops {expected!r}")
        return
    if y.shape != expected.shape or y.dtype != expected.dtype:
        raise FindingError(
            f"{backend}: {y.shape} of {y.dtype}, plain loops {expected.shape} of {expected.dtype}"
        )
    if y.size > MANY:  # of no memory, as its elements are all one
        y, expected = (array[(slice(0, 3),) * array.ndim] for array in (y, expected))
    inexact = [each for each in recorder.runs if not each.row.exact]
    if call.exact and not inexact:
        if not _equal(y, expected):
            raise FindingError(f"{backend} ({recorder}): {_difference(y, expected)}")
        return
    for each in recorder.runs:
        bounds.check(each)
    loose = bool(inexact) or call.function.startswith("functional.lp_pool")  # of sums that nearly cancel
    if not bounds.roughly(y, expected, loose=loose):
        raise FindingError(f"{backend} ({recorder}): far from plain loops: {_difference(y, expected)}")


def _equal(y: np.ndarray, expected: np.ndarray) -> bool:
    both = (y != y) & (expected != expected)
    if y.dtype.kind == "c":  # infinity times a complex number is not a number, or is, as a product goes
        both = ~(np.isfinite(y) | np.isfinite(expected))
    return bool(np.all((y == expected) | both))


def _difference(y: np.ndarray, expected: np.ndarray) -> str:
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrong = np.argwhere(~((y == expected) | ((y != y) & (expected != expected))))
    at = tuple(map(int, wrong[0])) if len(wrong) else ()
    return f"{len(wrong)} of {y.size} elements differ, at {at} {y[at]!r} for {expected[at]!r}"
