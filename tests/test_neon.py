"""Kernels are right at the vectors of ARM, and LLVM makes its instructions of them, on any machine."""

import os
import subprocess
import sys
from pathlib import Path

from fastconv import dispatch
from fastconv.problem import FoldProblem

TESTS = Path(__file__).parent


def test_every_row_is_compiled_for_arm():
    environment = {**os.environ, "FASTCONV_CACHE_DIR": ""}  # code on disk is of this machine's vectors
    done = subprocess.run(
        [sys.executable, "neon.py"],
        cwd=TESTS,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )

    assert done.returncode == 0, f"after {done.stdout}\n{done.stderr}"
    printed = [line.split() for line in done.stdout.splitlines()]
    rows = [row.name for row in dispatch.table("numba") if row.problem is not FoldProblem]
    assert [name for name, *_ in printed] == rows
    for name, cases, modules, vectors in printed:
        assert int(cases) > 0, f"{name} accepts no case"
        assert 0 < int(modules) < int(vectors), f"{name} has {vectors} vector registers in {modules} modules"
