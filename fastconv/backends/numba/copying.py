"""Copies of elements that lie side by side, a vector at a time."""

from __future__ import annotations

from fastconv.backends.numba.jit import inner
from fastconv.backends.numba.simd import get, lanes, load, put, store


@inner
def copy_elements(source, target, count):
    """Copy `count` elements from one pointer to another; no other is read or written."""
    step = lanes(source)
    whole = count // step * step
    for at in range(0, whole, step):
        store(load(source + at), target + at)
    for at in range(whole, count):
        put(get(source + at), target + at)
