"""Words of memory that several threads read and write, how they wait, and code called by its address.

A word is an integer of eight bytes, named by an address and how many words lie before it. `look`, `put`,
`add`, `clear` and `swap` are each one step to all threads, and who sees what another has written sees all
that it wrote before. `sleep` and `wake` are Python's own locks, which need no interpreter. `call` takes any
number of integers and pointers: code that is linked in would be compiled over again for every caller.
"""

from __future__ import annotations

import ctypes
import os
import platform
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastconv.backends.numba.simd import PointerType

BYTES = 8  # of a word
LINE = 8  # words of a line of the cache, which two threads should not write in turn

WORD = types.int64
POINTER = ir.IntType(8).as_pointer()
IS_X86 = platform.machine() in ("x86_64", "AMD64")


@intrinsic
def look(_context, address, word):
    """Return a word as it is in memory now."""

    def codegen(_context, builder, _signature, args):
        return builder.load_atomic(_place(builder, *args), "seq_cst", align=BYTES)

    return WORD(WORD, WORD), codegen


@intrinsic
def put(_context, address, word, number):
    """Write a word."""

    def codegen(context, builder, _signature, args):
        *place, number = args
        builder.store_atomic(number, _place(builder, *place), "seq_cst", align=BYTES)
        return context.get_dummy_value()

    return types.void(WORD, WORD, WORD), codegen


@intrinsic
def add(_context, address, word, number):
    """Add to a word, and return what it was."""

    def codegen(_context, builder, _signature, args):
        *place, number = args
        return builder.atomic_rmw("add", _place(builder, *place), number, "seq_cst")

    return WORD(WORD, WORD, WORD), codegen


@intrinsic
def clear(_context, address, word, bits):
    """Leave no more of a word than some bits."""

    def codegen(context, builder, _signature, args):
        *place, bits = args
        builder.atomic_rmw("and", _place(builder, *place), bits, "seq_cst")
        return context.get_dummy_value()

    return types.void(WORD, WORD, WORD), codegen


@intrinsic
def swap(_context, address, word, known, number):
    """Write a word if it is `known` still; return whether it was."""

    def codegen(_context, builder, _signature, args):
        *place, known, number = args
        done = builder.cmpxchg(_place(builder, *place), known, number, "seq_cst", "seq_cst")
        return builder.extract_value(done, 1)

    return types.boolean(WORD, WORD, WORD, WORD), codegen


@intrinsic
def pause(_context):
    """Wait for a moment, in which the other thread of this core, if there is one, has it."""

    def codegen(context, builder, _signature, _args):
        if IS_X86:
            foreign(builder, "llvm.x86.sse2.pause", ir.VoidType())
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def give_way(_context):
    """Let another thread that waits for this core have it, where a system can be asked."""

    def codegen(context, builder, _signature, _args):
        if os.name == "posix":
            foreign(builder, "sched_yield", ir.IntType(32))
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def sleep(_context, lock):
    """Wait until a lock of `new_lock` is opened, and close it."""

    def codegen(context, builder, _signature, args):
        lock, wait = builder.inttoptr(args[0], POINTER), ir.Constant(ir.IntType(32), 1)
        foreign(builder, "PyThread_acquire_lock", ir.IntType(32), lock, wait)
        return context.get_dummy_value()

    return types.void(WORD), codegen


@intrinsic
def wake(_context, lock):
    """Open a lock that is closed."""

    def codegen(context, builder, _signature, args):
        foreign(builder, "PyThread_release_lock", ir.VoidType(), builder.inttoptr(args[0], POINTER))
        return context.get_dummy_value()

    return types.void(WORD), codegen


def new_lock() -> int:
    """Make a lock that is closed, for ever."""
    lock = _python("PyThread_allocate_lock", ctypes.c_void_p)()
    if not lock:
        raise MemoryError("there can be no more locks")
    _python("PyThread_acquire_lock", ctypes.c_int)(ctypes.c_void_p(lock), 1)
    return int(lock)


def open_lock(lock: int) -> None:
    """Open a lock."""
    _python("PyThread_release_lock", None)(ctypes.c_void_p(lock))


def _python(name: str, result: Any) -> Any:
    """Return a function of Python's own."""
    function = ctypes.pythonapi[name]
    function.restype = result
    return function


@intrinsic
def modes(_context):
    """Return how this thread rounds, and whether it flushes denormals, as far as that is known here."""

    def codegen(_context, builder, _signature, _args):
        if not IS_X86:
            return ir.Constant(ir.IntType(64), 0)
        place = cgutils.alloca_once(builder, ir.IntType(32))
        foreign(builder, "llvm.x86.sse.stmxcsr", ir.VoidType(), place)
        return builder.zext(builder.load(place), ir.IntType(64))

    return WORD(), codegen


@intrinsic
def set_modes(_context, modes):
    """Let this thread round as another does."""

    def codegen(context, builder, _signature, args):
        if IS_X86:
            place = cgutils.alloca_once_value(builder, builder.trunc(args[0], ir.IntType(32)))
            foreign(builder, "llvm.x86.sse.ldmxcsr", ir.VoidType(), place)
        return context.get_dummy_value()

    return types.void(WORD), codegen


@intrinsic
def call(_context, function, arguments):
    """Call code that takes words, or pointers as they are, and returns a word."""
    kinds = tuple(kind if isinstance(kind, PointerType) else WORD for kind in arguments)

    def codegen(context, builder, signature, args):
        function, given = args
        kind = context.call_conv.get_function_type(WORD, kinds).as_pointer()
        triples = zip(cgutils.unpack_tuple(builder, given), signature.args[1], kinds, strict=True)
        unpacked = [context.cast(builder, *triple) for triple in triples]
        address = builder.inttoptr(function, kind)
        return context.call_conv.call_function(builder, address, WORD, kinds, unpacked)[1]

    return WORD(WORD, arguments), codegen


@intrinsic
def kept(_context, values):
    """Return the address of a tuple, which is there until the caller returns.

    Its arrays are nobody's: their owner keeps them meanwhile, and threads that counted references to the
    same array would wait for one another's caches.
    """

    def codegen(context, builder, _signature, args):
        items = cgutils.unpack_tuple(builder, args[0])
        for i, kind in enumerate(values):
            if isinstance(kind, types.Array):
                array = context.make_array(kind)(context, builder, items[i])
                array.meminfo, array.parent = (
                    ir.Constant(p.type, None) for p in (array.meminfo, array.parent)
                )
                items[i] = array._getvalue()
        place = cgutils.alloca_once_value(builder, context.make_tuple(builder, values, items))
        return builder.ptrtoint(place, ir.IntType(64))

    return WORD(values), codegen


@intrinsic
def call_kept(_context, function, first, end, arguments):
    """Call code that takes a range and the tuple at an address; return whether it raised nothing."""

    def codegen(context, builder, _signature, args):
        function, first, end, place = args
        kinds = WORD, WORD, *arguments.dtype
        kind = context.call_conv.get_function_type(types.none, kinds).as_pointer()
        given = [first, end, *cgutils.unpack_tuple(builder, builder.load(place))]
        address = builder.inttoptr(function, kind)
        status, _ = context.call_conv.call_function(builder, address, types.none, kinds, given)
        return builder.not_(status.is_error)

    return types.boolean(WORD, WORD, WORD, arguments), codegen


def _place(builder, address, word):
    """Return the pointer to a word."""
    offset = builder.mul(word, ir.Constant(ir.IntType(64), BYTES))
    return builder.inttoptr(builder.add(address, offset), ir.IntType(64).as_pointer())


def foreign(builder, name, result, *args):
    """Call what is known by a name, of C's or an instruction, and return its result."""
    kind = ir.FunctionType(result, [arg.type for arg in args])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), args)
