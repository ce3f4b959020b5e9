"""Problems to measure kernels on: a few of each kind that networks and images have, of many sizes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np

from fastconv.dispatch import Problem
from fastconv.problem import Layout, Words, conv_problem, depthwise_problem, pool_problem
from fastconv.problem.conv import conv_transpose_problem

WORDS = Words("sample")
EACH = 8  # problems of a kind
LEAST, MOST = 2e4, 6e8  # multiplications and additions: what takes microseconds to milliseconds
DENSE = (24, 32, 40, 64, 96, 112, 128, 192, 256, 320, 512)  # channels
SIDES = (7, 14, 28, 33, 56, 112, 224)


def problems() -> list[Problem]:
    """List the problems, the same every time."""
    rng = Random(0)
    return [problem for kind in KINDS for problem in _some(kind, rng)]


def _some(kind: Any, rng: Random) -> Iterator[Problem]:
    """Yield problems of a kind, different ones of a size that is worth measuring."""
    seen: set[Problem] = set()
    while len(seen) < EACH:
        problem = kind(rng)
        if LEAST <= problem.flops <= MOST and problem not in seen:
            seen.add(problem)
            yield problem


def _conv(x: tuple, w: tuple, state=conv_problem, layout: str = "channels_last", **options: Any) -> Problem:
    """State a convolution of an input (n, *i, c) in a layout."""
    if layout == "channels_first":
        x = (x[0], x[-1], *x[1:-1])
    options = {"x_dtype": np.dtype(np.float32), "w_dtype": np.dtype(np.float32), **options}
    return state(WORDS, Layout.of(WORDS, layout, len(x)), x, w, **options)


def _pool(
    x: tuple, size: Any, layout: str = "channels_last", dtype: str = "float32", **options: Any
) -> Problem:
    """State a pooling of an input (n, *i, c) in a layout."""
    if layout == "channels_first":
        x = (x[0], x[-1], *x[1:-1])
    return pool_problem(WORDS, Layout.of(WORDS, layout, len(x)), x, np.dtype(dtype), size, **options)


def _dense(rng: Random, **options: Any) -> Problem:
    side, ic, oc = rng.choice(SIDES), rng.choice(DENSE), rng.choice(DENSE)
    k, s = rng.choice((1, 1, 3, 3, 5)), rng.choice((1, 1, 2))
    return _conv((1, side, side, ic), (k, k, ic, oc), strides=s, padding="same", **options)


def _first(rng: Random) -> Problem:
    side, ic, oc = rng.choice((14, 28, *SIDES)), rng.choice((1, 3, 4, 6)), rng.choice((4, 6, 16, 32, 64))
    k, s = rng.choice((2, 3, 5, 7)), rng.choice((1, 2))
    return _conv((1, side, side, ic), (k, k, ic, oc), strides=s, padding="same")


def _signal(rng: Random) -> Problem:
    length, ic, oc = rng.choice((500, 3000, 16000)), rng.choice((16, 64, 80)), rng.choice((32, 64, 384))
    k, d = rng.choice((2, 3, 5)), rng.choice((1, 4, 64))
    return _conv((1, length, ic), (k, ic, oc), padding="causal", dilation=d)


def _video(rng: Random) -> Problem:
    side, ic, oc = rng.choice((7, 14, 28)), rng.choice((3, 16, 32, 64)), rng.choice((16, 32, 64))
    return _conv((1, rng.choice((4, 8)), side, side, ic), (3, 3, 3, ic, oc), padding="same")


def _transposed(rng: Random) -> Problem:
    side, ic, oc, k = rng.choice((7, 14, 28)), rng.choice(DENSE), rng.choice(DENSE), rng.choice((2, 3, 4))
    return _conv((1, side, side, ic), (k, k, oc, ic), conv_transpose_problem, strides=2, padding="same")


def _depthwise(rng: Random) -> Problem:
    side, c, m = rng.choice(SIDES), rng.choice((3, 16, *DENSE, 960)), rng.choice((1, 1, 1, 2))
    k, s, layout = (
        rng.choice((3, 5, 7)),
        rng.choice((1, 1, 2)),
        rng.choice(("channels_last", "channels_first")),
    )
    x = 1, side, side, c
    return _conv(x, (k, k, c, m), depthwise_problem, layout, strides=s, padding="same")


def _grouped(rng: Random) -> Problem:
    side, g, ic = rng.choice(SIDES), rng.choice((2, 8, 32)), rng.choice((2, 4, 8, 16))
    k, oc = rng.choice((1, 3, 3)), ic * rng.choice((1, 1, 2))
    return _conv((1, side, side, g * ic), (k, k, ic, g * oc), padding="same")


def _filter(rng: Random) -> Problem:
    side, c, k = rng.choice((128, 256, 512, 1024)), rng.choice((1, 1, 3)), rng.choice((3, 5, 9, 15, 21, 31))
    return _conv((1, side, side, c), (k, k, c, 1), depthwise_problem, padding="same")


def _line(rng: Random) -> Problem:
    length, k = rng.choice((2000, 20_000, 200_000, 1_000_000)), rng.choice((5, 25, 101, 501, 2001))
    return _conv((1, length, 1), (k, 1, 1), padding="same")


def _window(rng: Random) -> Problem:
    side, c = rng.choice(SIDES), rng.choice((1, 4, 6, *DENSE))
    k, s, n = rng.choice((2, 3, 5)), rng.choice((1, 2, 2)), rng.choice((1, 1, 8))
    reduction, layout = rng.choice(("max", "mean")), rng.choice(("channels_last", "channels_first"))
    return _pool((n, side, side, c), k, layout, strides=s, padding="same", reduction=reduction)


def _large_window(rng: Random) -> Problem:
    side, c, k = (
        rng.choice((14, 64, 256, 512, 1024)),
        rng.choice((1, 1, 3, 64, 512)),
        rng.choice((7, 13, 31, 63)),
    )
    s, reduction = rng.choice((1, 1, 2)), rng.choice(("max", "mean"))
    return _pool((1, side, side, c), k, strides=s, padding="same", reduction=reduction)


def _global(rng: Random) -> Problem:
    side, c, n = rng.choice((7, 8, 14, 28, 56)), rng.choice((64, 256, 512, 2048)), rng.choice((1, 4, 32))
    return _pool((n, side, side, c), side, reduction=rng.choice(("max", "mean")))


def _other_pool(rng: Random) -> Problem:
    rank, c, n = rng.choice((1, 3)), rng.choice((1, 16, 64, 384)), rng.choice((1, 8))
    sizes = (3000,) if rank == 1 else (8, 28, 28)
    dtype = rng.choice(("float32", "float64", "int8", "int32"))
    return _pool((n, *sizes, c), rng.choice((2, 3)), strides=2, dtype=dtype)


def _located(rng: Random) -> Problem:
    problem: Any = _window(rng)
    return replace(problem, reduction="max", acc_dtype=problem.x_dtype, y_dtype=problem.x_dtype, indices=True)


def _channels_first(rng: Random) -> Problem:
    return _dense(rng, layout="channels_first")


def _double(rng: Random) -> Problem:
    return _dense(rng, x_dtype=np.dtype(np.float64), w_dtype=np.dtype(np.float64))


KINDS = (
    *(_dense, _dense, _first, _signal, _video, _transposed, _channels_first, _double),
    *(_depthwise, _depthwise, _grouped, _filter, _line),
    *(_window, _window, _large_window, _global, _other_pool, _located),
)
