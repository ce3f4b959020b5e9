"""How long a process waits for its first result: ``import fastconv``, then a first call, warm and cold.

    python -m bench.first_call [--rounds 5] [--cold-rounds 1] [--only PATTERN]

Every number is of fresh processes that do one thing, in turn; byte code has been written before, as
installers do. Warm means that an earlier process has left compiled code on disk, cold that the folder is
empty. A first call imports Numba, and everything else that ``import fastconv`` puts off. The exit code is
1 where a bar is missed: 20 ms after NumPy's import, 0.5 s warm, 4 s cold.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

from bench.summary import aligned
from bench.workloads import matching

CASES = {  # workload: a call of a public function on arrays of ones
    "article/conv": ("conv(ones(1, 28, 28, 3), ones(2, 2, 3, 4), 2)", "numba:rows"),
    "resnet50/conv2_3x3": ("conv(ones(1, 56, 56, 64), ones(3, 3, 64, 64), 1, 'same')", "numba:direct"),
    "resnet50/conv2_1x1": ("conv(ones(1, 56, 56, 64), ones(1, 1, 64, 256))", "numba:rows"),
    "mobilenetv2/block2_dw": (
        "depthwise_conv(ones(1, 56, 56, 144), ones(3, 3, 144, 1), 1, 'same')",
        "numba:grouped",
    ),
    "vgg16/block1_pool": ("max_pool(ones(1, 224, 224, 64), 2)", "numba:pool"),
}
IMPORT, WARM, COLD = 0.02, 0.5, 4  # seconds that are aimed at

CODE = """
import json, sys, time
began = time.perf_counter()
import numpy as np
numpy = time.perf_counter()
import fastconv
imported = time.perf_counter()
def ones(*shape): return np.ones(shape, np.float32)
call = eval("lambda: fastconv." + sys.argv[1])
first = time.perf_counter()
call()
end = time.perf_counter()
call()
again = time.perf_counter()
json.dump([imported - numpy, end - first, again - end], sys.stdout)
"""


def main(argv: list[str] | None = None) -> int:
    """Measure and print; 1 if a bar is missed."""
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("python -m bench.first_call", description=__doc__, formatter_class=plain)
    parser.add_argument("--rounds", type=int, default=5, help="warm processes a call; default: 5")
    parser.add_argument("--cold-rounds", type=int, default=1, help="cold ones; default: 1")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="workloads, as resnet50 or '*3x3*'")
    args = parser.parse_args(argv)
    names = [name for name in CASES if name in matching(args.only)]
    with tempfile.TemporaryDirectory() as kept:
        cold = {name: [_cold(name) for _ in range(args.cold_rounds)] for name in names}
        for name in names:
            process(name, kept)
        rounds = [{name: process(name, kept) for name in names} for _ in range(args.rounds)]
    imports = statistics.median(run[0] for each in rounds for run in each.values())
    warm = {name: statistics.median(each[name][1] for each in rounds) for name in names}
    slowest = {name: statistics.median(run[1] for run in runs) for name, runs in cold.items()}
    print(f"import fastconv, after NumPy: {imports * 1e3:.1f} ms")
    lines = [
        [name, CASES[name][1], f"{warm[name]:.3f}", f"{slowest[name]:.2f}" if name in slowest else ""]
        for name in names
    ]
    print(aligned([["workload", "kernel", "warm s", "cold s"], *lines]))
    met = imports <= IMPORT and max(warm.values()) <= WARM and max(slowest.values(), default=0) <= COLD
    return 0 if met else 1


def process(name: str, folder: str) -> list[float]:
    """Seconds of import, first and second call, in a process that keeps compiled code in a folder."""
    environment = {**os.environ, "FASTCONV_CACHE_DIR": folder}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    call, kernel = CASES[name]
    code = call[:-1] + f", backend={kernel!r})"
    run = subprocess.run([sys.executable, "-c", CODE, code], env=environment, capture_output=True, check=True)
    return json.loads(run.stdout)


def _cold(name: str) -> list[float]:
    """Seconds of a process with an empty folder."""
    with tempfile.TemporaryDirectory() as empty:
        return process(name, empty)


if __name__ == "__main__":
    sys.exit(main())
