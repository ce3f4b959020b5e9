"""Run one row of the table on arrays that lie against memory nobody may touch.

    python tests/guard_pages.py einsum:matmul

Every array begins, then ends, exactly where a page without permissions does: one element too far is
a crash of this process. It prints each case before it runs it, so that the last line names the culprit.
"""

import ctypes
import mmap
import sys
from dataclasses import replace

import numpy as np
from cases import CASES, arrays, blank, problem
from rows import weights_for

from fastconv import dispatch
from fastconv.problem import ConvProblem

PAGE = mmap.PAGESIZE
NO_ACCESS = 0  # PROT_NONE

_kept = []  # memory lives as long as the process: addresses must not be given out again


def guarded(array, edge):
    """Copy `array`, its axes in the same memory order, so that its `edge` is that of the memory."""
    if array is None:
        return None
    order = np.argsort([-abs(stride) for stride in array.strides], kind="stable")
    inside = -(-max(array.nbytes, 1) // PAGE) * PAGE
    memory = mmap.mmap(-1, PAGE + inside + PAGE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    start = PAGE if edge == "begin" else PAGE + inside - array.nbytes
    flat = np.frombuffer(memory, array.dtype, array.size, start)
    copy = flat.reshape(array.transpose(order).shape).transpose(np.argsort(order))
    copy[...] = array
    for page in (address, address + PAGE + inside):
        if ctypes.CDLL(None, use_errno=True).mprotect(ctypes.c_void_p(page), PAGE, NO_ACCESS):
            raise OSError(ctypes.get_errno(), "mprotect")
    _kept.append(memory)
    return copy


def run(row, p, x, w, bias, y):
    w = weights_for(row, p, w)
    for prepare in (row.prepare, row.once or row.prepare):
        prepared = prepare(p, w)
        row.run(p, x, prepared, bias, y)
        if row.bind is not None:
            results = [each.transpose(p.y_order) for each in (y if isinstance(y, tuple) else (y,))]
            handed = x.transpose(p.x_order), None, *[None, *results[::-1]][-2:]
            bound = row.bind(p, x, prepared, bias, y, handed)
            if bound is not None:
                bound(*handed)
    return y


def check(row):
    """Compute every case that `row` accepts twice in guarded memory, and compare with ordinary memory."""
    for name, (_, dtypes) in CASES.items():
        for dtype in dtypes:
            p = problem(name, dtype)
            p = replace(p, has_bias=True) if isinstance(p, ConvProblem) else p
            if not isinstance(p, row.problem) or row.rejects(p):
                continue
            inputs = arrays(p, np.random.default_rng(0))
            expected = run(row, p, *inputs, blank(p))
            for edge in ("begin", "end"):
                print(name, dtype, edge, flush=True)  # noqa: T201 (read by the test that runs this)
                y = blank(p)
                places = tuple(guarded(part, edge) for part in (y if isinstance(y, tuple) else (y,)))
                x, w, bias = (guarded(array, edge) for array in inputs)
                run(row, p, x, w, bias, places if isinstance(y, tuple) else places[0])
                np.testing.assert_array_equal(places if isinstance(y, tuple) else places[0], expected)


if __name__ == "__main__":
    (chosen,) = dispatch.table(sys.argv[1])
    check(chosen)
