"""N-D convolution and pooling on NumPy arrays, on the CPU.

>>> x = np.ones((1, 28, 28, 3), np.float32)
>>> fastconv.conv(x, np.ones((2, 2, 3, 4), np.float32), strides=2).shape
(1, 14, 14, 4)
"""

import importlib

from fastconv.dispatch import backends, use_backend
from fastconv.ops import (
    adaptive_average_pool,
    adaptive_max_pool,
    average_pool,
    conv,
    conv_transpose,
    depthwise_conv,
    max_pool,
    min_pool,
    plan_conv,
    plan_conv_transpose,
    plan_pool,
    pool,
    separable_conv,
    windows,
)
from fastconv.plan import Plan, explain
from fastconv.threads import get_num_threads, set_num_threads

MODULES = ("deformable", "functional", "lax", "layers", "roi")  # imported when they are first asked for

__version__ = "0.1.0"

__all__ = [
    "Plan",
    "adaptive_average_pool",
    "adaptive_max_pool",
    "average_pool",
    "backends",
    "conv",
    "conv_transpose",
    "depthwise_conv",
    "explain",
    "get_num_threads",
    "max_pool",
    "min_pool",
    "plan_conv",
    "plan_conv_transpose",
    "plan_pool",
    "pool",
    "separable_conv",
    "set_num_threads",
    "use_backend",
    "windows",
]


def __getattr__(name):
    if name in MODULES:
        return importlib.import_module(f"fastconv.{name}")
    raise AttributeError(f"module 'fastconv' has no attribute {name!r}")
