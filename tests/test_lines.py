"""A problem's line: what it says, and that it reads back."""

import os
import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from cases import CASES, problem

from fastconv.problem import Layout, Words, conv_problem, pool_problem
from fastconv.problem.parse import parse

F32 = np.dtype(np.float32)
NAMED = [name for name in CASES if not callable(getattr(problem(name, CASES[name][1][0]), "reduction", None))]


@pytest.mark.parametrize("name", NAMED)
def test_line_reads_back(name):
    for dtype in CASES[name][1]:
        p = problem(name, dtype)

        assert parse(str(p)) == p


@pytest.mark.parametrize(
    ("dtype", "init"),
    [
        ("bool", False),
        ("bool", True),
        ("int8", -128),
        ("float32", -np.inf),
        ("float64", 0.1),
        ("complex64", 1 - 2j),
    ],
)
def test_line_reads_back_what_windows_start_from(dtype, init):
    p = problem("pool sum 2d", dtype)
    p = replace(p, init=p.acc_dtype.type(init))

    assert parse(str(p)) == p


def test_lines_say_what_they_always_said():
    layout = Layout.of(Words("conv"), "channels_last", 4)
    p = conv_problem(Words("conv"), layout, (1, 56, 56, 64), (1, 1, 64, 256), x_dtype=F32, w_dtype=F32)
    q = pool_problem(Words("pool"), layout, (1, 112, 112, 64), F32, 3, strides=2, padding="same")

    assert str(p) == "conv n1 g1 ic64 oc256 i56x56 k1x1 s1x1 d1x1 p0+0x0+0 float32"
    assert str(q) == "pool max n1 c64 i112x112 k3x3 s2x2 d1x1 p0+1x0+1 float32"
    r = replace(p, has_bias=True, activation="relu", x_order=(0, 3, 1, 2))
    assert str(r) == f"{p} x@0312 bias relu"
    assert parse(str(r)) == r


@pytest.mark.parametrize(
    ("changes", "tag"),
    [
        (dict(w_dtype=np.dtype("int8")), " w:int8"),
        (dict(acc_dtype=np.dtype("float64")), " acc:float64"),
        (dict(y_dtype=np.dtype("float16")), " y:float16"),
        (dict(y_order=(3, 1, 2, 0)), " y@3120"),
        (dict(x_order=(0, 3, 1, 2), has_bias=True), " x@0312 bias"),
        (dict(activation="hard_silu"), " hard_silu"),
    ],
)
def test_lines_say_what_is_not_as_usual(changes, tag):
    p = problem("conv 2d")
    changed = replace(p, **changes)

    assert str(changed) == f"{p}{tag}"
    assert parse(str(changed)) == changed


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("pull max n1 c2 i5 k3 s1 d1 p0+0 float32", r"must begin with 'conv' or 'pool'; got 'pull max"),
        ("", r"a problem's line must .*; got ''"),
        ("conv n1 g1 ic2 i5x5", r"must be complete, .*; got 'conv n1 g1 ic2 i5x5'"),
        ("pool max n1 c2 i5x6 k3 s1x1 d1x1 p0+0x0+0 float32", r"must be complete, .*k3 s1x1"),
        ("pool max n1 c2 i5 k3 s0 d1 p0+0 float32", r"must be complete, .*s0"),
        ("pool max n1 c2 i5 k3 s1 d1 p-3+-3 float32", r"must be complete, .*p-3\+-3"),
        ("pool median n1 c2 i5 k3 s1 d1 p0+0 float32", r"must be complete, .*median"),
    ],
)
def test_bad_line_is_refused(line, message):
    with pytest.raises(ValueError, match=message):
        parse(line)


@pytest.mark.parametrize("name", ["conv 2d", "pool max 2d"])
def test_problems_survive_another_process(name):
    """The hash of a string differs from process to process, so it must not travel."""
    p = problem(name, "float32")
    code = (
        "import pickle, sys; from fastconv.problem.parse import parse; p = pickle.load(sys.stdin.buffer); "
        "print(hash(p) == hash(parse(str(p))), p)"
    )
    seeded = {**os.environ, "PYTHONHASHSEED": "7"}

    told = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(p), env=seeded, capture_output=True, check=True
    )

    assert told.stdout.decode() == f"True {p}\n"
    assert pickle.loads(pickle.dumps(p)) == p
