"""Whole networks on fastconv beside Keras' other ways to compute: ``python -m bench.keras_networks``.

Keras' JAX backend compiles a network as a whole; its NumPy backend, as it comes, calls JAX for convolutions.
Each has a process of its own, in which one image is given to ``predict_on_batch``; they take turns, network
by network, with a pause between turns, and of each the median counts.
``tests/parity/test_keras_networks.py`` sees that results agree.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

from bench.keras_worker import DEPTHWISE, NETWORKS
from fastconv.cli import table

BACKENDS = ("fastconv", "jax", "numpy")
ROUNDS = 7
PAUSE = 0.1  # seconds in which the threads of whoever had its turn, that spin for more work, go to sleep


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser("python -m bench.keras_networks", description=__doc__)
    parser.add_argument("networks", nargs="*", default=[*NETWORKS], metavar="NAME", help=", ".join(NETWORKS))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    args = parser.parse_args()
    workers = {backend: _worker(backend) for backend in BACKENDS}
    rows = []
    for name in args.networks:
        for worker in workers.values():
            _seconds(worker, name)  # builds it
        rounds = [[_seconds(worker, name) for worker in workers.values()] for _ in range(args.rounds)]
        ours, jax, numpy = (statistics.median(times) for times in zip(*rounds, strict=True))
        milliseconds = (f"{1e3 * t:.3g}" for t in (ours, jax, numpy))
        kind = "depthwise" if name in DEPTHWISE else "dense"
        rows.append([name, kind, *milliseconds, f"{jax / ours:.2f}", f"{numpy / ours:.2f}"])
    for worker in workers.values():
        worker.stdin.close()
        worker.wait()
    header = ("network", "kind", "fastconv ms", "JAX ms", "NumPy + JAX ms", "JAX / ours", "NumPy / ours")
    print(table.lines(header, rows))


def _worker(backend: str) -> subprocess.Popen:
    """Start a process with a backend."""
    command = [sys.executable, "-m", "bench.keras_worker", backend]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _seconds(worker: subprocess.Popen, name: str) -> float:
    """Ask a process for the time of a network, when it has the machine to itself."""
    time.sleep(PAUSE)
    print(name, file=worker.stdin, flush=True)
    return float(worker.stdout.readline())


if __name__ == "__main__":
    main()
