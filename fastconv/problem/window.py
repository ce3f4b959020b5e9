"""The geometry that convolution and pooling share: a window that slides over spatial axes.

Per axis, with the letters used throughout:

    i  input size          k  window size (taps)      o  output size (window positions)
    s  stride              d  dilation (1: no holes)  b  base dilation (1: no zeros put between inputs)
    p  (lo, hi) padding; a negative number crops

Output position `o` and tap `k` meet the padded axis at ``o*s + k*d`` and the input at
``(o*s + k*d - lo) / b``, if that is a whole number inside ``[0, i)``; anywhere else is padding.
Imports nothing of fastconv.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

MANY = 4096  # taps or positions of an axis that are counted one by one


def spread(size: int, step: int) -> int:
    """Length of `size` elements laid out `step` apart: dilation of a window or of an input."""
    return (size - 1) * step + 1 if size else 0


@dataclass(frozen=True, slots=True)
class Window:
    """A window sliding over the spatial axes; every field has one entry per axis."""

    i: tuple[int, ...]
    k: tuple[int, ...]
    s: tuple[int, ...]
    d: tuple[int, ...]
    b: tuple[int, ...]
    p: tuple[tuple[int, int], ...]

    @property
    def rank(self) -> int:
        """Number of spatial axes."""
        return len(self.i)

    @property
    def extent(self) -> tuple[int, ...]:
        """Length of the window, holes included."""
        return tuple(map(spread, self.k, self.d))

    @property
    def padded(self) -> tuple[int, ...]:
        """Length of the axis the window slides over: base-dilated, then padded or cropped."""
        axes = zip(self.i, self.b, self.p, strict=True)
        return tuple(spread(i, b) + lo + hi for i, b, (lo, hi) in axes)

    @property
    def o(self) -> tuple[int, ...]:
        """Window positions that lie wholly inside the padded axis."""
        axes = zip(self.padded, self.extent, self.s, strict=True)
        return tuple((size - e) // s + 1 if size >= e else 0 for size, e, s in axes)

    @property
    def taps(self) -> int:
        """Positions in the window, all axes together."""
        return math.prod(self.k)

    @property
    def is_plain(self) -> bool:
        """Whether every tap of every position is an input: no padding and no base dilation."""
        return all(b == 1 for b in self.b) and all(pair == (0, 0) for pair in self.p)

    def tightened(self) -> Window:
        """Return the same window, which fits its axes, in numbers no larger than these.

        A caller's may be beyond any array, where they change nothing: a stride past the end, a dilation of
        one tap, more padding than is left when the other side is cropped. Indices then fit in 64 bits.
        """
        sizes, longest = tuple(map(spread, self.i, self.b)), tuple(max(size, 1) for size in self.padded)
        axes = zip(self.p, self.padded, sizes, strict=True)
        lows = [(min(max(lo, -size), padded), padded - size) for (lo, _), padded, size in axes]
        s = tuple(min(s, n + (k == 0)) for s, n, k in zip(self.s, longest, self.k, strict=True))
        d = tuple(map(min, self.d, longest))
        return Window(self.i, self.k, s, d, self.b, tuple((lo, both - lo) for lo, both in lows))

    def source(self, position: tuple[int, ...], tap: tuple[int, ...]) -> tuple[int, ...] | None:
        """Index of the input that `tap` of the window at `position` meets; None in the padding."""
        index = []
        axes = zip(position, tap, self.i, self.s, self.d, self.b, self.p, strict=True)
        for o, k, i, s, d, b, (lo, _) in axes:
            at, between = divmod(o * s + k * d - lo, b)
            if between or not 0 <= at < i:
                return None
            index.append(at)
        return tuple(index)

    def meets(self, tap: tuple[int, ...]) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
        """Find the outputs that meet an input, and no padding, with `tap`; and those inputs."""
        axes = zip(tap, self.i, self.o, self.s, self.d, self.b, self.p, strict=True)
        met = [_met(k * d - lo, i, o, s, b) for k, i, o, s, d, b, (lo, _) in axes]
        return tuple(outputs for outputs, _ in met), tuple(inputs for _, inputs in met)

    def fill(self) -> Iterator[tuple[slice, slice]]:
        """Per axis, which slots of the padded axis hold inputs, and which inputs those are."""
        for size, i, b, (lo, _) in zip(self.padded, self.i, self.b, self.p, strict=True):
            first = max(0, -(lo // b))
            last = max(first, min(i, (size - 1 - lo) // b + 1))
            start = lo + first * b
            yield slice(start, start + spread(last - first, b), b), slice(first, last)

    def counts(self, axis: int, inside: slice) -> np.ndarray:
        """How many taps of each window position along `axis` fall on the slots `inside`, (o,)."""
        k, d, length, apart = self.k[axis], self.d[axis], inside.stop - inside.start, inside.step or 1
        start = np.arange(self.o[axis]) * self.s[axis] - inside.start
        first = np.clip(-(start // d), 0, k)  # the first tap that is not before ...
        last = np.clip(-((start - length) // d), first, k)  # ... and the first behind
        shared = math.gcd(apart, d)
        period = apart // shared  # taps from one that is at an input's slot to the next
        if period == 1:
            return np.where(start % shared == 0, last - first, 0)
        if period > 1 << 31:  # of which two may have a product beyond 64 bits
            start = start.astype(object)
        at = -start // shared % period * pow(d // shared, -1, period) % period  # the first of these
        hits = (last - 1 - at) // period - (first - 1 - at) // period
        return np.where(start % shared == 0, hits, 0).astype(np.int64)

    def met(self, axis: int) -> float:
        """How many taps of a window position along `axis` fall on inputs, on average; about, of many."""
        i, k, o, s, d, b = (getattr(self, name)[axis] for name in "ikosdb")
        if min(o, k) > MANY:
            return min(k, i * b / d) / b
        if o <= k:
            filled, _ = list(self.fill())[axis]
            return int(self.counts(axis, filled).sum()) / max(o, 1)
        at = (_met(tap * d - self.p[axis][0], i, o, s, b)[0] for tap in range(k))
        return sum(len(range(o)[outputs]) for outputs in at) / o

    def stretches(self, axis: int) -> list[tuple[int, int, int]]:
        """Split the outputs along `axis` where the taps that meet inputs change: (start, stop, how many).

        Without base dilation.
        """
        i, k, o, s, d, (lo, _) = (getattr(self, name)[axis] for name in "ikosdp")
        front = min(o, max(0, -(-lo // s)) + 1)  # outputs that meet padding there, and one more
        rear = max(front, (i - 1 - (k - 1) * d + lo) // s + 1)  # the first that does at the other end, or o
        outputs = np.concatenate([np.arange(front), np.arange(rear, o)])  # between them, nothing changes
        start = outputs * s - lo
        first = np.clip(-(start // d), 0, k)  # the first tap that is not before the inputs ...
        last = np.clip((i - 1 - start) // d + 1, first, k)  # ... and the first that is behind them
        changes = (np.diff(first, prepend=-1) != 0) | (np.diff(last, prepend=-1) != 0)
        starts = outputs[changes].tolist()
        stops = [*starts, o][1:]
        taps = (last - first)[changes].tolist()
        return list(zip(starts, stops, taps, strict=True))

    def lifted(self, rank: int) -> Window:
        """Put axes of length 1 before the others, up to `rank`: for kernels written for a fixed number."""
        ones = (1,) * (rank - self.rank)
        i, k, s, d, b = (ones + axes for axes in (self.i, self.k, self.s, self.d, self.b))
        return Window(i, k, s, d, b, ((0, 0),) * len(ones) + self.p)

    def phases(self) -> Iterator[tuple[tuple[slice, ...], tuple[slice, ...], Window]]:
        """Split a base-dilated window into plain ones, which meet no zeros between inputs.

        Outputs that lie `b` apart (fewer, if the stride shares a factor with `b`) meet inputs with
        the same taps. Yields, for each such set, its outputs, its taps and the window they form.
        """
        for axes in itertools.product(*(self._axis_phases(axis) for axis in range(self.rank))):
            outputs, taps, fields = zip(*axes, strict=True) if axes else ((), (), ())
            yield outputs, taps, Window(*zip(*fields, strict=True)) if fields else self

    @property
    def phase_count(self) -> int:
        """How many windows `phases` yields."""
        axes = zip(self.b, self.s, self.o, strict=True)
        return math.prod(min(b // math.gcd(b, s), o) for b, s, o in axes)

    def _axis_phases(self, axis: int) -> Iterator[tuple[slice, slice, tuple]]:
        """Split one axis: outputs, taps, and the fields of a window of them."""
        i, k, s, d, b, (lo, _) = (getattr(self, name)[axis] for name in "iksdbp")
        apart, tap_step = b // math.gcd(b, s), b // math.gcd(b, d)
        for first in range(min(apart, self.o[axis])):
            tap = _first_multiple(first * s - lo, d, b, min(k, tap_step), k)
            size, count = -(-(k - tap) // tap_step), -(-(self.o[axis] - first) // apart)
            stride, dilation = apart * s // b, tap_step * d // b
            before = (lo - first * s - tap * d) // b if size else 0
            after = (count - 1) * stride + spread(size, dilation) - i - before
            fields = i, size, stride, dilation, 1, (before, after)
            yield slice(first, None, apart), slice(tap, None, tap_step), fields


def _met(offset: int, i: int, o: int, s: int, b: int) -> tuple[slice, slice]:
    """Find outputs and inputs of one axis that are at one slot: ``output*s + offset`` is ``input*b``."""
    apart = b // math.gcd(b, s)  # outputs from one that is at an input's slot to the next
    step = apart * s // b  # inputs from one of these to the next
    first = _first_multiple(offset, s, b, min(apart, o), o)
    first += max(0, -((first * s + offset) // (step * b))) * apart
    at = (first * s + offset) // b
    count = max(0, min(-(-(o - first) // apart), -(-(i - at) // step)))
    return slice(first, first + count * apart, apart), slice(at, at + count * step, step)


def _first_multiple(offset: int, step: int, of: int, count: int, otherwise: int) -> int:
    """Find the first of `count` n for which ``offset + n*step`` is a multiple."""
    shared = math.gcd(step, of)
    if offset % shared:
        return otherwise
    n = -(offset // shared) * pow(step // shared, -1, of // shared) % (of // shared)
    return n if n < count else otherwise
