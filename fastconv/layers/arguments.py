"""Checks of the arguments that layers add to those of the functions."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastconv.problem import Words, planned_shape
from fastconv.problem.arguments import LARGEST, padding_pairs

FLOATS = ("float16", "float32", "float64")


def positive_int(words: Words, name: str, value: Any) -> int:
    """Return `value` as an int, if it is one of at least 1."""
    rule = f"{words.op}: `{name}` must be a positive int; got {value!r}"
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(rule)
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(rule) from None
    if not 1 <= number <= LARGEST:
        raise ValueError(rule)
    return number


def float_dtype(words: Words, value: Any) -> np.dtype:
    """Return the dtype that a layer computes in; None is Keras' default, float32."""
    rule = f"{words.op}: `dtype` must be one of {', '.join(FLOATS)}; got {value!r}"
    try:
        dtype = np.dtype("float32" if value is None else value)
    except TypeError:
        raise TypeError(rule) from None
    if dtype.name not in FLOATS:
        raise ValueError(rule)
    return dtype.newbyteorder("=")


def padding_of(words: Words, padding: Any, rank: int, *also: str) -> Any:
    """Return a word for padding that is known, or `also` is, in small letters; or pairs of numbers."""
    if not isinstance(padding, str):
        return padding_pairs(words, padding, rank)
    allowed = ("valid", "same", "same_lower", *also)
    if padding.lower() not in allowed:
        raise ValueError(
            f"{words.op}: `padding` must be one of {', '.join(map(repr, allowed))}, an int, or one int or "
            f"(before, after) pair for each of {rank} spatial axes; got {padding!r}"
        )
    return padding.lower()


def open_shape(words: Words, value: Any) -> tuple[int | None, ...]:
    """Take `value` as a shape, some sizes of which may be unknown: None."""
    rule = f"{words.op}: `input_shape` must be a sequence of sizes, or None where one is unknown"
    if isinstance(value, str) or not isinstance(value, (Sequence, np.ndarray)):
        raise TypeError(f"{rule}; got {value!r}")
    known = iter(planned_shape(words, [size for size in value if size is not None]))
    return tuple(None if size is None else next(known) for size in value)
