"""What this machine can do, measured in the same run, and what was measured with."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import time
from pathlib import Path

import numpy as np

import fastconv
from bench import clock

SIDE = 1024  # of the matrices
COPIED = 1 << 26  # bytes: more than caches hold, so that a layer which they do hold may exceed the rate


@functools.cache
def rates(_beside: str) -> dict[str, float]:
    """Measure FLOP/s of NumPy's float32 matrix product and bytes/s, read and written, of a copy.

    Once for each workload: what else runs on the machine slows these as it slows the kernels.
    """
    a, b, c = (np.ones((SIDE, SIDE), np.float32) for _ in range(3))
    source, target = (np.ones(COPIED, np.uint8) for _ in range(2))
    contenders = {"matmul": lambda: np.matmul(a, b, out=c), "copy": lambda: np.copyto(target, source)}
    seconds = clock.medians(contenders)
    return {"matmul": 2 * SIDE**3 / seconds["matmul"], "copy": 2 * COPIED / seconds["copy"]}


def description() -> dict:
    """Return threads, versions and how busy the machine was otherwise, for the JSON and the summary."""
    versions = {"fastconv": fastconv.__version__}
    for package in ("numpy", "numba"):
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:  # Numba is not on every platform
            continue
    return {"threads": fastconv.get_num_threads(), "versions": versions, "others": others()}


def others(since: tuple | None = None, own: float | None = None) -> float | None:
    """Share of the CPUs' time that other processes took since `clocks`, or since this module was imported.

    `own` is the seconds that are ours, else those of this process. Only Linux knows.
    """
    begin, end = since or BEGIN, clocks()
    if begin is None or end is None:
        return None
    wall, busy, process = (after - before for after, before in zip(end, begin, strict=True))
    return max(0.0, (busy - (process if own is None else own)) / (wall * os.cpu_count()))


def clocks() -> tuple[float, float, float] | None:
    """Seconds of the wall, of all CPUs at work, and of this process."""
    try:
        user, nice, system, _idle, _wait, *interrupts = map(int, Path("/proc/stat").read_text().split()[1:9])
    except OSError:
        return None
    busy = user + nice + system + sum(interrupts)
    return time.perf_counter(), busy / os.sysconf("SC_CLK_TCK"), time.process_time()


BEGIN = clocks()
