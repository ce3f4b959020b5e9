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
from numba import prange, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np import arrayobj

APART = 8  # numbers in a line of the cache, which two threads should not write in turn
PATIENCE = 100_000  # looks at a share in which nothing happens, until others do its tasks: some 50 us


@numba.njit(parallel=True, nogil=True)
def shared(threads, count, grain, tasks, arguments):
    """Have `count` tasks done by so many threads, `grain` at a time, by the function at address `tasks`."""
    chunks = (count + grain - 1) // grain
    following = np.empty((threads, APART), np.int64)  # which chunk of each share is next
    for thread in range(threads):
        following[thread, 0] = chunks * thread // threads
    for thread in prange(threads):
        for turn in range(threads):
            share = (np.intp(thread) + turn) % threads  # prange counts unsigned; with signed, a float
            end = chunks * (share + 1) // threads
            known = chunks * share // threads  # a share that nobody has begun on is abandoned
            while turn == 0 or _abandoned(following, share, end, known):
                chunk = _taken(following, share)
                if chunk >= end:
                    break
                _do(tasks, chunk * grain, min(count, (chunk + 1) * grain), arguments)
                known = chunk + 1


@numba.njit(nogil=True)
def _abandoned(following, share, end, known):
    """Whether a share has chunks left, and nobody has taken one since `known` was next, or for long."""
    seen, looks = _seen(following, share), 0
    while seen < end and seen != known and looks < PATIENCE:
        now = _seen(following, share)
        seen, looks = now, (looks + 1 if now == seen else 0)
    return seen < end


@intrinsic
def _taken(_context, following, share):
    """Take the next chunk of a share, in one step whatever other threads do."""

    def codegen(context, builder, signature, args):
        one = context.get_constant(types.int64, 1)
        return builder.atomic_rmw("add", _place(context, builder, signature, args), one, "monotonic")

    return types.int64(following, share), codegen


@intrinsic
def _seen(_context, following, share):
    """Look which chunk of a share is next, in memory: another thread may have taken one since."""

    def codegen(context, builder, signature, args):
        return builder.load_atomic(_place(context, builder, signature, args), "monotonic", align=8)

    return types.int64(following, share), codegen


def _place(context, builder, signature, args):
    """Find the count of a share in memory."""
    kind = signature.args[0]
    following = arrayobj.make_array(kind)(context, builder, args[0])
    indices = [args[1], context.get_constant(types.intp, 0)]
    return cgutils.get_item_pointer(context, builder, kind, following, indices)


@intrinsic
def _do(_context, _tasks, _first, _end, arguments):
    """Call machine code by its address: linked in, it would be compiled over again for every caller."""

    def codegen(context, builder, _signature, args):
        address, first, end, packed = args
        kinds = types.int64, types.int64, *arguments
        kind = context.call_conv.get_function_type(types.none, kinds).as_pointer()
        given = [first, end, *cgutils.unpack_tuple(builder, packed)]
        tasks = builder.inttoptr(address, kind)
        status, _ = context.call_conv.call_function(builder, tasks, types.none, kinds, given)
        with cgutils.if_unlikely(builder, status.is_error):
            context.call_conv.return_status_propagate(builder, status)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64, arguments), codegen
