"""Calls in the words of ``torch.nn.functional``."""

from __future__ import annotations

import math

from . import shapes
from .data import Array, Call, Dice
from .ops import array


def draw(dice: Dice) -> Call:
    """Draw a call of any function."""
    return dice.choice(DRAWN)(dice)


def _batched(dice: Dice, n: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape if n == 1 and dice.maybe(0.4) else (n, *shape)


def _both(pairs) -> tuple[int, ...]:
    return tuple(max(pair[0], 0) for pair in pairs)


def _dtype(dice: Dice, *more: str) -> str:
    return dice.of(*shapes.FLOATS * 4, "float16", *more)


def _values(dice: Dice, dtype: str) -> tuple[str, bool]:
    if "float" in dtype and dice.maybe(0.15):
        return "real", False
    return shapes.whole(dice, dtype), True


def conv(dice: Dice) -> Call:
    rank = dice.of(1, 2, 2, 3)
    n, g, ic, oc = shapes.batch(dice), dice.of(1, 1, 2, 3), shapes.channels(dice), shapes.channels(dice)
    while n * g * oc > 100:
        oc = -(-oc // 2)
    axes = shapes.few(dice, (rank,), n * g * oc, cropped=False)
    dtype = _dtype(dice, "int32", "int64", "uint8", "complex64")
    values, exact = _values(dice, dtype)
    weights = values if values in ("real", "wide") else "whole"
    x = array(dice, _batched(dice, n, (g * ic, *axes.i)), dtype, values)
    w = array(dice, (g * oc, ic, *axes.k), dtype, weights)
    options: dict = dict(groups=g, dilation=shapes.spelled(dice, axes.d))
    if dice.maybe(0.5):
        options["bias"] = array(dice, (g * oc,), dtype, values)
    if set(axes.s) == {1} and dice.maybe(0.4):
        options["padding"] = dice.of("same", "valid")
    else:
        options |= dict(padding=shapes.spelled(dice, _both(axes.p)), stride=shapes.spelled(dice, axes.s))
    return Call(f"functional.conv{rank}d", (x, w), options, exact=exact)


def transpose(dice: Dice) -> Call:
    rank = dice.of(1, 2, 2, 3)
    n, g, ic, oc = shapes.batch(dice), dice.of(1, 1, 2, 3), shapes.channels(dice), dice.randint(1, 4)
    axes = shapes.few(dice, (rank,), 8 * n * g * oc, padded=False, cropped=False)
    dtype = _dtype(dice, "int64", "complex64")
    values, exact = _values(dice, dtype)
    i = tuple(min(m, 6) for m in axes.i)
    x = array(dice, _batched(dice, n, (g * ic, *i)), dtype, values)
    w = array(dice, (g * ic, oc, *axes.k), dtype, values if values in ("real", "wide") else "whole")
    options: dict = dict(groups=g, stride=shapes.spelled(dice, axes.s), dilation=shapes.spelled(dice, axes.d))
    if dice.maybe(0.5):
        options["bias"] = array(dice, (g * oc,), dtype, values)
    if dice.maybe(0.5):
        options["padding"] = tuple(dice.randrange(2) for _ in axes.k)
    if dice.maybe(0.3):
        options["output_padding"] = tuple(
            dice.randrange(max(s, d)) for s, d in zip(axes.s, axes.d, strict=True)
        )
    return Call(f"functional.conv_transpose{rank}d", (x, w), options, exact=exact)


def pool(dice: Dice) -> Call:
    rank = dice.of(1, 2, 2, 3)
    kind = dice.of("max", "max", "avg", "lp")
    n, c = shapes.batch(dice), shapes.channels(dice)
    axes = shapes.few(dice, (rank,), n * c, cropped=False)
    dtype = _dtype(
        dice,
        *(("int64",) if kind != "max" or rank > 1 else ()),
        *(("uint8", "int32") if kind == "max" and rank > 1 else ()),
    )
    if dtype == "float16" and kind != "max" and rank == 3:
        dtype = "float32"
    values, exact = _values(dice, dtype)
    size = axes.k[0] if kind == "lp" and rank == 1 else shapes.spelled(dice, axes.k)
    options: dict = dict(ceil_mode=dice.maybe(0.4))
    if dice.maybe(0.8):
        options["stride"] = shapes.spelled(dice, axes.s)
    if kind != "lp":
        options["padding"] = tuple(min(lo, k // 2) for lo, k in zip(_both(axes.p), axes.k, strict=True))
    function = f"{kind}_pool{rank}d"
    if kind == "max":
        exact = True
        options["dilation"] = shapes.spelled(dice, axes.d)
        if dice.maybe(0.3):
            options["return_indices"] = True
        if dice.maybe(0.2):
            function += "_with_indices"
    else:
        values = "whole" if values in ("wide", "tiny") else values
    if kind == "avg":
        options["count_include_pad"] = dice.maybe(0.5)
        if rank > 1 and dice.maybe(0.3):
            options["divisor_override"] = dice.of(1, 2, 7, -3)
    x = array(dice, _batched(dice, n, (c, *axes.i)), dtype, values)
    # The norm of infinity is max_pool, which integers do not have in every rank.
    largest = float("inf") if dtype.startswith("float") else 1
    norm = (dice.of(1, 2, 3, 2.0, 0.5, largest),) if kind == "lp" else ()
    return Call(f"functional.{function}", (x, *norm, size), options, exact=exact and kind != "lp")


def adaptive(dice: Dice) -> Call:
    rank = dice.of(1, 2, 2, 3)
    n, c = shapes.batch(dice), min(shapes.channels(dice), 8)
    axes = shapes.few(dice, (rank,), n * c, cropped=False)
    i = tuple(min(m, 9) for m in axes.i)
    kind = dice.of("avg", "max", "fractional")
    dtype = _dtype(dice)
    values = "whole" if kind == "avg" else dice.of("whole", "special", "real")
    x = array(dice, _batched(dice, n, (c, *i)), dtype, values)
    sizes = tuple(dice.of(1, 2, m, max(m // 2, 1), m + 1) for m in i)
    options: dict = {}
    if kind == "fractional" and rank > 1:
        size = tuple(min(k, 3) for k in axes.k)
        sizes = tuple(max(min(o, m - k), 1) for o, m, k in zip(sizes, i, size, strict=True))
        samples = Array((n, c, rank), dtype, "unit", (), dice.number())
        options |= dict(output_size=sizes, _random_samples=samples, return_indices=dice.maybe(0.5))
        return Call(f"functional.fractional_max_pool{rank}d", (x, size), options)
    if kind != "avg" and dice.maybe(0.5):
        options["return_indices"] = True
    name = "avg" if kind == "avg" else "max"
    return Call(f"functional.adaptive_{name}_pool{rank}d", (x, shapes.spelled(dice, sizes)), options)


def unpool(dice: Dice) -> Call:
    rank = dice.of(1, 2, 3)
    n, c = shapes.batch(dice), dice.randint(1, 4)
    o = tuple(dice.randint(1, 4) for _ in range(rank))
    k = tuple(dice.randint(1, 3) for _ in range(rank))
    dtype = _dtype(dice)
    x = array(dice, _batched(dice, n, (c, *o)), dtype, dice.of("whole", "special"))
    places = math.prod(m * t for m, t in zip(o, k, strict=True))
    at = array(dice, x.shape, "int64", f"below {places}")
    return Call(f"functional.max_unpool{rank}d", (x, at, k), {})


def unfold(dice: Dice) -> Call:
    n, c = shapes.batch(dice), dice.randint(1, 4)
    axes = shapes.few(dice, (2,), n * c, cropped=False)
    dtype = _dtype(dice, "complex64", "bool")
    p = _both(axes.p)
    steps = dict(dilation=axes.d, padding=p, stride=axes.s)
    if dice.maybe(0.5):
        x = array(dice, _batched(dice, n, (c, *axes.i)), dtype, "whole")
        return Call("functional.unfold", (x, shapes.spelled(dice, axes.k)), steps)
    sizes = zip(axes.i, p, axes.k, axes.d, axes.s, strict=True)
    blocks = math.prod(max((i + 2 * lo - (k - 1) * d - 1) // s + 1, 0) for i, lo, k, d, s in sizes)
    x = array(dice, _batched(dice, n, (c * math.prod(axes.k), blocks)), dtype, "whole")
    return Call("functional.fold", (x, axes.i, axes.k), steps)


def pad(dice: Dice) -> Call:
    mode = dice.of("constant", "reflect", "replicate", "circular")
    rank = dice.randint(1, 3)
    shape = tuple(dice.randint(1, 5) for _ in range(rank + dice.randint(1, 2)))
    count = dice.randint(0, len(shape)) if mode == "constant" else rank
    numbers = [dice.randint(-2 if dice.maybe(0.3) else 0, 4) for _ in range(2 * count)]
    options: dict = {} if mode == "constant" and dice.maybe(0.5) else dict(mode=mode)
    if mode == "constant" and dice.maybe(0.5):
        options["value"] = dice.of(0, 1, -3, 2.5)
    x = array(dice, shape, _dtype(dice, "int32", "complex64", "uint8"), dice.of("whole", "special"))
    return Call("functional.pad", (x, tuple(numbers)), options)


def shuffle(dice: Dice) -> Call:
    r, c, h, w = dice.randint(1, 3), dice.randint(1, 3), dice.randint(0, 4), dice.randint(1, 4)
    before = tuple(dice.randint(1, 2) for _ in range(dice.randrange(3)))
    dtype = dice.choice(shapes.DTYPES)
    if dice.maybe(0.5):
        x = array(dice, (*before, c * r * r, h, w), dtype, "whole")
        return Call("functional.pixel_shuffle", (x, r), {})
    return Call(
        "functional.pixel_unshuffle", (array(dice, (*before, c, h * r, w * r), dtype, "whole"), r), {}
    )


DRAWN = (
    conv,
    conv,
    conv,
    transpose,
    transpose,
    pool,
    pool,
    pool,
    adaptive,
    adaptive,
    unpool,
    unfold,
    pad,
    shuffle,
)
