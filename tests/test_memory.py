"""What a planned convolution takes besides its arrays: little, and never a matrix of windows."""

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIMIT = 2**20  # bytes a thread
CODE = """
import ctypes, json, re, sys, tracemalloc
import numpy as np
import fastconv

def status(name):
    with open("/proc/self/status") as file:
        return 1024 * int(re.search(rf"{name}:\\s+(\\d+)", file.read())[1])

def resident(call):  # of which the allocator has given back what it could
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the peak starts from here
    before = status("VmRSS")
    call()
    return status("VmHWM") - before

def traced(call):
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak

fastconv.set_num_threads(2)
rows = {}
for backend, x, w, strides, padding in json.loads(sys.argv[1]):
    plan = fastconv.plan_conv(x, np.ones(w, np.float32), strides, padding, backend=backend)
    x, y = np.ones(x, np.float32), np.zeros(plan.y_shape, np.float32)
    plan(x, y)
    call = lambda: plan(x, y)
    rows[plan.kernel.name] = max(rows.get(plan.kernel.name, 0), resident(call), traced(call))
windows = np.empty(7 * 2**20, np.uint8)  # what the first one's would be
rows["a matrix of windows"] = resident(lambda: windows.fill(1))
print(json.dumps(rows))
"""
LAYERS = [
    ((1, 56, 56, 64), (3, 3, 64, 64), 1, "same"),
    ((1, 56, 56, 64), (1, 1, 64, 256), 1, "valid"),
    ((1, 56, 56, 24), (3, 3, 24, 40), 1, "same"),
    ((1, 224, 224, 3), (7, 7, 3, 64), 2, "same"),
    ((1, 28, 28, 128), (3, 3, 128, 128), 1, "same"),
    ((1, 28, 28, 512), (3, 3, 512, 32), 1, "same"),
    ((1, 4000, 64), (2, 64, 64), 1, "causal"),
]


@pytest.mark.skipif(
    not (sys.platform == "linux" and hasattr(ctypes.CDLL(None), "malloc_trim")), reason="asks Linux and glibc"
)
def test_a_planned_convolution_takes_little_memory():
    command = [
        sys.executable,
        "-c",
        CODE,
        json.dumps([(name, *each) for each in LAYERS for name in ("numba", "fast")]),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    taken = json.loads(done.stdout)

    assert taken.pop("a matrix of windows") > 6 * LIMIT  # so one would be seen
    assert {"numba:direct", "numba:rows", "numba:winograd"} <= taken.keys()
    assert all(size <= 2 * LIMIT for size in taken.values()), taken
