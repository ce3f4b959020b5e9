"""Arrays as Python hands them over: compiled code reads what it needs of them, and counts no references.

Numba takes an array apart, and counts who holds it, before compiled code runs: some 70 ns each. What is
`Handed` comes as the address of the object, whose words are read where NumPy's interface for C says they are.
They are read while this thread holds the interpreter; the work is done after `let_go`.
"""

from __future__ import annotations

import ctypes

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import NativeValue, intrinsic, models, register_model, unbox

from fastconv.backends.numba.words import BYTES, POINTER, WORD, foreign

# Words of an array object: its class, then from NumPy's on where its data lies, how many axes there are,
# where their lengths are, of which dtype it is, and flags.
CLASS = 1
HEAD = object.__basicsize__ // BYTES  # and of a dtype: the class of its numbers, and which they are
DATA, AXES, LENGTHS, DTYPE, FLAGS = HEAD, HEAD + 1, HEAD + 2, HEAD + 5, HEAD + 6
CONTIGUOUS, OWNED, ALIGNED, WRITEABLE = 0x1, 0x4, 0x100, 0x400
INT = (1 << 32) - 1  # what an int of C has of a word

ROOM = 2048  # bytes of arguments


class Object(types.Type):
    """The address of a Python object, which the caller holds."""

    def __init__(self):
        super().__init__("Object")


HANDED = Object()
register_model(Object)(models.OpaqueModel)


@unbox(Object)
def _unbox_object(_kind, pointer, _context):
    """Take an object as it is."""
    return NativeValue(pointer)


@intrinsic
def place(_context, handed):
    """Return the address of an object."""

    def codegen(_context, builder, _signature, args):
        return builder.ptrtoint(args[0], ir.IntType(64))

    return WORD(HANDED), codegen


@intrinsic
def let_go(_context):
    """Let other threads of Python run; return what `take_back` needs."""

    def codegen(_context, builder, _signature, _args):
        return builder.ptrtoint(foreign(builder, "PyEval_SaveThread", POINTER), ir.IntType(64))

    return WORD(), codegen


@intrinsic
def take_back(_context, state):
    """Wait until this thread may go on with Python."""

    def codegen(context, builder, _signature, args):
        foreign(builder, "PyEval_RestoreThread", ir.VoidType(), builder.inttoptr(args[0], POINTER))
        return context.get_dummy_value()

    return types.void(WORD), codegen


@intrinsic
def write(_context, address, word, number):
    """Write a word that no other thread knows."""

    def codegen(context, builder, _signature, args):
        address, word, number = args
        at = builder.inttoptr(address, ir.IntType(64).as_pointer())
        builder.store(number, builder.gep(at, [word]))
        return context.get_dummy_value()

    return types.void(WORD, WORD, WORD), codegen


@intrinsic
def copied(_context, source, size):
    """Copy so many bytes, of at most `ROOM`, to where they stay until the caller returns or copies anew."""

    def codegen(_context, builder, _signature, args):
        room = cgutils.alloca_once(builder, ir.ArrayType(ir.IntType(64), ROOM // BYTES))
        target = builder.bitcast(room, POINTER)
        cgutils.raw_memcpy(builder, target, builder.inttoptr(args[0], POINTER), args[1], 1)
        return builder.ptrtoint(room, ir.IntType(64))

    return WORD(WORD, WORD), codegen


def elements(dtype: np.dtype) -> tuple[int, int]:
    """Return the words that equal dtypes have equal: there may be several."""
    first, second = _words(id(dtype), HEAD + 2)[HEAD:]
    return first, second


def _words(address: int, count: int) -> list[int]:
    """Return the words at an address."""
    return list((ctypes.c_int64 * count).from_address(address))


def _known() -> bool:
    """Whether the words of an array are where they should be."""
    x = np.zeros((3, 5), np.float32)
    found = _words(id(x), FLAGS + 1)
    is_array = [found[word] for word in (CLASS, DATA, DTYPE)] == [id(np.ndarray), x.ctypes.data, id(x.dtype)]
    return (
        is_array
        and elements(x.dtype)[0] == id(np.float32)
        and found[AXES] & INT == x.ndim
        and tuple(_words(found[LENGTHS], x.ndim)) == x.shape
        and found[FLAGS] & INT == CONTIGUOUS | ALIGNED | WRITEABLE | OWNED
    )


KNOWN = _known()
