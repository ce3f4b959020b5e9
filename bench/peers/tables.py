"""The results of a race as tables: on a terminal, and in the README."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from bench.peers.libraries import CALL, FAST, LIMIT, PEERS, PLAN
from bench.peers.libraries.limits import SIDE
from bench.workloads import FAMILIES, family
from fastconv.problem.parse import parse

BUSY = 0.05  # of the CPUs' time, taken by others
NAMES = dict(
    torch="PyTorch", jax="JAX", onnxruntime="ONNX Runtime", opencv="OpenCV", scipy="SciPy", numpy="NumPy"
)


class Standing(NamedTuple):
    """What a row of the results comes to."""

    workload: str
    problem: str
    plan: float  # seconds of fastconv
    call: float
    fast: float | None  # of a plan with another kernel, that only who asks for "fast" gets
    peers: dict[str, float]  # seconds of each library's best way in the plan race
    plan_gain: float | None  # the best peer's seconds over ours; None where there is no peer
    call_gain: float | None
    fast_gain: float | None  # of the plan that who asks gets, the same or another
    share: float | None  # of the rate of matrix products or copies


def standings(rows: Iterable[dict]) -> Iterator[Standing]:
    """Work out who stands where."""
    for row in rows:
        best = {race: _best(row["seconds"][race]) for race in (PLAN, CALL)}
        plan, call = (best[race].pop("fastconv") for race in (PLAN, CALL))
        fast = next(iter(row["seconds"].get(FAST, {}).values()), None)
        yield Standing(
            workload=row["workload"],
            problem=row["problem"],
            plan=plan,
            call=call,
            fast=fast,
            peers=best[PLAN],
            plan_gain=min(best[PLAN].values()) / plan if best[PLAN] else None,
            call_gain=min(best[CALL].values()) / call if best[CALL] else None,
            fast_gain=min(best[PLAN].values()) / (fast or plan) if best[PLAN] else None,
            share=_share(row, plan),
        )


def _best(seconds: dict[str, float]) -> dict[str, float]:
    """Return the time of each library's best way, by library."""
    best: dict[str, float] = {}
    for name, value in seconds.items():
        library = name.partition(":")[0]
        best[library] = min(value, best.get(library, value))
    return best


def _share(row: dict, plan: float) -> float | None:
    """Return which share of the machine's rate a plan reached."""
    limits = row["seconds"][LIMIT]
    if copy := limits.get("limits:copy"):
        return copy / plan
    if product := limits.get("limits:matmul"):
        return parse(row["problem"]).flops / plan / (2 * SIDE**3 / product)
    return None


def averages(found: list[Standing]) -> list[list[str]]:
    """Average gains by family, as ratios should be: the geometric mean; and name the least."""
    lines = []
    for name in FAMILIES:
        line = [name]
        for gain in ("plan_gain", "call_gain", "fast_gain"):
            gains = {s.workload: getattr(s, gain) for s in found if family(s.workload) == name}
            gains = {workload: value for workload, value in gains.items() if value is not None}
            if gains:
                least = min(gains, key=gains.__getitem__)
                ahead = sum(value >= 1 for value in gains.values())
                mean = statistics.geometric_mean(gains.values())
                line += [f"{mean:.2f}", f"{ahead} of {len(gains)}", f"{gains[least]:.2f}", least]
        if len(line) > 1:
            lines.append(line)
    return lines


RACES = ("plan", "call", "asked for fast")
AVERAGES = ["family", *(name for race in RACES for name in (race, "ahead", "least", "of"))]


def columns(found: list[Standing]) -> list[str]:
    """Name the columns: libraries that took no part have none."""
    present = [name for name in PEERS if any(name in s.peers for s in found)]
    return ["workload", "plan us", "call us", "fast us", *present, "best / plan", "best / call", "of limit"]


def cells(s: Standing, names: list[str]) -> list[str]:
    """Write a line for some columns."""
    peers = [micro(s.peers[name]) if name in s.peers else "" for name in names[4:-3]]
    gains = ["" if gain is None else f"{gain:.2f}" for gain in (s.plan_gain, s.call_gain)]
    share = "" if s.share is None else f"{s.share:.0%}"
    fast = "" if s.fast is None else micro(s.fast)
    return [s.workload, micro(s.plan), micro(s.call), fast, *peers, *gains, share]


def micro(seconds: float) -> str:
    """Write microseconds with three digits that matter."""
    value = float(f"{seconds * 1e6:.3g}")
    return f"{value:,.0f}" if value >= 100 else f"{value:g}"


def notes(results: dict) -> list[str]:
    """Say what a reader must know: what is missing, what failed, how calm the machine was."""
    said = [f"{name} is not installed: {reason}" for name, reason in results["missing"].items()]
    for row in results["rows"]:
        said += [f"{row['workload']}: {name} failed: {reason}" for name, reason in row["failed"].items()]
    busy = [row["workload"] for row in results["rows"] if (row["others"] or 0) > BUSY]
    if busy:
        said.append(
            f"Other processes took more than {BUSY:.0%} of the CPUs beside {len(busy)} of "
            f"{len(results['rows'])} workloads, measure again when the machine is calm: {', '.join(busy)}"
        )
    return said


def conditions(results: dict) -> str:
    """Say where, when and with what was measured."""
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    rates = [2 * SIDE**3 / row["seconds"][LIMIT].get("limits:matmul", 0) / 1e9 for row in _convs(results)]
    matmul = f" NumPy's matmul beside them: {statistics.median(rates):.3g} GFLOP/s." if rates else ""
    return (
        f"{results['cpu']}, {results['threads']} threads each; Python {results['python']}, {versions} "
        f"({results['commit']}, {results['date']}).{matmul}"
    )


def _convs(results: dict) -> list[dict]:
    """Select rows beside which matrix products were measured."""
    return [row for row in results["rows"] if row["seconds"][LIMIT].get("limits:matmul")]


def folded(title: str, text: str) -> str:
    """Hide Markdown below a title that a reader may click."""
    return f"<details><summary>{title}</summary>\n\n{text}\n\n</details>"


def markdown(results: dict) -> str:
    """Write the README's tables."""
    found = list(standings(results["rows"]))
    names = columns(found)
    shown = [NAMES.get(name, name) for name in names]
    table = [shown, [":--"] + ["--:"] * (len(names) - 1), *(cells(s, names) for s in found)]
    means = [AVERAGES, [":--"] + ["--:", "--:", "--:", ":--"] * len(RACES), *averages(found)]
    text = ["\n".join(f"| {' | '.join(line)} |" for line in lines) for lines in (means, table)]
    return "\n\n".join(
        [
            conditions(results),
            text[0],
            folded("Every workload, in microseconds", text[1]),
            *notes(results),
        ]
    )
