"""Convolution as a problem: ``(n, *i, g*ic)`` by ``(*k, ic, g*oc)`` into ``(n, *o, g*oc)``."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from fastconv.problem import line
from fastconv.problem.arguments import (
    Layout,
    Padding,
    Words,
    check_size,
    contiguous_order,
    padding_pairs,
    per_axis,
    resolve_padding,
)
from fastconv.problem.dtypes import accumulator, promoted
from fastconv.problem.window import Window, spread

ACTIVATIONS = (
    *("linear", "relu", "relu6", "leaky_relu", "elu", "softplus", "sigmoid", "tanh"),
    *("silu", "gelu", "hard_sigmoid", "hard_silu"),
)
EXACT_ACTIVATIONS = ("linear", "relu", "relu6")  # these keep integers integers


@dataclass(frozen=True, slots=True)
class ConvProblem:
    """A grouped convolution with its epilogue, ``activation(x conv w + bias)``.

    Channels are counted per group. The sum is taken in `acc_dtype` and rounded to `y_dtype` once.
    `x_order` and `y_order` list the axes of the canonical arrays from slowest to fastest in memory.
    """

    window: Window
    n: int
    g: int
    ic: int
    oc: int
    x_dtype: np.dtype
    w_dtype: np.dtype
    acc_dtype: np.dtype
    y_dtype: np.dtype
    x_order: tuple[int, ...]
    y_order: tuple[int, ...]
    has_bias: bool = False
    activation: str = "linear"
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
        """Canonical shape of the input, (n, *i, g*ic)."""
        return (self.n, *self.window.i, self.g * self.ic)

    @property
    def w_shape(self) -> tuple[int, ...]:
        """Canonical shape of the weights, (*k, ic, g*oc)."""
        return (*self.window.k, self.ic, self.g * self.oc)

    @property
    def y_shape(self) -> tuple[int, ...]:
        """Canonical shape of the output, (n, *o, g*oc)."""
        return (self.n, *self.window.o, self.g * self.oc)

    @property
    def products(self) -> int:
        """Products summed into one output element."""
        return self.window.taps * self.ic

    @property
    def flops(self) -> int:
        """Multiplications and additions, those on padding included."""
        return 2 * math.prod(self.y_shape) * self.products

    @property
    def bytes(self) -> int:
        """Bytes of input, weights and output together: what must move at least."""
        arrays = (
            (self.x_shape, self.x_dtype),
            (self.w_shape, self.w_dtype),
            (self.y_shape, self.y_dtype),
        )
        return sum(math.prod(shape) * dtype.itemsize for shape, dtype in arrays)

    def __str__(self) -> str:
        """Name this problem in one line, which `parse` reads back."""
        return line.conv(self)


FIELDS = tuple(each.name for each in fields(ConvProblem) if each.init)


def conv_problem(
    words: Words,
    layout: Layout,
    x_shape: tuple[int, ...],
    w_shape: tuple[int, ...],
    *,
    strides: Any = 1,
    padding: Padding = "valid",
    dilation: Any = 1,
    **rest: Any,
) -> ConvProblem:
    """State a convolution of an input in the face's layout with ``(*k, ic, g*oc)`` weights.

    `rest` is ``x_dtype`` and ``w_dtype``, and what is not as usual of ``x_order``, ``has_bias`` and
    ``activation``.
    """
    i = _spatial_sizes(words, layout, x_shape, w_shape, w_shape)
    k = w_shape[:-2]
    window = _forward_window(words, i, k, strides, padding, dilation)
    return stated(words, layout, window, x_shape, w_shape, w_shape, **rest)


def depthwise_problem(
    words: Words,
    layout: Layout,
    x_shape: tuple[int, ...],
    w_shape: tuple[int, ...],
    *,
    strides: Any = 1,
    padding: Padding = "valid",
    dilation: Any = 1,
    **rest: Any,
) -> ConvProblem:
    """State a convolution of every channel with `m` filters of its own; `w_shape` is (*k, c, m)."""
    _check_ranks(words, layout, x_shape, w_shape, "(*spatial, channels, multiplier)")
    channels = x_shape[layout.x[-1]]
    if w_shape[-2] != channels:
        raise ValueError(
            f"{words.op}: `{words.w}` must have filters for each channel of `{words.x}`; got "
            f"{w_shape[-2]} and {channels} ({words.x} {x_shape}, {words.w} {w_shape})"
        )
    canonical = (*w_shape[:-2], 1, w_shape[-2] * w_shape[-1])
    i = _spatial_sizes(words, layout, x_shape, canonical, w_shape)
    window = _forward_window(words, i, w_shape[:-2], strides, padding, dilation)
    return stated(words, layout, window, x_shape, canonical, w_shape, **rest)


def conv_transpose_problem(
    words: Words,
    layout: Layout,
    x_shape: tuple[int, ...],
    w_shape: tuple[int, ...],
    *,
    strides: Any = 1,
    padding: Padding = "valid",
    output_padding: Any = None,
    dilation: Any = 1,
    **rest: Any,
) -> ConvProblem:
    """State the transpose of a convolution: a convolution whose input is spread by the strides.

    `w_shape` is (*k, g*oc, ic); the problem's weights are those with taps reversed and channels
    exchanged.
    """
    canonical = (*w_shape[:-2], *w_shape[:-3:-1])
    i = _spatial_sizes(words, layout, x_shape, canonical, w_shape)
    rank, k = len(i), w_shape[:-2]
    b = per_axis(words, words.strides, strides, rank)
    d = per_axis(words, words.dilation, dilation, rank)
    extra: tuple[int | None, ...] = (None,) * rank
    if output_padding is not None:
        extra = per_axis(words, "output_padding", output_padding, rank, least=0)
    pads = transposed_padding(words, padding, b, tuple(map(spread, k, d)), extra)
    window = Window(i, k, (1,) * rank, d, b, pads)
    return stated(words, layout, window, x_shape, canonical, w_shape, **rest)


def _forward_window(words, i, k, strides, padding, dilation) -> Window:
    """Lay out the window of an ordinary convolution."""
    s = per_axis(words, words.strides, strides, len(i))
    d = per_axis(words, words.dilation, dilation, len(i))
    return Window(i, k, s, d, (1,) * len(i), resolve_padding(words, padding, i, k, s, d))


def transposed_padding(words, padding, s, extent, extra):
    """Pad the spread input; the words are those of Keras' ``conv_transpose``.

    "valid" gives ``(i - 1)*s + max(e, s)`` outputs for a window of extent `e`, "same" ``i*s``, or
    ``(i - 1)*s + e % 2 + output_padding``; ints and pairs take off what they would put on forward.
    """
    if not isinstance(padding, str):
        axes = zip(padding_pairs(words, padding, len(s)), extent, extra, strict=True)
        return tuple((e - 1 - lo, e - 1 - hi + (more or 0)) for (lo, hi), e, more in axes)
    pairs = []
    for t, e, more in zip(s, extent, extra, strict=True):
        if padding.lower() == "valid":
            pairs.append((e - 1, e - 1 + (max(t - e, 0) if more is None else more)))
        elif padding.lower() in ("same", "same_lower"):
            total = t + e - 2 if more is None else e + e % 2 - 2 + more
            half = total - total // 2 if padding.lower() == "same" else total // 2
            before = min(half, e - 1)
            pairs.append((before, total - before))
        else:
            raise ValueError(
                f"{words.op}: `{words.padding}` must be 'valid', 'same', 'same_lower', an int, or one "
                f"int or (before, after) pair for each of {len(s)} spatial axes; got {padding!r}"
            )
    return tuple(pairs)


def _check_ranks(words, layout, x_shape, shown, meaning="(*spatial, in, out)"):
    """Refuse arrays whose numbers of axes do not go together; `shown` are the weights as written."""
    if len(x_shape) != len(layout.x) or len(shown) != len(x_shape):
        raise ValueError(
            f"{words.op}: `{words.w}` must have as many axes as `{words.x}`, {meaning} for a batch "
            f"of spatial axes and channels; got {words.x} {x_shape} and {words.w} {shown}"
        )


def _spatial_sizes(words, layout, x_shape, w_shape, shown) -> tuple[int, ...]:
    """Return the spatial sizes of an input that its weights can be convolved with."""
    _check_ranks(words, layout, x_shape, shown)
    _, *i, channels = (x_shape[a] for a in layout.x)
    *_, ic, out = w_shape
    shapes = f"({words.x} {x_shape}, {words.w} {shown})"
    if not words.allow_empty and 0 in (*i, channels, *w_shape):
        raise ValueError(
            f"{words.op}: `{words.x}` and `{words.w}` must not be empty but for the batch; got {shapes}"
        )
    groups, rest = divmod(channels, ic) if ic else (1, channels)
    if rest:
        raise ValueError(
            f"{words.op}: the channels of `{words.x}` must be a multiple of those of `{words.w}`; "
            f"got {channels} and {ic} {shapes}"
        )
    if groups and out % groups:
        raise ValueError(
            f"{words.op}: the outputs of `{words.w}` must be a multiple of the groups; "
            f"got {out} and {groups} {shapes}"
        )
    return tuple(i)


def stated(
    words: Words,
    layout: Layout,
    window: Window,
    x_shape: tuple[int, ...],
    w_shape: tuple[int, ...],
    shown: tuple[int, ...],
    *,
    x_dtype: np.dtype,
    w_dtype: np.dtype,
    y_dtype: np.dtype | None = None,
    x_order: tuple[int, ...] | None = None,
    has_bias: bool = False,
    activation: str | None = None,
) -> ConvProblem:
    """Put the problem together and check what only the whole shows."""
    if any(size < 0 for size in window.padded) or (not words.allow_empty and 0 in window.o):
        raise ValueError(
            f"{words.op}: `{words.w}` must fit in the padded `{words.x}` on every axis; got a window "
            f"of extent {window.extent} over {window.i} padded by {window.p} to {window.padded} "
            f"({words.x} {x_shape}, {words.w} {shown})"
        )
    window = window.tightened()
    dtype = promoted(x_dtype, w_dtype)
    n, *_, channels = canonical = tuple(x_shape[a] for a in layout.x)
    ic, outputs = w_shape[-2:]
    g = max(channels // ic, 1) if ic else 1
    y_shape = (n, *window.o, outputs)
    check_size(words, y_shape, dtype)
    check_size(words, (n, *window.padded, channels), dtype)
    return ConvProblem(
        window=window,
        n=n,
        g=g,
        ic=ic,
        oc=outputs // g,
        x_dtype=dtype,
        w_dtype=dtype,
        acc_dtype=accumulator(dtype),
        y_dtype=dtype if y_dtype is None else y_dtype,
        x_order=contiguous_order(canonical, layout.x) if x_order is None else x_order,
        y_order=contiguous_order(y_shape, layout.y),
        has_bias=has_bias,
        activation=checked_activation(words, activation, dtype),
    )


def checked_activation(words: Words, activation: str | None, dtype: np.dtype) -> str:
    """Return the name of an activation that results of `dtype` can go through."""
    name = "linear" if activation is None else activation
    if not isinstance(name, str) or name not in ACTIVATIONS:
        raise ValueError(
            f"{words.op}: `activation` must be None, a callable or one of {', '.join(ACTIVATIONS)}; "
            f"got {activation!r}"
        )
    if name != "linear" and dtype.kind == "c":
        raise TypeError(
            f"{words.op}: `activation` must be None or a callable where results are complex; "
            f"got {name!r} ({dtype})"
        )
    if name not in EXACT_ACTIVATIONS and dtype.kind in "biu":
        raise TypeError(
            f"{words.op}: `activation` must be one of {', '.join(EXACT_ACTIVATIONS)} or a callable "
            f"where results are integers; got {name!r} ({dtype})"
        )
    return name
