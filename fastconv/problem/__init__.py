"""What is to be computed: validated once, immutable, hashable. The floor of the package.

``window`` has the geometry that convolution and pooling share, ``arguments`` the checks of single
arguments, ``conv`` and ``pool`` the two kinds of problem and the functions that state them, and
``line`` their one-line names (which ``parse`` reads back: the command line imports it, calls do not).
"""

from fastconv.problem.arguments import (
    Layout,
    Words,
    check_size,
    checked_array,
    checked_bias,
    checked_dtype,
    checked_out,
    memory_order,
    per_axis,
    planned_shape,
)
from fastconv.problem.conv import (
    ACTIVATIONS,
    ConvProblem,
    conv_problem,
    conv_transpose_problem,
    depthwise_problem,
)
from fastconv.problem.pool import PoolProblem, pool_problem
from fastconv.problem.window import Window

__all__ = [
    "ACTIVATIONS",
    "ConvProblem",
    "Layout",
    "PoolProblem",
    "Window",
    "Words",
    "check_size",
    "checked_array",
    "checked_bias",
    "checked_dtype",
    "checked_out",
    "conv_problem",
    "conv_transpose_problem",
    "depthwise_problem",
    "memory_order",
    "per_axis",
    "planned_shape",
    "pool_problem",
]
