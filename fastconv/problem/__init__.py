"""What is to be computed: validated once, immutable, hashable. The floor of the package.

``window`` has the geometry that convolution and pooling share, ``arguments`` the checks of single
arguments, ``conv`` and ``pool`` kinds of problem and the functions that state them, ``general`` and
``fold`` statements in full, and ``line`` their one-line names (which ``parse`` reads back: the
command line imports it, calls do not).
"""

from fastconv.problem.arguments import (
    Layout,
    Words,
    check_size,
    checked_array,
    checked_bias,
    checked_dtype,
    checked_out,
    checked_sizes,
    memory_order,
    per_axis,
    planned_shape,
    truth,
)
from fastconv.problem.conv import (
    ACTIVATIONS,
    ConvProblem,
    conv_problem,
    conv_transpose_problem,
    depthwise_problem,
)
from fastconv.problem.fold import (
    FoldProblem,
    check_reduced,
    checked_init,
    fold_problem,
    pool_view,
    reduction_problem,
    reduction_start,
    reduction_window,
)
from fastconv.problem.general import (
    check_batch_groups,
    check_local,
    check_ranks,
    general_conv_problem,
    general_dtypes,
    general_window,
    patches_window,
    transposed_pads,
    word_padding,
)
from fastconv.problem.pool import PoolProblem, pool_problem
from fastconv.problem.window import Window

__all__ = [
    "ACTIVATIONS",
    "ConvProblem",
    "FoldProblem",
    "Layout",
    "PoolProblem",
    "Window",
    "Words",
    "check_batch_groups",
    "check_local",
    "check_ranks",
    "check_reduced",
    "check_size",
    "checked_array",
    "checked_bias",
    "checked_dtype",
    "checked_init",
    "checked_out",
    "checked_sizes",
    "conv_problem",
    "conv_transpose_problem",
    "depthwise_problem",
    "fold_problem",
    "general_conv_problem",
    "general_dtypes",
    "general_window",
    "memory_order",
    "patches_window",
    "per_axis",
    "planned_shape",
    "pool_problem",
    "pool_view",
    "reduction_problem",
    "reduction_start",
    "reduction_window",
    "transposed_pads",
    "truth",
    "word_padding",
]
