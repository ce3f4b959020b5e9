"""Arrays as odd as they come: any order of axes, strides, alignment and byte order, at the edge of memory."""

from __future__ import annotations

import ctypes
import mmap

import numpy as np

from .data import Dice

PAGE = mmap.PAGESIZE
FRAME = 0x5A  # what lies beside the elements of an array
PROT_NONE = 0

_libc = ctypes.CDLL(None, use_errno=True)


def drawn_form(dice: Dice, ndim: int, *, writeable: bool = False) -> tuple[str, ...]:
    """Draw words for `Placed`; half of all arrays are as NumPy makes them."""
    if dice.maybe(0.4):
        return ()
    words = []
    if ndim and dice.maybe(0.4):
        words.append("order " + " ".join(map(str, dice.sample(range(ndim), ndim))))
    if ndim and dice.maybe(0.3):
        words.append(f"back {dice.randrange(ndim)}")
    if ndim and dice.maybe(0.3):
        words.append(f"spread {dice.randrange(ndim)}")
    if ndim and not writeable and dice.maybe(0.15):
        words.append(f"same {dice.randrange(ndim)}")
    if dice.maybe(0.15):
        words.append("unaligned")
    elif dice.maybe(0.5):
        words.append(dice.of("begin", "end"))
    if not writeable and dice.maybe(0.15):
        words.append("swapped")
    if not writeable and dice.maybe(0.2):
        words.append("readonly")
    if dice.maybe(0.1):
        words.append("subclass")
    return tuple(words)


class Subclass(np.ndarray):
    """An array that is not just an array."""


class Placed:
    """An array in memory of its own, which shows what has been written to it, or beside it."""

    def __init__(self, values: np.ndarray, form: tuple[str, ...]):
        words = {word.partition(" ")[0]: word.partition(" ")[2] for word in form}
        axes = {word: int(words[word]) for word in ("back", "spread", "same") if word in words}
        order = tuple(map(int, words["order"].split())) if "order" in words else tuple(range(values.ndim))
        dtype = values.dtype.newbyteorder("S") if "swapped" in words else values.dtype
        strides, steps = [0] * values.ndim, dtype.itemsize
        for axis in reversed(order):
            steps *= 2 if axes.get("spread") == axis else 1
            strides[axis] = 0 if axes.get("same") == axis else steps
            steps *= 1 if axes.get("same") == axis else max(values.shape[axis], 1)
        if "same" in axes:
            first = values.take([0], axes["same"]) if values.shape[axes["same"]] else values
            values = np.broadcast_to(first, values.shape)
        span = sum((n - 1) * s for n, s in zip(values.shape, strides, strict=True)) + dtype.itemsize
        span = span if values.size else 0
        self._memory, start = _memory(span, words)
        if "back" in axes and values.size:
            start += (values.shape[axes["back"]] - 1) * strides[axes["back"]]
            strides[axes["back"]] *= -1
        view = np.ndarray(values.shape, dtype, self._memory, start, strides)
        if "same" in axes and values.size:  # one element a place
            only = tuple(slice(0, 1) if a == axes["same"] else slice(None) for a in range(values.ndim))
            view[only] = values[only]
        else:
            view[...] = values
        view.flags.writeable = "readonly" not in words
        self.array = view.view(Subclass) if "subclass" in words else view
        self._start, self._end = _used(self._memory, words, span)
        self._before = self._bytes()

    def _bytes(self) -> bytes:
        return bytes(self._memory[self._start : self._end])

    def is_untouched(self) -> bool:
        """Whether neither the array nor what is beside it has changed."""
        return self._bytes() == self._before

    def is_clean_beside(self, original: np.ndarray) -> bool:
        """Whether nothing beside the array has changed; its elements are put back to be compared."""
        self.array[...] = original
        return self.is_untouched()


def _memory(span: int, words: dict[str, str]) -> tuple[bytearray | mmap.mmap, int]:
    """Make memory for `span` bytes, and say where they begin in it."""
    if "begin" not in words and "end" not in words:
        start = 65 if "unaligned" in words else 64
        return bytearray([FRAME]) * (start + span + 64), start
    inside = -(-max(span, 1) // PAGE) * PAGE
    memory = mmap.mmap(-1, PAGE + inside + PAGE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    memory[PAGE : PAGE + inside] = bytes([FRAME]) * inside
    for page in (address, address + PAGE + inside):
        if _libc.mprotect(ctypes.c_void_p(page), PAGE, PROT_NONE):
            raise OSError(ctypes.get_errno(), "mprotect")
    return memory, PAGE if "begin" in words else PAGE + inside - span


def _used(memory: bytearray | mmap.mmap, words: dict[str, str], _span: int) -> tuple[int, int]:
    """Return the part of memory that may be read."""
    guarded = "begin" in words or "end" in words
    return (PAGE, len(memory) - PAGE) if guarded else (0, len(memory))
