"""Fits the constants of the rows' cost functions, for pasting into their modules.

    python -m bench.fit_costs --samples FILE                    measure what is not in FILE yet, and fit
    python -m bench.fit_costs --samples FILE --seconds 50       stop measuring after so long, to go on later
    python -m bench.fit_costs --samples FILE --only numba:pool  measure these rows anew, and no others

Measured are the problems of ``fastconv.cli.samples`` and the layers of ``bench.workloads``, each by every row
that could be the best. Printed are the constants, how far off each row's predictions are, and the regret of
the choices that follow, over all problems and over the layers alone.
"""

from __future__ import annotations

import argparse
import json
import time
from fnmatch import fnmatch
from pathlib import Path

from bench.summary import aligned
from bench.workloads import PROBLEMS
from fastconv import costs, dispatch
from fastconv.cli import fitting, samples, tune
from fastconv.cli.fitting import Quality, Sample
from fastconv.problem.parse import parse

BUDGET = 0.1  # seconds for one row on one problem


def main(argv: list[str] | None = None) -> None:
    """Measure, fit and print."""
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("python -m bench.fit_costs", description=__doc__, formatter_class=plain)
    add = parser.add_argument
    add(
        "--samples", type=Path, required=True, metavar="FILE", help="measurements: read, added to and written"
    )
    add("--seconds", type=float, default=1e9, help="for measuring; default: as long as it takes")
    add("--only", action="append", default=[], metavar="ROW", help="rows to measure anew, as 'numba:*'")
    add("--fit", action="store_true", help="fit what has been measured, measure nothing")
    args = parser.parse_args(argv)
    dispatch.table()  # loads the backends
    costs.write(costs.shipped)
    kept = json.loads(args.samples.read_text()) if args.samples.exists() else {}
    if not args.fit:
        measured(kept, args.only, args.seconds)
        args.samples.write_text(json.dumps(kept, indent=1))
    print(report(read(kept)))


def lines() -> list[str]:
    """List the problems."""
    return list(dict.fromkeys(map(str, [*PROBLEMS.values(), *samples.problems()])))


def measured(kept: dict, only: list[str], seconds: float) -> None:
    """Add to the seconds kept, by problem and row, until the time is up."""
    end = time.perf_counter() + seconds
    names = {row.name for row in dispatch.table()}
    anew = {name for name in names if any(fnmatch(name, pattern) for pattern in only)}
    for line in lines():
        if time.perf_counter() > end:
            print("There is more to measure.")
            return
        problem, known = parse(line), kept.setdefault(line, {})
        passed_over = names - anew if only else known.keys()
        for kernel, _, value in list(tune.measure(problem, BUDGET, passed_over)):
            known[kernel.name] = value


def read(kept: dict) -> list[Sample]:
    """List the samples of rows that there are."""
    rows = {row.name: row for row in dispatch.table()}
    return [
        Sample(rows[name], parse(line), seconds)
        for line, each in kept.items()
        for name, seconds in each.items()
        if name in rows and rows[name].rejects(parse(line)) is None
    ]


def report(found: list[Sample]) -> str:
    """Fit, and say what came of it."""
    fitted = fitting.fit(found)
    before, after = fitting.quality(found, costs.shipped), fitting.quality(found, fitted)
    parts = [_constants(fitted), _rows(before, after)]
    for name, quality in (("before", before), ("fitted", after)):
        layers = {str(p): value for p, value in quality.regrets.items() if p in PROBLEMS.values()}
        parts.append(f"{name}, all: {fitting.said(quality.regrets)}")
        if layers:
            parts.append(f"{name}, layers: {fitting.said(layers)}")
            worst = sorted(layers, key=layers.__getitem__)[:-6:-1]
            parts += [f"  {layers[line]:.2f}  {line}" for line in worst if layers[line] > 1.05]
    return "\n".join(parts)


def _constants(fitted: costs.Constants) -> str:
    """List constants by module, as they are to be pasted, with what they were."""
    text = []
    for name, value in fitted.items():
        module, _, key = name.rpartition(".")
        if f"# {module}" not in text:
            text.append(f"# {module}")
        text.append(f"{key} = {value:.2g}  # {costs.shipped[name]:.2g} before")
    return "\n".join(text)


def _rows(before: Quality, after: Quality) -> str:
    """Tabulate by which factor predictions are off."""
    table = [["kernel", "before: off by", "at most", "fitted: off by", "at most"]]
    for name, (middle, worst) in after.off.items():
        table.append([name, *(f"{value:.2f}" for value in (*before.off[name], middle, worst))])
    return aligned(table)


if __name__ == "__main__":
    main()
