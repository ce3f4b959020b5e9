"""Rows of outputs that are too long for one task, and every task on its way to a thread."""

import numpy as np
import pytest
from cases import CASES, arrays, blank, problem

from fastconv import dispatch
from fastconv.backends import naive
from fastconv.backends.numba import bands, cuts, grouped, jit, planes, pooling
from fastconv.problem import ConvProblem

LOOPS = [row for row in dispatch.table() if row.name in ("numba:grouped", "numba:planes", "numba:pool")]


@pytest.mark.parametrize(
    ("row", "name"),
    [
        pytest.param(row, name, id=f"{row.name}-{name}")
        for name, (_, dtypes) in CASES.items()
        for row in LOOPS
        if "float32" in dtypes and isinstance(problem(name), row.problem) and not row.rejects(problem(name))
    ],
)
def test_rows_in_segments(row, name, monkeypatch):
    """Rows of outputs that are too long for one task, and every task on its way to a thread."""
    for module, constant, value in (
        (jit, "ALONE", 1e-12),
        (jit, "CHUNK", 0),
        (cuts, "LINE", 8),
        (cuts, "cut", cuts.cut.__wrapped__),  # what they remember is of other segments
        (pooling, "cut", cuts.cut.__wrapped__),
        (bands, "SEGMENT", 8),
        (bands, "PANEL", 1),
        (planes, "schedule", bands.schedule.__wrapped__),
        (bands, "schedule", bands.schedule.__wrapped__),
        (bands, "cut", bands.cut.__wrapped__),
        (planes, "listed", bands.listed.__wrapped__),
        (grouped, "ROWS", 2),
        (grouped, "ITEMS", 1),
        (grouped, "schedule", grouped.schedule.__wrapped__),
    ):
        monkeypatch.setattr(module, constant, value)
    p = problem(name)
    inputs = arrays(p, np.random.default_rng(0))
    expected, y = blank(p), blank(p)
    (naive.conv if isinstance(p, ConvProblem) else naive.pool)(p, *inputs, expected)

    row.run(p, inputs[0], row.prepare(p, inputs[1]), inputs[2], y)

    np.testing.assert_array_equal(y, expected)
