"""``tune``: measures the kernels on this machine, so that calls are given to those that are quickest here.

Every kernel that could be the best is timed on problems of many kinds and sizes, ``samples``, and the
constants that predictions are made of are fitted to that, ``fitting``. They are kept as ``costs`` says.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Container, Iterator

from fastconv import costs, dispatch
from fastconv.cli import CommandError, explain, fitting, samples, table, timing
from fastconv.cli.fitting import Sample
from fastconv.cli.progress import steps
from fastconv.dispatch import Problem
from fastconv.kernel import Refusal

HOPELESS = 8  # times as long as the quickest kernel, as predicted: not worth measuring
LONG = 0.2  # seconds, predicted, that are not worth waiting for
BUDGET = 0.03  # seconds for one kernel on one problem


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--reset", action="store_true", help="forget what was measured: predict as shipped")
    parser.add_argument("--quick", action="store_true", help="measure an eighth of the problems only")


def run(args: argparse.Namespace) -> int:
    """Measure, fit, compare with what ships, and keep what was fitted; or forget it."""
    place = costs.path()
    if args.reset:
        return _reset()
    if place is None:
        raise CommandError("there must be a folder to keep constants in: FASTCONV_CACHE_DIR is empty")
    dispatch.table()  # loads the backends
    costs.write(costs.shipped)
    found = samples.problems()[:: samples.EACH if args.quick else 1]
    measured: list[Sample] = []
    with steps(len(found)) as step:
        for problem in found:
            step(str(problem))
            measured += measure(problem)
    fitted = fitting.fit(measured)
    _compare(measured, fitted)
    try:
        costs.store(fitted)
    except OSError as error:
        raise CommandError(f"{place} must be a file that can be written ({error.strerror})") from None
    print(f"\nKept in {place}, for processes from now on; `python -m fastconv tune --reset` deletes it.")
    return 0


def _reset() -> int:
    """Delete the file of constants."""
    place = costs.path()
    if place is not None and place.exists():
        place.unlink()
        print(f"{place} is deleted: predictions are as shipped.")
    else:
        print("There is nothing to forget: predictions are as shipped.")
    return 0


def measure(problem: Problem, budget: float = BUDGET, known: Container[str] = ()) -> Iterator[Sample]:
    """Time every kernel that could be the best for a problem, but those that are known."""
    arrays = explain.inputs(problem)
    ranking = [row for row in dispatch.ranking(problem, "fast") if math.isfinite(row.cost(problem))]
    limit = min(LONG, HOPELESS * ranking[0].cost(problem)) if ranking else 0
    for row in ranking:
        if row.name not in known and (row is ranking[0] or row.cost(problem) < limit):
            try:
                call = explain.call(row, problem, *arrays)
            except Refusal:
                continue
            yield Sample(row, problem, timing.median(call, budget))


def _compare(measured: list[Sample], fitted: costs.Constants) -> None:
    """Print how far off predictions were, and are."""
    shipped, own = (fitting.quality(measured, each) for each in (costs.shipped, fitted))
    lines = []
    for name, (middle, worst) in own.off.items():
        numbers = (f"{value:.2f}" for value in (*shipped.off[name], middle, worst))
        lines.append((name, str(sum(sample.kernel.name == name for sample in measured)), *numbers))
    header = ("kernel", "problems", "shipped: off by", "at most", "fitted: off by", "at most")
    print(table.lines(header, lines))
    print(f"\nAs shipped, {fitting.said(shipped.regrets)}.")
    print(f"As fitted,  {fitting.said(own.regrets)}.")
