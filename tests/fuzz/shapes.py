"""Sizes that fit together, small enough for plain loops, and at times long enough for vectors and tiles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from .data import Dice

WORK = 2500  # elements that plain loops may look at for one case, in a few milliseconds

FLOATS = ("float32", "float64")
DTYPES = (
    *("float32", "float64") * 6,
    *("float16", "int8", "uint8", "int16", "int32", "uint32", "int64", "uint64", "bool"),
    *("complex64", "complex128", "longdouble"),
)


@dataclass(frozen=True)
class Axes:
    """Windows over some axes: sizes, and the options that make them, one number or pair for each axis."""

    i: tuple[int, ...]
    k: tuple[int, ...]
    s: tuple[int, ...]
    d: tuple[int, ...]
    b: tuple[int, ...]
    p: tuple[tuple[int, int], ...]
    o: tuple[int, ...]

    @property
    def rank(self) -> int:
        return len(self.i)

    @property
    def looks(self) -> int:
        """Elements that are looked at in all windows."""
        return math.prod(self.o) * math.prod(self.k)


def axes(dice: Dice, rank: int, *, base: bool = False, padded: bool = True, cropped: bool = True) -> Axes:
    """Draw windows over `rank` axes, one of which may be long."""
    long = dice.randrange(rank) if rank and dice.maybe(0.3) else -1
    drawn = [_axis(dice, a == long, base, padded, cropped) for a in range(rank)]
    return Axes(*zip(*drawn, strict=True)) if drawn else Axes((), (), (), (), (), (), ())


def few(dice: Dice, ranks: tuple[int, ...], each: int, **options: bool) -> Axes:
    """Draw windows that plain loops can do with `each` results a window."""
    each = min(each, WORK // 8)
    while True:
        drawn = axes(dice, dice.choice(ranks), **options)
        if drawn.looks * each <= WORK and math.prod(drawn.o) * each <= WORK // 4:
            return drawn


def _axis(dice: Dice, is_long: bool, base: bool, padded: bool, cropped: bool) -> tuple:
    k = dice.of(1, 1, 2, 2, 3, 3, 4, 5, 9) if not is_long else dice.of(1, 2, 3, 5, 7, 17, 31)
    s = dice.of(1, 1, 1, 2, 2, 3, 4, 7)
    d = dice.of(1, 1, 1, 2, 3, 5)
    b = dice.of(1, 2, 3) if base else 1
    o = dice.randint(20, 90) if is_long else dice.randint(1, 5)
    lo = hi = 0
    if padded and dice.maybe(0.5):
        least = -2 if cropped and dice.maybe(0.2) else 0
        lo, hi = dice.randint(least, 4), dice.randint(least, 4)
        if dice.maybe(0.05):
            lo, hi = lo + 20, hi + 9
    extent = (k - 1) * d + 1
    needed = (o - 1) * s + extent + dice.randrange(s)  # of the padded axis
    i = max(-(-(needed - lo - hi - 1) // b) + 1, 1)
    size = (i - 1) * b + 1 + lo + hi
    o = (size - extent) // s + 1 if size >= extent else 0
    return i, k, s, d, b, (lo, hi), o


def channels(dice: Dice) -> int:
    """Draw a number of channels: few, or as many as fill vectors and tiles and leave a rest."""
    return (
        dice.of(1, 1, 2, 3, 4, 5) if dice.maybe(0.8) else dice.of(7, 8, 15, 16, 17, 31, 32, 33, 64, 67, 130)
    )


def batch(dice: Dice) -> int:
    return dice.of(1, 1, 1, 2, 3)


def spelled(dice: Dice, numbers: tuple[int, ...]) -> Any:
    """Write one number for each axis in one of the ways that there are."""
    if numbers and len(set(numbers)) == 1 and dice.maybe(0.4):
        return numbers[0]
    return list(numbers) if dice.maybe(0.2) else numbers


def whole(dice: Dice, dtype: str) -> str:
    """Draw what an array holds, such that sums of it are exact."""
    if dtype in (*FLOATS, "float16"):
        return dice.of("whole", "whole", "whole", "special", "tiny", "large")
    return dice.of("whole", "wide") if "int" in dtype else "whole"
