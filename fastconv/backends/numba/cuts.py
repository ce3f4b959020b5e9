"""How pooling that reads every tap is cut into tasks, and how long they take."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fastconv.backends.numba import blocks, jit, slots
from fastconv.backends.numba.arrays import copying, lies, planes, working_dtype
from fastconv.backends.numba.simd import BYTES
from fastconv.backends.numba.slots import RANK
from fastconv.problem import PoolProblem, Window

GROUPS = (1, 2, 4, 8)  # channels that can be taken apart at stride 2
FEW = 8  # channels that are not worth a vector of their own
LONG = 8  # inputs of a row that fill vectors
CACHE = 1 << 20  # bytes of images that a task may go through again and again
LINE = 1 << 14  # inputs under a task's segment of a row
TASKS = 16  # as many as keep a few threads evenly busy

# Seconds on one thread, fitted to measurements on a 2.6 GHz AVX-512 machine.
TASK, TAP = 4e-8, 1.5e-9  # of each task, and to list a tap
RUN = 1e-8  # of each pixel or run of an image
LOAD = 5.5e-10  # of each vector of a tap
PICK, TAKE = 6e-10, 1.5e-9  # of each element picked, and of each vector taken apart
MOVE = 6e-10  # of each 64 bytes of input and output, which come from and go to larger caches
COSTS = ("TASK", "TAP", "RUN", "LOAD", "PICK", "TAKE", "MOVE")


@dataclass(frozen=True, slots=True)
class Cut:
    """How a problem falls into tasks."""

    order: tuple[int, ...]  # of the axes of arrays in memory; nothing if as usual
    images: int
    channels: int
    group: int  # channels that are taken apart, or 0
    block: int  # images of a task
    part: int  # channels of a task
    pixels: int  # outputs of a row of a task
    run: tuple[int, int]  # outputs of a row that meet every tap
    tasks: int
    numbers: np.ndarray  # as ``nest`` wants them


@lru_cache(maxsize=256)
def cut(p: PoolProblem) -> Cut:
    """Cut images, rows and channels."""
    win, size = p.window.lifted(RANK), working_dtype(p).itemsize
    lanes = BYTES // size
    first = win.i[-1] >= LONG and lies(p.x_shape, p.x_order, planes(p.window.rank))
    images, channels = (p.n * p.c, 1) if first else (p.n, p.c)
    image = channels * math.prod(win.i) * size
    block = max(1, min(images, CACHE // max(image, 1)))
    pixels = max(1, min(win.o[-1], LINE // max(channels * win.s[-1], 1)))
    tasks = -(-images // block) * win.o[0] * win.o[1] * -(-win.o[-1] // pixels)
    wide = blocks.WIDE * lanes
    parts = max(1, min(channels // wide, TASKS // max(tasks, 1)))
    part = max(1, channels if parts == 1 else -(-channels // (parts * wide)) * wide)
    alternate = win.s[-1] == 2 and channels in GROUPS and 2 * channels <= lanes and dense(win)
    run = inside(win)
    numbers = [images, block, channels, part, pixels, *run]
    return Cut(
        order=planes(p.window.rank) if first else (),
        images=images,
        channels=channels,
        group=channels if alternate else 0,
        block=block,
        part=part,
        pixels=pixels,
        run=run,
        tasks=tasks * -(-channels // part),
        numbers=np.concatenate([numbers, slots.table(p.window).ravel()]),
    )


def in_vectors(p: PoolProblem, lanes: int) -> bool:
    """Whether whole vectors of outputs have their places in memory, if the first does."""
    c, outputs = cut(p), p.window.lifted(RANK).o[-1]
    starts = outputs, c.pixels, c.run[0]
    in_rows = c.channels <= FEW and all(start * c.channels % lanes == 0 for start in starts)
    return in_rows or c.channels % lanes == 0


def inside(win: Window) -> tuple[int, int]:
    """Return which outputs of a row meet every tap: the first, and the one behind the last."""
    i, k, s, d, o, before = win.i[-1], win.k[-1], win.s[-1], win.d[-1], win.o[-1], win.p[-1][0]
    first, end = max(0, -(-before // s)), min(o, (i - 1 - (k - 1) * d + before) // s + 1)
    return (first, end) if win.b[-1] == 1 and first < end else (o, o)


def dense(win: Window) -> bool:
    """Whether the taps of a row lie side by side."""
    return win.b[-1] == 1 and (win.d[-1] == 1 or win.k[-1] == 1)


def seconds(p: PoolProblem) -> float:
    """Predict the seconds of a task."""
    c, win, lanes = cut(p), p.window.lifted(RANK), BYTES // working_dtype(p).itemsize
    met0, met1, met2 = map(win.met, range(RANK))  # taps of an output, on average
    outer, length = met0 * met1, c.run[1] - c.run[0]
    border, stride, k = win.o[2] - length, win.s[2], win.k[2]
    pixel = -(-c.channels // lanes)  # vectors of its channels
    passes, picked, taken, loads = border + (length > 0), 0, 0, 0.0
    if c.group:
        taken = -(-length * c.channels // lanes) * -(-k // 2)
        loads = 2 * taken
    elif stride > 1 and c.channels < FEW and not p.indices:
        picked = length * c.channels
        loads = -(-length * stride * c.channels // lanes) * k
    elif stride > 1 or (p.indices and c.channels > FEW):
        passes = win.o[2]
        loads = length * pixel * k
    else:
        loads = -(-length * c.channels // lanes) * k
    loads += border * pixel * met2
    row = passes * RUN + loads * outer * LOAD + picked * PICK + taken * TAKE
    listed = TASK + TAP * outer * k * (1 + border)
    rows = win.o[0] * win.o[1]
    total = rows * (c.images * row + -(-c.images // c.block) * listed) + p.bytes / 64 * MOVE
    return total / max(c.tasks, 1)


def predict(p: PoolProblem) -> float:
    """Predict the seconds of a call: tasks, and copies of arrays that do not lie as they are read."""
    c = cut(p)
    order = c.order or tuple(range(p.window.rank + 2))
    copies = copying(p.x_shape, p.x_order, order) + copying(p.y_shape, p.y_order, order)
    return jit.CALL + jit.predicted(c.tasks, seconds(p)) + copies
