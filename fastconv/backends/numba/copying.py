"""Copies of elements to where they lie side by side, a vector at a time where that can be."""

from __future__ import annotations

from llvmlite import ir
from numba.extending import intrinsic

from fastconv.backends.numba.jit import inner
from fastconv.backends.numba.simd import I32, get, lanes, load, put, store
from fastconv.backends.numba.tiles import load_elements, store_elements


@inner
def copy_elements(source, target, count):
    """Copy `count` elements from one pointer to another; no other is read or written."""
    step = lanes(source)
    whole = count // step * step
    for at in range(0, whole, step):
        store(load(source + at), target + at)
    for at in range(whole, count):
        put(get(source + at), target + at)


@inner
def gather_elements(source, apart, target, count):
    """Copy `count` elements that lie `apart` from one another; no other is read or written."""
    step, whole = lanes(source), 0
    if apart == 1:
        copy_elements(source, target, count)
        whole = count
    elif apart == 2:
        whole = max(0, count - 1) // step * step  # the last vector's last lane may be no element of ours
        for at in range(0, whole, step):
            near = source + 2 * at
            store(every_other(load(near), load(near + step)), target + at)
        if whole < count:
            near, far = load_elements(source + 2 * whole, 2 * (count - whole) - 1, 2)
            store_elements((every_other(near, far),), (target + whole,), count - whole)
            whole = count
    for at in range(whole, count):
        put(get(source + at * apart), target + at)


@intrinsic
def every_other(_context, x, y):
    """Return the first, third, fifth ... of the lanes of two vectors."""

    def codegen(_context, b, _signature, args):
        lanes = ir.Constant(ir.VectorType(I32, x.lanes), list(range(0, 2 * x.lanes, 2)))
        return b.shuffle_vector(*args, lanes)

    return x(x, y), codegen
