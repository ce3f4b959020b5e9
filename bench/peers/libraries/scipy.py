"""SciPy on grey and colour images and signals: ``signal`` by FFT, ``ndimage`` directly."""

from __future__ import annotations

import functools

import numpy as np
import scipy.fft
from scipy import ndimage, signal

from bench.layers import Layer
from bench.peers.libraries import CALL, PLAN, Contender, factors, image, is_filter, taps

PACKAGES = ("scipy",)


def limit(threads: int) -> None:
    """Use so many threads in FFTs; nothing else here has any."""
    scipy.fft.set_workers(threads).__enter__()


def contenders(layer: Layer) -> list[Contender]:
    """List ``ndimage`` into a given array and into a new one, and ``signal``."""
    if not is_filter(layer):
        return []
    if layer.w is None:
        return _twice(_pools(layer), layer)
    x, w = image(layer), taps(layer)
    if x.ndim > w.ndim:
        w = w[..., None]
    flipped = w[::-1, ::-1].copy()
    both = dict(mode="same", axes=(0, 1))
    by_fft = {
        "fftconvolve": functools.partial(signal.fftconvolve, x, flipped, **both),
        "oaconvolve": functools.partial(signal.oaconvolve, x, flipped, **both),
    }
    found = [Contender(name, function, np.asarray) for name, function in by_fft.items()]
    return found + _twice(_filters(x, w), layer)


def _twice(functions: dict, layer: Layer) -> list[Contender]:
    """List functions with an output given, and without."""
    y = np.empty_like(image(layer))
    found = []
    for name, function in functions.items():
        found.append(Contender(name, lambda f=function: (f(output=y), y)[1], np.asarray, (PLAN,)))
        found.append(Contender(name, function, np.asarray, (CALL,)))
    return found


def _pools(layer: Layer) -> dict:
    x, k, options = image(layer), layer.problem.window.k, dict(mode="constant")
    if layer.problem.reduction == "max":
        return {"maximum_filter": functools.partial(ndimage.maximum_filter, x, k, cval=-np.inf, **options)}
    if layer.problem.divisor != "padded":
        return {}
    return {"uniform_filter": functools.partial(ndimage.uniform_filter, x, k, **options)}


def _filters(x: np.ndarray, w: np.ndarray) -> dict:
    if w.size > 4000:  # minutes
        return {}
    found = {"correlate": functools.partial(ndimage.correlate, x, w, mode="constant")}
    if w.ndim == 2 and (lines := factors(w)):

        def correlate1d(output=None):
            half = ndimage.correlate1d(x, lines[0], 0, mode="constant")
            return ndimage.correlate1d(half, lines[1], 1, output, mode="constant")

        found["correlate1d"] = correlate1d
    return found
