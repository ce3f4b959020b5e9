"""Calls of the other functions of ``jax.lax`` that it refuses, and what ours say of them, but for "..."."""

import numpy as np
from refused_convolutions import PAIRS, STRIDES, L, P, S, W, X

K = np.zeros((3, 2, 2, 6), np.float32)  # rhs, channels last
V = np.arange(12.0, dtype=np.float32).reshape(3, 4)  # operand
LAST = ("NHWC", "HWIO", "NHWC")
WINDOW = "`window_dimensions` must be a sequence of 2 positive ints, one per axis; got"


def transposed(*args, **options):
    return lambda lax: lax.conv_transpose(*args, **options)


def patches(*args, **options):
    return lambda lax: lax.conv_general_dilated_patches(*args, **options)


def local(w, *args, **options):
    return lambda lax: lax.conv_general_dilated_local(X, w, *args, **options)


def reduce(*args, x=V, init=0.0, by="add", **options):
    return lambda lax: lax.reduce_window(
        x, init, getattr(lax, by) if isinstance(by, str) else by, *args, **options
    )


CONVOLUTIONS = [
    # conv, conv_with_general_padding
    (lambda lax: lax.conv(X, W, (1,), P), ValueError, f"conv: {STRIDES} 1: (1,)"),
    (lambda lax: lax.conv(X, W, S, "HALF"), RuntimeError, "conv: `padding` must be ...; got 'HALF'"),
    (lambda lax: lax.conv(L, W, S, P), ValueError, "conv: the channels of `lhs` ...; got 9, 1 and 2 ..."),
    (lambda lax: lax.conv(X, W.astype("int8"), S, P), TypeError, "conv: ...; got float32 and int8"),
    (
        lambda lax: lax.conv_with_general_padding(X, W, S, ((0, 0),), None, None),
        TypeError,
        f"conv_with_general_padding: {PAIRS} 1: ((0, 0),)",
    ),
    (
        lambda lax: lax.conv_with_general_padding(X, W, S, P, (2, 2), None),
        ValueError,
        "conv_with_general_padding: ...; got 'VALID' and (2, 2)",
    ),
    (
        lambda lax: lax.conv_with_general_padding(X, W, S, P, None, (1, 0)),
        TypeError,
        "conv_with_general_padding: `rhs_dilation` ...; got (1, 0)",
    ),
    # conv_transpose
    (
        transposed(L, K[0], S, "SAME"),
        TypeError,
        "conv_transpose: ... got 4 and 3 (lhs (4, 9, 11, 2), rhs (2, 2, 6))",
    ),
    (transposed(L, K, (1,), "SAME"), TypeError, "conv_transpose: `strides` must be ...; got 1: (1,)"),
    (
        transposed(L, K, (2, 2), "same"),
        ValueError,
        "conv_transpose: `padding` must be (low, high) pairs ...; got 'same' and (2, 2)",
    ),
    (
        transposed(L, K, (2, 2), "same", use_consistent_padding=True),
        ValueError,
        "conv_transpose: `padding` must be 'SAME', 'VALID' or (low, high) pairs; got 'same'",
    ),
    (transposed(L, K, (2, 2), "FULL"), ValueError, "conv_transpose: `padding` ...; got 'FULL' ..."),
    (
        transposed(L, K, (2, 2), ((1, 1), (0, 0, 0))),
        ValueError,
        f"conv_transpose: {PAIRS} ((1, 1), (0, 0, 0))",
    ),
    (
        transposed(L, K, (0, 2), "SAME"),
        TypeError,
        "conv_transpose: `strides` must be ...; got (0, 2)",
    ),
    (
        transposed(L, K[:, :, :1], (2, 1), "SAME"),
        ValueError,
        "conv_transpose: the channels of `lhs` ...; got 2, 1 and 1 ...",
    ),
    (
        transposed(L, K, (2, 1), "SAME", dimension_numbers=("NHWC", "HWIO")),
        TypeError,
        "conv_transpose: `dimension_numbers` ...; got ('NHWC', 'HWIO')",
    ),
    (
        transposed(np.zeros((1,) * 6), np.zeros((1,) * 6), (1,) * 4, "SAME"),
        ValueError,
        "conv_transpose: `dimension_numbers` must be given ...; got None for 4 (lhs (1, 1, 1, 1, 1, 1))",
    ),
    # patches and local
    (
        patches(X, 2, S, P),
        TypeError,
        "conv_general_dilated_patches: `filter_shape` must be a sequence of sizes, none negative; got 2",
    ),
    (
        patches(X, (2,), S, P),
        TypeError,
        "conv_general_dilated_patches: ... each of 2 spatial axes; got (2,) (lhs (4, 2, 9, 11))",
    ),
    (patches(X, (2, 2), (1,), P), ValueError, f"conv_general_dilated_patches: {STRIDES} 1: (1,)"),
    (
        patches(X, (2, 2), S, "FULL"),
        RuntimeError,
        "conv_general_dilated_patches: `padding` must be ...; got 'FULL'",
    ),
    (
        patches(X[:, :0], (2, 2), S, P),
        ValueError,
        "conv_general_dilated_patches: `lhs` must have channels; got 0 (lhs (4, 0, 9, 11))",
    ),
    (
        patches(X, (2, 2), S, P, preferred_element_type="int64"),
        TypeError,
        "conv_general_dilated_patches: ...; got int64",
    ),
    (
        local(np.zeros((3, 8, 8, 9), np.float32), S, P, (2, 2)),
        TypeError,
        "conv_general_dilated_local: ... 8 ... (8, 10) ...; got rhs (3, 8, 8, 9) (lhs (4, 2, 9, 11))",
    ),
    (
        local(np.zeros((3, 7, 8, 10), np.float32), S, P, (2, 2)),
        TypeError,
        "conv_general_dilated_local: ...; got rhs (3, 7, 8, 10) ...",
    ),
    (
        local(np.zeros((3, 8, 8, 10), np.float32), S, P, (2,)),
        TypeError,
        "conv_general_dilated_local: ...; got (2,) ...",
    ),
    # shapes
    (
        lambda lax: lax.padtype_to_pads((5, 6), (3, 2), (1, 2), "FULL"),
        RuntimeError,
        "padtype_to_pads: `padding` must be ...; got 'FULL'",
    ),
    (
        lambda lax: lax.padtype_to_pads((5, 6), (3, 2), (1, 2), None),
        TypeError,
        "padtype_to_pads: `padding` must be ...; got None",
    ),
    (
        lambda lax: lax.padtype_to_pads((5, 6), (3, 2, 1), (1, 2), "SAME"),
        ValueError,
        "padtype_to_pads: ... as many; got (5, 6) and (3, 2, 1)",
    ),
    (
        lambda lax: lax.conv_general_shape_tuple(X.shape, W.shape, S, P, None),
        TypeError,
        "conv_general_shape_tuple: `dimension_numbers` must be three strings; got None",
    ),
    (
        lambda lax: lax.conv_general_shape_tuple(L.shape, K.shape, S, ((1, 1),), LAST),
        TypeError,
        f"conv_general_shape_tuple: {PAIRS} 1: ((1, 1),)",
    ),
    (
        lambda lax: lax.conv_general_shape_tuple(L.shape, K.shape, S, ((-9, -1), (0, 0)), LAST),
        ValueError,
        "conv_general_shape_tuple: `padding` must not crop ...; got ((-9, -1), (0, 0)) over (9, 11) ...",
    ),
    (
        lambda lax: lax.conv_transpose_shape_tuple(L.shape, K.shape, S, "same", LAST),
        ValueError,
        "conv_transpose_shape_tuple: `padding` must be ...; got 'same'",
    ),
    (
        lambda lax: lax.conv_dimension_numbers(X.shape, W.shape[1:], None),
        TypeError,
        "conv_dimension_numbers: ...; got 4 and 3",
    ),
]
REDUCTIONS = [
    (reduce(2), TypeError, f"{WINDOW} 2"),
    (reduce(None), TypeError, f"{WINDOW} None"),
    (reduce((2,)), TypeError, f"{WINDOW} 1: (2,)"),
    (reduce((2, 2, 2)), TypeError, f"{WINDOW} 3: (2, 2, 2)"),
    (reduce((2, 0)), TypeError, f"{WINDOW} (2, 0)"),
    (reduce((-1, 2)), TypeError, f"{WINDOW} (-1, 2)"),
    (reduce((1.5, 2)), TypeError, f"{WINDOW} (1.5, 2)"),
    (reduce("22"), TypeError, f"{WINDOW} '22'"),
    (reduce((2, 2), (1,)), TypeError, f"{STRIDES} 1: (1,)"),
    (reduce((2, 2), (1, 0)), TypeError, f"{STRIDES} (1, 0)"),
    (reduce((2, 2), (1, -1)), TypeError, f"{STRIDES} (1, -1)"),
    (reduce((2, 2), 1), TypeError, f"{STRIDES} 1"),
    (reduce((2, 2), S, "FULL"), RuntimeError, "`padding` must be ...; got 'FULL'"),
    (reduce((2, 2), S, None), TypeError, f"{PAIRS} None"),
    (reduce((2, 2), S, 1), TypeError, f"{PAIRS} 1"),
    (reduce((2, 2), S, (1, 1)), TypeError, f"{PAIRS} (1, 1)"),
    (reduce((2, 2), S, ((1, 1),)), ValueError, f"{PAIRS} 1: ((1, 1),)"),
    (reduce((2, 2), S, ((1, 1),) * 3), ValueError, f"{PAIRS} 3: ..."),
    (reduce((2, 2), S, ((1, 2, 3), (0, 0))), ValueError, f"{PAIRS} ((1, 2, 3), (0, 0))"),
    (reduce((2, 2), S, ((0.5, 0), (0, 0))), TypeError, f"{PAIRS} ((0.5, 0), (0, 0))"),
    (
        reduce((2, 2), S, P, (1,)),
        TypeError,
        "`base_dilation` must be a sequence of 2 positive ints, one per axis; got 1: (1,)",
    ),
    (reduce((2, 2), S, P, (1, 0)), TypeError, "`base_dilation` ...; got (1, 0)"),
    (reduce((2, 2), S, P, (-1, 1)), TypeError, "`base_dilation` ...; got (-1, 1)"),
    (reduce((2, 2), S, ((0, 0),) * 2, None, (1, 1, 1)), TypeError, "`window_dilation` ...; got 3: (1, 1, 1)"),
    (reduce((2, 2), S, P, None, (0, 1)), TypeError, "`window_dilation` ...; got (0, 1)"),
    (reduce((2, 2), S, P, None, 2), TypeError, "`window_dilation` ...; got 2"),
    (
        reduce((2, 2), init=np.zeros(1, np.float32)),
        TypeError,
        "`init_value` must be a number of the operand's dtype, float32; got float32 of shape (1,)",
    ),
    (reduce((2, 2), init=np.float64(2)), TypeError, "`init_value` ... float32; got float64 of shape ()"),
    (reduce((2, 2), init=np.int8(3), by="max"), TypeError, "`init_value` ... float32; got int8 of shape ()"),
    (reduce((2, 2), init=1j), TypeError, "`init_value` ... float32; got 1j"),
    (reduce((2, 2), init=0.5, x=V.astype(int)), TypeError, "`init_value` ... int64; got 0.5"),
    (reduce((2, 2), init=300, x=V.astype("int8"), by="max"), TypeError, "`init_value` ... int8; got 300"),
    (
        reduce((2, 2), init=-1, x=V.astype("uint8"), by="bitwise_or"),
        TypeError,
        "`init_value` ... uint8; got -1",
    ),
    (reduce((2, 2), init="0"), TypeError, "`init_value` ... float32; got <U1 of shape ()"),
    (
        reduce((2, 2), init=None),
        ValueError,
        "`init_value` must have a number for each array of `operand`, ...; got 0 for 1",
    ),
    (reduce((2, 2), init=[0.0]), ValueError, "`init_value` must ...; got 1 for 1"),
    (reduce((2,), x=[1.0, 2.0]), ValueError, "`init_value` must ...; got 1 for 2"),
    (reduce((2,), x=(), init=()), ValueError, "`init_value` must ... at least one, ...; got 0 for 0"),
    (
        reduce((2, 2), x=(V, V), init=[0.0, 0.0], by=lambda a, _: a),
        ValueError,
        "`init_value` must ...; got 2 for 2",
    ),
    (
        reduce((2, 2), x=(V, V[:2]), init=(np.float32(0),) * 2, by=lambda a, _: a),
        ValueError,
        "`operand` must have arrays of one shape; got [(3, 4), (2, 4)]",
    ),
    (
        reduce((2, 2), x=(V, V), init=(np.float32(0),) * 2, by=lambda a, _: a[0]),
        ValueError,
        "`computation` must return a tree like `operand`; got 1 values in another form for 2",
    ),
    (reduce((2, 2), x=V.astype(str)), TypeError, "`operand` must hold ...; got dtype <U32 (operand (3, 4))"),
    (
        reduce((2, 2), x=V.astype(bool), init=False),
        TypeError,
        "`operand` must hold numbers to be added or multiplied; got bool",
    ),
    (
        reduce((2, 2), x=V.astype(bool), init=True, by="mul"),
        TypeError,
        "`operand` must hold numbers ...; got bool",
    ),
    (
        reduce((2, 2), by="bitwise_and", init=np.float32(0)),
        TypeError,
        "`operand` must hold integers or bools for bitwise_and; got float32",
    ),
    (reduce((2, 2), by=3), TypeError, "`computation` must be a function of two; got 3"),
    (
        reduce((2, 2), by=lambda a, b: a > b, init=np.float32(0)),
        ValueError,
        "`computation` must give one float32 for two; got bool of shape ()",
    ),
    (
        reduce((2, 2), by=lambda a, _: (a, a), init=np.float32(0)),
        ValueError,
        "`computation` must return a tree like `operand`; got 2 values in another form for 1",
    ),
    (
        reduce((2, 2), by=lambda _, __: 1j, init=np.float32(0)),
        ValueError,
        "`computation` must give one float32 for two; got complex128 of shape ()",
    ),
]
