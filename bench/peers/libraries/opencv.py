"""OpenCV on grey and colour images: filters, and the filters that are pools of stride 1."""

from __future__ import annotations

import functools

import cv2
import numpy as np

from bench.layers import Layer
from bench.peers.libraries import CALL, PLAN, Contender, factors, image, is_filter, taps

PACKAGES = ("opencv-python-headless",)
ZEROS = cv2.BORDER_CONSTANT


def limit(threads: int) -> None:
    """Use so many threads."""
    cv2.setNumThreads(threads)


def contenders(layer: Layer) -> list[Contender]:
    """List each function twice: into a given array, and into a new one."""
    if not is_filter(layer):
        return []
    functions = _pools(layer) if layer.w is None else _filters(layer)
    y = np.empty_like(image(layer))
    found = []
    for name, function in functions.items():
        found.append(Contender(name, functools.partial(function, dst=y), np.asarray, (PLAN,)))
        found.append(Contender(name, function, np.asarray, (CALL,)))
    return found


def _pools(layer: Layer) -> dict:
    x, k = np.ascontiguousarray(image(layer)), layer.problem.window.k
    if layer.problem.reduction == "max":
        return {"dilate": functools.partial(cv2.dilate, x, np.ones(k, np.uint8))}
    if layer.problem.divisor != "padded":
        return {}
    return {"boxFilter": functools.partial(cv2.boxFilter, x, -1, k[::-1], borderType=ZEROS)}


def _filters(layer: Layer) -> dict:
    x, w = np.ascontiguousarray(image(layer)), np.ascontiguousarray(taps(layer))
    found = {"filter2D": functools.partial(cv2.filter2D, x, -1, w, borderType=ZEROS)}
    if lines := factors(w):
        found["sepFilter2D"] = functools.partial(cv2.sepFilter2D, x, -1, lines[1], lines[0], borderType=ZEROS)
    return found
