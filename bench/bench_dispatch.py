"""What a user of the public functions pays: the choice of a kernel, and the way to it."""

from __future__ import annotations

import contextlib
import functools

import pytest

from bench import clock
from bench.layers import Layer, check, expected, layer
from bench.workloads import PROBLEMS, SMOKE
from fastconv import dispatch
from fastconv.kernel import Kernel, Refusal

pytestmark = [
    pytest.mark.benchmark(min_time=1e-3, max_time=0.1, min_rounds=3, disable_gc=True),
    pytest.mark.filterwarnings("ignore:Benchmark fixture was not used"),  # a wrong result is not timed
]


@pytest.mark.parametrize(
    "workload", [pytest.param(name, marks=[pytest.mark.smoke] * (name in SMOKE)) for name in PROBLEMS]
)
def test_auto(benchmark, workload):
    """Time the public call, and the kernel it takes against the best there is."""
    subject = layer(workload)
    call, chosen = subject.call(), subject.plan().kernel
    check(chosen, subject, call(), expected(workload))
    seconds = clock.medians(contenders(subject, chosen))
    best = min(seconds, key=seconds.__getitem__)

    benchmark.group = workload
    benchmark(call)
    benchmark.extra_info.update(
        kind="auto",
        workload=workload,
        chosen=chosen.name,
        best=best,
        regret=seconds[chosen.name] / seconds[best],
        seconds=benchmark.stats.stats.median,
    )


def contenders(subject: Layer, chosen: Kernel) -> dict:
    """Bind the kernels that may be the best: not those predicted to take ten times as long."""
    found, limit = {}, 10 * chosen.cost(subject.problem)
    for kernel in dispatch.ranking(subject.problem):
        if kernel.cost(subject.problem) < limit:
            with contextlib.suppress(Refusal):  # of the weights
                found[kernel.name], _ = subject.bound(kernel)
                found[kernel.name]()  # compiles
    return found


@pytest.mark.smoke
@pytest.mark.parametrize("workload", ["article/conv", "article/pool"])
def test_overhead(benchmark, workload):
    """Time the kernel alone, by a plan, and by the public function."""
    subject = layer(workload)
    plan = subject.plan()
    bare, _ = subject.bound(plan.kernel)
    planned = functools.partial(plan, subject.x)
    seconds = clock.medians({"bare": bare, "plan": planned, "call": subject.call()})

    benchmark.group = f"{workload} overhead"
    benchmark(planned)
    benchmark.extra_info.update(kind="overhead", workload=workload, kernel=plan.kernel.name, **seconds)
