"""Tasks shared by threads: each has some of its own, and does those of a thread that has no core.

A thread's share is tasks side by side, so that what neighbours read stays in its cache, until the next call
too. What is next in each share is counted in memory, and is taken from there in one step. A thread that is
done looks at the shares of others. It leaves them alone while they make progress. But where another process
is on a core, the thread of that core can stand still for milliseconds: the rest of its share is done by those
that do have one, and the call waits for no more than it has in hand.
"""

from __future__ import annotations

import numba
import numpy as np
from llvmlite import ir
from numba import prange, types
from numba.core import cgutils
from numba.extending import intrinsic

APART = 64  # bytes in a line of the cache, which two threads should not write in turn
PATIENCE = 100_000  # looks at a share in which nothing happens, until others do its tasks: some 50 us


@numba.njit(parallel=True, nogil=True)
def shared(threads, count, grain, tasks, arguments):
    """Have `count` tasks done by so many threads, `grain` at a time, by the function at address `tasks`."""
    chunks = (count + grain - 1) // grain
    taken = counters(threads + 1)  # of each share, and how often tasks have failed
    for thread in prange(threads):
        chunk = _next(taken, threads, np.int64(thread), chunks, np.int64(-1))
        while chunk < chunks:
            first = chunk * grain
            end = first + grain
            if not _do(tasks, first, end if end < count else count, arguments):
                add(taken, threads, 1)  # what a worker raises, Numba loses
            chunk = _next(taken, threads, np.int64(thread), chunks, chunk)
    if look(taken, threads):
        raise MemoryError("a kernel has no memory for what it works on")


@numba.njit(nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _next(taken, threads, thread, chunks, last):
    """Take a chunk for a thread that has done `last`; return their number if there is none.

    It is one of its own, or of a share in which nobody has begun, or of which it had the last, or that rests.
    """
    for turn in range(threads):
        share = (thread + turn) % threads
        begin, end = chunks * share // threads, chunks * (share + 1) // threads
        known = last + 1 if begin <= last < end else begin
        following, looks = begin + look(taken, share), 0
        while turn > 0 and following < end and following != known and looks < PATIENCE:
            now = begin + look(taken, share)
            following, looks = now, (looks + 1 if now == following else 0)
        if following < end:
            following = begin + add(taken, share, 1)
            if following < end:
                return following
    return chunks


@intrinsic
def counters(_context, threads):
    """Return the address of a number for each thread, 0, on the stack of the caller."""

    def codegen(context, builder, _signature, args):
        size = builder.mul(args[0], context.get_constant(types.int64, APART))
        place = builder.alloca(ir.IntType(8), size=size)
        place.align = APART
        cgutils.memset(builder, place, size, 0)
        return builder.ptrtoint(place, ir.IntType(64))

    return types.int64(threads), codegen


@intrinsic
def add(_context, address, index, number):
    """Add to a number, in one step whatever other threads do, and return what it was."""

    def codegen(_context, builder, _signature, args):
        return builder.atomic_rmw("add", _place(builder, *args[:2]), args[2], "monotonic")

    return types.int64(address, index, number), codegen


@intrinsic
def look(_context, address, index):
    """Return a number as it is in memory now: another thread may have added to it."""

    def codegen(_context, builder, _signature, args):
        return builder.load_atomic(_place(builder, *args), "monotonic", align=8)

    return types.int64(address, index), codegen


def _place(builder, address, index):
    """Return the pointer to a number."""
    offset = builder.mul(index, ir.Constant(ir.IntType(64), APART))
    return builder.inttoptr(builder.add(address, offset), ir.IntType(64).as_pointer())


@intrinsic
def _do(_context, _tasks, _first, _end, arguments):
    """Call machine code by its address, and return whether it could do its tasks.

    Linked in, it would be compiled over again for every caller.
    """

    def codegen(context, builder, _signature, args):
        address, first, end, packed = args
        kinds = types.int64, types.int64, *arguments
        kind = context.call_conv.get_function_type(types.none, kinds).as_pointer()
        given = [first, end, *cgutils.unpack_tuple(builder, packed)]
        tasks = builder.inttoptr(address, kind)
        status, _ = context.call_conv.call_function(builder, tasks, types.none, kinds, given)
        return builder.not_(status.is_error)

    return types.boolean(types.int64, types.int64, types.int64, arguments), codegen
