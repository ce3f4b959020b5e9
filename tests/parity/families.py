"""The families of operations and every case of each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from .cases import DTYPES, LAYOUTS, Case, distinct, grid, sliding, transposed_sizes

Grid = Iterator[Case]

WORDS = ("valid", "same", "same_lower")
RANKS = (1, 2, 3)
KINDS = (*WORDS, "causal", "int", "ints", "pairs", "crop")
STEPS = ("one", "some")
POOL_STEPS = ("one", "some", "default")
HOLES = (False, True)


def drawn(
    rng: np.random.Generator, op: str, rank: int, kind: str, stride: str, dilated: bool, **rest
) -> Case:
    """Draw one case; the layout too if it is not given."""
    geometry = sliding(rng, rank, kind, stride, dilated)
    rest.setdefault("data_format", LAYOUTS[int(rng.integers(2))])
    rest.setdefault("c", int(rng.integers(2, 4)))
    return Case(op=op, seed=int(rng.integers(1 << 30)), **geometry | rest)


def with_weights(case: Case, *channels: int, **rest) -> Case:
    """Give a case weights of its window and of so many channels in and out."""
    return replace(case, w_shape=(*case.k, *channels), **rest)


def conv() -> Grid:
    """Dense and grouped convolutions; with one input channel a group too."""
    for rng, o in grid(1, rank=RANKS, kind=KINDS, stride=STEPS, dilated=HOLES, g=(1, 2, 3), dtype=DTYPES):
        g = o.pop("g")
        ic, oc = {1: (3, 5), 2: (2, 3), 3: (1, 2)}[g]
        if o["kind"] != "causal" or o["rank"] == 1:
            yield with_weights(drawn(rng, "conv", c=g * ic, **o), ic, g * oc, groups=g)
    for rng, o in grid(2, rank=(0, 4), g=(1, 2), dtype=DTYPES):
        g, rank = o.pop("g"), o.pop("rank")
        o |= dict(kind="pairs" if rank else "valid", stride="one", dilated=False)
        yield with_weights(drawn(rng, "conv", rank, c=2 * g, **o), 2, 3 * g, groups=g)


def depthwise() -> Grid:
    """Depthwise and separable convolutions."""
    ops = ("depthwise_conv", "separable_conv")
    kinds = (*WORDS, "causal", "pairs")
    for rng, o in grid(
        3, op=ops, rank=RANKS, kind=kinds, stride=STEPS, dilated=HOLES, m=(1, 3), dtype=DTYPES
    ):
        m = o.pop("m")
        if o["kind"] != "causal" or o["rank"] == 1:
            yield with_weights(drawn(rng, c=3, **o), 3, m, groups=3)


def conv_transpose() -> Grid:
    """Transposed convolutions, with and without output padding (which no peer has for "same_lower")."""
    kinds = (*WORDS, "int", "pairs")
    for rng, o in grid(
        4, rank=RANKS, kind=kinds, stride=STEPS, dilated=HOLES, more=HOLES, g=(1, 2), dtype=DTYPES
    ):
        g, more = o.pop("g"), o.pop("more")
        if more and o["kind"] == "same_lower":
            continue
        call = with_weights(drawn(rng, "conv_transpose", c=2 * g, **o), 3 * g, 2, groups=g)
        if more:
            call = replace(call, extra=(("output_padding", distinct(rng, call.rank, 0)),))
        if min(transposed_sizes(call)) < 1:  # padding takes off all there is
            call = replace(call, i=tuple(i + 4 for i in call.i))
        yield call


def extreme_pool() -> Grid:
    """Maxima and minima of windows."""
    ops, kinds = ("max_pool", "min_pool"), (*WORDS, "int", "pairs", "crop")
    for rng, o in grid(5, op=ops, rank=RANKS, kind=kinds, stride=POOL_STEPS, dilated=HOLES, dtype=DTYPES):
        yield drawn(rng, **o)
    for rng, o in grid(6, op=ops, rank=(0, 4), dtype=DTYPES):
        yield drawn(rng, kind="pairs" if o["rank"] else "valid", stride="one", dilated=False, **o)


def average_pool() -> Grid:
    """Means of windows, padding counted or not."""
    kinds = (*WORDS, "int", "pairs", "crop")
    for rng, o in grid(
        7, rank=RANKS, kind=kinds, stride=POOL_STEPS, dilated=HOLES, counted=HOLES, dtype=DTYPES
    ):
        yield drawn(rng, "average_pool", extra=(("count_include_pad", o.pop("counted")),), **o)


def largest(values: np.ndarray):
    """Return the maximum by way of a function that no backend knows."""
    return sorted(values)[-1]


FUNCTIONS = {
    "max": (np.max, np.maximum),
    "min": (np.min, np.minimum),
    "add": (np.sum, np.add),
    "mul": (np.prod, np.multiply),
}
BITS = {"bitwise_or": np.bitwise_or, "bitwise_xor": np.bitwise_xor, "bitwise_and": np.bitwise_and}


def general_pool() -> Grid:
    """Reductions of windows by a function: NumPy's, ufuncs, and a plain Python one."""
    kinds = (*WORDS, "pairs")
    functions = [fn for pair in FUNCTIONS.values() for fn in pair]
    for rng, o in grid(8, fn=functions, rank=RANKS, kind=kinds, dilated=HOLES, dtype=DTYPES):
        stride = POOL_STEPS[int(rng.integers(3))]
        yield drawn(rng, "pool", stride=stride, extra=(("fn", o.pop("fn")),), **o)
    for rng, o in grid(9, fn=BITS.values(), rank=RANKS, kind=kinds, dilated=HOLES, dtype=("int32",)):
        yield drawn(rng, "pool", stride="some", extra=(("fn", o.pop("fn")),), **o)
    for rng, o in grid(10, rank=RANKS, kind=WORDS, dtype=DTYPES):  # no window without an element
        yield drawn(rng, "pool", stride="some", dilated=False, extra=(("fn", largest),), **o)


def adaptive_pool() -> Grid:
    """Adaptive pooling: `k` is the number of windows; even, uneven and more windows than inputs."""
    ops, relations = ("adaptive_max_pool", "adaptive_average_pool"), ("even", "uneven", "enlarging")
    for rng, o in grid(
        11, op=ops, rank=RANKS, relation=relations, data_format=LAYOUTS, dtype=DTYPES, draw=range(4)
    ):
        rank, relation = o.pop("rank"), o.pop("relation")
        del o["draw"]
        i, m = adaptive_sizes(rng, rank, relation)
        one = (1,) * rank
        yield Case(i=i, k=m, s=one, d=one, c=2, padding="valid", seed=int(rng.integers(1 << 30)), **o)


def adaptive_sizes(rng: np.random.Generator, rank: int, relation: str) -> tuple[tuple, tuple]:
    """Draw sizes of inputs and of outputs that are related as asked, no two axes alike in either."""
    while True:
        m = distinct(rng, rank, 1)
        match relation:
            case "even":
                i = tuple(n * t for n, t in zip(m, distinct(rng, rank, 1), strict=True))
            case "uneven":
                i = tuple(n + int(rng.integers(0, n)) for n in m)
            case _:
                i, m = m, tuple(n + int(rng.integers(1, 4)) for n in m)
        if len(set(i)) == len(set(m)) == rank and (relation != "uneven" or any(np.mod(i, m))):
            return i, m


def adaptive_unit(case: Case) -> int:
    """Return the least number all of whose multiples have whole means, along any axes."""
    axes = zip(case.i, case.k, strict=True)
    return math.prod(math.lcm(-(-i // m), -(-i // m) + (i % m > 0)) for i, m in axes)


def windows() -> Grid:
    """Views of windows."""
    kinds = (*WORDS, "int", "pairs", "crop")
    for rng, o in grid(
        12, rank=RANKS, kind=kinds, stride=STEPS, dilated=HOLES, data_format=LAYOUTS, dtype=DTYPES
    ):
        yield drawn(rng, "windows", **o)


FAMILIES = {
    family.__name__: tuple(family())
    for family in (
        *(conv, depthwise, conv_transpose),
        *(extreme_pool, average_pool, general_pool, adaptive_pool, windows),
    )
}
