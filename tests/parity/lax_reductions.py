"""Reductions over windows of ``jax.lax`` to compare, drawn from seeds as convolutions are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .cases import grid
from .lax_calls import DTYPES, PADDINGS, Call, geometry, named

COMPUTATIONS = ("add", "mul", "max", "min", "bitwise_and", "bitwise_or", "bitwise_xor")
STARTS = dict(add=0, mul=1, bitwise_or=0, bitwise_xor=0, bitwise_and=-1)


def twice(a, b):
    """Neither commutes nor associates."""
    return a + a - b


def reductions() -> Iterator[Call]:
    """Reductions over windows by every computation, from its identity and from elsewhere."""
    steps = ("none", "one", "some")
    for rng, o in grid(
        26, computation=COMPUTATIONS, rank=(1, 2, 3), kind=PADDINGS, base=(False, True), stride=steps
    ):
        dtypes = [d for d in DTYPES if takes(o["computation"], d)]
        for dtype in rng.permutation(dtypes)[:1]:
            yield reduced(rng, dtype=str(dtype), **o)
    for rng, o in grid(27, rank=(1, 2, 3), kind=PADDINGS, base=(False, True), stride=steps):
        yield reduced(rng, dtype=str(rng.choice(["float64", "int32", "int8"])), computation=twice, **o)


def takes(computation: str, dtype: str) -> bool:
    """Whether lax has the computation for a dtype."""
    if computation.startswith("bitwise"):
        return "float" not in dtype and "complex" not in dtype
    return dtype != "bool" or computation in ("max", "min")


def reduced(rng, computation, rank, kind, base, stride, dtype) -> Call:
    """Draw one reduction; axes that the window leaves alone go before, between and after the others."""
    shape = geometry(rng, rank, kind, base, bool(rng.integers(2)))
    alone = dict(i=int(rng.integers(2, 4)), k=1, s=1, d=1, b=1, padding=(0, 0))
    axes = [
        {name: v[at] if not isinstance(v, str) else None for name, v in shape.items()} for at in range(rank)
    ]
    for _ in range(int(rng.integers(0, 3))):
        axes.insert(int(rng.integers(len(axes) + 1)), alone)
    i, k, s, d, b = (tuple(axis[name] for axis in axes) for name in "iksdb")
    word = isinstance(shape["padding"], str)
    strides = dict(none=None, one=(1,) * len(axes), some=s)[stride]
    if word and kind != "VALID" and strides is None:
        strides = (1,) * len(axes)  # JAX 0.10.2 wants them with a word for padding
    name = computation if isinstance(computation, str) else "any"
    options = dict(
        computation=computation,
        init=start(rng, name, dtype),
        window_dimensions=k,
        window_strides=strides,
        padding=kind if word else tuple(axis["padding"] for axis in axes),
        base_dilation=b if base else None,
        window_dilation=d,
    )
    return Call("reduce_window", (i,), dtype, options, int(rng.integers(1 << 30)), 1 if name == "mul" else 2)


def start(rng: np.random.Generator, computation: str, dtype: str) -> Any:
    """Draw what windows start from: the identity, every other time something else."""
    kind = named(dtype)
    other = rng.integers(2)
    if computation in ("max", "min") and not other:
        return least(kind) if computation == "max" else least(kind, -1)
    number = 1 if other else STARTS.get(computation, 3)
    return kind.type(True if dtype == "bool" and number else max(number, 0) if dtype[0] == "u" else number)


def least(dtype: np.dtype, sign: int = 1) -> Any:
    """Return the least number of a dtype, or the greatest for a sign of -1."""
    if dtype.kind == "b":
        return np.bool_(sign < 0)
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return dtype.type(info.min if sign > 0 else info.max)
    return dtype.type(-sign * np.inf)


REDUCTIONS = tuple(reductions())
