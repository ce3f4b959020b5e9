"""The public functions, in the words of ``keras.ops``: arguments in, problem, plan, output."""

from fastconv.ops.conv import (
    conv,
    conv_transpose,
    depthwise_conv,
    plan_conv,
    plan_conv_transpose,
    separable_conv,
)
from fastconv.ops.pool import (
    adaptive_average_pool,
    adaptive_max_pool,
    average_pool,
    max_pool,
    min_pool,
    plan_pool,
    pool,
    windows,
)

__all__ = [
    "adaptive_average_pool",
    "adaptive_max_pool",
    "average_pool",
    "conv",
    "conv_transpose",
    "depthwise_conv",
    "max_pool",
    "min_pool",
    "plan_conv",
    "plan_conv_transpose",
    "plan_pool",
    "pool",
    "separable_conv",
    "windows",
]
