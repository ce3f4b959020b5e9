"""NumPy where one of its functions is the layer: matrix products, `convolve`, reductions."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator

import numpy as np

from bench.layers import Layer
from bench.peers.libraries import CALL, PLAN, Contender, is_filter, is_tiling

PACKAGES = ("numpy",)


def limit(threads: int) -> None:
    """Check what only an environment variable can set, before NumPy is imported."""
    assert os.environ["OPENBLAS_NUM_THREADS"] == str(threads)


def contenders(layer: Layer) -> list[Contender]:
    """List what there is."""
    return list(_pools(layer) if layer.w is None else _convs(layer))


def _convs(layer: Layer) -> Iterator[Contender]:
    p, win = layer.problem, layer.problem.window
    if win.taps == 1 and p.g == 1 and win.is_plain:
        x, w = layer.x[(slice(None), *(slice(None, None, s) for s in win.s))], layer.w.reshape(p.ic, p.oc)
        y = np.empty((math.prod(x.shape[:-1]), p.oc), np.float32)
        yield Contender("matmul", lambda: np.matmul(x.reshape(-1, p.ic), w, out=y), np.asarray, (PLAN,))
        yield Contender("matmul", lambda: np.matmul(x.reshape(-1, p.ic), w), np.asarray, (CALL,))
    if win.rank == 1 and is_filter(layer):
        x, w = layer.x.ravel(), layer.w[::-1].ravel().copy()
        yield Contender("convolve", lambda: np.convolve(x, w, "same"), np.asarray)


def _pools(layer: Layer) -> Iterator[Contender]:
    p, win = layer.problem, layer.problem.window
    if is_tiling(layer):
        cut = tuple(slice(o * k) for o, k in zip(win.o, win.k, strict=True))
        sizes = [size for o, k in zip(win.o, win.k, strict=True) for size in (o, k)]
        view = layer.x[(slice(None), *cut)].reshape(p.n, *sizes, p.c)
        axes, function = tuple(range(2, 2 + 2 * win.rank, 2)), {"max": np.max, "mean": np.mean}[p.reduction]
        y = np.empty(p.y_shape, np.float32)
        yield Contender(function.__name__, lambda: function(view, axes, out=y), np.asarray, (PLAN,))
        yield Contender(function.__name__, lambda: function(view, axes), np.asarray, (CALL,))
