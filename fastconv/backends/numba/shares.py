"""Tasks shared by threads: each has some of its own, and does those of a thread that has no core.

A call is announced on a board in memory, at which those who help look again and again, and then sleep
(`serve`). Whoever sees it there joins by one step in memory, as long as there are places. The caller wakes
sleepers but waits for nobody to come, and in the end for those alone who have come. Several calls at once
have a slot of the board each, while there are any; the rest do all of their tasks themselves.

A thread's share is tasks side by side, so that what neighbours read stays in its cache, until the next call
too. What is next in each share is counted in memory, and is taken from there in one step; whoever is done
takes from the shares of others. So where another process is on a core, and the thread of that core stands
still for milliseconds, the rest do its tasks, and the call waits for no more than it has in hand.
"""

from __future__ import annotations

import numba
import numpy as np

from fastconv.backends.numba.words import (
    BYTES,
    LINE,
    add,
    call,
    call_kept,
    clear,
    give_way,
    kept,
    look,
    modes,
    pause,
    put,
    set_modes,
    sleep,
    swap,
    wake,
)

THREADS = 256  # that a call may have at most
CALLS = 8  # that may have several at once

# Words of a board: the addresses of `launch` and `work`, whether all is over; who sleeps and by which lock,
# a line each; then the slots. Words of a slot: whether a call has it, and who may join; then what the call
# is; how often its tasks have failed, and what is taken of each share.
LAUNCH, WORK, OVER = range(3)
ASLEEP, LOCK = LINE, LINE + 1
FIRST = LINE + LINE * THREADS
OWNED, GATE = 0, LINE
MANY, CHUNKS, GRAIN, COUNT, MODES, DO, TASKS, ARGUMENTS = range(2 * LINE, 3 * LINE)
FAILED, TAKEN = 3 * LINE, 4 * LINE
SLOT = TAKEN + LINE * THREADS

OPEN, PLACE = 1 << 32, 1 << 16  # of a gate: a call is under way; there is one more place; less: one is inside
DROWSY = 8_000  # looks at a board, if nothing happens, until who serves there sleeps: some 200 us
TURN = 1_000  # looks, while others do the rest of a call, until they may have the core: some 25 us

entered = numba.njit(nogil=True, error_model="numpy", no_cfunc_wrapper=True)  # by Python
native = numba.njit(nogil=True, error_model="numpy", no_cfunc_wrapper=True, no_cpython_wrapper=True)


def board(launch: int, work: int) -> np.ndarray:
    """Make a board that nothing is announced on; it begins where a line of the cache does."""
    words = np.zeros(FIRST + CALLS * SLOT + LINE, np.int64)
    words = words[-words.ctypes.data // BYTES % LINE :]
    words[[LAUNCH, WORK]] = launch, work
    return words


@entered
def shared(board, do, tasks, threads, count, grain, arguments):
    """Have `count` tasks done by so many threads, `grain` at a time, by the functions at these addresses."""
    if call(look(board, LAUNCH), (board, do, tasks, threads, count, grain, kept(arguments))):
        raise MemoryError("a kernel has no memory for what it works on")


@native
def do(tasks, first, end, arguments):
    """Do tasks with the arguments at an address; return how often they failed."""
    return 0 if call_kept(tasks, first, end, arguments) else 1


@native
def launch(board, do, tasks, threads, count, grain, arguments):
    """Announce a call, take part in it, and wait for those who do, too; return how often tasks failed."""
    slot = board + FIRST * BYTES
    end = slot + CALLS * SLOT * BYTES
    while slot < end and (look(slot, OWNED) or not swap(slot, OWNED, 0, 1)):
        slot += SLOT * BYTES
    if slot == end:
        return call(do, (tasks, 0, count, arguments))
    chunks = (count + grain - 1) // grain
    threads = threads if threads < chunks else chunks
    put(slot, MANY, threads)
    put(slot, CHUNKS, chunks)
    put(slot, GRAIN, grain)
    put(slot, COUNT, count)
    put(slot, MODES, modes())
    put(slot, DO, do)
    put(slot, TASKS, tasks)
    put(slot, ARGUMENTS, arguments)
    put(slot, FAILED, 0)
    for share in range(threads):
        put(slot, TAKEN + LINE * share, 0)
    put(slot, GATE, OPEN + (threads - 1) * PLACE)
    for worker in range(threads - 1):
        at = LINE * worker
        if look(board, ASLEEP + at) and swap(board, ASLEEP + at, 1, 0):
            wake(look(board, LOCK + at))
    call(look(board, WORK), (slot, 0))
    clear(slot, GATE, PLACE - 1)
    while look(slot, GATE):
        pause()
    failed = look(slot, FAILED)
    put(slot, OWNED, 0)
    return failed


@entered
def serve(board, worker):
    """Take part in calls, as one of those who do, until all is over."""
    asleep, lock = ASLEEP + LINE * worker, LOCK + LINE * worker
    looks = 0
    while not look(board, OVER):
        looks += 1
        if looks == DROWSY:  # what follows is one more look: callers announce, then see who sleeps
            put(board, asleep, 1)
        calls = 0
        for number in range(CALLS):
            slot = board + (FIRST + number * SLOT) * BYTES
            gate = look(slot, GATE)
            calls += gate
            if gate % OPEN >= PLACE and swap(slot, GATE, gate, gate - PLACE + 1):
                set_modes(look(slot, MODES))
                call(look(board, WORK), (slot, gate % OPEN // PLACE))
                add(slot, GATE, -1)
                looks = DROWSY if looks == DROWSY else 0
        if looks == DROWSY:
            if not look(board, OVER):
                sleep(look(board, lock))
            looks = 0
        elif calls and looks % TURN == TURN - 1:
            give_way()  # maybe it is the caller who waits for this core
        else:
            pause()


@native
def work(slot, thread):
    """Do tasks of a call as one of its threads, while there are any for it."""
    threads, chunks, grain, count = look(slot, MANY), look(slot, CHUNKS), look(slot, GRAIN), look(slot, COUNT)
    do, tasks, arguments = look(slot, DO), look(slot, TASKS), look(slot, ARGUMENTS)
    for turn in range(threads):
        share = (thread + turn) % threads
        begin, end = -(-chunks * share // threads), -(-chunks * (share + 1) // threads)
        taken = TAKEN + LINE * share
        while begin + look(slot, taken) < end:
            chunk = begin + add(slot, taken, 1)
            if chunk < end:
                first = chunk * grain
                last = first + grain if first + grain < count else count
                failed = call(do, (tasks, first, last, arguments))
                if failed:
                    add(slot, FAILED, failed)
    return 0
