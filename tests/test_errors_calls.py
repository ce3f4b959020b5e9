"""Refusals of what goes with a call: biases, outputs, backends, plans, threads."""

import numpy as np
import pytest
from refusal import CONVS, OPS, PLANS, W, X, pattern, refuses

import fastconv

WITH_OUT = [*CONVS, "max_pool", "min_pool", "average_pool"]
WITH_BACKEND = [op for op in (*OPS, *PLANS) if not op.startswith(("adaptive", "windows"))]


def output(op):
    return getattr(fastconv, op)(*OPS[op])


@pytest.mark.parametrize("op", CONVS)
@pytest.mark.parametrize("shape", [(), (3,), (5, 1)])
def test_bias_shape(op, shape):
    outputs = output(op).shape[-1]
    text = f"`bias` must have one axis with a number for each of {outputs} outputs; got shape {shape}"

    refuses(ValueError, text, op, *CONVS[op], bias=np.zeros(shape))


@pytest.mark.parametrize("op", CONVS)
@pytest.mark.parametrize(
    ("dtype", "bias", "got"),
    [("float32", "complex64", "float32; got complex64"), ("int8", "float32", "int8; got float32")],
)
def test_bias_kind(op, dtype, bias, got):
    args = [array.astype(dtype) for array in CONVS[op]]
    zeros = np.zeros(output(op).shape[-1], bias)

    refuses(TypeError, f"`bias` must be of a kind that adds to {got}", op, *args, bias=zeros)


@pytest.mark.parametrize("op", CONVS)
def test_bias_without_numbers(op):
    refuses(TypeError, "`bias` must hold ...; got dtype <U1 (bias (2,))", op, *CONVS[op], bias=["a", "b"])


@pytest.mark.parametrize("op", WITH_OUT)
def test_out_is_an_array(op):
    refuses(TypeError, "`out` must be a plain NumPy array; got list", op, *OPS[op], out=output(op).tolist())


@pytest.mark.parametrize("op", WITH_OUT)
def test_out_shape_and_dtype(op):
    y = output(op)
    text = f"`out` must have shape {y.shape} and dtype float32; got "

    refuses(ValueError, f"{text}{y[1:].shape} and float32", op, *OPS[op], out=y[1:])
    refuses(ValueError, f"{text}{y.shape} and float64", op, *OPS[op], out=y.astype(float))
    refuses(ValueError, f"{text}{y.shape} and >f4", op, *OPS[op], out=y.astype(">f4"))


@pytest.mark.parametrize("op", WITH_OUT)
def test_out_is_writeable(op):
    y = output(op)
    y.flags.writeable = False

    refuses(ValueError, f"`out` must be writeable; got a read-only array {y.shape}", op, *OPS[op], out=y)


@pytest.mark.parametrize("op", WITH_OUT)
def test_out_has_room_for_every_result(op):
    y = output(op)
    y = np.lib.stride_tricks.as_strided(y, y.shape, (0, *y.strides[1:]))
    text = f"`out` must have an element of its own for every result; got strides {y.strides} ({y.shape})"

    refuses(ValueError, text, op, *OPS[op], out=y)


@pytest.mark.parametrize("op", WITH_OUT)
def test_out_does_not_overlap_itself(op):
    """Rows that begin inside those before them."""
    y = output(op)
    y = np.lib.stride_tricks.as_strided(y, y.shape, (y.strides[0], y.strides[2], *y.strides[2:]))
    text = f"`out` must have an element of its own for every result; got strides {y.strides} ({y.shape})"

    refuses(ValueError, text, op, *OPS[op], out=y)


@pytest.mark.parametrize("op", WITH_OUT)
def test_out_has_no_mask(op):
    refuses(
        TypeError,
        "`out` must be a plain NumPy array; got MaskedArray",
        op,
        *OPS[op],
        out=np.ma.array(output(op)),
    )


@pytest.mark.parametrize("op", WITH_OUT)
def test_out_does_not_overlap_any_array(op):
    """Each array in turn lies one element into the memory of the output."""
    y = output(op)
    for number, array in enumerate(OPS[op]):
        if isinstance(array, np.ndarray):
            memory = np.zeros(max(y.size, array.size) + 1, np.float32)
            out = memory[: y.size].reshape(y.shape)
            inside = memory[1 : array.size + 1].reshape(array.shape)
            args = [*OPS[op][:number], inside, *OPS[op][number + 1 :]]
            text = (
                f"`out` must not overlap an argument in memory; got out {y.shape} over an array {array.shape}"
            )

            refuses(ValueError, text, op, *args, out=out)


@pytest.mark.parametrize("op", CONVS)
def test_out_does_not_overlap_the_bias(op):
    y = output(op)
    bias = y[1, 3, 2]

    refuses(ValueError, f"...got out {y.shape} over an array {bias.shape}", op, *CONVS[op], bias=bias, out=y)


@pytest.mark.parametrize("op", ["conv", "max_pool"])
def test_out_does_not_overlap_inputs_in_another_byte_order(op):
    """They are copied first, so the result would be right, and the caller's array lost."""
    x = np.zeros(X.shape, ">f4")
    args = (x, W[:1, :1, :, :3]) if op == "conv" else (x, 1)

    refuses(
        ValueError, f"`out` must not overlap ...; got out {x.shape} over ...", op, *args, out=x.view("=f4")
    )


@pytest.mark.parametrize("op", WITH_BACKEND)
@pytest.mark.parametrize("value", ["quick", "", "einsum:nothing", "nothing:conv", None, 3, ["naive"]])
def test_unknown_backends(op, value):
    text = (
        "`backend` must be one of auto, fast, einsum, naive... or a row's full name as `explain` lists them; "
    )
    args = {**OPS, **PLANS}[op]

    refuses(ValueError, f"{text}got {value!r}", op, *args, backend=value)


def test_unknown_backends_elsewhere(monkeypatch):
    text = "`backend` must be one of auto, fast, einsum, ...; got 'quick'"
    with (
        pytest.raises(ValueError, match=f"^{pattern(f'use_backend: {text}')}$"),
        fastconv.use_backend("quick"),
    ):
        pass
    monkeypatch.setenv("FASTCONV_BACKEND", "quick")
    refuses(ValueError, text, "conv", X, W)


@pytest.mark.parametrize(
    ("op", "args", "backend", "text"),
    [
        (
            "conv",
            (X, W),
            "einsum:depthwise",
            "conv n2 g1 ic3 oc5 i9x11 k3x2 s1x1 d1x1 p0+0x0+0 float32",
        ),
        ("max_pool", (X, (3, 2)), "einsum:matmul", "pool max n2 c3 i9x11 k3x2 s3x2 d1x1 p0+0x0+0 float32"),
        (
            "plan_pool",
            (X.shape, (3, 2)),
            "einsum:ufunc",
            "pool max n2 c3 i9x11 k3x2 s3x2 d1x1 p0+0x0+0 float32",
        ),
    ],
)
def test_rows_that_cannot(op, args, backend, text):
    with pytest.raises(
        NotImplementedError, match=f"^{pattern(f'backend={backend!r} cannot compute {text}')}\n"
    ):
        getattr(fastconv, op)(*args, backend=backend)


@pytest.mark.parametrize("op", PLANS)
@pytest.mark.parametrize(
    ("value", "error"),
    [
        (5, TypeError),
        ((2, 9.0, 11, 3), TypeError),
        ((2, 9, True, 3), TypeError),
        ((2, -9, 11, 3), ValueError),
    ],
)
def test_planned_shapes(op, value, error):
    text = f"`input_shape` must be a sequence of sizes, none negative; got {value!r}"

    refuses(error, text, op, value, *PLANS[op][1:])


@pytest.mark.parametrize("op", PLANS)
@pytest.mark.parametrize("value", ["U3", object, "a dtype"])
def test_planned_dtypes(op, value):
    refuses(TypeError, "`dtype` must ...", op, *PLANS[op], dtype=value)


@pytest.mark.parametrize("op", PLANS)
def test_plans_refuse_as_functions_do(op):
    refuses(ValueError, "`strides` must ...; got (2, 0)", op, *PLANS[op], strides=(2, 0))
    refuses(ValueError, "`padding` must ...; got 'full'", op, *PLANS[op], padding="full")
    refuses(ValueError, "`data_format` must ...; got 'NHWC'", op, *PLANS[op], data_format="NHWC")


@pytest.mark.parametrize("value", ["median", None, ["max"], np.max])
def test_planned_reductions(value):
    text = f"`reduction` must be one of max, min, sum, prod, mean; got {value!r}"

    refuses(ValueError, text, "plan_pool", X.shape, 2, reduction=value)


@pytest.mark.parametrize("op", PLANS)
def test_plans_refuse_other_inputs(op):
    plan = getattr(fastconv, op)(*PLANS[op])
    y = plan(X)

    with pytest.raises(
        ValueError, match=pattern("`inputs` must have the planned shape (2, 9, 11, 3); got (1, 9, 11, 3)")
    ):
        plan(X[:1])
    with pytest.raises(
        TypeError, match=pattern("`inputs` must cast safely to the planned float32; got float64")
    ):
        plan(X.astype(float))
    with pytest.raises(
        TypeError, match=pattern("`inputs` must hold ...; got dtype object (inputs (2, 9, 11, 3))")
    ):
        plan(X.astype(object))
    with pytest.raises(
        ValueError, match=pattern(f"`out` must have shape {y.shape} ...; got {y[1:].shape} and float32")
    ):
        plan(X, out=y[1:])
    with pytest.raises(
        ValueError,
        match=pattern(f"`out` must not overlap ...; got out {y.shape} over an array (2, 9, 11, 3)"),
    ):
        plan(X, out=np.lib.stride_tricks.as_strided(X, y.shape, y.strides))
    y.flags.writeable = False
    with pytest.raises(
        ValueError, match=pattern(f"`out` must be writeable; got a read-only array {y.shape}")
    ):
        plan(X, out=y)


@pytest.mark.parametrize("value", [0, -1])
def test_number_of_threads(value):
    refuses(ValueError, f"`n` must be an integer of at least 1; got {value}", "set_num_threads", value)


@pytest.mark.parametrize("value", [1.0, True, "2", None])
def test_type_of_number_of_threads(value):
    refuses(TypeError, f"`n` must be an integer of at least 1; got {value!r}", "set_num_threads", value)


@pytest.mark.parametrize("value", [3, None, "conv"])
def test_explained_problems(value):
    refuses(TypeError, f"`problem` must be ...; got {value!r}", "explain", value)
