"""The command ``warmup``: what it has compiled, no later process compiles."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import fastconv
from fastconv import dispatch, machine
from fastconv.__main__ import main
from fastconv.backends.numba import microkernel
from fastconv.cli import usual, warmup
from fastconv.problem.parse import parse

ROOT = Path(__file__).parents[1]
LINES = (
    "conv n1 g1 ic3 oc32 i112x112 k3x3 s2x2 d1x1 p0+1x0+1 float32",
    "pool max n1 c64 i224x224 k2x2 s2x2 d1x1 p0+0x0+0 float32",
)
# Calls of other sizes, of the same code; the last one of a dtype that was not asked for.
CALLS = """
import json
import numpy as np
import fastconv
from numba.core import event

def ones(*shape, dtype=np.float32): return np.ones(shape, dtype)

counts = []
for call in (
    lambda: fastconv.conv(ones(2, 200, 224, 3), ones(5, 3, 3, 64), backend="numba:rows"),
    lambda: fastconv.max_pool(ones(2, 64, 128, 32), 2),
    lambda: fastconv.plan_conv((1, 20, 22, 3), ones(5, 3, 3, 64), backend="numba:rows")(ones(1, 20, 22, 3)),
    lambda: fastconv.max_pool(ones(2, 64, 128, 32, dtype=np.float64), 2),
):
    with event.install_recorder("numba:compile") as compiled:
        call()
    counts.append(len(compiled.buffer))
print(json.dumps(counts))
"""


def python(*arguments, folder):
    """Run Python on this package, with compiled code in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FASTCONV_CACHE_DIR": str(folder)}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done


def test_what_it_compiled_no_later_process_compiles(tmp_path):
    warmed = python("-m", "fastconv", "warmup", *LINES, "--processes", "2", folder=tmp_path)
    files = list(tmp_path.glob("code-*/*.bin"))
    *covered, other = json.loads(python("-c", CALLS, folder=tmp_path).stdout)

    assert re.match(
        rf"{len(files)} functions, \d+\.\d MB, in {re.escape(str(tmp_path))}: \d+ s\n", warmed.stdout
    )
    assert re.findall(r"^\[\d/2\] (.+)$", warmed.stderr, re.M) == ["numba:rows float32", "numba:pool float32"]
    assert covered == [0, 0, 0]
    assert other > 0


@pytest.mark.parametrize("dtype", usual.DTYPES)
def test_usual_problems_are_computed_by_what_is_compiled(dtype):
    lines = usual.lines((dtype,))
    shares = warmup._shares(lines)

    assert sorted(line for _, *share in shares for line in share) == sorted(lines)
    assert all(str(parse(line)) == line for line in lines)


def test_usual_problems_need_every_kernel_that_is_compiled():
    rows = {row.name for row in dispatch.table("numba")}
    named = {share[0].split()[0] for share in warmup._shares(usual.lines(usual.DTYPES))}
    with fastconv.use_backend("fast"):
        asked = {share[0].split()[0] for share in warmup._shares(usual.lines(usual.DTYPES))}

    assert rows - named == {"numba:jitted", "numba:winograd"}  # of functions that are the caller's own; asked
    assert asked - named == {"numba:winograd"}


@pytest.mark.parametrize("dtype", usual.FLOATS)
def test_usual_problems_need_every_micro_kernel(dtype):
    problems = [parse(line) for line in usual.lines((dtype,))]
    dense = [p for p in problems if dispatch.ranking(p)[0].name in ("numba:direct", "numba:rows")]

    for size in (2, 4, 8, 16):  # of vectors
        kinds = [microkernel.needed(p.oc, size, packed=True) for p in dense]
        assert set().union(*kinds) == set(range(len(microkernel.MADE)))


def test_a_problem_must_be_one(capsys):
    assert main(["warmup", "conv of something"]) == 2
    assert "a problem's line must be complete" in capsys.readouterr().err


def test_there_must_be_a_folder(monkeypatch, capsys):
    monkeypatch.setattr(machine, "cache_folder", lambda: None)
    assert main(["warmup"]) == 2
    assert "FASTCONV_CACHE_DIR" in capsys.readouterr().err


def test_there_must_be_a_compiler(monkeypatch, capsys):
    monkeypatch.setattr(dispatch, "backends", lambda: ("naive", "einsum"))
    assert main(["warmup"]) == 2
    assert "Numba cannot be imported" in capsys.readouterr().err


def test_a_folder_that_nothing_can_be_kept_in_is_a_failure(tmp_path):
    (tmp_path / "file").touch()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FASTCONV_CACHE_DIR": str(tmp_path / "file")}
    line = "conv n1 g1 ic1 oc1 i3 k1 s1 d1 p0+0 float16"  # which is not for compiled code to compute
    command = [sys.executable, "-m", "fastconv", "warmup", line]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 1
    assert done.stdout.startswith("0 functions")
