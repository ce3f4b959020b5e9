"""The race's command line."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import bench.peers
from bench import report
from bench.peers import race, tables
from bench.summary import aligned
from bench.workloads import PROBLEMS, matching
from fastconv.threads import available

ROUNDS = 7


def main(argv: list[str] | None = None) -> int:
    """Run the race, print its tables, and keep what was asked for; 1 if a contender disagrees."""
    args = _parser().parse_args(argv)
    patterns = args.only or ["*"]
    workloads = [name for name in PROBLEMS if any(name in matching(pattern) for pattern in patterns)]
    if not workloads:
        print(f"bench.peers: --only must match a workload; got {', '.join(patterns)}", file=sys.stderr)
        return 2
    try:
        results = race.races(workloads, args.rounds, args.threads, args.libraries, _tell)
    except race.Disagreement as difference:
        print(f"bench.peers: {difference}", file=sys.stderr)
        return 1
    results["commit"] = _commit()
    show(results)
    kept = merged(json.loads(args.json.read_text()), results) if args.json and args.json.exists() else results
    if args.json:
        args.json.write_text(report.written(kept))
    if args.plot:
        from bench import plot  # needs matplotlib

        plot.race(kept, args.plot)
    return 0


def _parser() -> argparse.ArgumentParser:
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "python -m bench.peers", description=bench.peers.__doc__, formatter_class=plain
    )
    add = parser.add_argument
    add("--only", action="append", metavar="PATTERN", help="workloads or families, as resnet50 or '*3x3*'")
    add(
        "--libraries",
        nargs="*",
        choices=race.PEERS,
        default=race.PEERS,
        help="besides fastconv; default: all",
    )
    add("--rounds", type=int, default=ROUNDS, help=f"default: {ROUNDS}")
    add("--threads", type=int, default=available(), help="of each library; default: as many as CPUs")
    add("--json", type=Path, metavar="FILE", help="add the results to those in FILE")
    add("--plot", type=Path, metavar="FILE", help="draw all results in FILE, or those of this run")
    return parser


def show(results: dict) -> None:
    """Print the tables, and what must be known with them."""
    found = list(tables.standings(results["rows"]))
    names = tables.columns(found)
    for table in (
        [names, *(tables.cells(s, names) for s in found)],
        [tables.AVERAGES, *tables.averages(found)],
    ):
        print(f"{_laid_out(table)}\n")
    print("\n".join([tables.conditions(results), *tables.notes(results)]))


def _laid_out(table: list[list[str]]) -> str:
    """Lay out a table by rich where a person looks at it and rich is installed, else in plain text."""
    if sys.stdout.isatty():
        try:
            from rich.console import Console
            from rich.table import Table
        except ImportError:
            return aligned(table)
        rich = Table(box=None, header_style="bold")
        for name in table[0]:
            rich.add_column(name, justify="left" if name in ("workload", "family", "of") else "right")
        for line in table[1:]:
            rich.add_row(*line)
        console = Console()
        with console.capture() as captured:
            console.print(rich)
        return captured.get()
    return aligned(table)


def merged(old: dict, new: dict) -> dict:
    """Put the rows of a new run in place of those of the same workloads."""
    rows = {row["workload"]: row for row in old["rows"] + new["rows"]}
    return {**new, "rows": [rows[name] for name in PROBLEMS if name in rows]}


def _tell(workload: str) -> None:
    print(workload, file=sys.stderr, flush=True)


def _commit() -> str:
    """Name the commit that was measured, where that is known."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short=12", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown commit"


if __name__ == "__main__":
    sys.exit(main())
