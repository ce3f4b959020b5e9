"""Calls that move elements about, drawn as those of `torch_calls`, and all of them by family."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .cases import distinct, grid
from .torch_calls import (
    DTYPES,
    FLOATS,
    RANKS,
    Call,
    Grid,
    adaptive,
    avg_pool,
    batch,
    called,
    conv,
    conv_transpose,
    extents,
    fractional,
    lp_pool,
    max_pool,
    short,
    sizes_over,
    steps,
    window,
)


def blocks() -> Grid:
    """Unfolding, and folding of as many blocks as there are places."""
    two = ("one", "some")
    for rng, o in grid(
        21, op=("unfold", "fold"), stride=two, hole=two, pad=two, repeat=(1, 2, 3, 4), dtype=FLOATS
    ):
        k, s, d = distinct(rng, 2, 1), steps(rng, 2, o["stride"]), steps(rng, 2, o["hole"])
        p = (0, 0) if o["pad"] == "one" else distinct(rng, 2, 0)
        i = sizes_over(rng, [max(e - 2 * q, 1) for e, q in zip(extents(k, d), p, strict=True)])
        given = dict(dilation=short(d), padding=short(p), stride=short(s))
        rest: dict[str, Any] = dict(args=(short(k),), dtype=o["dtype"], most=9)
        shape = (*batch(rng), 3, *i)
        if o["op"] == "fold":
            axes = zip(i, extents(k, d), s, p, strict=True)
            places = math.prod((n + 2 * q - e) // t + 1 for n, e, t, q in axes)
            shape = (*shape[:-3], 3 * math.prod(k), places)
            rest["args"] = i, short(k)
        yield called(rng, o["op"], shape, given=given, **rest)


def pad() -> Grid:
    """Padding and cropping in every mode."""
    modes, kinds = ("constant", "reflect", "replicate", "circular"), ("more", "less", "both", "none")
    for rng, o in grid(22, mode=modes, rank=RANKS, kind=kinds, repeat=(1, 2), dtype=DTYPES):
        rank, mode = o["rank"], o["mode"]
        i = sizes_over(rng, [3] * rank, 5)
        pairs = [padding(rng, o["kind"], n) for n in i]
        given: dict[str, Any] = dict(mode=mode)
        if mode == "constant" and rng.integers(2):
            given["value"] = (2, -1.5, True)[rng.integers(3)]
        numbers = tuple(n for pair in reversed(pairs) for n in pair)
        lead = (*batch(rng), 3)
        if mode == "constant":  # of any number of axes
            lead, numbers = lead * int(rng.integers(1, 3)), (*numbers, *(1, 2) * int(rng.integers(2)))
        yield called(rng, "pad", (*lead, *i), args=(numbers,), given=given, dtype=o["dtype"], most=99)


def padding(rng: np.random.Generator, kind: str, i: int) -> tuple[int, int]:
    """Draw padding of an axis of `i` that leaves something of it and can be found in what is left."""
    if kind == "none":
        return 0, 0
    lo, hi = (int(n) for n in rng.integers(0, i, 2))
    lose = -int(rng.integers(1, i - 1))
    if kind == "less":
        return (lose, 0) if rng.integers(2) else (0, lose)
    if kind == "both":
        return (lose, min(hi, i + lose)) if rng.integers(2) else (min(lo, i + lose), lose)
    return lo, hi


def shuffles() -> Grid:
    """Pixels of channels and back."""
    ops = ("pixel_shuffle", "pixel_unshuffle")
    for rng, o in grid(23, op=ops, r=(1, 2, 3), more=(0, 1, 2), repeat=(1, 2), dtype=DTYPES):
        r, more = o["r"], distinct(rng, 3, 1)[: o["more"]]
        c, h, w = distinct(rng, 3, 1)
        shape = (*more, c * r * r, h, w) if o["op"] == "pixel_shuffle" else (*more, c, h * r, w * r)
        yield called(rng, o["op"], shape, args=(r,), given={}, dtype=o["dtype"], most=99)


def unpool() -> Grid:
    """Max unpooling of what a pooling found; sizes that it may have had are given or not."""
    kinds = ("default", "size", "shape")
    for rng, o in grid(
        24,
        rank=RANKS,
        stride=("default", "some"),
        pad=("none", "some"),
        kind=kinds,
        repeat=(1, 2),
        dtype=FLOATS,
    ):
        rank = o["rank"]
        k, s, p, _, i = window(rng, rank, o["stride"], o["pad"])
        s_ = s or k
        if o["kind"] == "default":  # sizes at which windows leave no rest
            i = tuple((n + 2 * q - m) // t * t + m - 2 * q for n, m, t, q in zip(i, k, s_, p, strict=True))
        if min(i) < 1 or len(set(i)) < rank:
            continue
        lead = (*batch(rng), 3)
        given = dict(stride=s and short(s), padding=short(p))
        given["output_size"] = dict(default=None, size=i, shape=(2, 3, *i))[o["kind"]]
        yield called(
            rng, f"max_unpool{rank}d", (*lead, *i), args=(short(k),), given=given, dtype=o["dtype"], most=99
        )


DRAWN = {
    family.__name__: family
    for family in (
        *(conv, conv_transpose, max_pool, avg_pool, lp_pool, adaptive, fractional),
        *(blocks, pad, shuffles, unpool),
    )
}
FAMILIES: dict[str, tuple[Call, ...]] = {name: tuple(family()) for name, family in DRAWN.items()}
