"""Functions that Numba compiles, told from others without importing Numba: who has one has imported it."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np


def is_jitted(fn: Any) -> bool:
    """Whether a function is one of Numba's, which other compiled code can call."""
    dispatcher = sys.modules.get("numba.core.dispatcher")
    return dispatcher is not None and isinstance(fn, dispatcher.Dispatcher)


def result_dtype(fn: Any, window: np.ndarray) -> np.dtype:
    """Learn the dtype that a jitted function of a window results in: by calling it, as any other.

    But not from what Python then gets, which is a float for a float32.
    """
    numba: Any = sys.modules["numba"]
    given = f"got {name(fn)} and an array of {window.dtype}"
    try:
        fn(window)
    except numba.core.errors.NumbaError as error:
        raise TypeError(
            f"pool: `fn` must be what Numba can compile for a 1-D array of numbers; {given}: {_reason(error)}"
        ) from error
    except TypeError as error:
        if not _has_signatures(fn):
            raise
        raise TypeError(
            f"pool: `fn` must have a signature for one 1-D array of the dtype of `inputs`; {given}, "
            f"and signatures for {' or '.join(', '.join(map(str, types)) for types in fn.signatures)}"
        ) from error
    result = _result(fn, numba.typeof(window))
    try:
        return numba.np.numpy_support.as_dtype(result)
    except (NotImplementedError, numba.core.errors.NumbaError):
        raise TypeError(f"pool: `fn` must return one number for a 1-D array; got {result}") from None


def name(fn: Any) -> str:
    """Name a function."""
    return getattr(fn, "__name__", "fn")


def _has_signatures(fn: Any) -> bool:
    """Whether a function was compiled for given types, and will not be for others."""
    return not fn._can_compile


def _result(fn: Any, window: Any) -> Any:
    """Return the type that a function results in for a window's type, or for one that differs in layout."""
    found = {each.signature.args[0]: each.signature.return_type for each in fn.overloads.values()}
    alike = [r for a, r in found.items() if (a.dtype, a.ndim) == (window.dtype, window.ndim)]
    return found.get(window, alike[0] if alike else None)


def _reason(error: Exception) -> str:
    """Return the first line of a message of Numba's that says what is wrong."""
    lines = [line.strip(" :") for line in str(error).splitlines()]
    return next((line for line in lines if line and not line.startswith("Failed in")), type(error).__name__)
