"""Calls to compare, drawn from seeds: what a caller could write, of every kind.

No two axes have the same size, window, stride, dilation or padding (where padding is not one number
by its kind), so that exchanged axes show; and where windows step by more than one, some axis leaves
a remainder. Arrays hold small integers, so that every sum is exact in every dtype and any order.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

DTYPES = ("float32", "float64", "float16", "int32")
LAYOUTS = ("channels_last", "channels_first")
PAIRS = ((0, 1), (1, 0), (2, 1), (1, 2), (0, 2), (3, 1))
CROPS = ((-1, 0), (0, -1), (-1, 2), (2, -1), (-2, 1))


@dataclass(frozen=True, kw_only=True)
class Case:
    """A call of an operation that slides a window of `k` over ``(n, *i, c)``."""

    op: str
    n: int = 2
    i: tuple[int, ...]
    c: int
    k: tuple[int, ...]
    s: tuple[int, ...] | None  # None is pooling's default, `k`
    d: tuple[int, ...]
    padding: Any
    data_format: str
    dtype: str
    seed: int
    w_shape: tuple[int, ...] | None = None
    groups: int = 1
    extra: tuple[tuple[str, Any], ...] = ()  # options of this operation alone

    @property
    def rank(self) -> int:
        """Number of spatial axes."""
        return len(self.i)

    @property
    def strides(self) -> tuple[int, ...]:
        """Strides, those by default too."""
        return self.k if self.s is None else self.s

    @property
    def extent(self) -> tuple[int, ...]:
        """Length of the window, holes included."""
        return tuple((k - 1) * d + 1 for k, d in zip(self.k, self.d, strict=True))

    @property
    def x_shape(self) -> tuple[int, ...]:
        """Shape of the input in its layout."""
        return arranged(self.data_format, self.n, self.i, self.c)

    @property
    def arguments(self) -> dict[str, Any]:
        """Keyword arguments, one int where all axes have the same."""
        given = dict(strides=self.s, dilation_rate=self.d)
        short = {name: v[0] if v and len(set(v)) == 1 else v for name, v in given.items()}
        return dict(short, padding=self.padding, data_format=self.data_format, **dict(self.extra))

    def arrays(self, most: int = 3) -> list[np.ndarray]:
        """Input and weights, of integers no larger than `most`."""
        rng = np.random.default_rng(self.seed)
        shapes = [self.x_shape] if self.w_shape is None else [self.x_shape, self.w_shape]
        return [rng.integers(-most, most + 1, shape).astype(self.dtype) for shape in shapes]

    def __str__(self) -> str:
        """Write the call."""
        shown = f"inputs {self.x_shape}", f"window {self.w_shape or self.k}"
        given = (f"{name}={getattr(v, '__name__', repr(v))}" for name, v in self.arguments.items())
        return f"{self.op}({', '.join((*shown, *given))}) {self.dtype} seed {self.seed}"


def arranged(data_format: str, batch: Any, spatial: tuple, channels: Any) -> tuple:
    """Put what belongs to batch, spatial axes and channels in the order of a layout."""
    return (batch, *spatial, channels) if data_format == "channels_last" else (batch, channels, *spatial)


def distinct(rng: np.random.Generator, rank: int, least: int) -> tuple[int, ...]:
    """Draw a number from `least` up for each axis, no two the same and not all 1."""
    low = 2 if rank == 1 else least
    return tuple(int(v) for v in rng.permutation(np.arange(low, low + max(rank, 3)))[:rank])


def drawn_padding(rng: np.random.Generator, rank: int, kind: str) -> Any:
    """Draw padding of a kind: a word, one int, or an int or pair for each axis."""
    match kind:
        case "int":
            return int(rng.integers(1, 3))
        case "ints":
            return distinct(rng, rank, 0)
        case "pairs" | "crop":
            choice = PAIRS if kind == "pairs" else CROPS
            return tuple(choice[at] for at in rng.permutation(len(choice))[:rank])
    return kind


def pads(padding: Any, extent: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """Return padding, if it is no word for "same", as a pair for each axis."""
    if padding == "causal":
        return ((extent[0] - 1, 0),)
    if isinstance(padding, (str, int)):
        padding = (padding if isinstance(padding, int) else 0,) * len(extent)
    return tuple(p if isinstance(p, tuple) else (p, p) for p in padding)


def rests(i, extent, s, padding) -> tuple[int, ...]:
    """Return what the last window leaves over on each axis."""
    if padding in ("same", "same_lower"):
        return tuple(np.mod(i, s))
    return tuple((n + sum(p) - e) % t for n, e, t, p in zip(i, extent, s, pads(padding, extent), strict=True))


def transposed_sizes(case: Case) -> tuple[int, ...]:
    """Spatial sizes of a transposed convolution's output, as Keras and `conv_transpose` promise them."""
    more = dict(case.extra).get("output_padding")
    axes = list(zip(case.i, case.extent, case.strides, more or (0,) * case.rank, strict=True))
    if case.padding in ("same", "same_lower"):
        return tuple((i - 1) * s + (s if more is None else e % 2 + m) for i, e, s, m in axes)
    if case.padding == "valid" and more is None:
        return tuple((i - 1) * s + max(e, s) for i, e, s, _ in axes)
    less = map(sum, pads(case.padding, case.extent))
    return tuple((i - 1) * s + e + m - p for (i, e, s, m), p in zip(axes, less, strict=True))


def sliding(rng: np.random.Generator, rank: int, kind: str, stride: str, dilated: bool) -> dict[str, Any]:
    """Draw the geometry of a case; `stride` is "one", "some" or "default"."""
    k, padding = distinct(rng, rank, 1), drawn_padding(rng, rank, kind)
    d = distinct(rng, rank, 1) if dilated else (1,) * rank
    s = {"one": (1,) * rank, "default": None}.get(stride, distinct(rng, rank, 1))
    extent = tuple((size - 1) * step + 1 for size, step in zip(k, d, strict=True))
    total = [0] * rank if kind in ("same", "same_lower") else [sum(p) for p in pads(padding, extent)]
    # "same" also where the window is the larger; elsewhere it must fit.
    low = [max(e // 2 if kind.startswith("same") else e - t, 1) for e, t in zip(extent, total, strict=True)]
    while True:
        i = tuple(int(least + more) for least, more in zip(low, rng.integers(0, 5, rank), strict=True))
        if len(set(i)) == rank and (stride == "one" or rank == 0 or any(rests(i, extent, s or k, padding))):
            return dict(i=i, k=k, s=s, d=d, padding=padding)


def grid(seed: int, **options: tuple) -> list[tuple[np.random.Generator, dict[str, Any]]]:
    """Pair every combination of options with a generator of its own."""
    combinations = [
        dict(zip(options, values, strict=True)) for values in itertools.product(*options.values())
    ]
    return [(np.random.default_rng([seed, at]), chosen) for at, chosen in enumerate(combinations)]
