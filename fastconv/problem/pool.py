"""Pooling as a problem: a reduction over every window of ``(n, *i, c)`` into ``(n, *o, c)``."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any

import numpy as np

from fastconv.problem import line
from fastconv.problem.arguments import (
    Layout,
    Padding,
    Words,
    check_size,
    contiguous_order,
    per_axis,
    resolve_padding,
)
from fastconv.problem.dtypes import accumulator, kind
from fastconv.problem.window import Window

# Functions of a window that have a name here, and so kernels of their own.
NAMED: dict[Callable, str] = {
    **{np.max: "max", np.maximum: "max", np.min: "min", np.minimum: "min"},
    **{np.sum: "sum", np.add: "sum", np.prod: "prod", np.multiply: "prod", np.mean: "mean"},
}
REDUCTIONS = tuple(dict.fromkeys(NAMED.values()))

Divisor = str | int  # "real": elements that are not padding; "padded": those too; or a number


@dataclass(frozen=True, slots=True)
class PoolProblem:
    """A reduction over windows.

    `reduction` is a name of `REDUCTIONS`, a ufunc, or a callable that gets the real elements of a
    window as a 1-D array in row-major order. `init` starts every window in place of the reduction's
    identity. `overhang` says how much of the padding behind the input (`window.p`) the last window
    merely hangs over: it is no part of the padded input, so divisors do not count it. With
    `indices`, the output is a pair: values, and flat positions in the input's spatial axes; of equal
    elements the first is meant, but of NaNs the last, as in PyTorch; -1 where a window is all padding.
    """

    window: Window
    overhang: tuple[int, ...]
    n: int
    c: int
    x_dtype: np.dtype
    acc_dtype: np.dtype
    y_dtype: np.dtype
    x_order: tuple[int, ...]
    y_order: tuple[int, ...]
    reduction: str | Callable
    init: Any = None
    divisor: Divisor = "real"
    indices: bool = False
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Hash once: problems are looked up at every call."""
        object.__setattr__(self, "_hash", hash(tuple(getattr(self, name) for name in FIELDS)))

    def __hash__(self) -> int:
        """Return the hash of all fields."""
        return self._hash

    def __reduce__(self) -> tuple:
        """Pickle the fields alone: a hash is good for one process."""
        return type(self), tuple(getattr(self, name) for name in FIELDS)

    @property
    def x_shape(self) -> tuple[int, ...]:
        """Canonical shape of the input, (n, *i, c)."""
        return (self.n, *self.window.i, self.c)

    @property
    def y_shape(self) -> tuple[int, ...]:
        """Canonical shape of the output, (n, *o, c)."""
        return (self.n, *self.window.o, self.c)

    @property
    def flops(self) -> int:
        """Elements reduced, those of the padding included."""
        return math.prod(self.y_shape) * self.window.taps

    @property
    def bytes(self) -> int:
        """Bytes of input and output together: what must move at least."""
        arrays = (self.x_shape, self.x_dtype), (self.y_shape, self.y_dtype)
        return sum(math.prod(shape) * dtype.itemsize for shape, dtype in arrays)

    @property
    def identity(self) -> Any:
        """What padding counts as: the element that changes no result; None where there is none."""
        match self.reduction:
            case "max" | "min":
                return extreme(self.reduction, self.x_dtype)
            case "sum" | "mean":
                return self.acc_dtype.type(0)
            case "prod":
                return self.acc_dtype.type(1)
        number = getattr(self.reduction, "identity", None)
        return None if number is None else np.asarray(number).astype(self.acc_dtype)[()]  # -1: all bits

    def divisors(self) -> np.ndarray:
        """Return what each window's sum is divided by, (*o, 1), in the accumulator's precision."""
        return _divisors(self.window, self.overhang, self.divisor, self.acc_dtype)

    def divisor_factors(self) -> tuple[int, list[np.ndarray]]:
        """Return the divisors as products: of a number and, for each axis, one count a position, (o,)."""
        return _factors(self.window, self.overhang, self.divisor)

    def __str__(self) -> str:
        """Name this problem in one line, which `parse` reads back if the reduction has a name."""
        return line.pool(self)


FIELDS = tuple(each.name for each in fields(PoolProblem) if each.init)


def pool_problem(
    words: Words,
    layout: Layout,
    x_shape: tuple[int, ...],
    x_dtype: np.dtype,
    size: Any,
    *,
    strides: Any = None,
    padding: Padding = "valid",
    dilation: Any = 1,
    reduction: str | Callable = "max",
    divisor: Divisor = "real",
    overhang: tuple[int, ...] | None = None,
    indices: bool = False,
    y_dtype: np.dtype | None = None,
    x_order: tuple[int, ...] | None = None,
) -> PoolProblem:
    """State a pooling of an input in the face's layout; strides of None are the window's size.

    `padding` behind includes the `overhang`. A plan of one with `indices` has ``with_indices`` to call.
    """
    if len(x_shape) != len(layout.x):
        raise ValueError(
            f"{words.op}: `{words.x}` must have a batch, {len(layout.x) - 2} spatial axes and "
            f"channels; got {words.x} {x_shape}"
        )
    n, *sizes, c = (x_shape[a] for a in layout.x)
    i = tuple(sizes)
    k = per_axis(words, words.size, size, len(i))
    s = k if strides is None else per_axis(words, words.strides, strides, len(i))
    d = per_axis(words, words.dilation, dilation, len(i))
    if isinstance(padding, str) and padding.lower() == "causal":
        raise ValueError(
            f"{words.op}: `{words.padding}` must not be 'causal', which is for convolutions; got {padding!r}"
        )
    if not words.allow_empty and 0 in (*i, c):
        raise ValueError(
            f"{words.op}: `{words.x}` must not be empty but for the batch; got {words.x} {x_shape}"
        )
    window = Window(i, k, s, d, (1,) * len(i), resolve_padding(words, padding, i, k, s, d))
    if any(length < 0 for length in window.padded) or (not words.allow_empty and 0 in window.o):
        raise ValueError(
            f"{words.op}: `{words.size}` must fit in the padded `{words.x}` on every axis; got a "
            f"window of extent {window.extent} over {i} padded by {window.p} to {window.padded} "
            f"({words.x} {x_shape})"
        )
    window = window.tightened()
    acc_dtype, result = pool_dtypes(reduction, x_dtype)
    check_size(words, (n, *window.padded, c), acc_dtype)
    return PoolProblem(
        window=window,
        overhang=(0,) * len(i) if overhang is None else overhang,
        n=n,
        c=c,
        x_dtype=x_dtype,
        acc_dtype=acc_dtype,
        y_dtype=result if y_dtype is None else y_dtype,
        x_order=contiguous_order((n, *i, c), layout.x) if x_order is None else x_order,
        y_order=contiguous_order((n, *window.o, c), layout.y),
        reduction=reduction,
        divisor=divisor,
        indices=indices,
    )


def overhang(i: int, e: int, s: int, lo: int, hi: int) -> int:
    """Slots of the last window behind the padded input, if one more window may hang over the end.

    It must begin in the input or the padding before it.
    """
    last = -(-(i + lo + hi - e) // s) * s  # where the last window begins
    if last >= i + lo:
        last -= s
    return max(last + e - (i + lo + hi), 0) if last >= 0 else 0


def pool_dtypes(reduction: str | Callable, dtype: np.dtype) -> tuple[np.dtype, np.dtype]:
    """Dtypes that a reduction of `dtype` accumulates in and results in."""
    if reduction == "mean" and dtype.kind in "biu":
        return np.dtype(np.float64), np.dtype(np.float64)
    if reduction in ("mean", "sum", "prod"):
        return accumulator(dtype), dtype
    return dtype, dtype


def extreme(reduction: str, dtype: np.dtype) -> Any:
    """Return the least number of `dtype` for a maximum, the greatest for a minimum."""
    sign = -1 if reduction == "max" else 1
    if kind(dtype) == "f":
        return dtype.type(sign * np.inf)
    if dtype.kind == "c":
        return dtype.type(complex(sign * np.inf, sign * np.inf))
    if dtype.kind == "b":
        return np.bool_(sign > 0)
    return dtype.type(np.iinfo(dtype).min if sign < 0 else np.iinfo(dtype).max)


@lru_cache(maxsize=64)
def _divisors(window: Window, overhang, divisor: Divisor, dtype: np.dtype) -> np.ndarray:
    """Divisors of every window position, read-only since they are shared."""
    number, counts = _factors(window, overhang, divisor)
    total = np.full((*window.o, 1), number, np.int64)
    for axis, along in enumerate(counts):
        total *= along.reshape(-1, *(1,) * (window.rank - axis))
    result = total.astype(dtype)
    result.flags.writeable = False
    return result


def _factors(window: Window, overhang, divisor: Divisor) -> tuple[int, list[np.ndarray]]:
    """Divisors as products of a number and, for each axis, counts at its window positions."""
    if isinstance(divisor, int):
        return divisor, [np.ones(o, np.int64) for o in window.o]
    inside = [
        real if divisor == "real" else slice(0, size - over)
        for (real, _), size, over in zip(window.fill(), window.padded, overhang, strict=True)
    ]
    return 1, [window.counts(axis, each) for axis, each in enumerate(inside)]
