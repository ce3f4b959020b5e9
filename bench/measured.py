"""What is read off a run: a list of the rows' ``extra_info``, as the JSON has it.

A row of kind "kernel" is a kernel on a workload, "auto" the public call on a workload and "overhead"
the way to a kernel.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable

Row = dict  # JSON's


def of_kind(measured: Iterable[Row], kind: str) -> list[Row]:
    """Select rows of one kind."""
    return [row for row in measured if row["kind"] == kind]


def backend(row: Row) -> str:
    """Name the backend of a kernel's row."""
    return row["kernel"].partition(":")[0]


def backends(measured: Iterable[Row]) -> list[str]:
    """List the backends whose choices were measured, without naive, which they are measured by."""
    kernels = of_kind(measured, "kernel")
    found = dict.fromkeys(backend(row) for row in kernels if backend(row) in row["chosen_by"])
    return [name for name in found if name != "naive"]


def chosen(measured: Iterable[Row], by: str) -> dict[str, Row]:
    """Map each workload to the kernel that ``backend=by`` chooses for it."""
    return {row["workload"]: row for row in of_kind(measured, "kernel") if by in row["chosen_by"]}


def speedup(rows: Iterable[Row]) -> float:
    """Average speedups over naive, as ratios should be: the geometric mean."""
    return statistics.geometric_mean(row["speedup"] for row in rows)


def limits(kernels: Iterable[Row]) -> str:
    """Say what matrix products and copies reached beside the kernels: their range shows how calm it was."""
    found = []
    for limit, unit in (("matmul", "GFLOP/s"), ("copy", "GB/s")):
        beside = {row["workload"]: row["limit_rate"] / 1e9 for row in kernels if row["limit"] == limit}
        if rates := beside.values():
            middle = statistics.median(rates)
            found.append(f"{limit} {middle:.3g} {unit} ({min(rates):.3g} to {max(rates):.3g})")
    return ", ".join(found)
