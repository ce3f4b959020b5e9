"""Named problems for every kernel, and arrays for them.

No option is the same on two axes, so that exchanged axes show, and one stride leaves a remainder.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from pools import FLOATS, FUNCTIONS, POOLS, WORDS

from fastconv.backends import naive
from fastconv.problem import (
    ConvProblem,
    Layout,
    PoolProblem,
    conv_problem,
    conv_transpose_problem,
    depthwise_problem,
)

Problem = ConvProblem | PoolProblem
Case = Callable[[np.dtype], Problem]

DTYPES = (*FLOATS, "float16", "int8", "int32", "bool", "complex64")


def _conv(x, w, state=conv_problem, layout="channels_last", base=None, **options) -> Case:
    """State a convolution of shapes `x` and `w`; `base` is its base dilation."""
    if isinstance(layout, str):
        layout = Layout.of(WORDS, layout, len(x))

    def stated(dtype):
        p = state(WORDS, layout, x, w, x_dtype=dtype, w_dtype=dtype, **options)
        return p if base is None else replace(p, window=replace(p.window, b=base))

    return stated


def _transpose(x, w, **options) -> Case:
    return _conv(x, w, conv_transpose_problem, **options)


#       name: case(inputs, kernel, options); the kernel of a transposed one is (*k, out, in)
CONVS: dict[str, Case] = {
    "0d": _conv((3, 5), (5, 4)),
    "0d groups": _conv((3, 6), (2, 9)),
    "1d": _conv((2, 11, 3), (4, 3, 5)),
    "2d": _conv((2, 9, 11, 3), (2, 3, 3, 5)),
    "3d": _conv((2, 5, 6, 7, 2), (2, 3, 1, 2, 4)),
    "4d": _conv((1, 3, 4, 5, 6, 2), (2, 1, 3, 2, 2, 3)),
    "strides": _conv((1, 13, 11, 2), (3, 2, 2, 3), strides=(2, 3)),
    "strides leave a rest": _conv((1, 14, 12, 2), (3, 2, 2, 3), strides=(2, 3)),
    "cropped away in front": _conv((2, 9, 5, 2), (2, 3, 2, 3), padding=((1, 0), (-10, 12))),
    "cropped away behind": _conv((2, 9, 5, 2), (2, 3, 2, 3), padding=((0, 1), (12, -10))),
    "strides > window": _conv((2, 11, 14, 2), (2, 1, 2, 3), strides=(3, 4)),
    "dilation": _conv((1, 13, 11, 2), (3, 2, 2, 3), dilation=(2, 3)),
    "dilation and strides": _conv((1, 14, 13, 2), (3, 2, 2, 3), dilation=(3, 2), strides=(2, 5)),
    "3d all options": _conv(
        (1, 7, 8, 9, 2),
        (3, 2, 1, 2, 3),
        dilation=(2, 1, 3),
        strides=(1, 3, 2),
        padding=((1, 0), (0, 2), (3, 1)),
    ),
    "same": _conv((1, 9, 12, 2), (3, 4, 2, 3), padding="same", strides=(1, 2)),
    "same_lower": _conv((1, 10, 9, 2), (4, 3, 2, 3), padding="same_lower", strides=(3, 1)),
    "wide dilation": _conv((2, 15, 13, 3), (3, 2, 3, 5), dilation=(6, 9), padding=((6, 5), (8, 9))),
    "wide dilation, strides": _conv(
        (2, 25, 23, 2), (2, 3, 2, 3), dilation=(17, 7), strides=(1, 2), padding=((15, 16), (7, 6))
    ),
    "causal": _conv((2, 11, 3), (4, 3, 2), padding="causal", dilation=2, strides=3),
    "uneven padding": _conv((1, 7, 8, 2), (3, 4, 2, 3), padding=((0, 2), (3, 1))),
    "pad > window": _conv((1, 3, 4, 2), (2, 1, 2, 3), padding=((3, 2), (4, 1))),
    "padding alone": _conv((1, 2, 3, 2), (2, 3, 2, 3), padding=((5, 4), (1, 6)), strides=(3, 2)),
    "negative padding": _conv((1, 9, 10, 2), (3, 2, 2, 3), padding=((-1, 2), (1, -2))),
    "negative padding, strides": _conv(
        (1, 9, 13, 2), (2, 3, 2, 3), padding=((-2, -1), (-3, 4)), strides=(1, 2)
    ),
    "groups": _conv((1, 7, 8, 6), (3, 2, 2, 9)),
    "groups, all options": _conv(
        (2, 9, 8, 6), (3, 2, 3, 4), strides=(1, 2), dilation=(2, 1), padding=((1, 3), (2, 0))
    ),
    "depthwise": _conv((2, 7, 8, 19), (3, 2, 1, 19)),
    "depthwise strides": _conv((1, 9, 8, 5), (3, 2, 1, 5), strides=(2, 3), padding="same"),
    "depthwise dilation": _conv((1, 9, 8, 5), (3, 2, 1, 5), dilation=(2, 3), padding=((1, 2), (0, 4))),
    "depthwise multiplier": _conv((1, 7, 8, 4), (3, 2, 4, 3), depthwise_problem),
    "depthwise 1d": _conv((2, 11, 5), (4, 5, 2), depthwise_problem, strides=2),
    "depthwise 3d": _conv((1, 5, 6, 7, 3), (3, 1, 2, 3, 2), depthwise_problem),
    "depthwise vectors": _conv((1, 5, 9, 37), (2, 3, 1, 37)),
    "depthwise runs": _conv((1, 4, 20, 5), (2, 9, 1, 5), padding="same"),
    "depthwise long": _conv((1, 3, 30, 4), (1, 11, 1, 4), strides=(1, 2), padding=((0, 1), (6, 3))),
    "depthwise transposed": _transpose((1, 4, 5, 6), (2, 3, 6, 1), strides=(2, 3)),
    "groups of a few": _conv((1, 5, 9, 21), (2, 3, 3, 35), padding=((1, 0), (2, 1))),
    "groups, more inputs": _conv((1, 4, 11, 40), (3, 2, 8, 15)),
    "groups of many": _conv((1, 4, 5, 34), (1, 2, 17, 6)),
    "groups, many filters": _conv((1, 4, 5, 6), (1, 2, 3, 34)),
    "groups, no filters": _conv((1, 5, 6, 6), (3, 2, 2, 0)),
    "1x1": _conv((2, 5, 6, 3), (1, 1, 3, 7)),
    "1x1 tile": _conv((1, 4, 5, 8), (1, 1, 8, 32)),
    "whole vectors": _conv((2, 7, 5, 3), (2, 3, 3, 48), padding=((1, 0), (0, 1))),
    "groups of whole vectors": _conv((2, 5, 7, 6), (2, 3, 3, 96), padding=((1, 0), (0, 1)), strides=(1, 2)),
    "1x1 tails": _conv((1, 3, 7, 9), (1, 1, 9, 19)),
    "1x1 groups": _conv((1, 5, 6, 4), (1, 1, 2, 6)),
    "1x1 strides": _conv((1, 5, 6, 2), (1, 1, 2, 3), strides=(2, 3)),
    "1x1 padding": _conv((1, 5, 6, 2), (1, 1, 2, 3), padding=((0, 1), (2, 0))),
    "1x1 dilation": _conv((1, 5, 6, 2), (1, 1, 2, 3), dilation=(7, 3)),
    "one image, one filter": _conv((1, 9, 11, 1), (3, 2, 1, 1)),
    "many filters": _conv((1, 4, 9, 5), (2, 3, 5, 67)),
    "long rows": _conv((1, 3, 75, 3), (2, 3, 3, 17)),
    "plane": _conv((2, 37, 45, 1), (5, 4, 1, 1), padding=((0, 2), (3, 1))),
    "plane, strides": _conv((1, 80, 43, 1), (4, 3, 1, 2), strides=(2, 3), dilation=(1, 2)),
    "plane, strides 3, 2": _conv((1, 50, 75, 1), (2, 5, 1, 1), strides=(3, 2)),
    "plane, dilation": _conv((1, 68, 21, 1), (5, 2, 1, 1), dilation=(3, 2), strides=(2, 1)),
    "plane, base dilation": _conv((1, 19, 9, 1), (4, 3, 1, 1), base=(2, 3), strides=(1, 2)),
    "planes of three filters": _conv((1, 2, 23, 20), (7, 3, 2, 3), layout="channels_first"),
    "signal": _conv((2, 620, 1), (53, 1, 1), padding="same"),
    "signal, strides": _conv((1, 1230, 1), (37, 1, 1), strides=2),
    "signal, dilation": _conv((1, 640, 1), (21, 1, 1), dilation=2),
    "signal, dilation and strides": _conv((1, 840, 1), (7, 1, 1), strides=2, dilation=5),
    "signals side by side": _conv((1, 330, 4), (13, 1, 4), padding="same"),
    "signals side by side, two taps": _conv((2, 150, 4), (2, 1, 4), strides=2),
    "pixels": _conv((1, 21, 38, 3), (4, 5, 1, 3), padding=((1, 0), (0, 3))),
    "pixels, strides": _conv((2, 35, 12, 6), (3, 4, 1, 6), strides=(1, 2), dilation=(2, 1)),
    "one output": _conv((1, 3, 4, 2), (3, 4, 2, 1)),
    "empty batch": _conv((0, 5, 6, 2), (3, 2, 2, 3)),
    "no positions": _conv((1, 2, 6, 2), (3, 2, 2, 3)),
    "no channels": _conv((1, 5, 6, 0), (3, 2, 0, 3)),
    "no filters": _conv((1, 5, 6, 2), (3, 2, 2, 0)),
    "no pixels": _conv((1, 0, 6, 2), (3, 2, 2, 3), padding=((2, 3), (0, 1))),
    "no taps": _conv((1, 4, 6, 2), (0, 2, 2, 3)),
    "channels first": _conv((2, 3, 9, 11), (2, 3, 3, 5), layout="channels_first"),
    "channels first, same": _conv(
        (1, 2, 9, 12), (3, 4, 2, 3), layout="channels_first", padding="same", strides=(1, 2)
    ),
    "channels first, depthwise": _conv(
        (1, 4, 7, 8), (3, 2, 4, 2), depthwise_problem, "channels_first", strides=(1, 2)
    ),
    "channels first, groups": _conv((1, 6, 7, 8), (3, 2, 2, 9), layout="channels_first"),
    "channels first, 1x1 tiles": _conv((2, 9, 11, 12), (1, 1, 9, 33), layout="channels_first"),
    "channels first, 1x1 strides": _conv(
        (1, 3, 8, 70), (1, 1, 3, 17), layout="channels_first", strides=(3, 2)
    ),
    "channels first, 1x1 groups": _conv((2, 6, 5, 13), (1, 1, 2, 24), layout="channels_first"),
    "channels first, a tap 1d": _conv((2, 5, 67), (1, 5, 9), layout="channels_first", strides=3),
    "channels first, a tap 3d": _conv(
        (1, 3, 4, 5, 9), (1, 1, 1, 3, 4), layout="channels_first", strides=(2, 1, 3)
    ),
    "channels first, squares": _conv((2, 19, 3, 11), (1, 1, 19, 37), layout="channels_first"),
    "channels first, long": _conv((1, 70, 5, 29), (3, 2, 70, 16), layout="channels_first", padding="same"),
    "batch last": _conv((3, 9, 8, 2), (2, 3, 3, 5), layout=Layout((3, 2, 1, 0), (1, 2, 0, 3))),
    "Fortran inputs": _conv((2, 7, 6, 3), (2, 3, 3, 5), x_order=(3, 2, 1, 0)),
    "transposed": _transpose((2, 4, 5, 3), (3, 2, 4, 3), strides=(2, 3)),
    "transposed 0d": _transpose((2, 3), (4, 3)),
    "transposed 1d": _transpose((2, 6, 3), (5, 2, 3), strides=3),
    "transposed 3d": _transpose((1, 2, 3, 4, 2), (3, 2, 1, 3, 2), strides=(1, 2, 3)),
    "transposed same": _transpose((1, 4, 5, 3), (4, 3, 2, 3), strides=(3, 2), padding="same"),
    "transposed crop": _transpose((1, 4, 5, 3), (4, 3, 2, 3), strides=(3, 2), padding=((1, 2), (0, 1))),
    "transposed, output padding": _transpose(
        (1, 4, 5, 3), (2, 3, 2, 3), strides=(3, 2), padding=(1, 0), output_padding=(2, 1)
    ),
    "transposed dilation": _transpose((1, 4, 5, 3), (2, 3, 2, 3), strides=(2, 1), dilation=(3, 2)),
    "transposed groups": _transpose((1, 4, 5, 6), (2, 3, 9, 2), strides=(2, 3)),
    "transposed, strides > window": _transpose((1, 4, 5, 3), (2, 1, 2, 3), strides=(4, 3)),
    "transposed, channels first": _transpose(
        (1, 3, 4, 5), (3, 2, 4, 3), strides=(2, 3), layout="channels_first"
    ),
    "base dilation and strides": _conv((1, 5, 6, 2), (3, 2, 2, 3), base=(3, 2), strides=(2, 3)),
    "base dilation, all options": _conv(
        (1, 6, 5, 2),
        (2, 3, 2, 3),
        base=(2, 3),
        strides=(3, 2),
        dilation=(1, 2),
        padding=((-1, 2), (4, -3)),
    ),
}


# What can be asked of a case by its name: the problem, and the dtypes it is for.
CASES: dict[str, tuple[Case, tuple[str, ...]]] = {
    **{f"conv {name}": (case, DTYPES) for name, case in CONVS.items()},
    **{f"pool {name}": (case, DTYPES) for name, case in POOLS.items()},
    **{f"pool {name}": case for name, case in FUNCTIONS.items()},
}


def problem(name: str, dtype: str = "float32") -> Problem:
    """State a case for arrays of `dtype`."""
    return CASES[name][0](np.dtype(dtype))


def integers(rng: np.random.Generator, shape, dtype, most: int = 8) -> np.ndarray:
    """Draw small whole numbers: every float sum of them is exact, so order cannot excuse a difference."""
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(dtype)
    values = rng.integers(-most, most + 1, shape)
    return (values + 1j * rng.integers(-most, most + 1, shape) if dtype.kind == "c" else values).astype(dtype)


def arrays(p: Problem, rng: np.random.Generator, draw=integers) -> tuple[np.ndarray, ...]:
    """Draw the canonical input, weights and bias of a problem; pooling has only an input."""
    if isinstance(p, PoolProblem):
        few = {"most": 2} if p.reduction == "prod" and draw is integers else {}
        return laid_out(draw(rng, p.x_shape, p.x_dtype, **few), p.x_order), None, None
    x, w = draw(rng, p.x_shape, p.x_dtype), draw(rng, p.w_shape, p.w_dtype)
    bias = draw(rng, p.w_shape[-1:], p.acc_dtype) if p.has_bias else None
    return laid_out(x, p.x_order), w, bias


def laid_out(x: np.ndarray, order: tuple[int, ...]) -> np.ndarray:
    """Copy an array so that its axes lie in memory as `order` lists them, slowest first."""
    return np.ascontiguousarray(x.transpose(order)).transpose(np.argsort(order))


def blank(p: Problem, dtype=None) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    """Make outputs in the problem's memory order, filled with what no kernel would write."""
    values = laid_out(_unlikely(p.y_shape, p.y_dtype if dtype is None else dtype), p.y_order)
    if isinstance(p, PoolProblem) and p.indices:
        return values, laid_out(_unlikely(p.y_shape, np.int64), p.y_order)
    return values


def _unlikely(shape, dtype) -> np.ndarray:
    """Fill an array with bytes that are a NaN in floats and -86 or 170 in integers; bools alternate."""
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return (np.arange(math.prod(shape)) % 2 == 1).reshape(shape)
    return np.full(shape, np.nan if dtype.kind in "fc" else 170 if dtype.kind == "u" else -86, dtype)


def widened(p: Problem) -> Problem:
    """State a problem in long doubles."""
    dtypes = [name for name in ("x_dtype", "w_dtype", "acc_dtype", "y_dtype") if hasattr(p, name)]
    return replace(p, **dict.fromkeys(dtypes, np.dtype(np.longdouble)))


def ideal(p: ConvProblem, x, w, bias=None) -> np.ndarray:
    """Convolve by the definition, in long doubles."""
    p = widened(p)
    y = blank(p)
    naive.conv(p, x, w, bias, y)
    return y
