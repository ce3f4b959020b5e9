"""How much faster whole networks run than in the reference evaluator: ``python -m bench.onnx_networks``.

The networks are those that ship with onnx, with weights of `bench.light`. Results must agree with ONNX
Runtime's, where it is installed, before anything is timed. The reference evaluator and fastconv then take
turns in one process, whose BLAS both use, and of each the median counts.
"""

from __future__ import annotations

import argparse
import importlib
import statistics
import time
from typing import Any

import numpy as np
from onnx.reference import ReferenceEvaluator

from bench import light
from fastconv.cli import table, timing
from fastconv.integrations.onnx import evaluator, profile

NETWORKS = ("squeezenet", "inception_v1", "shufflenet")
ROUNDS = 3  # of the reference, which takes seconds; of fastconv ten times as many
OFTEN = 10
TOLERANCE = 1e-4  # of the largest output


def main() -> int:
    """Print a table; return 1 if results differ."""
    parser = argparse.ArgumentParser("python -m bench.onnx_networks", description=__doc__)
    parser.add_argument("networks", nargs="*", default=NETWORKS, metavar="NAME", help=", ".join(light.NAMES))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    args = parser.parse_args()
    rows = []
    for name in args.networks:
        model = light.model(name)
        (feeds,) = light.images(model, 1)
        ours, theirs = evaluator(model), ReferenceEvaluator(model)
        y = ours.run(None, feeds)[0]
        apart = _apart(model, feeds, y)
        if not apart < TOLERANCE:  # NaN is none
            print(f"bench.onnx_networks: {name} differs by {apart:.1e} of the largest output")
            return 1
        rows.append([name, f"{apart:.0e}", *_row(ours, theirs, feeds, args.rounds)])
    header = ("network", "apart", "fastconv ms", "reference ms", "times faster", "conv and pool", "then most")
    print(table.lines(header, rows))
    return 0


def _apart(model: Any, feeds: dict[str, np.ndarray], y: np.ndarray) -> float:
    """Return how far a result is from ONNX Runtime's, in parts of the largest output."""
    runtime = importlib.import_module("onnxruntime")
    runtime.set_default_logger_severity(3)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    session = runtime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    (expected,) = session.run(None, feeds)
    return float(np.abs(y - expected).max() / np.abs(expected).max())


def _row(ours: Any, theirs: Any, feeds: dict[str, np.ndarray], rounds: int) -> list[str]:
    """Time both in turn, then say where fastconv's time goes."""
    taken: dict[Any, list[float]] = {ours: [], theirs: []}
    for _ in range(rounds):
        for ready, times in ((theirs, 1), (ours, OFTEN)):
            timing.settle()
            for _ in range(times):
                start = time.perf_counter()
                ready.run(None, feeds)
                taken[ready].append(time.perf_counter() - start)
    fast, slow = (statistics.median(taken[ready]) for ready in (ours, theirs))
    return [*map(table.milliseconds, (fast, slow)), f"{slow / fast:.1f}", *_shares(ours, feeds)]


def _shares(ours: Any, feeds: dict[str, np.ndarray]) -> tuple[str, str]:
    """Return the share of convolutions and pools, and the three other operators that take most."""
    _, costs = profile(ours, feeds, OFTEN)
    total, sums = sum(cost.seconds for cost in costs), dict.fromkeys((cost.op for cost in costs), 0.0)
    for cost in costs:
        sums[cost.op] += cost.seconds / total
    windows = sum(sums.pop(op) for op in [*sums] if op.startswith("Conv") or op.endswith("Pool"))
    rest = sorted(sums.items(), key=lambda pair: -pair[1])[:3]
    return f"{windows:.0%}", ", ".join(f"{op} {share:.0%}" for op, share in rest)


if __name__ == "__main__":
    raise SystemExit(main())
