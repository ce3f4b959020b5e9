"""How each library computes a workload: one module a library, imported in the library's own process.

A module names the distributions it needs in ``PACKAGES`` and has two functions: ``limit(threads)`` keeps the
library to so many threads, ``contenders(layer)`` lists its ways of computing a layer, none if it has none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from bench.layers import Layer

PEERS = ("torch", "jax", "onnxruntime", "opencv", "scipy", "numpy")
PLAN, CALL, FAST, LIMIT = "plan", "call", "fast", "limit"  # the races, and what the machine can do meanwhile


class Contender(NamedTuple):
    """One way of computing a layer."""

    name: str
    run: Callable[[], Any]
    result: Callable[[Any], np.ndarray]  # of what `run` returns: the output, in any shape of its elements
    races: tuple[str, ...] = (PLAN, CALL)


def is_filter(layer: Layer) -> bool:
    """Whether a layer filters an image as image libraries know it: every pixel, by a window centred on it."""
    win, p = layer.problem.window, layer.problem
    centred = all(k % 2 and pair == (k // 2, k // 2) for k, pair in zip(win.k, win.p, strict=True))
    of_one_channel = p.c <= 1 if layer.w is None else p.ic == p.oc == 1 and p.g <= 3
    return centred and of_one_channel and p.n == 1 and set(win.s + win.d + win.b) == {1}


def is_tiling(layer: Layer) -> bool:
    """Whether windows lie side by side and nothing is padded."""
    win = layer.problem.window
    return win.k == win.s and win.is_plain and set(win.d) == {1}


def image(layer: Layer) -> np.ndarray:
    """Return the image that a filter is of: (h, w), or (h, w, c) in colour; a signal is one row."""
    x = layer.x[0] if layer.problem.window.rank == 2 else layer.x
    return x[..., 0] if x.shape[-1] == 1 else x


def taps(layer: Layer) -> np.ndarray:
    """Return the weights of a filter: (h, w)."""
    w = layer.w[..., 0, 0]
    return w if w.ndim == 2 else w[None]


def factors(w: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return two lines whose outer product is `w`, if there are."""
    if w.shape[0] == 1 or np.linalg.matrix_rank(w) > 1:
        return None
    return w[:, 0].copy(), w[0] / w[0, 0]
