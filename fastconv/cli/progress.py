"""Says on standard error how far a long command is: a bar on a terminal, else one line a step."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Step = Callable[[str], None]  # called with what begins now


@contextmanager
def steps(total: int) -> Iterator[Step]:
    """Give a function to call as each of `total` steps begins."""
    bar = _bar() if sys.stderr.isatty() else None
    if bar is None:
        yield _line(total)
        return
    task = bar.add_task("", total=total)
    begun = 0

    def step(what: str) -> None:
        nonlocal begun
        bar.update(task, completed=begun, description=what)
        begun += 1

    with bar:
        yield step


def _line(total: int) -> Step:
    """Write a line for each step."""
    begun = 0

    def step(what: str) -> None:
        nonlocal begun
        begun += 1
        print(f"[{begun}/{total}] {what}", file=sys.stderr, flush=True)

    return step


def _bar():
    """Return rich's progress bar, or None where rich is not installed."""
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    except ImportError:
        return None
    columns = BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}")
    return Progress(*columns, console=Console(stderr=True), transient=True)
