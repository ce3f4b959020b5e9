"""One sweep of pooling by doubling: a window over the rows and the pixels of images.

    y[n, o, c] = (init + sum_k x[n, o*s + k*d - lo, c]) / (heights[n, o1] * widths[o2, c])

with two axes in `o` and `k`, and likewise for the other reductions; what is swept may be other than what is
read and written (``coded``). Loop nest, outermost first:

    task       one image, block of channels, band of rows of outputs and segment of those rows
                                    parallel: tasks write outputs of their own
      column   a few vectors of every row of inputs under the band, laid out with padding and reduced
               downwards near L1; the rows that outputs need go to the band, which stays in L2
      row      of the band: reduced along in L1, picked where strides say so, divided and written

Both directions are the same passes over a flat line (``sliding``): rows of a column lie behind one another,
as do pixels of a row, whose channels are side by side. Bands are high, since what windows reach beyond one
is read and reduced again for the next.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from fastconv.backends.numba.blocks import COMBINE
from fastconv.backends.numba.copying import copy_elements
from fastconv.backends.numba.jit import Loop, array, compiled, inner
from fastconv.backends.numba.simd import (
    every,
    lanes,
    load,
    over,
    pointer,
    store,
    times,
)
from fastconv.backends.numba.sliding import joining, last, sliding
from fastconv.backends.numba.slots import LO, D, I, K, O, S
from fastconv.backends.numba.tiles import fence, store_elements

OVERLAPPING = ("max", "min")  # an element that is met twice changes nothing


@inner
def extent(axis, count):
    """Count the inputs under `count` neighbouring windows."""
    return (count - 1) * axis[S] + (axis[K] - 1) * axis[D] + 1


@inner
def inside(axis, first, at, wide, channels, channel, width):
    """Where `wide` elements of a line are in a row of inputs: (place of the first, which ones exist).

    The line begins with the window of output `first`, and holds `width` of the channels from `channel` on.
    """
    if width == channels:  # pixels lie behind one another, so the elements do too
        start, row = (first * axis[S] - axis[LO]) * channels + at, axis[I] * channels
        lo = max(0, min(wide, -start))
        return start, lo, max(lo, min(wide, row - start))
    pixel = first * axis[S] - axis[LO] + at // width
    return pixel * channels + channel, 0, wide if 0 <= pixel < axis[I] else 0


@inner
def fill(p, value, count):
    """Write `value` to `count` elements and what fills the last vector, for which there is room."""
    for q in range(0, count, lanes(p)):
        store(every(value, p), p + q)


@inner
def copy(x, at, to, count, _cut):
    """Copy elements from number `at` on."""
    copy_elements(pointer(x) + at, to, count)


def _laying_out(copy: Callable) -> Callable:
    """Make what lays out a column with one way of copying elements."""

    @inner
    def lay_out(column, x, image, top, depth, wide, start, lo, hi, identity, cut):
        """Copy elements from `start` on of `depth` rows; of the `wide` of each, `lo` to `hi` exist."""
        _, rows, row = x.shape
        for r in range(depth):  # in order: what fills a last vector is overwritten
            to, i = pointer(column) + r * wide, top + r
            if 0 <= i < rows:
                fill(to, identity, lo)
                copy(x, (image * rows + i) * row + start + lo, to + lo, hi - lo, cut)
                fill(to + hi, identity, wide - hi)
            else:
                fill(to, identity, wide)

    return lay_out


@cache
def _to_band(name: str) -> Callable:
    """Make the way of a column to the band for one reduction."""
    slid, joined = sliding(COMBINE[name]), joining(COMBINE[name])

    @inner
    def to_band(column, reduced, wide, steps, axis, band, at, pitch, high):
        """Reduce a column to `high` rows, each of `wide` elements."""
        first, to, unit = pointer(column), pointer(band) + at, axis[D] * wide
        reach = ((high - 1) * axis[S] + 1) * wide
        source, (shift, extra) = slid(first, pointer(reduced), reach, steps, unit), last(steps, unit)
        for r in range(high):
            here = r * axis[S] * wide
            for q in range(0, wide, lanes(to)):
                store(joined(source + (here + q), first + (here + q), shift, extra), to + (r * pitch + q))

    return to_band


@cache
def writing(name: str) -> Callable:
    """Make what ends the way of a row of the band to the output for one reduction."""
    combine, joined = COMBINE[name], joining(COMBINE[name])

    @inner
    def started(value, init, divisors, _factor):
        return combine(every(init, divisors), value)

    @inner
    def divided(value, init, divisors, factor):
        return over(started(value, init, divisors, factor), times(load(divisors), every(factor, divisors)))

    finish = divided if name == "mean" else started

    @inner
    def write(source, first, shift, extra, init, by, factor, to, count):
        """Do the last pass for `count` elements, finish them and write them."""
        whole = count // lanes(to) * lanes(to)
        for q in range(0, whole, lanes(to)):
            value = joined(source + q, first + q, shift, extra)
            store(finish(value, init, by + q, factor), to + q)
        if whole < count:
            value = joined(source + whole, first + whole, shift, extra)
            rest = finish(value, init, by + whole, factor)
            store_elements((rest,), (to + whole,), count - whole)

    return write


def _to_output(name: str, write: Callable) -> Callable:
    """Make the way of a row of the band to the output for one reduction, and one way to end it."""
    slid, joined = sliding(COMBINE[name]), joining(COMBINE[name])

    @inner
    def to_output(band, at, line, picked, width, steps, axis, init, by, factor, to, channels, count):
        """Reduce a row of the band to `count` pixels, each of `width` of the channels."""
        first, stride, unit = pointer(band) + at, axis[S], axis[D] * width
        reach = ((count - 1) * stride + 1) * width
        source, (shift, extra) = slid(first, pointer(line), reach, steps, unit), last(steps, unit)
        if width == channels and stride == 1:
            write(source, first, shift, extra, init, by, factor, to, count * width)
        elif channels == 1:
            for q in range(0, reach, lanes(first)):
                store(joined(source + q, first + q, shift, extra), pointer(line) + q)
            for o in range(count):
                picked[np.uintp(o)] = line[np.uintp(o * stride)]  # unsigned, so that it may become vectors
            write(pointer(picked), first, 0, 0, init, by, factor, to, count)
        else:
            for o in range(count):
                here, there = o * stride * width, o * channels
                write(source + here, first + here, shift, extra, init, by + there, factor, to + there, width)

    return to_output


def tasks(name: str, copy: Callable, write: Callable, beside: Callable, *, past: bool = False) -> Callable:
    """Make the loop nest for one reduction: of what is copied so, and written so, maybe `past` the cache.

    `beside` chooses between the places of an output in its row and in the array, for what lies beside it.
    """
    lay_out, to_band, to_output = _laying_out(copy), _to_band(name), _to_output(name, write)
    overlapping = name in OVERLAPPING

    def swept(begin, stop, cut, identity, init, x, heights, widths, y, axes, down, along):
        """Compute bands; `x` and `y` are (images, rows, pixels * channels)."""
        channels, block, wide, pixels, height = cut[0], cut[1], cut[2], cut[3], cut[4]
        rows, outputs = y.shape[1], axes[1, O]
        blocks = (channels + block - 1) // block
        bands, segments = (rows + height - 1) // height, (outputs + pixels - 1) // pixels
        step = lanes(pointer(heights))
        room = 2 * step
        pitch = (extent(axes[1], pixels) * block + wide - 1) // wide * wide + room
        column = np.empty(extent(axes[0], height) * wide + room, heights.dtype)
        reduced = column if overlapping else np.empty_like(column)
        band = np.empty(height * pitch, heights.dtype)
        line, picked = np.empty(pitch, heights.dtype), np.empty(pitch, heights.dtype)
        for task in range(begin, stop):
            others, segment = divmod(task, segments)
            others, number = divmod(others, bands)
            image, part = divmod(others, blocks)
            channel, first, top = part * block, segment * pixels, number * height
            width, count = min(block, channels - channel), min(pixels, outputs - first)
            high = min(height, rows - top)
            size, under = extent(axes[1], count) * width, top * axes[0, S] - axes[0, LO]
            for at in range(0, size, wide if width == channels else width):
                across = width if width < channels else min(wide, (size - at + step - 1) // step * step)
                start, lo, hi = inside(axes[1], first, at, across, channels, channel, width)
                if lo == hi:
                    for r in range(high):
                        fill(pointer(band) + (r * pitch + at), identity, across)
                else:
                    where = across, start, lo, hi, identity, cut
                    lay_out(column, x, image, under, extent(axes[0], high), *where)
                    to_band(column, reduced, across, down, axes[0], band, at, pitch, high)
            for r in range(high):
                row, at = image * rows + top + r, first * channels + channel
                here = row * y.shape[2] + at
                by, to = pointer(widths) + beside(at, here), pointer(y) + here
                by_row = init, by, heights[image % len(heights), top + r]
                to_output(band, r * pitch, line, picked, width, along, axes[1], *by_row, to, channels, count)
        if past:
            fence()

    return compiled(swept)


@inner
def in_row(at, _here):
    """Choose the place in the row: divisors are those of every row."""
    return at


@inner
def in_array(_at, here):
    """Choose the place in the array."""
    return here


@cache
def loop(name: str, dtype: np.dtype) -> Loop:
    """Compile for contiguous arrays of `dtype`."""
    return loop_of(tasks(name, copy, writing(name), in_row), dtype, dtype, dtype)


def loop_of(tasks: Callable, x_dtype: np.dtype, dtype: np.dtype, y_dtype: np.dtype) -> Loop:
    """Compile for contiguous arrays, and `dtype` in between."""
    x, heights, beside = array(x_dtype, 3), array(dtype, 2), array(dtype, 1)
    y, cut, table = array(y_dtype, 3, writeable=True), array(np.int64, 1), array(np.int64, 2)
    return Loop(tasks, cut, heights.dtype, heights.dtype, x, heights, beside, y, table, table, table)
