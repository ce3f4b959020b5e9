"""Reductions stated in full: a window over every axis of one or more arrays, a start, any function of two.

A reduction that has a name becomes a `PoolProblem`, where axes that windows leave alone are batch and
channels; any other becomes a `FoldProblem`. The exceptions for what is wrong are those of ``jax.lax``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastconv.problem import line
from fastconv.problem.arguments import Layout, Words, check_size, contiguous_order
from fastconv.problem.dtypes import kind
from fastconv.problem.general import each_axis, pairs_each_axis, word_padding
from fastconv.problem.pool import PoolProblem, extreme, pool_dtypes
from fastconv.problem.window import Window, spread

Values = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class FoldProblem:
    """A fold of windows: from `inits` on, over the taps of a window that are no padding, in row-major order.

    There are as many arrays as `dtypes`, all ``window.i`` in shape, and as many results. `reduction` takes
    what has been accumulated and the elements at the next tap, one of each for every array, and returns what
    is accumulated then. It is given scalars, or arrays where it does the same with their elements.
    """

    window: Window
    dtypes: tuple[np.dtype, ...]
    inits: Values
    reduction: Callable[[Values, Values], Values]

    @property
    def flops(self) -> int:
        """Calls of the reduction, those on padding included."""
        return math.prod(self.window.o) * self.window.taps

    def __str__(self) -> str:
        """Name this problem in one line."""
        return line.fold(self)


def reduction_window(
    words: Words,
    shape: tuple[int, ...],
    size: Any,
    *,
    strides: Any = None,
    padding: Any = "VALID",
    base_dilation: Any = None,
    dilation: Any = None,
) -> Window:
    """Lay out a window over every axis; strides and dilations of None are 1.

    Words for padding take no notice of the base dilation.
    """
    rank = len(shape)

    def numbers(name: str, value: Any) -> tuple[int, ...]:
        if value is None:
            return (1,) * rank
        return each_axis(words, name, value, rank, length=TypeError, least=TypeError)

    k, s = each_axis(words, words.size, size, rank, TypeError, TypeError), numbers(words.strides, strides)
    b, d = numbers(words.base, base_dilation), numbers(words.dilation, dilation)
    if isinstance(padding, str):
        pads = word_padding(words, padding, shape, tuple(map(spread, k, d)), s)
    else:
        pads = pairs_each_axis(words, padding, rank, length=ValueError, kind=TypeError)
    return Window(shape, k, s, d, b, tuple(map(_cropped, map(spread, shape, b), pads))).tightened()


def _cropped(size: int, pair: tuple[int, int]) -> tuple[int, int]:
    """Crop no more than there is, which leaves nothing just the same."""
    lo, hi = pair
    if size + lo + hi >= 0:
        return pair
    return max(lo, -size), max(hi, -size - max(lo, -size))


def pool_view(window: Window) -> tuple[tuple[int, ...], Layout, Window]:
    """See a window over every axis as a pooling: the input's shape then, its layout, and the spatial window.

    The last axis that the window leaves alone becomes the channels, and the first one, with those next to it,
    the batch.
    """
    untouched = (1, 1, 1, (0, 0))
    axes = zip(window.k, window.s, window.b, window.p, strict=True)
    free = [a for a, each in enumerate(axes) if each == untouched]
    channel = [free.pop()] if len(free) > 1 or free == [window.rank - 1] else []
    batch = [a for at, a in enumerate(free) if a == free[0] + at]
    spatial = [[a] for a in range(window.rank) if a not in (*batch, *channel)]
    views = sorted([*spatial, *filter(None, (batch, channel))])  # those of the input, in its order ...
    views = [[]] * (not batch) + views + [[]] * (not channel)  # ... and those of length 1 that it lacks
    last = len(views) - 1
    order = views.index(batch), *map(views.index, spatial), last - views[::-1].index(channel)
    fields = (tuple(getattr(window, name)[a] for (a,) in spatial) for name in "iksdbp")
    shape = tuple(math.prod(window.i[a] for a in view) for view in views)
    return shape, Layout(order, order), Window(*fields)


def check_reduced(words: Words, name: str, dtype: np.dtype) -> None:
    """Refuse what has no sum, and bits of what is no whole number."""
    if name in ("sum", "prod", "add", "multiply") and dtype.kind == "b":
        raise TypeError(f"{words.op}: `{words.x}` must hold numbers to be added or multiplied; got {dtype}")
    if name.startswith("bitwise") and kind(dtype) in "fc":
        raise TypeError(f"{words.op}: `{words.x}` must hold integers or bools for {name}; got {dtype}")


def reduction_problem(
    words: Words,
    layout: Layout,
    shape: tuple[int, ...],
    window: Window,
    dtype: np.dtype,
    reduction: str,
    init: Any,
    x_order: tuple[int, ...],
) -> PoolProblem:
    """State a reduction that has a name, of an input as `pool_view` sees it; `init` None is the identity."""
    n, *_, c = (shape[a] for a in layout.x)
    acc_dtype, y_dtype = pool_dtypes(reduction, dtype)
    check_size(words, (n, *window.padded, c), acc_dtype)
    return PoolProblem(
        window=window,
        overhang=(0,) * window.rank,
        n=n,
        c=c,
        x_dtype=dtype,
        acc_dtype=acc_dtype,
        y_dtype=y_dtype,
        x_order=x_order,
        y_order=contiguous_order((n, *window.o, c), layout.y),
        reduction=reduction,
        init=init,
    )


def fold_problem(
    words: Words,
    window: Window,
    dtypes: tuple[np.dtype, ...],
    inits: Values,
    reduction: Callable[[Values, Values], Values],
) -> FoldProblem:
    """State a fold by any function, once it has been seen to keep dtypes and to give scalars for scalars."""
    for dtype in dtypes:
        check_size(words, window.o, dtype)
    with np.errstate(all="ignore"):
        results = reduction(inits, inits)
    for dtype, result in zip(dtypes, results, strict=True):
        value = np.asarray(result)
        if value.ndim or not (_is_of_kind(result, dtype) if _is_weak(result) else value.dtype == dtype):
            raise ValueError(
                f"{words.op}: `computation` must give one {dtype} for two; "
                f"got {value.dtype} of shape {value.shape}"
            )
    return FoldProblem(window, dtypes, inits, reduction)


def checked_init(words: Words, value: Any, dtype: np.dtype) -> Any:
    """Take a start for windows of `dtype`, which a number of Python's takes on if it is of the kind."""
    rule = f"{words.op}: `init_value` must be a number of the operand's dtype, {dtype}"
    if _is_weak(value):
        try:
            with np.errstate(all="ignore"):  # float16 overflows to infinity
                init = dtype.type(value) if _is_of_kind(value, dtype) else None
        except OverflowError:
            init = None
        if init is None:
            raise TypeError(f"{rule}; got {value!r}")
        return init
    init = np.asarray(value)
    if init.ndim or init.dtype.newbyteorder("=") != dtype:
        raise TypeError(f"{rule}; got {init.dtype} of shape {init.shape}")
    return init.astype(dtype)[()]


def reduction_start(words: Words, reduction: str, value: Any, dtype: np.dtype) -> Any:
    """Take a start for a reduction that has a name: None for its identity, in whatever dtype that is written.

    That of complex extremes, which windows without elements show, is infinite in its real part alone.
    """
    init = np.asarray(value)
    if init.ndim or kind(init.dtype) not in "biufc":
        return checked_init(words, value, dtype)
    if reduction in ("sum", "prod"):
        identity = init.dtype.type(reduction == "prod")
    else:
        identity = extreme(reduction, init.dtype).real
    if init != identity:
        return checked_init(words, value, dtype)
    return dtype.type(init.real) if dtype.kind == "c" and reduction in ("max", "min") else None


def _is_weak(value: Any) -> bool:
    """Whether a value is a number of Python's, which has no dtype of its own."""
    return isinstance(value, (bool, int, float, complex)) and not isinstance(value, np.generic)


def _is_of_kind(value: complex, dtype: np.dtype) -> bool:
    """Whether a number of Python's is of the kind of a dtype, or of one below."""
    kinds = "bifc"
    given, wanted = (kind(each).replace("u", "i") for each in (np.asarray(value).dtype, dtype))
    return given in kinds and kinds.index(given) <= kinds.index(wanted)
