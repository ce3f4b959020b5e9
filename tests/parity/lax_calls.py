"""Calls of ``jax.lax`` to compare, drawn from seeds: what a caller could write, of every parameter.

No two axes have the same size, window, stride, dilation or padding, so that exchanged axes show. Arrays hold
small integers, so that every sum is exact in every dtype and any order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .cases import CROPS, PAIRS, distinct, grid

DTYPES = (
    *("float32", "float64", "float16", "bfloat16", "complex64", "complex128", "bool"),
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
)
# XLA's convolution on the CPU (jax 0.10.2) reads past the end of what negative padding leaves of an axis, in
# the floats that it has a library for; in these it does not.
CROPPED = (*("float64", "complex128", "bool"), *(name for name in DTYPES if "int" in name))
WIDER = {
    "float32": ("float64", "float32"),
    "float16": ("float32", "float64"),
    "bfloat16": ("float32", "bfloat16"),
    "complex64": ("complex128",),
    "bool": ("int32", "float32"),
    "int8": ("int32", "int16", "float32", "bfloat16"),
    "int16": ("int64", "float16"),
    "int32": ("int64", "float64"),
    "int64": ("float64",),
    "uint8": ("uint32", "int32", "float32"),
    "uint16": ("uint64", "float32"),
    "uint32": ("int64",),
    "uint64": ("float64",),
}
SPATIAL = "HWDXY"  # letters
FORMS = ("none", "last", "first", "shuffled", "numbers")  # of dimension numbers
PADDINGS = ("VALID", "same", "SAME_LOWER", "pairs", "crop")


@dataclass(frozen=True)
class Call:
    """A call of one function of lax, with arrays of these shapes before its other arguments."""

    function: str
    shapes: tuple[tuple[int, ...], ...]
    dtype: str
    options: dict[str, Any] = field(hash=False)
    seed: int
    most: int = 2

    @property
    def op(self) -> str:
        """Name of the function, as `grouped` asks for it."""
        return self.function

    @property
    def rank(self) -> int:
        """Number of axes."""
        return len(self.shapes[0])

    def arrays(self) -> list[np.ndarray]:
        """Arrays of integers no larger than `most`."""
        rng = np.random.default_rng(self.seed)
        return [integers(rng, shape, self.dtype, self.most) for shape in self.shapes]

    def __str__(self) -> str:
        """Write the call."""
        given = (f"{name}={getattr(v, '__name__', repr(v))}" for name, v in self.options.items())
        return f"{self.function}({', '.join((*map(str, self.shapes), *given))}) {self.dtype} seed {self.seed}"


def integers(rng: np.random.Generator, shape: tuple[int, ...], dtype: str, most: int) -> np.ndarray:
    """Draw small whole numbers of any dtype."""
    if dtype == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    values = rng.integers(0 if dtype[0] == "u" else -most, most + 1, shape)
    if dtype.startswith("complex"):
        values = values + 1j * rng.integers(-most, most + 1, shape)
    return values.astype(named(dtype))


def named(dtype: str) -> np.dtype:
    """Return the dtype of a name; bfloat16 is that of ml_dtypes, which JAX comes with."""
    if dtype == "bfloat16":
        import ml_dtypes

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(dtype)


def geometry(rng: np.random.Generator, rank: int, kind: str, base: bool, dilated: bool) -> dict[str, Any]:
    """Draw a window that fits, and the input it slides over."""
    one = (1,) * rank
    k, s = distinct(rng, rank, 1), distinct(rng, rank, 1)
    d = distinct(rng, rank, 1) if dilated else one
    b = distinct(rng, rank, 1) if base else one
    choice = {"pairs": PAIRS, "crop": CROPS}.get(kind, ((0, 0),) * 6)
    padding = tuple(choice[at] for at in rng.permutation(len(choice))[:rank])
    i = []
    for at in range(rank):
        need = (k[at] - 1) * d[at] + 1 - sum(padding[at])
        least = max(-(-(need - 1) // b[at]) + 1, 1 + (kind == "crop"))
        i.append(least + int(rng.integers(0, 4)))
        while i[-1] in i[:-1]:
            i[-1] += 1
    return dict(i=tuple(i), k=k, s=s, d=d, b=b, padding=padding if kind in ("pairs", "crop") else kind)


def specs(rng: np.random.Generator, form: str, rank: int) -> tuple[str, str, str]:
    """Draw dimension numbers as letters; those of "none" are what None means."""
    letters = SPATIAL[:rank]
    if form == "last":
        return f"N{letters}C", f"{letters}IO", f"N{letters}C"
    if form in ("none", "first"):
        return f"NC{letters}", f"OI{letters}", f"NC{letters}"
    words = f"NC{letters}", f"OI{letters}", f"NC{letters}"
    return tuple("".join(rng.permutation(list(word))) for word in words)  # type: ignore[return-value]


def placed(spec: str, sizes: dict[str, int]) -> tuple[int, ...]:
    """Return the shape of an array whose axes have these sizes."""
    return tuple(sizes[letter] for letter in spec)


def dimension_numbers(form: str, words: tuple[str, str, str]) -> Any:
    """Write dimension numbers in a form; axes, for "numbers", as plain tuples."""
    if form == "none":
        return None
    if form != "numbers":
        return words
    spatial = [letter for letter in words[1] if letter not in "OI"]
    pairs = zip(words, (("N", "C"), ("O", "I"), ("N", "C")), strict=True)
    return tuple(tuple(map(word.index, (*two, *spatial))) for word, two in pairs)


def drawn_conv(rng, rank, form, kind, base, dilated, groups, dtype, function="conv_general_dilated") -> Call:
    """Draw one convolution; `groups` are those of channels if positive, of the batch if negative."""
    base = base and kind in ("pairs", "crop")
    shape = geometry(rng, rank, kind, base, dilated)
    words = specs(rng, form, rank)
    spatial = [letter for letter in words[1] if letter not in "OI"]  # in whose order options are
    ic, oc = (int(rng.integers(1, 3)) for _ in range(2))
    g, batches = max(groups, 1), max(-groups, 1)
    inputs = dict(zip(spatial, shape["i"], strict=True), N=2 * batches, C=g * ic)
    weights = dict(zip(spatial, shape["k"], strict=True), O=oc * g * batches, I=ic)
    options = dict(window_strides=shape["s"], padding=shape["padding"])
    if function != "conv":
        options |= dict(
            lhs_dilation=shape["b"] if base else None, rhs_dilation=shape["d"] if dilated else None
        )
    if function == "conv_general_dilated":
        options |= dict(
            dimension_numbers=dimension_numbers(form, words), feature_group_count=g, batch_group_count=batches
        )
    wider = [name for name in WIDER.get(dtype, ()) if name in dtypes_for(kind)]
    if wider and rng.integers(3) == 0:
        options["preferred_element_type"] = named(wider[int(rng.integers(len(wider)))])
    if rng.integers(4) == 0:
        options["precision"] = ("high", "highest", "default")[int(rng.integers(3))]
    shapes = placed(words[0], inputs), placed(words[1], weights)
    return Call(function, shapes, dtype, options, int(rng.integers(1 << 30)))


def dtypes_for(kind: str) -> tuple[str, ...]:
    """Dtypes that a kind of padding can be compared in."""
    return CROPPED if kind == "crop" else DTYPES


def conv() -> Iterator[Call]:
    """Convolutions in full, and by the two functions that have fewer options."""
    for rng, o in grid(21, rank=(1, 2, 3), form=FORMS, kind=PADDINGS, base=(False, True), groups=(1, 2, -2)):
        for dtype in rng.permutation(dtypes_for(o["kind"]))[:2]:
            yield drawn_conv(rng, dilated=bool(rng.integers(2)), dtype=str(dtype), **o)
    for rng, o in grid(22, rank=(0, 4), form=FORMS, groups=(1, 3, -2), dtype=DTYPES[:7]):
        yield drawn_conv(rng, kind="pairs" if o["rank"] else "VALID", base=True, dilated=True, **o)
    for rng, o in grid(23, rank=(1, 2, 3), kind=PADDINGS, function=("conv", "conv_with_general_padding")):
        dtype = dtypes_for(o["kind"])[0]
        yield drawn_conv(rng, form="none", base=True, dilated=True, groups=1, dtype=dtype, **o)


def transposed() -> Iterator[Call]:
    """Transposed convolutions."""
    forms, kinds = ("none", "last", "shuffled", "numbers"), ("SAME", "VALID", "pairs", "crop")
    for rng, o in grid(
        24, rank=(1, 2, 3), form=forms, kind=kinds, dilated=(False, True), exchanged=(False, True)
    ):
        form = o["form"] if o["form"] != "none" else "last"
        shape = geometry(rng, o["rank"], o["kind"], True, o["dilated"])
        words = specs(rng, form, o["rank"])
        spatial = [letter for letter in words[1] if letter not in "OI"]
        c, f = (int(rng.integers(2, 4)) for _ in range(2))
        inputs = dict(zip(spatial, shape["i"], strict=True), N=2, C=c)
        weights = dict(
            zip(spatial, shape["k"], strict=True), **dict(O=c, I=f) if o["exchanged"] else dict(O=f, I=c)
        )
        options = dict(
            strides=shape["b"],
            padding=shape["padding"],
            rhs_dilation=shape["d"] if o["dilated"] else None,
            dimension_numbers=None if o["form"] == "none" else dimension_numbers(form, words),
            transpose_kernel=o["exchanged"],
            use_consistent_padding=o["kind"] in ("SAME", "VALID") and bool(rng.integers(2)),
        )
        shapes = placed(words[0], inputs), placed(words[1], weights)
        for dtype in rng.permutation(dtypes_for(o["kind"]))[:2]:
            yield Call("conv_transpose", shapes, str(dtype), options, int(rng.integers(1 << 30)))


def patches() -> Iterator[Call]:
    """Patches, and convolutions with weights at every position."""
    for rng, o in grid(
        25, rank=(1, 2, 3), form=FORMS, kind=PADDINGS, base=(False, True), local=(False, True)
    ):
        base = o["base"] and o["kind"] in ("pairs", "crop")
        shape = geometry(rng, o["rank"], o["kind"], base, bool(rng.integers(2)))
        words = specs(rng, o["form"], o["rank"])
        spatial = [letter for letter in words[1] if letter not in "OI"]
        c = int(rng.integers(1, 4))
        inputs = dict(zip(spatial, shape["i"], strict=True), N=2, C=c)
        options = dict(
            window_strides=shape["s"],
            padding=shape["padding"],
            filter_shape=shape["k"],
            lhs_dilation=shape["b"] if base else None,
            rhs_dilation=shape["d"],
            dimension_numbers=dimension_numbers(o["form"], words),
        )
        shapes: tuple = (placed(words[0], inputs),)
        if o["local"]:
            positions = [outputs(shape, at) for at in range(o["rank"])]
            sizes = dict(zip(spatial, positions, strict=True), O=2, I=c * math.prod(shape["k"]))
            shapes += (placed(words[1], sizes),)
        function = "conv_general_dilated_local" if o["local"] else "conv_general_dilated_patches"
        dtypes = [name for name in dtypes_for(o["kind"]) if name != "bool" or not o["local"]]
        dtype = str(rng.choice(dtypes))
        yield Call(function, shapes, dtype, options, int(rng.integers(1 << 30)))


def outputs(shape: dict[str, Any], at: int) -> int:
    """Count the windows along one axis."""
    i, k, s, d, b = (shape[name][at] for name in "iksdb")
    extent = (k - 1) * d + 1
    match shape["padding"]:
        case "same" | "SAME_LOWER":
            return -(-i // s)
        case "VALID":
            pads = 0
        case pairs:
            pads = sum(pairs[at])
    return max(((i - 1) * b + 1 + pads - extent) // s + 1, 0)


CONVOLUTIONS = (*conv(), *transposed(), *patches())
