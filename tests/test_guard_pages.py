"""No kernel reads or writes one element too far: where it would, a page without permissions begins."""

import subprocess
import sys
from pathlib import Path

import pytest

from fastconv import dispatch
from fastconv.problem import FoldProblem

TESTS = Path(__file__).parent
# The named cases have no folds: those are sums of views that NumPy itself keeps inside.
ROWS = [row.name for row in dispatch.table() if row.backend != "naive" and row.problem is not FoldProblem]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no mprotect")


def finished(*command):
    return subprocess.run(
        [sys.executable, "-X", "faulthandler", *command],
        cwd=TESTS,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("row", ROWS)
def test_row_stays_inside_its_arrays(row):
    done = finished("guard_pages.py", row)

    *_, last = done.stdout.splitlines() or ["nothing ran"]
    assert done.returncode == 0, f"{row} in {last}:\n{done.stderr}"
    assert last != "nothing ran"


@pytest.mark.parametrize(("edge", "offset"), [("begin", -1), ("end", 8)])
@pytest.mark.parametrize("act", ["ctypes.string_at(at, 1)", "ctypes.memset(at, 0, 1)"])
def test_a_byte_too_far_is_a_crash(edge, offset, act):
    """Else the tests above could not fail."""
    code = f"""
import ctypes
import numpy as np
from guard_pages import guarded
array = guarded(np.zeros(1), {edge!r})
at = array.ctypes.data
{act}
print("inside", flush=True)
at = array.ctypes.data + {offset}
{act}
"""
    done = finished("-c", code)

    assert done.stdout == "inside\n"
    assert done.returncode < 0, done.stderr  # ended by a signal
