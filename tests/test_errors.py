"""Refusals of options: strides, sizes, dilation, padding, formats, and dtypes without numbers."""

import numpy as np
import pytest
from refusal import ADAPTIVE, CONVS, OPS, POOLS, D, T, W, X, refuses

SLIDING = [*CONVS, *POOLS]
POSITIVE = [  # what is no positive int and no pair of them
    (0, ValueError),
    (-1, ValueError),
    ((2, 0), ValueError),
    ((1, 2, 3), ValueError),
    ((), ValueError),
    (2**63, ValueError),
    (True, TypeError),
    (1.0, TypeError),
    ((1, 2.5), TypeError),
    ((1, None), TypeError),
    ("2", TypeError),
    (np.array(2.0), TypeError),
    ({2: 2}, TypeError),
]


@pytest.mark.parametrize("op", SLIDING)
@pytest.mark.parametrize(("value", "error"), POSITIVE)
@pytest.mark.parametrize("name", ["strides", "dilation_rate"])
def test_steps(op, name, value, error):
    text = f"`{name}` must be a positive int or 2 of them, one per spatial axis; got {value!r}"

    refuses(error, text, op, *OPS[op], **{name: value})


@pytest.mark.parametrize("op", [*POOLS, *ADAPTIVE])
@pytest.mark.parametrize(("value", "error"), POSITIVE)
def test_sizes(op, value, error):
    name = {"windows": "size", **dict.fromkeys(ADAPTIVE, "output_size")}.get(op, "pool_size")

    refuses(
        error,
        f"`{name}` must be a positive int or 2 of them, one per spatial axis; got {value!r}",
        op,
        X,
        value,
    )


@pytest.mark.parametrize("op", SLIDING)
@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("full", ValueError),
        ("", ValueError),
        ("causal", ValueError),  # on two axes
        ((1, 2, 3), ValueError),
        (((1, 2),), ValueError),
        (((1, 2, 3), 1), TypeError),
        (2**63, ValueError),
        (1.0, TypeError),
        (None, TypeError),
        (True, TypeError),
        ((1, "same"), TypeError),
    ],
)
def test_padding(op, value, error):
    refuses(error, f"`padding` must ...; got {value!r}", op, *OPS[op], padding=value)


@pytest.mark.parametrize("op", ["conv_transpose", "max_pool", "windows"])
def test_causal_is_for_forward_convolutions(op):
    x = np.zeros((1, 5, 2))
    args = (x, np.zeros((3, 4, 2))) if op == "conv_transpose" else (x, 2)

    refuses(ValueError, "`padding` must ...; got 'causal'", op, *args, padding="causal")


@pytest.mark.parametrize(
    ("value", "error"), [(-1, ValueError), ((1, 2, 3), ValueError), (0.5, TypeError), (True, TypeError)]
)
def test_output_padding(value, error):
    text = f"`output_padding` must be an int of at least 0 or 2 of them, one per spatial axis; got {value!r}"

    refuses(error, text, "conv_transpose", X, T, output_padding=value)


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("value", ["NHWC", None, 3, ["channels_last"]])
def test_data_format(op, value):
    text = f"`data_format` must be 'channels_last' or 'channels_first'; got {value!r}"

    refuses(ValueError, text, op, *OPS[op], data_format=value)


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("dtype", [object, "U3", "S3", "M8[s]", "i4,f4"])
def test_inputs_without_numbers(op, dtype):
    text = (
        "`inputs` must hold bools, integers, floats or complex numbers; "
        f"got dtype {np.dtype(dtype)} (inputs (2, 9, 11, 3))"
    )

    refuses(
        TypeError, text, op, X.astype(dtype) if dtype is object else np.zeros(X.shape, dtype), *OPS[op][1:]
    )


@pytest.mark.parametrize("op", CONVS)
def test_kernels_without_numbers(op):
    x, w, *rest = CONVS[op]
    name = "depthwise_kernel" if op == "separable_conv" else "kernel"

    refuses(
        TypeError,
        f"`{name}` must hold ...; got dtype object ({name} {w.shape})",
        op,
        x,
        w.astype(object),
        *rest,
    )


def test_pointwise_kernel_without_numbers():
    text = "`pointwise_kernel` must hold ...; got dtype <U3 (pointwise_kernel (1, 1, 12, 5))"

    refuses(TypeError, text, "separable_conv", X, D, np.zeros((1, 1, 12, 5), "U3"))


@pytest.mark.parametrize("op", OPS)
def test_masked_inputs(op):
    text = "`inputs` must be a plain array, ...; got a masked array of shape (2, 9, 11, 3)"

    refuses(TypeError, text, op, np.ma.zeros(X.shape), *OPS[op][1:])


@pytest.mark.parametrize("op", OPS)
def test_ragged_inputs(op):
    refuses(ValueError, "`inputs` must ...", op, [[[1.0, 2.0]], [[3.0]]], *OPS[op][1:])


@pytest.mark.parametrize(
    ("name", "value"), [("activation", "swish"), ("activation", 3), ("activation", ["relu"])]
)
@pytest.mark.parametrize("op", CONVS)
def test_activation_names(op, name, value):
    text = (
        "`activation` must be None, a callable or one of linear, relu, relu6, leaky_relu, elu, softplus, "
        f"sigmoid, tanh, silu, gelu, hard_sigmoid, hard_silu; got {value!r}"
    )

    refuses(ValueError, text, op, *CONVS[op], **{name: value})


@pytest.mark.parametrize(
    ("dtype", "activation", "text"),
    [
        (
            "int32",
            "gelu",
            "one of linear, relu, relu6 or a callable where results are integers; got 'gelu' (int32)",
        ),
        (
            "bool",
            "tanh",
            "one of linear, relu, relu6 or a callable where results are integers; got 'tanh' (bool)",
        ),
        ("complex64", "relu", "None or a callable where results are complex; got 'relu' (complex64)"),
    ],
)
@pytest.mark.parametrize("op", CONVS)
def test_activations_of_other_numbers(op, dtype, activation, text):
    args = [array.astype(dtype) for array in CONVS[op]]

    refuses(TypeError, f"`activation` must be {text}", op, *args, activation=activation)


@pytest.mark.parametrize(
    ("activation", "got"),
    [
        (lambda y: y[..., 0], "(2, 7, 10) of float32"),
        (lambda y: y[..., :1], "(2, 7, 10, 1) of float32"),
        (lambda y: y.astype(complex), "(2, 7, 10, 5) of complex128"),
    ],
)
def test_callable_activations_keep_shape_and_kind(activation, got):
    text = f"`activation` must keep shape (2, 7, 10, 5) and kind of float32; got {got}"

    refuses(ValueError, text, "conv", X, W, activation=activation)


@pytest.mark.parametrize("value", ["max", None, 3])
def test_functions_of_windows(value):
    refuses(TypeError, f"`fn` must be a function of a 1-D array; got {value!r}", "pool", X, 2, fn=value)


@pytest.mark.parametrize(
    ("fn", "got"),
    [
        (np.sort, "float32 of shape (4,)"),
        (lambda _: "a", "<U1 of shape ()"),
        (np.sqrt, "float32 of shape (4,)"),
    ],
)
def test_results_of_functions_of_windows(fn, got):
    refuses(TypeError, f"`fn` must return one number for a 1-D array; got {got}", "pool", X, 2, fn=fn)


@pytest.mark.parametrize(("fn", "dtype"), [(np.bitwise_or, "float32"), (np.true_divide, "int32")])
def test_ufuncs_that_do_not_take_the_dtype(fn, dtype):
    refuses(TypeError, f"`fn` must ...; got ...{fn.__name__}...{dtype}...", "pool", X.astype(dtype), 2, fn=fn)
