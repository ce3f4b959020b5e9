"""Poolings for every kernel: windows of every kind, for each reduction; and those that have indices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from functions import weighted

from fastconv.problem import Layout, PoolProblem, Words, pool_problem

Case = Callable[[np.dtype], PoolProblem]

WORDS = Words("case", allow_empty=True)
FLOATS = ("float32", "float64")


def _pool(x, size, layout="channels_last", base=None, fields=None, **options) -> Callable[..., Case]:
    """State a pooling as a function of its reduction; `fields` are those that no face of ours sets."""
    layout = Layout.of(WORDS, layout, len(x)) if isinstance(layout, str) else layout

    def of(reduction):
        def stated(dtype):
            p = pool_problem(WORDS, layout, x, dtype, size, reduction=reduction, **options)
            p = replace(p, **(fields or {}))
            if p.init is not None:
                p = replace(p, init=p.acc_dtype.type(p.init))
            return p if base is None else replace(p, window=replace(p.window, b=base))

        return stated

    return of


#       name: case(inputs, pool_size, options), for each of the reductions below
GEOMETRIES = {
    "cropped away in front": _pool((2, 9, 5, 2), (2, 3), strides=(2, 1), padding=((1, 0), (-10, 12))),
    "cropped away behind": _pool((2, 9, 5, 2), (2, 3), strides=(2, 1), padding=((0, 1), (12, -10))),
    "0d": _pool((3, 5), ()),
    "1d": _pool((2, 11, 3), 4, strides=2),
    "2d": _pool((2, 9, 11, 3), (2, 3)),
    "3d": _pool((1, 5, 6, 7, 2), (2, 3, 1), strides=(1, 2, 3)),
    "4d": _pool((1, 3, 4, 2, 5, 2), (2, 3, 1, 2)),
    "strides leave a rest": _pool((1, 10, 12, 5), (3, 2), strides=(2, 3)),
    "strides > window": _pool((1, 11, 9, 3), (2, 1), strides=(3, 4)),
    "strides 1": _pool((1, 7, 8, 3), (3, 2), strides=1),
    "dilation": _pool((1, 11, 9, 3), (3, 2), strides=(1, 2), dilation=(2, 3)),
    "same": _pool((1, 9, 8, 3), (4, 3), strides=(2, 1), padding="same"),
    "uneven padding": _pool((1, 7, 6, 3), (3, 2), strides=(2, 1), padding=((0, 2), (1, 0))),
    "padding alone": _pool((1, 2, 3, 2), (2, 3), strides=(3, 2), padding=((5, 4), (1, 6))),
    "negative padding": _pool((1, 9, 10, 2), (3, 2), strides=(1, 2), padding=((-1, 2), (1, -2))),
    "base dilation": _pool((1, 5, 4, 2), (2, 3), strides=(2, 1), padding=((1, 0), (0, 2)), base=(2, 3)),
    "global": _pool((2, 4, 5, 7), (4, 5)),
    "planes, global": _pool((2, 3, 3, 29), (3, 29), layout="channels_first"),
    "planes, global, padded": _pool((1, 3, 2, 7), (3, 9), padding=((1, 0), (0, 2)), layout="channels_first"),
    "1x1 strides": _pool((1, 5, 6, 3), 1, strides=(2, 3)),
    "large window": _pool((1, 13, 12, 2), (11, 9), strides=(1, 2), padding=((4, 3), (0, 2))),
    "one channel": _pool((1, 10, 37, 1), (3, 2), strides=(2, 1)),
    "many channels": _pool((1, 5, 4, 67), (3, 2), strides=(2, 1)),
    "every block of channels": _pool((1, 4, 5, 213), (3, 2), strides=(1, 2)),
    "channels in parts": _pool((1, 3, 2, 261), (3, 2)),
    "pairs of taps": _pool((1, 4, 139, 1), (2, 3), strides=(1, 2), padding=((1, 0), (1, 2))),
    "pixels picked": _pool((1, 5, 23, 3), (2, 3), strides=(1, 2), padding=((0, 0), (2, 1))),
    "planes": _pool((2, 3, 4, 75), (2, 3), strides=(3, 2), layout="channels_first", padding="same"),
    "empty batch": _pool((0, 5, 6, 2), (3, 2)),
    "no positions": _pool((1, 2, 6, 2), (3, 2)),
    "no channels": _pool((1, 5, 6, 0), (3, 2)),
    "no pixels": _pool((1, 0, 6, 2), (3, 2), padding=((2, 3), (0, 1))),
    "channels first": _pool((2, 3, 9, 11), (2, 3), layout="channels_first", padding="same"),
    "batch last": _pool((3, 9, 8, 2), (2, 3), layout=Layout((3, 2, 1, 0), (1, 2, 0, 3))),
    "Fortran inputs": _pool((2, 7, 6, 3), (3, 2), strides=(1, 2), x_order=(3, 2, 1, 0)),
}

# Code is compiled for each number of channels that is taken apart, whatever they are reduced by.
APART = {
    "pairs of taps, 2 channels": _pool((2, 3, 41, 2), (2, 4), strides=(1, 2)),
    "pairs of taps, 4 channels": _pool((1, 5, 23, 4), (3, 2), strides=(1, 2), padding=((2, 1), (0, 3))),
    "pairs of taps, 8 channels": _pool((1, 3, 15, 8), (2, 1), strides=(3, 2)),
}

# The last windows reach 2 and 1 slots past the padded input, which is what `overhang` is about.
_HANGS_OVER = dict(strides=(3, 2), padding=((1, 3), (2, 1)), fields=dict(overhang=(2, 1)))
_INITIAL = _pool((1, 2, 3, 5), (3, 5), layout="channels_first", fields=dict(init=1))
_INIT = _pool((1, 7, 5, 2), (3, 2), padding="same", fields=dict(init=1))
_ALONE = _pool((1, 2, 3, 2), (2, 3), strides=(3, 2), padding=((5, 4), (1, 6)), fields=dict(init=2))

POOLS: dict[str, Case] = {
    **{
        f"{reduction} {name}": of(reduction)
        for reduction in ("max", "min", "sum", "mean", "prod")
        for name, of in GEOMETRIES.items()
    },
    **{f"{reduction} {name}": of(reduction) for reduction in ("max", "mean") for name, of in APART.items()},
    **{f"{reduction} init": _INIT(reduction) for reduction in ("max", "min", "sum", "prod")},
    **{f"{reduction} init, padding alone": _ALONE(reduction) for reduction in ("max", "sum", "prod")},
    "sum planes, init": _INITIAL("sum"),
    **{
        f"mean by {divisor}": _pool((1, 8, 7, 2), (4, 3), padding="same", divisor=divisor)("mean")
        for divisor in ("padded", 5)
    },
    **{
        f"mean, overhang, by {divisor}": _pool((1, 8, 7, 2), (3, 4), divisor=divisor, **_HANGS_OVER)("mean")
        for divisor in ("real", "padded", 7)
    },
    "max overhang": _pool((1, 8, 7, 2), (3, 4), **_HANGS_OVER)("max"),
    "max indices": _pool((2, 7, 8, 3), (3, 2), strides=(2, 1), indices=True)("max"),
    "min indices, 3d": _pool((1, 5, 4, 6, 2), (3, 1, 2), dilation=(2, 1, 3), padding="same", indices=True)(
        "min"
    ),
    "max indices, every block of channels": _pool((1, 4, 5, 213), (3, 2), strides=(1, 2), indices=True)(
        "max"
    ),
    "min indices, a row": _pool(
        (1, 4, 139, 1), (2, 3), strides=(2, 1), padding=((1, 0), (1, 2)), indices=True
    )("min"),
    "max indices, pairs of taps": _pool(
        (1, 4, 139, 1), (2, 3), strides=(1, 2), padding=((1, 0), (1, 2)), indices=True
    )("max"),
    "max indices, a row of few channels": _pool(
        (2, 4, 67, 5), (2, 3), strides=(2, 1), dilation=(1, 2), padding=((1, 0), (3, 2)), indices=True
    )("max"),
    "min indices, pairs of taps, channels": _pool(
        (2, 4, 67, 4), (2, 3), strides=(1, 2), padding=((1, 0), (1, 2)), indices=True
    )("min"),
    "max indices, planes": _pool(
        (2, 3, 4, 75), (3, 2), strides=(1, 2), layout="channels_first", dilation=(2, 1), indices=True
    )("max"),
    "max indices, base dilation": _pool(
        (1, 5, 4, 2), (2, 3), strides=(2, 1), padding=((1, 0), (0, 2)), base=(2, 3), indices=True
    )("max"),
    "max indices, padding alone": _pool(
        (1, 3, 2, 2), (2, 3), strides=(3, 2), padding=((5, 4), (1, 6)), indices=True
    )("max"),
}

# Functions that have no name here, ufuncs and one that the caller compiled, and the dtypes they are for.
INTEGERS = ("int8", "int32", "bool")
FUNCTIONS: dict[str, tuple[Case, tuple[str, ...]]] = {
    "bitwise_xor": (_pool((1, 7, 8, 3), (3, 2), padding="same")(np.bitwise_xor), INTEGERS),
    "bitwise_and": (_pool((1, 7, 8, 3), (3, 2))(np.bitwise_and), INTEGERS),
    "bitwise_xor init": (_pool((1, 7, 8, 3), (2, 3), fields=dict(init=1))(np.bitwise_xor), INTEGERS),
    "gcd": (_pool((2, 11, 3), 4, strides=3, dilation=2)(np.gcd), ("int8", "int32")),
    "subtract": (_pool((1, 7, 8, 3), (3, 2))(np.subtract), FLOATS),
    "fmax": (_pool((1, 3, 7, 8), (2, 3), layout="channels_first")(np.fmax), (*FLOATS, "int8")),
    "jitted": (_pool((2, 9, 11, 3), (2, 3), strides=(1, 2), padding="same")(weighted), (*FLOATS, "int32")),
    "jitted 3d": (_pool((1, 5, 6, 7, 2), (2, 3, 1), dilation=(2, 1, 3))(weighted), ("float32", "float16")),
    "jitted holes": (_pool((1, 5, 4, 2), (2, 3), strides=(2, 1), base=(2, 3))(weighted), FLOATS),
    "jitted 4d": (_pool((1, 3, 4, 2, 5, 2), (2, 3, 1, 2))(weighted), ("float32",)),
}
