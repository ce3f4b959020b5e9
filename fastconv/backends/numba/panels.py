"""Panels: copies of the input rows that a task's band of outputs meets, which ``bands`` describes."""

from __future__ import annotations

from fastconv.backends.numba.bands import (
    BAND,
    BASE,
    BEFORE,
    DILATION,
    IC,
    INPUT_STEP,
    OUT,
    PART,
    PITCH,
    PIXEL,
    PLACE_STEP,
    PLANES,
    ROWS,
    STRIDE,
    TAPS,
    WIDTH,
)
from fastconv.backends.numba.copying import copy_elements, gather_elements
from fastconv.backends.numba.jit import inner
from fastconv.backends.numba.simd import pointer
from fastconv.backends.numba.slots import meets


@inner
def located(task, sizes):
    """Return a task's image, plane, first output as three numbers, rows, and outputs of a row."""
    rest, part = divmod(task, (sizes[OUT + 2] + sizes[PART] - 1) // sizes[PART])
    rest, band = divmod(rest, (sizes[OUT + 1] + sizes[BAND] - 1) // sizes[BAND])
    rest, o0 = divmod(rest, sizes[OUT])
    n, plane = divmod(rest, sizes[PLANES])
    o1, o2 = band * sizes[BAND], part * sizes[PART]
    rows, row = min(sizes[BAND], sizes[OUT + 1] - o1), min(sizes[PART], sizes[OUT + 2] - o2)
    return n, plane, (o0, o1, o2), rows, row


@inner
def fill(panel, x, n, channel, first, height, breadth, sizes):
    """Copy what `height` rows of `breadth` outputs meet, from output `first` on, three numbers."""
    stride, pixel, base0, base1 = sizes[STRIDE + 2], sizes[PIXEL], sizes[BASE], sizes[BASE + 1]
    first0, first1, first2 = first
    first0 = first0 * sizes[STRIDE] - sizes[BEFORE]
    first1 = first1 * sizes[STRIDE + 1] - sizes[BEFORE + 1]
    first2 = first2 * stride - sizes[BEFORE + 2]
    rows = (height - 1) * sizes[STRIDE + 1] + (sizes[TAPS + 1] - 1) * sizes[DILATION + 1] + 1
    columns = (breadth - 1) * stride + (sizes[TAPS + 2] - 1) * sizes[DILATION + 2] + 1
    for phase in range(min(stride, columns)):
        places = (columns - phase + stride - 1) // stride
        begin, end, at = meets(first2 + phase, stride, places, x.shape[3], sizes[BASE + 2])
        begin = min(begin, places)
        end = max(begin, end)
        for t0 in range(sizes[TAPS]):
            i0, between0 = divmod(first0 + t0 * sizes[DILATION], base0)
            for c in range(sizes[IC]):
                for row in range(rows):
                    i1, between1 = divmod(first1 + row, base1)
                    start = ((t0 * sizes[IC] + c) * sizes[ROWS] + row) * sizes[PITCH] + phase * sizes[WIDTH]
                    line = panel[start : start + places * pixel]
                    if between0 == between1 == 0 and 0 <= i0 < x.shape[1] and 0 <= i1 < x.shape[2]:
                        source = x[n, i0, i1, :, channel + c : channel + c + pixel]
                        _fill_line(line, source, begin, end, at, sizes)
                    else:
                        line[:] = 0


@inner
def _fill_line(line, x, begin, end, at, sizes):
    """Copy pixels of a row, from input `at` on, to places `begin` to `end`; put zeros elsewhere."""
    pixel, step, move = sizes[PIXEL], sizes[PLACE_STEP], sizes[INPUT_STEP]
    if step > 1:
        line[:] = 0
    else:
        line[: begin * pixel] = 0
        line[end * pixel :] = 0
    if begin >= end:
        return
    apart = x.strides[0] // x.itemsize
    source, target = pointer(x) + at * apart, pointer(line) + begin * pixel
    if step == 1 and pixel == 1:
        gather_elements(source, move * apart, target, end - begin)
    elif x.strides[1] != x.itemsize:
        for place in range(begin, end, step):
            for c in range(pixel):
                line[place * pixel + c] = x[at, c]
            at += move
    elif step == 1 and move * apart == pixel:
        copy_elements(source, target, (end - begin) * pixel)
    else:
        for place in range(0, end - begin, step):
            copy_elements(source + place // step * move * apart, target + place * pixel, pixel)
