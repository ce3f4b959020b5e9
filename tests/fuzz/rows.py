"""Which rows of the table computed what, as they did it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastconv import dispatch
from fastconv.kernel import Kernel


class TooMuchError(Exception):
    """A problem that would take too long."""


@dataclass(frozen=True)
class Run:
    """A row that computed `y`."""

    row: Kernel
    problem: Any
    x: Any
    w: Any
    bias: Any
    y: Any


class Recorder:
    """Has every row of the table say what it computes."""

    def __init__(self):
        self.runs: list[Run] = []
        self._most = 0.0
        self._weights: dict[int, Any] = {}
        table = dispatch.table
        self._rows = {row.name: self._recording(row) for row in table()}
        dispatch.table = lambda backend="auto": tuple(self._rows[row.name] for row in table(backend))
        dispatch.ranking.cache_clear()

    def begin(self, most: float) -> None:
        """Forget earlier runs; from now on, refuse problems of more than so many operations."""
        self.problems = [each.problem for each in self.runs]
        self.runs, self._most, self._weights = [], most, {}

    def accepting(self) -> list[str]:
        """List the rows that could compute the first problem of those since the last beginning."""
        if not self.runs:
            return []
        problem = self.runs[0].problem
        rows = (row for row in self._rows.values() if isinstance(problem, row.problem))
        return [row.name for row in rows if row.rejects(problem) is None]

    def __str__(self) -> str:
        return ", ".join(f"{each.row.name}: {each.problem}" for each in self.runs)

    def _recording(self, row: Kernel) -> Kernel:
        def recording(prepare):
            def prepared(problem, w):
                result = prepare(problem, w)
                self._weights[id(result)] = w, result  # kept, so that no other takes its place
                return result

            return prepared

        def run(problem, x, prepared, bias, y):
            size = sum(part.nbytes for part in (y if isinstance(y, tuple) else (y,)))
            if problem.flops > self._most or size > self._most:
                raise TooMuchError(str(problem))
            row.run(problem, x, prepared, bias, y)
            w = self._weights.get(id(prepared), (None,))[0]
            kept = (
                tuple(map(np.array, y)) if isinstance(y, tuple) else np.array(y)
            )  # activations go on in place
            self.runs.append(Run(row, problem, x, w, bias, kept))

        once = row.once and recording(row.once)
        return replace(row, prepare=recording(row.prepare), once=once, run=run)
