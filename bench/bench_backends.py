"""Every row of the table on the workloads that it may be chosen for, by a user or by its backend."""

from __future__ import annotations

import math

import pytest

from bench import clock, machine, naive
from bench.layers import check, expected, layer
from bench.workloads import PROBLEMS, SMOKE
from fastconv import dispatch
from fastconv.kernel import Kernel, Refusal

pytestmark = [
    pytest.mark.benchmark(disable_gc=True),
    pytest.mark.filterwarnings("ignore:Benchmark fixture was not used"),  # a wrong kernel is not timed
]

LONG = 1.0  # seconds, predicted, that are not worth timing
HOPELESS = 10  # times the best, predicted, that are not either, but for each backend's choice


def pairs() -> list:
    """List every workload with the names of rows worth timing on it, naive's first."""
    found = []
    for workload, problem in PROBLEMS.items():
        marks = [pytest.mark.smoke] * (workload in SMOKE)
        ranking = dispatch.ranking(problem, "fast")
        firsts = [row for name in dispatch.backends() for row in dispatch.ranking(problem, name)[:1]]
        limit = HOPELESS * ranking[0].cost(problem)
        for row in sorted(ranking, key=lambda row: (row.backend != "naive", row.name)):
            wanted = row in firsts or row.cost(problem) < limit
            if row.backend == "naive" or (wanted and row.cost(problem) < LONG):
                found.append(pytest.param(workload, row.name, marks=marks))
    return found


@pytest.mark.parametrize(("workload", "row"), pairs())
def test_kernel(benchmark, workload, row):
    """Check, then time: a wrong kernel has no speed."""
    (kernel,) = dispatch.table(row)
    loops = naive.loops(workload)
    subject = loops.corner if kernel.backend == "naive" else layer(workload)
    try:
        run, y = subject.bound(kernel)
    except Refusal as reason:
        pytest.skip(str(reason))

    first_call = clock.once(run)  # compiles
    check(kernel, subject, y, expected(workload)[tuple(map(slice, y.shape))])
    seconds = clock.once(run)

    benchmark.group = workload
    benchmark.pedantic(run, rounds=clock.rounds_of(seconds), iterations=clock.loops_of(seconds))
    share = subject.problem.flops / layer(workload).problem.flops
    record(benchmark, workload, kernel, benchmark.stats.stats.median / share)
    benchmark.extra_info.update(first_call=first_call, note=loops.note)


def record(benchmark, workload: str, kernel: Kernel, seconds: float) -> None:
    """Put into the benchmark's row what is derived from its time."""
    subject = layer(workload)
    problem, cost = subject.problem, kernel.cost(subject.problem)
    work, limit = ("bytes", "copy") if subject.w is None else ("flops", "matmul")
    benchmark.extra_info.update(
        kind="kernel",
        workload=workload,
        problem=str(problem),
        kernel=kernel.name,
        flops=problem.flops,
        bytes=problem.bytes,
        predicted=cost if math.isfinite(cost) else None,
        chosen_by=[name for name in ("auto", kernel.backend) if subject.plan(name).kernel is kernel],
        seconds=seconds,
        speedup=naive.loops(workload).seconds / seconds,
        rate=getattr(problem, work) / seconds,
        limit=limit,
        limit_rate=machine.rates(workload)[limit],
    )
