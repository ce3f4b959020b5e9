"""A run in a few tables of plain text, for the terminal."""

from __future__ import annotations

import statistics

from bench.measured import Row, backend, backends, chosen, limits, of_kind, speedup

TOLERABLE = 1.15  # times the best kernel's time: what a choice may cost
BUSY = 0.05  # of the CPUs' time, taken by others
WORDS = {"workload", "kernel", "backend", "of", "chosen", "best", "note"}  # columns set to the left

Table = list[list[str]]


def text(measured: list[Row], machine: dict) -> str:
    """Lay out a run: kernels, backends, choices, overheads, and the machine it was on."""
    kernels = of_kind(measured, "kernel")
    tables = [
        _kernels([row for row in kernels if row["limit"] == "matmul"], "GFLOP/s", "of matmul"),
        _kernels([row for row in kernels if row["limit"] == "copy"], "GB/s", "of copy"),
        _backends(measured),
        _regrets(of_kind(measured, "auto")),
        _overheads(of_kind(measured, "overhead")),
    ]
    parts = [aligned(table) for table in tables if len(table) > 1]
    return "\n\n".join([*parts, _choices(of_kind(measured, "auto")), _machine(kernels, machine)])


def aligned(table: Table) -> str:
    """Pad columns to one width, words on the left and numbers on the right."""
    head, widths = table[0], [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = []
    for line in table:
        cells = zip(head, line, widths, strict=True)
        padded = (cell.ljust(width) if name in WORDS else cell.rjust(width) for name, cell, width in cells)
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


def _kernels(rows: list[Row], rate: str, share: str) -> Table:
    """List every kernel, by workload and the fastest first."""
    table = [
        ["workload", "kernel", "median us", rate, share, "x naive", "predicted/median", "first s", "note"]
    ]
    order = list(dict.fromkeys(row["workload"] for row in rows))
    for row in sorted(rows, key=lambda row: (order.index(row["workload"]), row["seconds"])):
        predicted = f"{row['predicted'] / row['seconds']:.2f}" if row["predicted"] else ""
        table.append(
            [
                row["workload"],
                row["kernel"],
                f"{row['seconds'] * 1e6:,.1f}",
                f"{row['rate'] / 1e9:.3g}",
                f"{row['rate'] / row['limit_rate']:.1%}",
                f"{row['speedup']:,.1f}",
                predicted,
                f"{row['first_call']:.2f}",
                row["note"] if backend(row) == "naive" else "",
            ]
        )
    return table


def _backends(measured: list[Row]) -> Table:
    """Average each backend's speedup over naive, by the kernels it chooses itself."""
    table = [["backend", "workloads", "x naive (geometric mean)", "least", "of"]]
    for name in ("auto", *backends(measured)):
        rows = chosen(measured, name).values()
        if rows:
            least = min(rows, key=lambda row: row["speedup"])
            mean = f"{speedup(rows):,.1f}"
            table.append([name, f"{len(rows)}", mean, f"{least['speedup']:,.1f}", least["workload"]])
    return table


def _regrets(rows: list[Row]) -> Table:
    """List the choices that cost more than is tolerable, the worst first."""
    table = [["workload", "chosen", "best", "regret"]]
    for row in sorted(rows, key=lambda row: -row["regret"]):
        if row["regret"] > TOLERABLE:
            table.append([row["workload"], row["chosen"], row["best"], f"{row['regret']:.2f}"])
    return table


def _choices(rows: list[Row]) -> str:
    """Average the regret of all choices."""
    if not rows:
        return "auto: not measured"
    regrets = [row["regret"] for row in rows]
    good = sum(regret <= TOLERABLE for regret in regrets)
    return (
        f"auto: {good} of {len(rows)} choices within {TOLERABLE} of the best kernel's time; regret "
        f"{statistics.geometric_mean(regrets):.2f} (geometric mean), {max(regrets):.2f} at most"
    )


def _overheads(rows: list[Row]) -> Table:
    """Compare a kernel alone with the calls that lead to it."""
    table = [["workload", "kernel", "alone us", "plan adds us", "call adds us"]]
    for row in rows:
        added = (f"{(row[way] - row['bare']) * 1e6:.1f}" for way in ("plan", "call"))
        table.append([row["workload"], row["kernel"], f"{row['bare'] * 1e6:.1f}", *added])
    return table


def _machine(kernels: list[Row], machine: dict) -> str:
    """Name what it was measured with, and what the machine could do meanwhile."""
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    lines = ["; ".join(filter(None, (f"{versions}, {machine['threads']} threads", limits(kernels))))]
    others = machine["others"] or 0
    if others > BUSY:
        lines.append(
            f"Other processes took {others:.0%} of the CPUs: measure again when the machine is calm."
        )
    return "\n".join(lines)
