"""Calls as data: what prints can be read, and run again."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Array:
    """An array to be made: what it holds (`content`) and how it lies in memory (`memory`)."""

    shape: Shape
    dtype: str = "float32"
    values: str = "whole"
    form: tuple[str, ...] = ()
    seed: int = 0


@dataclass(frozen=True)
class Out:
    """Where a result goes: an array like it, but for its form and what is said to be wrong with it."""

    form: tuple[str, ...] = ()
    wrong: str = ""


@dataclass(frozen=True)
class Code:
    """A value written in Python."""

    text: str

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Call:
    """A call of a function of fastconv, and what is called of the plan or layer that it may return."""

    function: str
    args: tuple = ()
    options: dict[str, Any] = field(default_factory=dict)
    weights: tuple[Array, ...] | None = None  # of a layer
    inputs: tuple | None = None  # of a plan or a layer
    out: Out | None = None
    exact: bool = True  # whether all sums are, so that results must be equal
    spoilt: str = ""  # what was made wrong, if anything

    def __str__(self) -> str:
        """Spell the call in Python, nearly."""
        given = [*map(repr, self.args), *(f"{name}={value!r}" for name, value in self.options.items())]
        text = f"fastconv.{self.function}({', '.join(given)})"
        if self.inputs is not None:
            weights = "" if self.weights is None else f".with_weights{self.weights}"
            text += f"{weights}({', '.join(map(repr, self.inputs))})"
        notes = [f"out={self.out!r}"] * (self.out is not None)
        notes += ["rounds"] * (not self.exact) + [f"spoilt: {self.spoilt}"] * bool(self.spoilt)
        return f"{text}  # {', '.join(notes)}" if notes else text


class Dice(random.Random):
    """Random choices, the same for the same seed on every machine."""

    def maybe(self, share: float) -> bool:
        return self.random() < share

    def of(self, *options: Any) -> Any:
        return self.choice(options)

    def number(self) -> int:
        return self.randrange(2**31)


@np.errstate(all="ignore")
def content(array: Array) -> np.ndarray:
    """Make the elements of an array: sums of all but "real" ones are exact, whatever their order."""
    rng = np.random.default_rng(array.seed)
    dtype, shape = dtype_of(array.dtype), array.shape
    if array.values == "real":
        return rng.standard_normal(shape).astype(dtype)
    if array.values == "unit":  # from 0 to 1
        return (rng.integers(0, 9, shape) / 8).astype(dtype)
    if array.values == "wide" and dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)
    if array.values.startswith("below"):  # positions in something of that many elements
        return rng.integers(0, max(int(array.values.split()[1]), 1), shape).astype(dtype)
    return _small(array, rng, dtype)


def _small(array: Array, rng: np.random.Generator, dtype: np.dtype) -> np.ndarray:
    """Draw whole numbers up to 8, or up to 2 for products, and multiply them by a power of two."""
    most = {"few": 2, "ones": 1}.get(array.values, 8)
    low = 0 if dtype.kind in "bu" else -most
    values = rng.integers(low, 1 if dtype.kind == "b" else most, array.shape, endpoint=True)
    if dtype.kind == "c":
        return (values + 1j * rng.integers(low, most, array.shape, endpoint=True)).astype(dtype)
    values = values.astype(dtype)
    if dtype.kind != "f":
        return values
    if array.values == "tiny":
        return values * np.finfo(dtype).smallest_subnormal
    if array.values == "large":
        return values * dtype.type(2.0) ** max(np.finfo(dtype).maxexp - 30, 8)  # overflows in float16
    if array.values == "special":
        odd = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0], dtype)
        return np.where(rng.random(array.shape) < 0.1, rng.choice(odd, array.shape), values)
    return values


def dtype_of(name: str) -> np.dtype:
    """Return a dtype by its name, which NumPy may not know."""
    if name == "bfloat16":
        import ml_dtypes

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(name)
