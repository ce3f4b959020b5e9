"""From the JSON of the benchmarks and of the race to the README's tables and plots.

    pytest --benchmark-only --benchmark-json=bench.json && python -m bench.report bench.json

keeps of the JSON what is shown, in ``bench/results/results.json``, and draws from that and from what the race
keeps by ``python -m bench.peers --json bench/results/peers.json``. Without an argument it draws both again.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from bench.measured import Row, backends, chosen, limits, of_kind, speedup
from bench.peers import tables
from bench.peers.tables import folded
from fastconv.problem import ConvProblem
from fastconv.problem.parse import parse

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
KEPT = ROOT / "bench" / "results" / "results.json"
PLOT = ROOT / "bench" / "results" / "speedup.svg"
RACE = ROOT / "bench" / "results" / "peers.json"
RACE_PLOT = ROOT / "bench" / "results" / "peers.svg"

FIELDS = (
    *("kind", "workload", "problem", "kernel", "chosen_by", "seconds", "speedup"),
    *("limit", "limit_rate", "note"),
)


def reduced(run: dict) -> dict:
    """Keep of pytest-benchmark's JSON what table and plot show: kernels, machine, versions and date."""
    machine = run["machine_info"]
    kernels = of_kind((row["extra_info"] for row in run["benchmarks"]), "kernel")
    return {
        "date": run["datetime"][:10],
        "commit": run["commit_info"]["id"][:12],
        "cpu": machine["cpu"]["brand_raw"],
        "python": machine["python_version"],
        **{key: _rounded(value) for key, value in machine["fastconv"].items()},
        "rows": [{field: _rounded(row[field]) for field in FIELDS} for row in kernels],
    }


def _rounded(value):
    """Keep four digits of a measured number."""
    return float(f"{value:.4g}") if isinstance(value, float) else value


def section(results: dict) -> str:
    """Write what stands between the README's markers."""
    rows = results["rows"]
    names = backends(rows)
    table = _table(rows, names)
    if any(row["note"] for row in rows):
        table += (
            "\n\n\\* The naive loops were timed on a corner of the layer's outputs and scaled by "
            "multiply-adds (pooling: elements reduced)."
        )
    parts = [_conditions(results), _averages(rows, names), folded("Every layer", table)]
    return "\n\n".join([*parts, folded("Plot", _picture("Speedup over the naive loops", PLOT))])


def _conditions(results: dict) -> str:
    """Say where, when and with what it was measured."""
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    return (
        f"{results['cpu']}, {results['threads']} threads; Python {results['python']}, {versions} "
        f"({results['commit']}, {results['date']}). float32. NumPy on the same machine, "
        f"beside the kernels: {limits(results['rows'])}.{_others(results)}"
    )


def _others(results: dict) -> str:
    """Say how busy the machine was otherwise, where that is known."""
    return "" if results["others"] is None else f" Other processes took {results['others']:.0%} of the CPUs."


def _averages(rows: list[Row], names: list[str]) -> str:
    """Average each backend's speedup."""
    said = []
    for name in names:
        picked = list(chosen(rows, name).values())
        least = min(picked, key=lambda row: row["speedup"])
        said.append(
            f"{name} {_number(speedup(picked))}x (at least {_number(least['speedup'])}x, {least['workload']})"
        )
    return f"Faster than the naive loops, geometric mean over the layers: {'; '.join(said)}."


def _table(rows: list[Row], names: list[str]) -> str:
    """Lay out one line a workload, with the kernel that each backend chooses."""
    head = ["workload", "layer", *(f"{name} us" for name in names), "auto picks"]
    head += [f"{name} x naive" for name in names]
    rule = [":--", ":--", *["--:"] * len(names), ":--", *["--:"] * len(names)]
    auto, by = chosen(rows, "auto"), {name: chosen(rows, name) for name in names}
    lines = [head, rule]
    for workload, row in auto.items():
        own = [by[name].get(workload) for name in names]
        times = [_number(each["seconds"] * 1e6) if each else "" for each in own]
        gains = [_number(each["speedup"]) if each else "" for each in own]
        mark = " \\*" if row["note"] else ""
        lines.append([workload + mark, _layer(row["problem"]), *times, row["kernel"], *gains])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _layer(line: str) -> str:
    """Say in short what a problem's line says."""
    problem = parse(line)
    win = problem.window
    size, window = ("x".join(map(str, lengths)) for lengths in (win.i, win.k))
    images = f"{problem.n} of " if problem.n > 1 else ""
    options = [f"stride {win.s[0]}"] * (win.s[0] > 1) + [f"dilation {win.d[0]}"] * (win.d[0] > 1)
    if not isinstance(problem, ConvProblem):
        kind = f"{problem.c}, {problem.reduction} {window}"
    elif problem.g > 1 and problem.ic == 1:
        kind = f"{problem.g}, depthwise {window}"
    else:
        kind = f"{problem.g * problem.ic} to {problem.g * problem.oc}, {window}"
        options += [f"{problem.g} groups"] * (problem.g > 1)
        options += [f"transposed, stride {win.b[0]}"] * (win.b[0] > 1)
    return ", ".join([f"{images}{size}x{kind}", *options])


def _number(value: float) -> str:
    """Write three digits of a positive number."""
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if rounded >= 100 else f"{rounded:g}"


def _picture(words: str, path: Path) -> str:
    """Show a picture of the repository."""
    return f"![{words}]({path.relative_to(ROOT).as_posix()})"


def inserted(readme: str, name: str, text: str) -> str:
    """Put `text` between the markers of a name in a README and leave the rest as it is."""
    first, last = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, begin, rest = readme.partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end:
        counts = f"{readme.count(first)} and {readme.count(last)}"
        raise ValueError(f"report: the README must hold {first} and after it {last}; got {counts} of them")
    return f"{before}{first}\n{text}\n{last}{after}"


def written(results: dict) -> str:
    """Write results as JSON, a row a line."""
    rows = ",\n  ".join(json.dumps(row) for row in results["rows"])
    head = json.dumps({key: value for key, value in results.items() if key != "rows"}, indent=1)
    return f'{head[:-2]},\n "rows": [\n  {rows}\n ]\n}}\n'


def main() -> None:
    """Read the JSON named on the command line, or what is kept, and draw table and plot."""
    from bench import plot  # needs matplotlib, which the tables do not

    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("python -m bench.report", description=__doc__, formatter_class=plain)
    parser.add_argument("run", nargs="?", type=Path, help="JSON of pytest --benchmark-json")
    run = parser.parse_args().run
    results = json.loads(KEPT.read_text()) if run is None else reduced(json.loads(run.read_text()))
    readme = inserted(README.read_text(), "benchmarks", section(results))
    race = json.loads(RACE.read_text())
    picture = _picture("Time of other libraries over fastconv's", RACE_PLOT)
    readme = inserted(readme, "peers", f"{picture}\n\n{tables.markdown(race)}")

    KEPT.parent.mkdir(exist_ok=True)
    KEPT.write_text(written(results))
    plot.speedup(results, PLOT)
    plot.race(race, RACE_PLOT)
    README.write_text(readme)


if __name__ == "__main__":
    main()
