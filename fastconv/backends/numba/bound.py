"""Calls that differ from one another in the places of arrays alone, and are written down in advance.

What a kernel does on contiguous arrays of one shape is the same `Step`s each time: loops, the numbers of
their tasks, and arguments. All but the addresses of the caller's arrays can be laid out in memory before, as
the loops take them. A call then is one step from Python into compiled code, which

    looks     whether arrays are as they were bound: NumPy's own, their lengths, dtype, order, and apart
    copies    the arguments of each step, as other threads may call at once, and writes addresses into them
    does      the tasks, or announces them to threads as ``shares`` says

A *tape* holds what is so laid out, in words: of each array handed over what it must be, then the steps.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numba
import numpy as np
from numba import types

from fastconv.backends.numba import jit, shares, workers
from fastconv.backends.numba.handed import (
    ALIGNED,
    AXES,
    CLASS,
    CONTIGUOUS,
    DATA,
    DTYPE,
    FLAGS,
    HANDED,
    HEAD,
    INT,
    KNOWN,
    LENGTHS,
    ROOM,
    WRITEABLE,
    copied,
    elements,
    let_go,
    place,
    take_back,
    write,
)
from fastconv.backends.numba.native import compiler, machine_code
from fastconv.backends.numba.slots import RANK
from fastconv.backends.numba.words import BYTES, call, look
from fastconv.binding import later

# Words of an array's part of a tape: how many axes it must have, or -1 if it is not handed over; its class,
# flags, type and kind of elements, its bytes and lengths. Then come how many steps there are, and these.
NDIM, KIND, HAS, TYPE, ELEMENT, SIZE, SHAPE = range(7)
PART = SHAPE + RANK + 2
X, W, BIAS, Y = range(0, 4 * PART, PART)
STEPS = 4 * PART
# Words of a step: what does its tasks, and these; how many addresses it lacks, and words of arguments; then
# of each address the word where it belongs, the array it is in, and how many bytes after its beginning.
DO, TASKS, COUNT, GRAIN, LACKS, WORDS, LACKING = range(7)
WHERE, WHOSE, AFTER, LACK = range(4)
ADDRESS = 4  # word of an argument that is an array


@shares.native
def fits(array, tape, part):
    """Whether an array is as it was bound."""
    axes, has = look(tape, part + NDIM), look(tape, part + HAS)
    if axes < 0:
        return True
    if look(array, CLASS) != look(tape, part + KIND):
        return False
    dtype, lengths = look(array, DTYPE), look(array, LENGTHS)
    same = look(array, AXES) & INT == axes and look(array, FLAGS) & has == has
    same = same and look(dtype, HEAD) == look(tape, part + TYPE)
    same = same and look(dtype, HEAD + 1) == look(tape, part + ELEMENT)
    for axis in range(axes if same else 0):
        same = same and look(lengths, axis) == look(tape, part + SHAPE + axis)
    return same


@shares.native
def overlap(array, tape, part, y):
    """Whether an array that is handed over shares memory with the output."""
    if look(tape, part + NDIM) < 0:
        return False
    first, other = look(array, DATA), look(y, DATA)
    return first < other + look(tape, Y + SIZE) and other < first + look(tape, part + SIZE)


@shares.native
def perform(tape, board, threads, x, w, bias, y):
    """Do the steps of a tape; return how often they failed."""
    step = tape + (STEPS + 1) * BYTES
    for _ in range(look(tape, STEPS)):
        do, tasks, count, grain = look(step, DO), look(step, TASKS), look(step, COUNT), look(step, GRAIN)
        lacks = look(step, LACKS)
        written = step + (LACKING + LACK * lacks) * BYTES
        arguments = copied(written, look(step, WORDS) * BYTES)
        for lack in range(lacks):
            at = LACKING + LACK * lack
            whose = look(step, at + WHOSE)
            array = x if whose == X else w if whose == W else bias if whose == BIAS else y
            write(arguments, look(step, at + WHERE), look(array, DATA) + look(step, at + AFTER))
        if threads > 1 and count > grain:
            failed = call(look(board, shares.LAUNCH), (board, do, tasks, threads, count, grain, arguments))
        else:
            failed = call(do, (tasks, 0, count, arguments))
        if failed:
            return failed
        step = written + look(step, WORDS) * BYTES
    return 0


@numba.njit(error_model="numpy", no_cfunc_wrapper=True)
def compute(tape, _owners, board, threads, x, w, bias, y):
    """Compute `y`, if all arrays are as they were bound; return whether they are."""
    tape, x, w, bias, y = look(place(tape), DATA), place(x), place(w), place(bias), place(y)
    if not (fits(x, tape, X) and fits(w, tape, W) and fits(bias, tape, BIAS) and fits(y, tape, Y)):
        return False
    if overlap(x, tape, X, y) or overlap(w, tape, W, y) or overlap(bias, tape, BIAS, y):
        return False
    state = let_go()
    failed = perform(tape, board, threads, x, w, bias, y)
    take_back(state)
    if failed:
        raise MemoryError("a kernel has no memory for what it works on")
    return True


@cache
def _entry() -> Callable:
    """Compile what Python calls."""
    _, entry = machine_code(compute, (HANDED, HANDED, jit.INDEX, jit.INDEX, *(HANDED,) * 4))
    return entry


def by(steps: Callable[..., list[jit.Step] | None]) -> Callable:
    """Make the `bind` of a row from what lists its steps, or returns None where arrays have to be copied."""

    def bind(p: Any, x: Any, prepared: Any, bias: Any, y: Any, handed: tuple) -> Callable | None:
        """Return ``compute(x, w, bias, y)``, or None; `later` while others compile."""
        if jit.OFF or not KNOWN:
            return None
        with compiler() as free:
            if not free:
                return later
            listed = steps(p, x, prepared, bias, y)
            return _bound(listed, dict(zip((X, W, BIAS, Y), handed, strict=True))) if listed else None

    return bind


def _bound(steps: list[jit.Step], handed: dict[int, np.ndarray | None]) -> Callable | None:
    """Write steps down that were listed for arrays such as are handed over, if they read these."""
    given = [array for array in handed.values() if array is not None]
    if not all(type(a) is np.ndarray and a.flags.c_contiguous and a.dtype.isnative for a in given):
        return None
    words = [word for part, array in handed.items() for word in _described(array, is_written=part == Y)]
    words.append(len(steps))
    owners: list[np.ndarray] = []
    met = set()
    for step in steps:
        arguments, lacking = _laid_out(step, handed, owners)
        if arguments.nbytes > ROOM:
            return None
        words += [*step.loop.addresses(), step.tasks, step.grain, len(lacking) // LACK, arguments.size]
        words += [*lacking, *arguments.tolist()]
        met |= {*lacking[WHOSE::LACK]}
    if len(met) < len(given):  # a copy was read
        return None
    tape, entry = np.array(words, np.int64), _entry()
    if all(step.tasks <= step.grain for step in steps):
        return partial(entry, tape, owners, 0, 1)

    def spread(x: Any, w: Any, bias: Any, y: Any) -> bool:
        """Have the tasks done by as many threads as there may be."""
        threads = workers.number()
        return entry(tape, owners, workers.called(threads) if threads > 1 else 0, threads, x, w, bias, y)

    return spread


def _described(array: np.ndarray | None, *, is_written: bool) -> list[int]:
    """Say in words what an array must be."""
    if array is None:
        return [-1] * PART
    shape = [*array.shape, *(0,) * (PART - SHAPE - array.ndim)]
    flags = CONTIGUOUS | ALIGNED | (WRITEABLE if is_written else 0)
    return [array.ndim, id(np.ndarray), flags, *elements(array.dtype.newbyteorder("=")), array.nbytes, *shape]


def _laid_out(step: jit.Step, handed: dict, owners: list) -> tuple[np.ndarray, list[int]]:
    """Lay out the arguments of a step as a tuple is in memory; list the addresses that are yet to come.

    `owners` gets the other arrays: they have to stay.
    """
    kinds = step.loop.arguments
    fields = [(str(i), *_field(kind)) for i, kind in enumerate(kinds)]
    layout = np.dtype(fields, align=True)
    places: Any = layout.fields
    memory = np.zeros(-(-layout.itemsize // BYTES), np.int64)
    record = memory.view(np.uint8)[: layout.itemsize].view(layout)[0]
    lacking = []
    for i, (kind, value) in enumerate(zip(kinds, step.arguments, strict=True)):
        name = str(i)
        if not isinstance(kind, types.Array):
            record[name] = value
            continue
        address = value.ctypes.data
        record[name] = [0, 0, value.size, value.itemsize, address, *value.shape, *value.strides]
        for part, array in handed.items():
            if array is not None and 0 <= address - array.ctypes.data < array.nbytes:
                where = places[name][1] // BYTES + ADDRESS
                lacking += [where, part, address - array.ctypes.data]
                break
        else:
            owners.append(value)
    return memory, lacking


def _field(kind: types.Type) -> tuple:
    """Describe an argument in memory."""
    if isinstance(kind, types.Array):  # two owners, size, size of an element, address, lengths and strides
        return np.int64, (ADDRESS + 1 + 2 * kind.ndim,)
    return (np.dtype(str(kind)),)
