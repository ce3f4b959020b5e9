"""Refused calls, in files: of `fastconv.functional` and PyTorch, and of deformable convolutions and regions.

Each is a line, and what the refusal must say is the line below it: "..." stands for any text.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


def read(name: str) -> list[tuple[str, str]]:
    """Read calls, and what their refusals say."""
    lines = (Path(__file__).parent / name).read_text().splitlines()
    return list(zip(lines[::2], map(str.strip, lines[1::2]), strict=True))


REFUSALS = read("functional_refusals.txt")

SHAPES = dict(
    **dict(x1=(2, 4, 9), x2=(2, 4, 8, 9), x3=(2, 4, 7, 8, 9)),  # inputs
    **dict(w1=(6, 4, 3), w2=(6, 4, 3, 2), w3=(6, 4, 3, 2, 1), t2=(4, 6, 3, 2)),  # weights, t2 transposed
    **dict(b2=(2, 24, 48), v2=(2, 4, 4, 3)),  # blocks of (3, 2) of x2, values of a pool
)


def call(text: str, functions: Any, convert: Callable[[np.ndarray], Any] = lambda array: array) -> Any:
    """Do what a line says with the functions of a module and arrays of zeros, float32 unless it says so."""

    def zeros(*shape, dtype="float32"):
        return convert(np.zeros(shape, dtype))

    names = {name: zeros(*shape) for name, shape in SHAPES.items()}
    names |= dict(zeros=zeros, at2=zeros(2, 4, 4, 3, dtype="int64"))
    name, _, rest = text.partition("(")
    return eval(f"function({rest}", dict(names, function=getattr(functions, name)))
