"""Pooling by a function that the caller compiled with Numba.

    y[n, o, c] = fn(the elements of x[n, o*s + k*d - lo, c] that are no padding, in row-major order of k)

on three spatial axes, any of them of length 1. Loop nest, outermost first:

    task      one image and row of outputs
                                   parallel: tasks write outputs of their own, and `fn` has none to write
      o2 c    outputs of the row and their channels
        t0 t1 t2   taps that meet the image: elements are gathered side by side, for `fn` to take as an array

An exception cannot leave threads. Tasks note the window it came from, and it is raised from there again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fastconv.backends.numba import jit, slots
from fastconv.backends.numba.arrays import deliver, landing, lifted, per_axis
from fastconv.backends.numba.jit import OFF, Loop, array, compiled, grain, inner, predicted
from fastconv.backends.numba.slots import RANK, K, taps
from fastconv.jitted import is_jitted, name
from fastconv.kernel import Kernel
from fastconv.problem import PoolProblem

FUNCTIONS = 32  # of which compiled loops are kept

DTYPES = tuple(map(np.dtype, ("?", "b", "B", "h", "H", "i", "I", "l", "L", "f", "d", "F", "D")))

# Seconds on one thread: of a window and of each of its elements; what `fn` takes cannot be known.
WINDOW, ELEMENT = 5e-8, 1e-9
COSTS = ("WINDOW", "ELEMENT")


@inner
def gather(seen, x, n, o0, o1, o2, c, axes):
    """Copy the elements of a window to `seen`; return how many there are."""
    count = 0
    first0, end0, step0, a0, move0 = taps(axes[0], o0)
    for _ in range(first0, end0, step0):
        first1, end1, step1, a1, move1 = taps(axes[1], o1)
        for _ in range(first1, end1, step1):
            first2, end2, step2, a2, move2 = taps(axes[2], o2)
            for _ in range(first2, end2, step2):
                seen[count] = x[n, a0, a1, a2, c]
                count += 1
                a2 += move2
            a1 += move1
        a0 += move0
    return count


def _tasks(fn: Callable) -> Callable:
    """Make the loop nest for one function."""

    def tasks(begin, stop, x, y, axes, failed):
        """Compute rows of outputs; `failed` gets 1 + the number of an output whose window `fn` refused."""
        _, rows0, rows1, pixels, channels = y.shape
        seen = np.empty(axes[0, K] * axes[1, K] * axes[2, K], x.dtype)
        for task in range(begin, stop):
            rest, o1 = divmod(task, rows1)
            n, o0 = divmod(rest, rows0)
            for o2 in range(pixels):
                for c in range(channels):
                    count = gather(seen, x, n, o0, o1, o2, c, axes)
                    try:
                        y[n, o0, o1, o2, c] = fn(seen[:count])
                    except Exception:
                        failed[0] = 1 + (task * pixels + o2) * channels + c

    return compiled(tasks)


@lru_cache(maxsize=FUNCTIONS)
def _loop(fn: Callable, x_dtype: np.dtype, y_dtype: np.dtype) -> Loop:
    """Compile for arrays of any strides."""
    x, y = array(x_dtype, 5, "A"), array(y_dtype, 5, "A", writeable=True)
    return Loop(_tasks(fn), x, y, array(np.int64, 2), array(np.int64, 1, writeable=True))


@dataclass(frozen=True, slots=True)
class Prepared:
    """How the work is cut up."""

    loop: Loop
    axes: np.ndarray
    tasks: int
    grain: int


def cut(p: PoolProblem) -> tuple[int, float]:
    """Count tasks, and predict the seconds of one."""
    o0, o1, o2 = per_axis(p.window.o)
    return p.n * o0 * o1 if p.c else 0, o2 * p.c * (WINDOW + p.window.taps * ELEMENT)


def prepare(p: PoolProblem, _w: None) -> Prepared:
    """Compile for the function, or find what was compiled for it."""
    tasks, seconds = cut(p)
    loop = _loop(p.reduction, p.x_dtype, p.y_dtype)
    return Prepared(loop, slots.table(p.window), tasks, grain(tasks, seconds))


def pool(p: PoolProblem, x: np.ndarray, prepared: Prepared, _bias: None, y: np.ndarray) -> None:
    """Gather every window and call the function."""
    x, y = lifted(x, p.window), lifted(y, p.window)
    result, failed = landing(y, p.y_dtype, contiguous=False), np.zeros(1, np.int64)
    prepared.loop(prepared.tasks, prepared.grain, x, result, prepared.axes, failed)
    if failed[0]:
        n, *o, c = np.unravel_index(failed[0] - 1, result.shape)
        raise_again(p, x[int(n), ..., int(c)], tuple(map(int, o)))
    deliver(result, y)


def raise_again(p: PoolProblem, x: np.ndarray, o: tuple[int, ...]) -> None:
    """Call the function with the window at `o` of ``(*i,)``, which raised an exception."""
    window = p.window.lifted(RANK)
    met = (window.source(o, tap) for tap in np.ndindex(window.k))
    p.reduction(np.array([x[at] for at in met if at is not None], p.x_dtype))  # type: ignore[operator]
    raise RuntimeError(f"pool: `fn` must do the same whenever it is called; got {name(p.reduction)}")


def rejects(p: PoolProblem) -> str | None:
    """Say why this kernel cannot compute `p`, if it cannot."""
    if not is_jitted(p.reduction):
        return (
            f"reduction {name(p.reduction) if callable(p.reduction) else p.reduction}, only jitted functions"
        )
    if p.x_dtype not in DTYPES or p.y_dtype not in DTYPES:
        return f"reduces {p.x_dtype} to {p.y_dtype}, which Numba has not"
    return OFF or (f"{p.window.rank} spatial axes, at most {RANK}" if p.window.rank > RANK else None)


def cost(p: PoolProblem) -> float:
    """Count windows and their elements."""
    return jit.CALL + predicted(*cut(p))


KERNELS = [Kernel("numba:jitted", PoolProblem, rejects, cost, pool, prepare)]
