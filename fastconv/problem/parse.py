"""A problem from its line, as `line` writes it: for bug reports and the command line."""

from __future__ import annotations

import re

import numpy as np

from fastconv.problem.conv import ACTIVATIONS, ConvProblem
from fastconv.problem.dtypes import accumulator
from fastconv.problem.pool import REDUCTIONS, PoolProblem, pool_dtypes
from fastconv.problem.window import Window


def parse(text: str) -> ConvProblem | PoolProblem:
    """Read back the problem that a line names, or raise ``ValueError`` with what is wrong."""
    kind, *words = text.split() or [""]
    if kind not in ("conv", "pool"):
        raise ValueError(f"a problem's line must begin with 'conv' or 'pool'; got {text!r}")
    numbers, others = {}, []
    for word in words:
        match = re.fullmatch(r"(n|g|ic|oc|c|i|k|s|d|b|p|over|by)(-?\d[-\dx+]*|)", word)
        if match:
            numbers[match[1]] = match[2]
        else:
            others.append(word)
    try:
        window = _read_window(numbers)
        return (_read_conv if kind == "conv" else _read_pool)(window, numbers, others)
    except (KeyError, StopIteration, TypeError, ValueError) as error:
        raise ValueError(f"a problem's line must be complete, as in `explain`; got {text!r}") from error


def _read_conv(window: Window, numbers: dict[str, str], words: list[str]) -> ConvProblem:
    """Read what follows ``conv``."""
    dtype = _read_dtype(words)
    return ConvProblem(
        window=window,
        n=int(numbers["n"]),
        g=int(numbers["g"]),
        ic=int(numbers["ic"]),
        oc=int(numbers["oc"]),
        x_dtype=dtype,
        w_dtype=_tagged(words, "w", dtype),
        acc_dtype=_tagged(words, "acc", accumulator(dtype)),
        y_dtype=_tagged(words, "y", dtype),
        x_order=_order(words, "x", window),
        y_order=_order(words, "y", window),
        has_bias="bias" in words,
        activation=next((w for w in words if w in ACTIVATIONS), "linear"),
    )


def _read_pool(window: Window, numbers: dict[str, str], words: list[str]) -> PoolProblem:
    """Read what follows ``pool``."""
    dtype, reduction = _read_dtype(words), next(w for w in words if w in REDUCTIONS)
    acc, result = pool_dtypes(reduction, dtype)
    init = next((w[4:] for w in words if w.startswith("init")), None)
    return PoolProblem(
        window=window,
        overhang=_ints(numbers["over"]) if "over" in numbers else (0,) * window.rank,
        n=int(numbers["n"]),
        c=int(numbers["c"]),
        x_dtype=dtype,
        acc_dtype=_tagged(words, "acc", acc),
        y_dtype=_tagged(words, "y", result),
        x_order=_order(words, "x", window),
        y_order=_order(words, "y", window),
        reduction=reduction,
        init=None if init is None else _read_number(init, dtype),
        divisor=int(numbers.get("by", 0)) or ("padded" if "bypadded" in words else "real"),
        indices="indices" in words,
    )


def _read_dtype(words: list[str]) -> np.dtype:
    """Find the dtype of the input, which stands alone."""
    return np.dtype(next(w for w in words if re.fullmatch(r"(bool|u?int|b?float|complex)\d*", w)))


def _tagged(words: list[str], tag: str, usual: np.dtype) -> np.dtype:
    """Read a dtype that is not the input's, ``acc:int32``."""
    return np.dtype(next((w.partition(":")[2] for w in words if w.startswith(f"{tag}:")), usual))


def _order(words: list[str], array: str, window: Window) -> tuple[int, ...]:
    """Read a memory order that is not (n, *i, c), ``x@0312``."""
    axes = next((w[2:] for w in words if w.startswith(f"{array}@")), None)
    return tuple(range(window.rank + 2)) if axes is None else tuple(map(int, axes))


def _read_number(text: str, dtype: np.dtype) -> np.generic:
    """Read a number of a dtype."""
    return dtype.type(text not in ("False", "0") if dtype.kind == "b" else text)


def _read_window(numbers: dict[str, str]) -> Window:
    i, k, s, d = (_ints(numbers[name]) for name in "iksd")
    b = _ints(numbers["b"]) if "b" in numbers else (1,) * len(i)
    pads = tuple(re.fullmatch(r"(-?\d+)\+(-?\d+)", pair) for pair in numbers["p"].split("x") if pair)
    window = Window(i, k, s, d, b, tuple((int(m[1]), int(m[2])) for m in pads if m))
    if {len(axis) for axis in (k, s, d, b, window.p)} != {len(i)} or 0 in s + d + b:
        raise ValueError("the axes do not go together")
    if any(size < 0 for size in window.padded):
        raise ValueError("the padding crops more than there is")
    return window


def _ints(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("x") if part)
