"""Checks of single arguments: what a face's caller wrote, in that face's own words."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from fastconv.problem.dtypes import kind
from fastconv.problem.window import spread

Pairs = tuple[tuple[int, int], ...]
Padding = str | int | Sequence[int | Sequence[int]]

ARRAYS = "__array__", "__array_interface__", "__array_struct__"  # what `numpy.asarray` asks of objects
LARGEST = np.iinfo(np.intp).max  # bytes of an array, and any index into one


class Words(NamedTuple):
    """How a face names an operation and its arguments, and whether empty outputs are legal in it."""

    op: str
    x: str = "inputs"
    w: str = "kernel"
    size: str = "pool_size"
    strides: str = "strides"
    dilation: str = "dilation_rate"
    padding: str = "padding"
    base: str = "base_dilation"
    allow_empty: bool = False


class Layout(NamedTuple):
    """Where a face keeps batch, spatial axes and channels: axes of its arrays in canonical order.

    ``x.transpose(layout.x)`` is ``(n, *i, c)`` and ``y.transpose(layout.y)`` is ``(n, *o, c)``.
    """

    x: tuple[int, ...]
    y: tuple[int, ...]

    @classmethod
    def of(cls, words: Words, data_format: str | Layout, ndim: int) -> Layout:
        """Read Keras' ``data_format`` for arrays of `ndim` axes, or take a layout as it is."""
        if isinstance(data_format, Layout):
            return data_format
        if ndim < 2:
            raise ValueError(f"{words.op}: `{words.x}` must have a batch and a channel axis; got {ndim} axes")
        word = data_format if isinstance(data_format, str) else None
        if word == "channels_last":
            axes = tuple(range(ndim))
        elif word == "channels_first":
            axes = (0, *range(2, ndim), 1)
        else:
            raise ValueError(
                f"{words.op}: `data_format` must be 'channels_last' or 'channels_first'; got {data_format!r}"
            )
        return cls(axes, axes)


def memory_order(shape: Sequence[int], strides: Sequence[int]) -> tuple[int, ...]:
    """Axes from the slowest to the fastest in memory; axes of length 1 fit anywhere."""
    long = sorted((a for a, n in enumerate(shape) if n > 1), key=lambda a: -abs(strides[a]))
    if long == sorted(long):
        return tuple(range(len(shape)))
    return (*(a for a, n in enumerate(shape) if n <= 1), *long)


def contiguous_order(shape: Sequence[int], axes: Sequence[int]) -> tuple[int, ...]:
    """`memory_order` of a C-contiguous array whose axes are `axes` of the canonical ones."""
    return memory_order(shape, [len(axes) - a for a in axes])


def checked_array(words: Words, name: str, value: Any) -> np.ndarray:
    """Take `value` as an array of numbers in native byte order; never a copy where none is needed."""
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(
            f"{words.op}: `{name}` must be a plain array, since a mask has no meaning under a "
            f"window; got a masked array of shape {value.shape}"
        )
    try:
        array = np.from_dlpack(value) if _has_only_dlpack(value) else np.asarray(value)
    except ValueError as error:
        raise ValueError(
            f"{words.op}: `{name}` must be an array, or lists of equal lengths; got {type(value).__name__}"
        ) from error
    except (TypeError, RuntimeError, BufferError) as error:  # another library's array, and why not
        raise TypeError(
            f"{words.op}: `{name}` must be an array that NumPy can view; got {type(value).__name__} ({error})"
        ) from error
    array = array.astype(checked_dtype(words, name, array.dtype, array.shape), copy=False)
    return array if array.flags.aligned else array.copy()


def _has_only_dlpack(value: Any) -> bool:
    """Whether another library's array says where it lies in the one way that NumPy has to be told to ask."""
    return hasattr(value, "__dlpack__") and not any(map(partial(hasattr, value), ARRAYS))


def checked_dtype(words: Words, name: str, dtype: Any, shape: tuple[int, ...]) -> np.dtype:
    """Return `dtype` in native byte order if it holds numbers."""
    try:
        dtype = np.dtype(dtype)
    except TypeError:
        raise TypeError(f"{words.op}: `{name}` must name a dtype; got {dtype!r}") from None
    if kind(dtype) not in "biufc":
        raise TypeError(
            f"{words.op}: `{name}` must hold bools, integers, floats or complex numbers; "
            f"got dtype {dtype} ({name} {shape})"
        )
    return dtype.newbyteorder("=")


def checked_sizes(words: Words, name: str, value: Any) -> tuple[int, ...]:
    """Take a sequence of sizes, none negative."""
    rule = f"{words.op}: `{name}` must be a sequence of sizes, none negative"
    try:
        sizes = tuple(map(as_index, value))
    except TypeError:
        raise TypeError(f"{rule}; got {value!r}") from None
    if any(not 0 <= size <= LARGEST for size in sizes):
        raise ValueError(f"{rule}; got {value!r}")
    return sizes


def planned_shape(words: Words, value: Any) -> tuple[int, ...]:
    """Take `value` as the shape of an array that is yet to come."""
    return checked_sizes(words, "input_shape", value)


def checked_bias(words: Words, value: Any, outputs: int, dtype: np.dtype) -> np.ndarray:
    """Take `value` as one number of `dtype` for each output channel, side by side."""
    bias = checked_array(words, "bias", value)
    if bias.shape != (outputs,):
        raise ValueError(
            f"{words.op}: `bias` must have one axis with a number for each of {outputs} outputs; "
            f"got shape {bias.shape}"
        )
    if not np.can_cast(bias.dtype, dtype, "same_kind"):
        raise TypeError(f"{words.op}: `bias` must be of a kind that adds to {dtype}; got {bias.dtype}")
    with np.errstate(all="ignore"):  # what is too large for the dtype is infinite in it
        return np.ascontiguousarray(bias, dtype)


def checked_out(words: Words, out: Any, shape: tuple[int, ...], dtype: np.dtype, *reads) -> None:
    """Refuse an `out` that cannot take the result, or that shares memory with an array it is made of."""
    if not isinstance(out, np.ndarray) or isinstance(out, np.ma.MaskedArray):
        raise TypeError(f"{words.op}: `out` must be a plain NumPy array; got {type(out).__name__}")
    if out.shape != shape or out.dtype != dtype:
        raise ValueError(
            f"{words.op}: `out` must have shape {shape} and dtype {dtype}; got {out.shape} and {out.dtype}"
        )
    if not out.flags.writeable:
        raise ValueError(f"{words.op}: `out` must be writeable; got a read-only array {out.shape}")
    if not _has_places_of_its_own(out):
        raise ValueError(
            f"{words.op}: `out` must have an element of its own for every result; "
            f"got strides {out.strides} ({out.shape})"
        )
    for array in reads:
        if array is not None and _overlap(out, array):
            raise ValueError(
                f"{words.op}: `out` must not overlap an argument in memory; "
                f"got out {out.shape} over an array {array.shape}"
            )


def _has_places_of_its_own(out: np.ndarray) -> bool:
    """Whether each axis, the narrowest first, steps over all that those before it reach."""
    reach = out.itemsize
    for stride, n in sorted((abs(stride), n) for stride, n in zip(out.strides, out.shape, strict=True)):
        if n > 1 and stride < reach:
            return False
        reach += stride * (n - 1)
    return True


def per_axis(words: Words, name: str, value: Any, rank: int, least: int = 1) -> tuple[int, ...]:
    """Repeat an int over `rank` axes, or take one int per axis; none below `least`."""
    kind = "a positive int" if least == 1 else f"an int of at least {least}"
    rule = f"{words.op}: `{name}` must be {kind} or {rank} of them, one per spatial axis"
    values = tuple(value) if _is_sequence(value) else (value,) * rank
    if isinstance(value, str):
        raise TypeError(f"{rule}; got {value!r}")
    try:
        numbers = tuple(map(as_index, values))
    except TypeError:
        raise TypeError(f"{rule}; got {value!r}") from None
    if len(numbers) != rank or any(not least <= n <= LARGEST for n in numbers):
        raise ValueError(f"{rule}; got {value!r}")
    return numbers


def resolve_padding(
    words: Words,
    padding: Padding,
    i: tuple[int, ...],
    k: tuple[int, ...],
    s: tuple[int, ...],
    d: tuple[int, ...],
) -> Pairs:
    """Turn a word, an int, or one int or pair per axis into (before, after) pairs.

    ``"same"`` gives ``ceil(i / s)`` outputs and pads the end more where the total is odd
    (TensorFlow's rule), ``"same_lower"`` the beginning; ``"causal"`` pads only the beginning, so
    that no output sees a later input.
    """
    if not isinstance(padding, str):
        return padding_pairs(words, padding, len(i))
    extent = tuple(map(spread, k, d))
    totals = [max((-(-n // t) - 1) * t + e - n, 0) for n, t, e in zip(i, s, extent, strict=True)]
    match padding.lower():
        case "valid":
            return ((0, 0),) * len(i)
        case "same":
            return tuple((t // 2, t - t // 2) for t in totals)
        case "same_lower":
            return tuple((t - t // 2, t // 2) for t in totals)
        case "causal" if len(i) == 1:
            return ((extent[0] - 1, 0),)
    raise padding_error(words, padding, len(i))


def padding_pairs(words: Words, padding: Any, rank: int) -> Pairs:
    """Turn an int, or one int or pair per axis, into (before, after) pairs."""
    try:
        entries = tuple(padding) if _is_sequence(padding) else (padding,) * rank
        pairs = tuple(
            (as_index(e[0]), as_index(e[1]))
            if _is_sequence(e) and len(e) == 2 and not isinstance(e, str)
            else (as_index(e), as_index(e))
            for e in entries
        )
    except TypeError:
        raise TypeError(str(padding_error(words, padding, rank))) from None
    if len(pairs) != rank or any(abs(n) > LARGEST for pair in pairs for n in pair):
        raise padding_error(words, padding, rank)
    return pairs


def padding_error(words: Words, padding: Any, rank: int) -> ValueError:
    """Say what `padding` may be; one wording for every way of getting it wrong."""
    return ValueError(
        f"{words.op}: `{words.padding}` must be 'valid', 'same', 'same_lower', 'causal' (where one "
        "spatial axis and a direction of time make sense), an int, or one int or (before, after) "
        f"pair for each of {rank} spatial axes; got {padding!r}"
    )


def checked_sides(words: Words, padding: Any, rank: int) -> Pairs:
    """Turn an int, or one int or pair per axis, into (before, after) pairs, none negative."""
    rule = (
        f"{words.op}: `{words.padding}` must be an int of at least 0, or one int or (before, after) pair for "
        f"each of {rank} spatial axes; got {padding!r}"
    )
    try:
        pairs = padding_pairs(words, padding, rank)
    except (TypeError, ValueError) as error:
        raise type(error)(rule) from None
    if any(n < 0 for pair in pairs for n in pair):
        raise ValueError(rule)
    return pairs


def check_size(words: Words, shape: tuple[int, ...], dtype: np.dtype) -> None:
    """Refuse a result whose bytes cannot be counted in an index, be it empty for other axes."""
    if math.prod(size or 1 for size in shape) * dtype.itemsize > LARGEST:
        raise ValueError(
            f"{words.op}: the result must have fewer than {LARGEST} bytes; got shape {shape} of {dtype}"
        )


def truth(words: Words, name: str, value: Any) -> bool:
    """Take what is true or false, as most things are."""
    try:
        return bool(value)
    except (TypeError, ValueError):
        raise TypeError(f"{words.op}: `{name}` must be true or false; got {value!r}") from None


def _is_sequence(value: Any) -> bool:
    """Whether a value has elements, one for each axis; an array without axes is a number."""
    return isinstance(value, Sequence) or (isinstance(value, np.ndarray) and value.ndim > 0)


def as_index(value: Any) -> int:
    """Return an int of any integer but a bool."""
    if isinstance(value, (bool, np.bool_)):
        raise TypeError("a bool is not a number of elements")
    return operator.index(value)


def _overlap(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays share memory; taken for granted where finding out would take long."""
    try:
        return np.shares_memory(a, b, max_work=10_000)  # type: ignore[arg-type]  # the stubs know only -1 and 0
    except np.exceptions.TooHardError:
        return True
