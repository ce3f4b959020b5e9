"""Convolution with large filters by way of their spectra, a block of inputs at a time (overlap-save).

    y[n, o, f] = bias[f] + (inverse transform of (transform of x * conjugate of the transform of w))[o*s]

Each block of N inputs along an axis, one for every ``N - extent + 1`` outputs, is transformed, multiplied by
the spectrum of the filter and transformed back; where the filter would wrap around, nothing is kept. SciPy's
transforms are used where it is installed, since they take several threads and a few blocks at a time.

Everything is computed in float64. Errors go by the sizes of all of a block's numbers, not by those in the
window of an output: beside a number 1e16 times as large as its neighbours, those are lost. Results of
float32 have nine digits to spare for that, and "auto" may take this row for them; float64 has none, so there
it must be named. NaN and infinity would reach all of their block: they are taken out beforehand, and what
they do to the windows that hold them follows from how many there are, by two more convolutions.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, lru_cache, partial
from importlib.util import find_spec
from itertools import product
from typing import Any

import numpy as np

from fastconv.kernel import Kernel, Refusal
from fastconv.problem import ConvProblem, Window
from fastconv.problem.window import spread
from fastconv.rounding import of_spectra
from fastconv.threads import get_num_threads
from fastconv.view import along

CALL = 1e-4  # seconds of Python and NumPy around any call
BUTTERFLY = 1.4e-10  # of each element of a block, times log2 of how many there are
MOVED = 2.5e-9  # of each element of a block, on its way there and back
AROUND = 1.5e-4  # of Python and NumPy around each chunk, if there are several
COSTS = ("CALL", "BUTTERFLY", "MOVED", "AROUND")

WITHOUT_SCIPY = 3.0  # times as long
CACHED = 1 << 15  # elements of a block that is transformed in cache
CHUNK = 1 << 17  # elements of the blocks that a thread transforms at a time
SHARED = 0.65  # of the time, if there are several chunks
LARGE = 1e100  # beyond which products of finite numbers might not be finite
SHRINK = 2.0**-700  # what inputs are multiplied by that are


@cache
def library() -> Any:
    """Return the module whose transforms are used."""
    if find_spec("scipy") is None:
        return np.fft
    import scipy.fft

    return scipy.fft


def transforms(sizes: tuple[int, ...], threads: int = 1) -> tuple[Callable, Callable]:
    """Return the transform of the last axes, filled up with zeros to `sizes`, and its inverse."""
    module, axes = library(), tuple(range(-len(sizes), 0))
    options = {} if module is np.fft else {"workers": threads}
    forward = partial(module.rfftn, s=sizes, axes=axes, **options)
    return forward, partial(module.irfftn, s=sizes, axes=axes, **options)


@lru_cache(maxsize=256)
def blocks(p: ConvProblem) -> tuple[int, ...]:
    """Return the size of a block along each axis: that which is the least work."""
    axes = zip(p.window.padded, p.window.extent, strict=True)
    return tuple(_block(size, max(extent, 1)) for size, extent in axes)


def _block(size: int, extent: int) -> int:
    """Choose among products of small numbers, up to what holds the whole axis."""
    sizes = sorted(m << e for m in (1, 3, 5, 9) for e in range(max(size, 2).bit_length() + 1))
    whole = next(n for n in sizes if n >= size)
    outputs = size - extent + 1

    def work(n: int) -> float:
        return -(-outputs // (n - extent + 1)) * n * (math.log2(n) + 1) * (1 if n <= CACHED else 1.3)

    return min((n for n in sizes if extent <= n <= max(whole, extent)), key=work, default=extent)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A filter laid out with its holes, and its spectrum."""

    w: np.ndarray  # (g*oc, *extent)
    spectrum: np.ndarray  # (g*oc, *frequencies)


def prepare(p: ConvProblem, w: np.ndarray) -> Prepared:
    """Transform ``(*k, 1, g*oc)``."""
    if not float(np.abs(w).max(initial=0)) < LARGE:  # nor is NaN
        raise Refusal(f"a weight is not finite, or beyond {LARGE:.0e}")
    holed = np.zeros((p.g * p.oc, *p.window.extent))
    holed[(slice(None), *(slice(None, None, d) for d in p.window.d))] = np.moveaxis(w[..., 0, :], -1, 0)
    return Prepared(holed, _spectrum(p, holed))


def _spectrum(p: ConvProblem, w: np.ndarray) -> np.ndarray:
    """Return the conjugate, as the filter is not flipped."""
    forward, _ = transforms(blocks(p), get_num_threads())
    return np.conj(forward(w))


@np.errstate(all="ignore")
def conv(p: ConvProblem, x: np.ndarray, prepared: Prepared, bias: np.ndarray | None, y: np.ndarray) -> None:
    """Convolve what is finite, then mark the windows that hold anything else."""
    if y.size == 0:
        return
    x, y = np.moveaxis(x, -1, 1), np.moveaxis(y, -1, 1)
    most, numbers = float(max(-x.min(initial=0), x.max(initial=0))), x
    if not most < math.inf:
        numbers = np.where(np.isfinite(x), x, 0)
        most = float(np.abs(numbers).max())
    scale = SHRINK if most > LARGE else 1.0
    _convolve(p, numbers, prepared.spectrum, y, scale, bias)
    if numbers is not x:
        y += _marks(p, x, prepared.w).astype(y.dtype)


def _convolve(p, x: np.ndarray, spectrum: np.ndarray, y: np.ndarray, scale=1.0, bias=None) -> None:
    """Convolve finite numbers (n, g, *i) into (n, g*oc, *o), a few blocks at a time.

    No array here is large: memory that is new to the process costs more than a transform. Threads take chunks
    of blocks, or share the transforms of one.
    """
    win, sizes = p.window, blocks(p)
    hops, (first, *others), step = _cut(p)
    chunks = list(product(range(p.n), range(p.g), range(0, first, step)))
    threads = min(get_num_threads(), len(chunks))
    forward, inverse = transforms(sizes, max(1, get_num_threads() // max(threads, 1)))

    @np.errstate(all="ignore")
    def convolve(chunk: tuple[int, int, int]) -> None:
        n, g, start = chunk
        counts = (min(step, first - start), *others)
        numbers = _blocks(win, x[n, g], start * hops[0], sizes, hops, counts)
        spectra = forward(numbers if scale == 1 else numbers * scale)
        for f in range(g * p.oc, (g + 1) * p.oc):
            free = spectra if p.oc == 1 else None  # not needed again: no new memory
            part = inverse(np.multiply(spectra, spectrum[f], out=free))[(..., *map(slice, hops))]
            if scale != 1 or bias is not None:
                part = part / scale + (0 if bias is None else bias[f])
            _place(win, part, y[n, f], start * hops[0], hops, counts)

    if threads < 2:
        for chunk in chunks:
            convolve(chunk)
        return
    from concurrent.futures import ThreadPoolExecutor  # not for those who only import

    with ThreadPoolExecutor(threads) as pool:
        deque(pool.map(convolve, chunks), maxlen=0)  # raises what a chunk raised


def _cut(p: ConvProblem) -> tuple[list[int], list[int], int]:
    """Return how far blocks are apart and how many there are, along each axis; and how many make a chunk."""
    sizes = blocks(p)
    hops = [n - extent + 1 for n, extent in zip(sizes, p.window.extent, strict=True)]
    axes = zip(p.window.padded, p.window.extent, hops, strict=True)
    counts = [-(-(size - extent + 1) // hop) for size, extent, hop in axes]
    return hops, counts, max(1, CHUNK // max(1, math.prod((*counts[1:], *sizes))))


def _blocks(win: Window, x: np.ndarray, start: int, sizes, hops, counts) -> np.ndarray:
    """View blocks (*counts, *sizes) of a padded copy of `x` that begins at `start` of the first axis."""
    starts = (start, *(0 for _ in sizes[1:]))
    lengths = [(count - 1) * hop + size for count, hop, size in zip(counts, hops, sizes, strict=True)]
    before = [lo - at for (lo, _), at in zip(win.p, starts, strict=True)]
    axes = zip(before, lengths, map(spread, win.i, win.b), strict=True)
    part = replace(win, p=tuple((lo, length - size - lo) for lo, length, size in axes))
    view = np.zeros(part.padded)
    slots, inputs = zip(*part.fill(), strict=True)
    view[slots] = x[inputs]
    for axis in range(win.rank):
        view = along(view, axis, sizes[axis], hops[axis], 1)
    return view


def _place(win: Window, part: np.ndarray, y: np.ndarray, start: int, hops, counts) -> None:
    """Write results of blocks (*counts, *hops), which begin at `start` of the first axis, to `y`."""
    pairs = [length for pair in zip(counts, hops, strict=True) for length in pair]
    row = np.empty(pairs, y.dtype)
    row.transpose(*range(0, 2 * win.rank, 2), *range(1, 2 * win.rank, 2))[...] = part
    row = row.reshape([count * hop for count, hop in zip(counts, hops, strict=True)])
    first = -(-start // win.s[0])  # output that is the first here
    row = row[(slice(first * win.s[0] - start, None, win.s[0]), *(slice(None, None, s) for s in win.s[1:]))]
    row = row[tuple(slice(o) for o in (win.o[0] - first, *win.o[1:]))]
    y[first : first + len(row)] = row


def _marks(p: ConvProblem, x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return what to add to each output for the NaN and infinities in its window.

    If these are all infinities whose products have one sign, the sum of the signs is as large as their
    number: the output is infinite. Else it is NaN, as infinity times zero is.
    """
    taps = np.zeros(p.window.extent)
    taps[tuple(slice(None, None, d) for d in p.window.d)] = 1
    count, total = np.empty((2, *np.moveaxis(np.empty(p.y_shape), -1, 1).shape))
    _convolve(p, np.where(np.isfinite(x), 0.0, 1.0), _spectrum(p, np.broadcast_to(taps, w.shape)), count)
    _convolve(p, np.where(np.isinf(x), np.sign(x), 0.0), _spectrum(p, np.sign(w)), total)
    count, total = np.rint(count), np.rint(total)
    return np.where(count == 0, 0.0, np.where(np.abs(total) == count, total * np.inf, np.nan))


def error(p: ConvProblem, size: np.ndarray, x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Bound the error as of any spectra."""
    return of_spectra(p, math.prod(blocks(p)), size, x, w)


def rejects(p: ConvProblem) -> str | None:
    """Say why this row cannot compute `p`, if it cannot."""
    if p.acc_dtype not in (np.float32, np.float64):
        return f"accumulates {p.acc_dtype}, only float32 and float64"
    if p.ic != 1:
        return f"{p.ic} input channels a group, only 1"
    if p.window.rank == 0:
        return "no spatial axis, at least 1"
    if 0 in p.window.k:
        return "a window without taps"
    return None


def cost(p: ConvProblem) -> float:
    """Count transforms; of float64, infinite, since its errors are larger than those of other rows."""
    if p.acc_dtype == np.float64:
        return math.inf
    block, (_, counts, step) = math.prod(blocks(p)), _cut(p)
    work = p.n * p.g * math.prod(counts) * block * (1 + p.oc) * (MOVED + math.log2(block) * BUTTERFLY)
    chunks = p.n * p.g * -(-counts[0] // step)
    work = work if chunks < 2 else work * SHARED + chunks * AROUND
    return (CALL + work) * (1 if find_spec("scipy") else WITHOUT_SCIPY)


KERNELS = [Kernel("einsum:fft", ConvProblem, rejects, cost, conv, prepare, exact=False, error=error)]
