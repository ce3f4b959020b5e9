"""The case of a number: which function, and whether the call is right."""

from __future__ import annotations

from . import functional, lax, layers, ops
from .data import Call, Dice
from .wrong import spoil

FACES = (ops, ops, ops, functional, lax, layers)
SPOILT = 0.25


def draw(seed: int, number: int) -> tuple[Call, Dice]:
    """Draw a call, and what else is drawn when it is judged."""
    dice = Dice(f"{seed} {number}")
    call = dice.choice(FACES).draw(dice)
    return (spoil(dice, call) if dice.maybe(SPOILT) else call), dice
