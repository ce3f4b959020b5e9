"""Refusals of shapes that do not go together, of windows that do not fit, of sizes beyond memory."""

import numpy as np
import pytest
from refusal import OPS, D, P, T, W, X, refuses


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("shape", [(), (5,)])
def test_inputs_without_batch_and_channels(op, shape):
    text = f"`inputs` must have a batch and a channel axis; got {len(shape)} axes"

    refuses(ValueError, text, op, np.zeros(shape), *OPS[op][1:])


@pytest.mark.parametrize(
    ("op", "args", "text"),
    [
        (
            "conv",
            (X, W[0]),
            "`kernel` must have as many axes as `inputs`, (*spatial, in, out) ...; "
            "got inputs (2, 9, 11, 3) and kernel (2, 3, 5)",
        ),
        ("conv", (X[0], W), "`kernel` must have ...; got inputs (9, 11, 3) and kernel (3, 2, 3, 5)"),
        ("conv_transpose", (X, T[0]), "`kernel` must ...; got inputs (2, 9, 11, 3) and kernel (2, 5, 3)"),
        (
            "depthwise_conv",
            (X, D[0]),
            "`kernel` must have as many axes as `inputs`, (*spatial, channels, multiplier) ...; "
            "got inputs (2, 9, 11, 3) and kernel (2, 3, 4)",
        ),
        ("separable_conv", (X, D, P[0]), "... must ...; got (1, 12, 5) (depthwise_kernel (3, 2, 3, 4))"),
    ],
)
def test_numbers_of_axes(op, args, text):
    refuses(ValueError, text, op, *args)


@pytest.mark.parametrize(
    ("op", "args", "text"),
    [
        (
            "conv",
            (X, W[:, :, :2]),
            "the channels of `inputs` must be a multiple of those of `kernel`; "
            "got 3 and 2 (inputs (2, 9, 11, 3), kernel (3, 2, 2, 5))",
        ),
        (
            "conv",
            (X, W[:, :, :1]),
            "the outputs of `kernel` must be a multiple of the groups; "
            "got 5 and 3 (inputs (2, 9, 11, 3), kernel (3, 2, 1, 5))",
        ),
        (
            "conv_transpose",
            (X, T[..., :2]),
            "the channels of `inputs` ...; got 3 and 2 (inputs (2, 9, 11, 3), kernel (3, 2, 5, 2))",
        ),
        (
            "conv_transpose",
            (X, T[..., :1]),
            "the outputs of `kernel` ...; got 5 and 3 (inputs (2, 9, 11, 3), kernel (3, 2, 5, 1))",
        ),
        (
            "depthwise_conv",
            (X, D[:, :, :2]),
            "`kernel` must have filters for each channel of `inputs`; "
            "got 2 and 3 (inputs (2, 9, 11, 3), kernel (3, 2, 2, 4))",
        ),
        (
            "separable_conv",
            (X[..., :2], D, P),
            "`depthwise_kernel` must have filters ...; "
            "got 3 and 2 (inputs (2, 9, 11, 2), depthwise_kernel (3, 2, 3, 4))",
        ),
        (
            "separable_conv",
            (X, D[:, :, :2], P),
            "`pointwise_kernel` must ...; got (1, 1, 12, 5) (depthwise_kernel (3, 2, 2, 4))",
        ),
        (
            "separable_conv",
            (X, D, np.zeros((1, 2, 12, 5))),
            "`pointwise_kernel` must be 1 in every spatial size and take every channel that "
            "`depthwise_kernel` gives; got (1, 2, 12, 5) (depthwise_kernel (3, 2, 3, 4))",
        ),
    ],
)
def test_numbers_of_channels(op, args, text):
    refuses(ValueError, text, op, *args)


@pytest.mark.parametrize(
    ("op", "args", "text"),
    [
        (
            "conv",
            (X[:, :2], W),
            "`kernel` must fit in the padded `inputs` on every axis; got a window of extent (3, 2) "
            "over (2, 11) padded by ((0, 0), (0, 0)) to (2, 11) (inputs (2, 2, 11, 3), kernel (3, 2, 3, 5))",
        ),
        ("conv", (X, W, 1, ((-3, -4), 0)), "...over (9, 11) padded by ((-3, -4), (0, 0)) to (2, 11) ..."),
        ("conv", (X, W, 1, (-7, 0)), "...over (9, 11) padded by ((-7, -7), (0, 0)) to (-5, 11) ..."),
        ("conv", (X, W, 1, "valid", "channels_last", (1, 11)), "...extent (3, 12) over (9, 11) ..."),
        (
            "conv",
            (X, np.zeros((3, 4, 9, 5)), 1, "valid", "channels_first"),
            "...extent (3, 4) over (11, 3) ... (inputs (2, 9, 11, 3), kernel (3, 4, 9, 5))",
        ),
        ("depthwise_conv", (X[:, :, :1], D), "...over (9, 1) ... (inputs (2, 9, 1, 3), kernel (3, 2, 3, 4))"),
        ("separable_conv", (X[:, :1], D, P), "`depthwise_kernel` must fit ...extent (3, 2) over (1, 11) ..."),
        (
            "conv_transpose",
            (X[:, :1, :1], T, 1, (2, 0)),
            "...over (1, 1) padded by ((0, 0), (1, 1)) to (1, 3) ...",
        ),
        (
            "max_pool",
            (X, (10, 2)),
            "`pool_size` must fit in the padded `inputs` on every axis; got a window of extent (10, 2) "
            "over (9, 11) padded by ((0, 0), (0, 0)) to (9, 11) (inputs (2, 9, 11, 3))",
        ),
        ("average_pool", (X, 2, 1, (-5, 0)), "`pool_size` must fit ...((-5, -5), (0, 0)) to (-1, 11) ..."),
        ("windows", (X, (3, 12)), "`size` must fit ... extent (3, 12) over (9, 11) ..."),
    ],
)
def test_windows_that_do_not_fit(op, args, text):
    refuses(ValueError, text, op, *args)


@pytest.mark.parametrize(
    ("op", "args", "text"),
    [
        ("conv", (X[:, :0], W), "(inputs (2, 0, 11, 3), kernel (3, 2, 3, 5))"),
        ("conv", (X[..., :0], W), "(inputs (2, 9, 11, 0), kernel (3, 2, 3, 5))"),
        ("conv", (X, W[..., :0]), "(inputs (2, 9, 11, 3), kernel (3, 2, 3, 0))"),
        ("conv", (X, W[:, :0]), "(inputs (2, 9, 11, 3), kernel (3, 0, 3, 5))"),
        ("conv", (X, W[:, :, :0]), "(inputs (2, 9, 11, 3), kernel (3, 2, 0, 5))"),
        ("depthwise_conv", (X, D[..., :0]), "(inputs (2, 9, 11, 3), kernel (3, 2, 3, 0))"),
        ("conv_transpose", (X[:, :, :0], T), "(inputs (2, 9, 0, 3), kernel (3, 2, 5, 3))"),
        ("max_pool", (X[:, :0], 2), "inputs (2, 0, 11, 3)"),
        ("average_pool", (X[..., :0], 2), "inputs (2, 9, 11, 0)"),
        ("adaptive_max_pool", (X[:, :0], 2), "inputs (2, 0, 11, 3)"),
        ("adaptive_average_pool", (X[..., :0], 2), "inputs (2, 9, 11, 0)"),
        ("windows", (X[:, :, :0], 2), "inputs (2, 9, 0, 3)"),
    ],
)
def test_empty_arrays(op, args, text):
    refuses(ValueError, f"... must not be empty but for the batch; got {text}", op, *args)


@pytest.mark.parametrize(
    ("op", "args", "options", "shape"),
    [
        ("conv", (X, W), dict(padding=2**40), "(2, 2199023255559, 2199023255562, 5) of float32"),
        (
            "conv",
            (X, W),
            dict(strides=2**33, padding=2**40),
            "(2, 2199023255561, 2199023255563, 3) of float32",
        ),
        ("conv_transpose", (X, T), dict(strides=2**40), "(2, 9895604649984, 12094627905536, 5) of float32"),
        ("max_pool", (X, 2), dict(padding=2**40), "(2, 2199023255561, 2199023255563, 3) of float32"),
        ("windows", (X, 2), dict(padding=2**40), "(2, 2199023255561, 2199023255563, 3) of float32"),
        ("plan_conv", ((2, 2**40, 2**41, 3), W), {}, "(2, 1099511627774, 2199023255551, 5) of float32"),
        ("plan_pool", ((2, 2**40, 2**41, 3), 2), {}, "(2, 1099511627776, 2199023255552, 3) of float32"),
        ("adaptive_max_pool", (X, (2**40, 2**41)), {}, "(2, 1099511627776, 2199023255552, 3) of float32"),
    ],
)
def test_sizes_whose_product_overflows(op, args, options, shape):
    text = f"the result must have fewer than 9223372036854775807 bytes; got shape {shape}"

    refuses(ValueError, text, op, *args, **options)
