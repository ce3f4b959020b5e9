"""Panels: copies of the input rows that a band of outputs meets, which ``bands`` describes."""

from __future__ import annotations

from fastconv.backends.numba.bands import BASE, BEFORE, DILATION, IC, PITCH, PIXEL, ROWS, STRIDE, TAPS, WIDTH
from fastconv.backends.numba.copying import copy_elements, gather_elements
from fastconv.backends.numba.jit import inner
from fastconv.backends.numba.simd import pointer


@inner
def fill(panel, x, n, channel, first, height, breadth, sizes):
    """Copy what `height` rows of `breadth` outputs meet, from output `first` on, three numbers."""
    pitch, base0, base1 = sizes[PITCH], sizes[BASE], sizes[BASE + 1]
    first0, first1, first2 = first
    first0 = first0 * sizes[STRIDE] - sizes[BEFORE]
    first1 = first1 * sizes[STRIDE + 1] - sizes[BEFORE + 1]
    first2 = first2 * sizes[STRIDE + 2] - sizes[BEFORE + 2]
    rows = (height - 1) * sizes[STRIDE + 1] + (sizes[TAPS + 1] - 1) * sizes[DILATION + 1] + 1
    columns = (breadth - 1) * sizes[STRIDE + 2] + (sizes[TAPS + 2] - 1) * sizes[DILATION + 2] + 1
    for t0 in range(sizes[TAPS]):
        i0, between0 = divmod(first0 + t0 * sizes[DILATION], base0)
        for c in range(sizes[IC]):
            for row in range(rows):
                i1, between1 = divmod(first1 + row, base1)
                start = ((t0 * sizes[IC] + c) * sizes[ROWS] + row) * pitch
                line = panel[start : start + pitch]
                if between0 == between1 == 0 and 0 <= i0 < x.shape[1] and 0 <= i1 < x.shape[2]:
                    source = x[n, i0, i1, :, channel + c : channel + c + sizes[PIXEL]]
                    _fill_row(line, source, first2, columns, sizes)
                else:
                    line[:] = 0


@inner
def _fill_row(line, x, first, columns, sizes):
    """Copy slots `first` to `first + columns` of a row of inputs, each phase of the stride together."""
    stride, base, pixel = sizes[STRIDE + 2], sizes[BASE + 2], sizes[PIXEL]
    count, apart = x.shape[0], x.strides[0] // x.itemsize
    if base > 1:
        line[:] = 0
        for i in range(max(0, -(-first // base)), min(count, -(-(first + columns) // base))):
            place, phase = divmod(i * base - first, stride)
            for c in range(pixel):
                line[phase * sizes[WIDTH] + place * pixel + c] = x[i, c]
        return
    for phase in range(min(stride, columns)):
        places = (columns - phase + stride - 1) // stride
        at = first + phase  # which input belongs in place 0
        begin = min(places, max(0, (stride - 1 - at) // stride))
        end = max(begin, min(places, (count - at + stride - 1) // stride))
        part = line[phase * sizes[WIDTH] : phase * sizes[WIDTH] + places * pixel]
        part[: begin * pixel] = 0
        part[end * pixel :] = 0
        if begin < end:
            source, target = pointer(x) + (at + begin * stride) * apart, pointer(part) + begin * pixel
            if stride == 1 and apart == pixel and (pixel == 1 or x.strides[1] == x.itemsize):
                copy_elements(source, target, (end - begin) * pixel)
            elif pixel == 1:
                gather_elements(source, stride * apart, target, end - begin)
            else:
                for place in range(begin, end):
                    for c in range(pixel):
                        part[place * pixel + c] = x[at + place * stride, c]
