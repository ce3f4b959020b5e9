"""The loops around every pooling that reads each tap of an output from the input.

Outermost first:

    task      some images, a segment of a row of outputs, some channels
                                   parallel: tasks write outputs of their own
      run     outputs whose windows meet the input in the same way: all but those near a border, which come
              one by one. Where their taps meet it is listed once
        n     images
              `reduce`, which makes the outputs of a run: ``pooling``, ``locating``

Axes are three, any of them of length 1; images, rows, pixels and channels lie one behind the other.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fastconv.backends.numba import jit
from fastconv.backends.numba.simd import get, pointer, put
from fastconv.backends.numba.slots import RANK, I, K, O, S, taps
from fastconv.backends.numba.tiles import fence

# Places in ``numbers``: images in all and of a task, channels in all and of a task, outputs of a row that a
# task computes, the first that meets every tap and the one behind the last; then the rows of ``slots.table``.
IMAGES, BLOCK, CHANNELS, PART, PIXELS, FIRST, LAST, AXES = range(8)


@jit.inner
def list_rows(rows, row, axes):
    """List the first pixels of the rows of input that an output row's windows meet; return how many."""
    o0, o1 = divmod(row, axes[1, O])
    count = 0
    first0, end0, step0, a0, move0 = taps(axes[0], o0)
    while first0 < end0:  # a range in steps would divide
        first1, end1, step1, a1, move1 = taps(axes[1], o1)
        while first1 < end1:
            rows[count] = (a0 * axes[1, I] + a1) * axes[2, I]
            count += 1
            a1 += move1
            first1 += step1
        a0 += move0
        first0 += step0
    return count


@jit.inner
def list_taps(met, places, rows, count, axis, o2, channels):
    """List the elements and pixels that the window of an output meets, in their order; return how many."""
    first, end, step, start, move = taps(axis, o2)
    total = 0
    for r in range(count):
        t, at = first, rows[r] + start
        while t < end:
            places[total] = at
            met[total] = at * channels
            total += 1
            at += move
            t += step
    return total


@jit.inner
def pick(line, distance, to, count, channels):
    """Copy pixels of a few channels that lie so far apart in a line."""
    for o in range(count):
        for c in range(channels):
            put(get(line + (o * distance + c)), to + (o * channels + c))


def nest(reduce: Callable, *, past: bool = False) -> Callable:
    """Make the loops around one way of reducing, which may write `past` the cache.

    ``reduce(x, met, places, count, y, z, shift, pixel, length, elements, line, init, channels, axis)``
    makes `length` outputs, `elements` of the channels of each, from `shift` on in `y`. Their taps are
    `count`: the first output, number `pixel` of its image, meets elements `met` and pixels `places`.
    """

    def tasks(first, end, init, x, y, z, numbers):
        axes = numbers[AXES:].reshape(RANK, -1)
        channels, part, pixels = numbers[CHANNELS], numbers[PART], numbers[PIXELS]
        parts, segments = -(-channels // part), -(-axes[2, O] // pixels)
        rows_out = axes[0, O] * axes[1, O]
        x_image = axes[0, I] * axes[1, I] * axes[2, I] * channels
        y_image = rows_out * axes[2, O] * channels
        outer = axes[0, K] * axes[1, K]
        rows, met = np.empty(outer, np.int64), np.empty((2, outer * axes[2, K]), np.int64)
        line = np.empty(pixels * axes[2, S] * channels, y.dtype)
        for task in range(first, end):
            rest, p = divmod(task, parts)
            rest, segment = divmod(rest, segments)
            block, row = divmod(rest, rows_out)
            channel = p * part
            last_image = min((block + 1) * numbers[BLOCK], numbers[IMAGES])
            found = list_rows(rows, row, axes)
            o2, stop = segment * pixels, min((segment + 1) * pixels, axes[2, O])
            while o2 < stop:
                length = min(stop, numbers[LAST]) - o2 if numbers[FIRST] <= o2 < numbers[LAST] else 1
                count = list_taps(met[0], met[1], rows, found, axes[2], o2, channels)
                pixel = row * axes[2, O] + o2
                for n in range(block * numbers[BLOCK], last_image):
                    reduce(
                        pointer(x) + (n * x_image + channel),
                        pointer(met),
                        pointer(met) + met.shape[1],
                        count,
                        pointer(y),
                        pointer(z),
                        n * y_image + pixel * channels + channel,
                        pixel,
                        length,
                        min(part, channels - channel),
                        pointer(line),
                        init,
                        channels,
                        axes[2],
                    )
                o2 += length
        if past:
            fence()

    return jit.compiled(tasks)
