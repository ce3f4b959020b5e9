"""Calls of ``torch.nn.functional`` to compare, drawn from seeds: every function, parameter and kind of value.

As in `cases`, no two axes are alike where a call has several, and arrays hold small integers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .cases import distinct, grid

FLOATS = ("float32", "float64", "float16")
DTYPES = (*FLOATS, "int64")
RANKS = (1, 2, 3)
Options = tuple[tuple[str, Any], ...]
Grid = Iterator["Call"]


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call: arrays of given shapes come first, then other arguments by position, then by name."""

    op: str
    shapes: tuple[tuple[int, ...], ...]
    args: tuple[Any, ...] = ()
    options: Options = ()
    dtype: str
    seed: int
    most: int = 3  # largest element
    nans: bool = False
    taps: int = 1  # of a window
    arrays_by_name: Options = ()  # further arrays: name and shape, numbers from 0 to 1

    @property
    def rank(self) -> int:
        """Number of spatial axes, of what its name counts them for."""
        digits = [int(c) for c in self.op if c.isdigit()]
        return digits[0] if digits else 2

    def arrays(self) -> list[np.ndarray]:
        """Draw the arrays that come first."""
        rng = np.random.default_rng(self.seed)
        drawn = [rng.integers(-self.most, self.most + 1, shape).astype(self.dtype) for shape in self.shapes]
        if self.nans:
            drawn[0][rng.random(self.shapes[0]) < 0.2] = np.nan
        return drawn

    def named(self) -> dict[str, Any]:
        """Draw the arrays that have names, and list the options."""
        rng = np.random.default_rng(self.seed + 1)
        drawn = {name: rng.random(shape).astype(self.dtype) for name, shape in self.arrays_by_name}
        return dict(self.options) | drawn

    def __str__(self) -> str:
        """Write the call."""
        shown = (*map(str, self.shapes), *map(repr, self.args))
        named = (f"{name}={value!r}" for name, value in (*self.options, *self.arrays_by_name))
        return f"{self.op}({', '.join((*shown, *named))}) {self.dtype} seed {self.seed}"


def sizes_over(rng, least, most: int = 4) -> tuple[int, ...]:
    """Draw a size for each axis, no smaller than `least` there and no two the same."""
    while True:
        sizes = tuple(
            int(low + more) for low, more in zip(least, rng.integers(0, most, len(least)), strict=True)
        )
        if len(set(sizes)) == len(sizes):
            return sizes


def extents(k, d) -> tuple[int, ...]:
    """Lengths of windows, holes included."""
    return tuple((size - 1) * step + 1 for size, step in zip(k, d, strict=True))


def short(value: tuple[int, ...]) -> Any:
    """One int where all axes have the same."""
    return value[0] if len(set(value)) == 1 else value


def steps(rng, rank: int, kind: str) -> tuple[int, ...]:
    """Draw strides or dilations: "one" or "some"."""
    return (1,) * rank if kind == "one" else distinct(rng, rank, 1)


def batch(rng) -> tuple[int, ...]:
    """Draw a batch of 2, or none."""
    return (2,) if rng.integers(3) else ()


def called(rng, op: str, *shapes: tuple[int, ...], given: dict[str, Any], **rest: Any) -> Call:
    """Draw a seed for a call; options that are None are left out."""
    options = tuple((name, value) for name, value in given.items() if value is not None)
    return Call(op=op, shapes=shapes, options=options, seed=int(rng.integers(1 << 30)), **rest)


def with_indices(rng, op: str, given: dict[str, Any], wanted: bool) -> str:
    """Ask for indices in one way or the other; return the name of the function."""
    if wanted and rng.integers(3):
        given["return_indices"] = True
    return op if "return_indices" in given or not wanted else f"{op}_with_indices"


def conv() -> Grid:
    """Convolutions."""
    kinds = ("none", "ints", "int", "valid", "same")
    two = ("one", "some")
    for rng, o in grid(11, rank=RANKS, kind=kinds, stride=two, hole=two, g=(1, 2, 3), dtype=DTYPES):
        rank, g, kind = o["rank"], o["g"], o["kind"]
        if kind == "same" and o["stride"] == "some":
            continue
        ic, oc = {1: (3, 4), 2: (2, 3), 3: (1, 2)}[g]
        k, s, d = distinct(rng, rank, 1), steps(rng, rank, o["stride"]), steps(rng, rank, o["hole"])
        p = {"ints": distinct(rng, rank, 0), "int": 2, "none": 0}.get(kind, kind)
        spare = extents(k, d) if kind == "same" else tuple(2 * q for q in each(p, rank))
        low = [max(e - q, 1) for e, q in zip(extents(k, d), spare, strict=True)]
        shapes = [(*batch(rng), g * ic, *sizes_over(rng, low)), (g * oc, ic, *k)]
        shapes += [(g * oc,)] * int(rng.integers(2))
        given = dict(stride=short(s), padding=p, dilation=short(d), groups=g)
        yield called(rng, f"conv{rank}d", *shapes, given=given, dtype=o["dtype"])


def each(p: Any, rank: int) -> tuple[int, ...]:
    """Padding of each axis; words count as none."""
    return p if isinstance(p, tuple) else (p if isinstance(p, int) else 0,) * rank


def conv_transpose() -> Grid:
    """Transposed convolutions."""
    two = ("one", "some")
    for rng, o in grid(12, rank=RANKS, pad=two, stride=two, hole=two, more=two, g=(1, 2, 3), dtype=DTYPES):
        rank, g = o["rank"], o["g"]
        ic, oc = {1: (3, 4), 2: (2, 3), 3: (1, 2)}[g]
        k, s, d = distinct(rng, rank, 1), steps(rng, rank, o["stride"]), steps(rng, rank, o["hole"])
        p = (0,) * rank if o["pad"] == "one" else distinct(rng, rank, 0)
        i = sizes_over(rng, [2 + q for q in p])
        more = (0,) * rank
        if o["more"] == "some":
            more = tuple(int(rng.integers(max(a, b))) for a, b in zip(s, d, strict=True))
        axes = zip(i, s, p, extents(k, d), more, strict=True)
        if min((n - 1) * t - 2 * q + e + m for n, t, q, e, m in axes) < 1:
            continue
        shapes = [(*batch(rng), g * ic, *i), (g * ic, oc, *k)] + [(g * oc,)] * int(rng.integers(2))
        given = dict(stride=short(s), padding=short(p), output_padding=short(more))
        given |= dict(groups=g, dilation=short(d))
        yield called(rng, f"conv_transpose{rank}d", *shapes, given=given, dtype=o["dtype"])


def window(rng, rank: int, stride: str, pad: str, hole: str = "one"):
    """Draw a pool's window, strides, padding, dilation and spatial sizes, no less than the window's."""
    k, d = distinct(rng, rank, 1), steps(rng, rank, hole)
    s = None if stride == "default" else steps(rng, rank, stride)
    p = (0,) * rank if pad == "none" else tuple(int(rng.integers(size // 2 + 1)) for size in k)
    # A window that meets no element has an index that PyTorch leaves open.
    low = [max(e - q, n) for e, q, n in zip(extents(k, d), p, k, strict=True)]
    return k, s, p, d, sizes_over(rng, low)


def max_pool() -> Grid:
    """Max pooling, with and without indices, some of NaNs."""
    options = dict(rank=RANKS, stride=("default", "one", "some"), pad=("none", "some"), hole=("one", "some"))
    for rng, o in grid(13, **options, ceil=(False, True), indices=(False, True), dtype=DTYPES):
        rank = o["rank"]
        k, s, p, d, i = window(rng, rank, o["stride"], o["pad"], o["hole"])
        if o["dtype"] == "int64" and rank == 1 and not o["indices"]:
            continue  # refused
        given = dict(stride=s and short(s), padding=short(p), dilation=short(d), ceil_mode=o["ceil"])
        op = with_indices(rng, f"max_pool{rank}d", given, o["indices"])
        rest = dict(most=(2, 99)[rng.integers(2)], nans=o["dtype"] != "int64" and bool(rng.integers(2)))
        yield called(rng, op, (*batch(rng), 3, *i), args=(short(k),), given=given, dtype=o["dtype"], **rest)


def avg_pool() -> Grid:
    """Average pooling."""
    two = False, True
    options = dict(rank=RANKS, stride=("default", "one", "some"), pad=("none", "some"), ceil=two, include=two)
    for rng, o in grid(14, **options, divisor=(None, 7, -3), dtype=DTYPES):
        rank = o["rank"]
        if (rank == 1 and o["divisor"]) or (rank == 3 and o["dtype"] == "float16"):
            continue  # refused
        k, s, p, _, i = window(rng, rank, o["stride"], o["pad"])
        given = dict(stride=s and short(s), padding=short(p), ceil_mode=o["ceil"])
        given |= dict(count_include_pad=o["include"], divisor_override=o["divisor"])
        rest = dict(args=(short(k),), dtype=o["dtype"], most=99, taps=math.prod(k))
        yield called(rng, f"avg_pool{rank}d", (*batch(rng), 3, *i), given=given, **rest)


def lp_pool() -> Grid:
    """Power-average pooling."""
    norms = (1, 2, 3, 2.0, 0.5, 2.5, math.inf, -math.inf)
    rest = dict(stride=("default", "some"), ceil=(False, True), dtype=DTYPES)
    for rng, o in grid(15, rank=RANKS, norm=norms, **rest):
        rank = o["rank"]
        if (rank, o["dtype"], math.isinf(o["norm"])) in ((1, "int64", True), (3, "float16", False)):
            continue  # refused
        k, s, _, _, i = window(rng, rank, o["stride"], "none")
        given = dict(stride=s and short(s), ceil_mode=o["ceil"])
        rest = dict(args=(o["norm"], short(k)), dtype=o["dtype"], most=9, taps=math.prod(k))
        yield called(rng, f"lp_pool{rank}d", (*batch(rng), 3, *i), given=given, **rest)


def adaptive() -> Grid:
    """Adaptive pooling."""
    ops = ("adaptive_avg_pool", "adaptive_max_pool", "adaptive_max_pool indices", "adaptive_max_pool nans")
    kinds = ("one", "even", "some", "more", "int", "none", "zero")
    for rng, o in grid(16, op=ops, rank=RANKS, kind=kinds, repeat=(1, 2), dtype=FLOATS):
        rank, kind = o["rank"], o["kind"]
        m = distinct(rng, rank, 1)
        i = tuple(size * 2 for size in m) if kind == "even" else sizes_over(rng, m, 6)
        size: Any = dict(
            one=1, even=m, some=m, more=tuple(n + 1 for n in i), int=3, none=m, zero=(0,) * rank
        )[kind]
        if kind == "none":
            if rank == 1:
                continue
            size = (None, *m[1:])
        op, _, kind = o["op"].partition(" ")
        given: dict[str, Any] = {}
        op = with_indices(rng, f"{op}{rank}d", given, bool(kind))
        rest = dict(args=(size,), dtype=o["dtype"], most=99, nans=kind == "nans", taps=math.prod(i))
        yield called(rng, op, (*batch(rng), 3, *i), given=given, **rest)


def fractional() -> Grid:
    """Fractional max pooling, of given samples."""
    two = False, True
    for rng, o in grid(17, rank=(2, 3), ratio=two, indices=two, nans=two, repeat=(1, 2, 3, 4), dtype=FLOATS):
        rank = o["rank"]
        k, m = distinct(rng, rank, 1), distinct(rng, rank, 1)
        i = sizes_over(rng, [a + b for a, b in zip(k, m, strict=True)])
        given: dict[str, Any] = dict(output_size=m)
        if o["ratio"]:
            given = dict(output_ratio=tuple((size + 0.5) / n for size, n in zip(m, i, strict=True)))
        op, lead = with_indices(rng, f"fractional_max_pool{rank}d", given, o["indices"]), batch(rng)
        samples = (("_random_samples", ((*lead, 1)[0], 3, rank)),)
        rest = dict(args=(k,), dtype=o["dtype"], most=99, nans=o["nans"], arrays_by_name=samples)
        yield called(rng, op, (*lead, 3, *i), given=given, **rest)
