"""Compiled code that one process leaves on disk is right in another, whatever that has compiled before."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fastconv.backends.numba import cache, grouped, pooling, sweep

ROOT = Path(__file__).parent.parent
CODE = """
import sys
import numpy as np
import fastconv

rng = np.random.default_rng(0)
x = rng.integers(-4, 5, (2, 9, 20, 6)).astype(np.float64)
w = rng.integers(-4, 5, (3, 3, 1, 6)).astype(np.float64)
for stride in sys.argv[1]:
    options = dict(strides=(1, int(stride)))
    y = fastconv.conv(x, w, backend="numba:grouped", **options)
    np.testing.assert_array_equal(y, fastconv.conv(x, w, backend="naive", **options))
for reduction in sys.argv[2].split("-"):
    options = dict(pool_size=2, reduction=reduction, dtype=np.float64)
    y, z = (fastconv.plan_pool(x.shape, backend=backend, **options)(x) for backend in ("numba", "naive"))
    np.testing.assert_array_equal(y, z)
"""


def test_code_on_disk_is_not_taken_for_another(tmp_path):
    """Numba names functions by a counter, which starts anew in the process that reads another's code."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FASTCONV_CACHE_DIR": str(tmp_path)}
    for strides, reductions in (("2", "min"), ("12", "max-min"), ("21", "sum-min-max")):
        command = [sys.executable, "-c", CODE, strides, reductions]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stderr


def made(function):
    """Yield a compiled function and those that it was made with, if they were made with something."""
    if cells := function.py_func.__closure__:
        yield function.py_func
        for cell in cells:
            if hasattr(cell.cell_contents, "py_func"):
                yield from made(cell.cell_contents)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (grouped.strips(8, 1, 3, 1, 1, 1, 1), grouped.strips(8, 1, 3, 2, 1, 1, 1)),
        (grouped.strips(8, 1, 3, 1, 1, 2, 4), grouped.strips(8, 1, 3, 1, 1, 2, 2)),
        (pooling._tasks("max", 0, False), pooling._tasks("min", 0, False)),
        (pooling._tasks("sum", 0, False), pooling._tasks("sum", 0, True)),
        (sweep._tasks("sum"), sweep._tasks("prod")),
    ],
)
def test_what_is_made_with_something_else_has_another_name(one, other):
    """The name decides which of two functions of the same place runs, so it says what each was made with."""
    names = [{(f.__module__, f.__qualname__): f for f in made(function)} for function in (one, other)]

    assert one.py_func.__qualname__ != other.py_func.__qualname__
    for name in names[0].keys() & names[1].keys():
        values = [[v for v in cache._captured(group[name]) if not callable(v)] for group in names]
        assert values[0] == values[1], name
