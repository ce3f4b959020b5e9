"""Calls of ``jax.lax.conv_general_dilated`` that it refuses, and what ours says of them, but for "...".

A call is a function of the module, JAX's or ours.
"""

import numpy as np

X = np.zeros((4, 2, 9, 11), np.float32)  # lhs
W = np.zeros((6, 2, 3, 2), np.float32)  # rhs
L = np.zeros((4, 9, 11, 2), np.float32)  # lhs, channels last
V = np.arange(4.0, dtype=np.float32)


def conv(*args, **options):
    return lambda lax: lax.conv_general_dilated(*args, **options)


def numbers(*specs):
    return conv(X, W, (1, 1), "VALID", dimension_numbers=specs)


def axes(*specs):
    return lambda lax: lax.conv_general_dilated(
        X, W, (1, 1), "VALID", dimension_numbers=lax.ConvDimensionNumbers(*specs)
    )


def result(dtype, wanted):
    return conv(X.astype(dtype), W.astype(dtype), (1, 1), "VALID", preferred_element_type=wanted)


def mixed(left, right):
    return conv(X.astype(left), W.astype(right), (1, 1), "VALID")


S, P = (1, 1), "VALID"
STRIDES = "`window_strides` must be a sequence of 2 positive ints, one per axis; got"
PAIRS = "`padding` must be a word or a sequence of 2 (low, high) pairs of ints; got"
NUMBERS = "`dimension_numbers` must be ..."
CASES = [
    # strides
    (conv(X, W, 1, P), TypeError, f"{STRIDES} 1"),
    (conv(X, W, None, P), TypeError, f"{STRIDES} None"),
    (conv(X, W, (1,), P), ValueError, f"{STRIDES} 1: (1,)"),
    (conv(X, W, (1, 2, 3), "SAME"), ValueError, f"{STRIDES} 3: (1, 2, 3)"),
    (conv(X, W, (), P), ValueError, f"{STRIDES} 0: ()"),
    (conv(X, W, (1, 0), P), ValueError, f"{STRIDES} (1, 0)"),
    (conv(X, W, (-2, 1), P), ValueError, f"{STRIDES} (-2, 1)"),
    (conv(X, W, (1.5, 1), ((0, 0), (0, 0))), TypeError, f"{STRIDES} (1.5, 1)"),
    (conv(X, W, "12", P), TypeError, f"{STRIDES} '12'"),
    # padding
    (conv(X, W, S, "FULL"), RuntimeError, "`padding` must be 'VALID', 'SAME', ... pairs; got 'FULL'"),
    (conv(X, W, S, ""), RuntimeError, "`padding` must be 'VALID', 'SAME', ... pairs; got ''"),
    (conv(X, W, S, "causal"), RuntimeError, "`padding` must be 'VALID', ... pairs; got 'causal'"),
    (conv(X, W, S, None), ValueError, f"{PAIRS} None"),
    (conv(X, W, S, 1), ValueError, f"{PAIRS} 1"),
    (conv(X, W, S, (1, 2)), ValueError, f"{PAIRS} (1, 2)"),
    (conv(X, W, S, ((1, 2, 3), (0, 0))), ValueError, f"{PAIRS} ((1, 2, 3), (0, 0))"),
    (conv(X, W, S, ((0.5, 1), (0, 0))), ValueError, f"{PAIRS} ((0.5, 1), (0, 0))"),
    (conv(X, W, S, ((0, 1),)), TypeError, f"{PAIRS} 1: ((0, 1),)"),
    (conv(X, W, S, ((0, 1),) * 3), TypeError, f"{PAIRS} 3: ((0, 1), (0, 1), (0, 1))"),
    (
        conv(X, W, S, ((-5, -5), (0, 0))),
        ValueError,
        "`padding` must not crop ...; got ((-5, -5), (0, 0)) over (9, 11) ...",
    ),
    (
        conv(X, W, S, "SAME", (1, 2)),
        ValueError,
        "`padding` must be (low, high) pairs where `lhs_dilation` is not 1; got 'SAME' and (1, 2)",
    ),
    (conv(X, W, S, "VALID", (3, 1)), ValueError, "... where `lhs_dilation` is not 1; got 'VALID' and (3, 1)"),
    # dilations
    (
        conv(X, W, S, ((0, 0),) * 2, (2,)),
        ValueError,
        "`lhs_dilation` must be a sequence of 2 positive ints, one per axis; got 1: (2,)",
    ),
    (conv(X, W, S, ((0, 0),) * 2, (2, 0)), TypeError, "`lhs_dilation` ...; got (2, 0)"),
    (conv(X, W, S, ((0, 0),) * 2, (-1, 1)), TypeError, "`lhs_dilation` ...; got (-1, 1)"),
    (conv(X, W, S, ((0, 0),) * 2, 2), TypeError, "`lhs_dilation` ...; got 2"),
    (
        conv(X, W, S, P, None, (2, 2, 2)),
        ValueError,
        "`rhs_dilation` must be a sequence of 2 ...; got 3: (2, 2, 2)",
    ),
    (conv(X, W, S, P, None, (0, 1)), TypeError, "`rhs_dilation` ...; got (0, 1)"),
    (conv(X, W, S, P, None, (1, -3)), TypeError, "`rhs_dilation` ...; got (1, -3)"),
    (conv(X, W, S, P, None, 2), TypeError, "`rhs_dilation` ...; got 2"),
    # dimension numbers
    (conv(X, W, S, P, dimension_numbers=3), TypeError, f"{NUMBERS}; got 3"),
    (conv(X, W, S, P, dimension_numbers="NHWC"), TypeError, f"{NUMBERS}; got 'NHWC'"),
    (numbers("NCHW", "OIHW"), TypeError, f"{NUMBERS}; got ('NCHW', 'OIHW')"),
    (numbers("NCHW", "OIHW", 3), TypeError, f"{NUMBERS}three strings; got ('NCHW', 'OIHW', 3)"),
    (numbers("NCH", "OIH", "NCH"), TypeError, f"{NUMBERS}each of 4 axes; got ('NCH', 'OIH', 'NCH')"),
    (numbers("NCHW", "OIHWD", "NCHW"), TypeError, f"{NUMBERS}each of 4 axes; got ('NCHW', 'OIHWD', 'NCHW')"),
    (numbers("XCHW", "OIHW", "NCHW"), TypeError, f"{NUMBERS}N and C and no letter twice; got 'XCHW' in ..."),
    (numbers("NCHW", "OOHW", "NCHW"), TypeError, f"{NUMBERS}O and I and no letter twice; got 'OOHW' in ..."),
    (numbers("NCHW", "OIHH", "NCHW"), TypeError, f"{NUMBERS}no letter twice; got 'OIHH' in ..."),
    (numbers("NCHW", "OIHW", "NCHH"), TypeError, f"{NUMBERS}no letter twice; got 'NCHH' in ..."),
    (
        numbers("NCHW", "OIHD", "NCHW"),
        TypeError,
        f"{NUMBERS}the same spatial letters; got ('NCHW', 'OIHD', 'NCHW')",
    ),
    (
        axes((0, 1), (0, 1), (0, 1)),
        ValueError,
        f"{NUMBERS}each of 4 axes once in every spec; got (0, 1) in ...",
    ),
    (axes((0, 1, 2, 4), (0, 1, 2, 3), (0, 1, 2, 3)), ValueError, f"{NUMBERS}; got (0, 1, 2, 4) in ..."),
    (axes((0, 1, 2, 3), (0, 1, 2, 2), (0, 1, 2, 3)), ValueError, f"{NUMBERS}; got (0, 1, 2, 2) in ..."),
    # shapes
    (
        conv(X, W[0], S, P),
        TypeError,
        "`lhs` and `rhs` must have ... at least 2; got 4 and 3 (lhs (4, 2, 9, 11), rhs (2, 3, 2))",
    ),
    (conv(X[0], W, S, P), TypeError, "... got 3 and 4 (lhs (2, 9, 11), rhs (6, 2, 3, 2))"),
    (conv(V, V, (), P), TypeError, "... got 1 and 1 (lhs (4,), rhs (4,))"),
    (conv(V[0], V[1], (), P), TypeError, "... got 0 and 0 (lhs (), rhs ())"),
    (
        conv(X, W[:, :1], S, P),
        ValueError,
        "the channels of `lhs` ...; got 2, 1 and 1 (lhs (4, 2, 9, 11), rhs (6, 1, 3, 2))",
    ),
    (conv(L, W, S, P), ValueError, "...; got 9, 1 and 2 (lhs (4, 9, 11, 2), rhs (6, 2, 3, 2))"),
    (conv(X, W[..., :0], S, P), ValueError, "`rhs` must have taps on every axis; got a window of (3, 0)"),
    # groups
    (
        conv(X, W, S, P, feature_group_count=0),
        ValueError,
        "`feature_group_count` must be a positive int; got 0",
    ),
    (
        conv(X, W, S, P, feature_group_count=-2),
        ValueError,
        "`feature_group_count` must be a positive int; got -2",
    ),
    (conv(X, W, S, P, feature_group_count=2), ValueError, "...; got 2, 2 and 2 (lhs ..."),
    (conv(X, W, S, P, feature_group_count=3), ValueError, "...; got 2, 3 and 2 (lhs ..."),
    (
        conv(X, W[:5, :1], S, P, feature_group_count=2),
        ValueError,
        "the outputs of `rhs` must be a multiple of `feature_group_count`; got 5 and 2 (lhs ...",
    ),
    (conv(X, W, S, P, batch_group_count=0), ValueError, "`batch_group_count` must be a positive int; got 0"),
    (
        conv(X, W, S, P, batch_group_count=-4),
        ValueError,
        "`batch_group_count` must be a positive int; got -4",
    ),
    (
        conv(X, W, S, P, batch_group_count=3),
        ValueError,
        "the batch of `lhs` must be a multiple of `batch_group_count`; got 4 and 3 (lhs ...",
    ),
    (
        conv(X, W, S, P, batch_group_count=4),
        ValueError,
        "the outputs of `rhs` must be a multiple of `batch_group_count`; got 6 and 4 (lhs ...",
    ),
    (
        conv(X, W[:, :1], S, P, feature_group_count=2, batch_group_count=2),
        ValueError,
        "one of `feature_group_count` and `batch_group_count` must be 1; got 2 and 2 (lhs ...",
    ),
    # dtypes and the like
    (
        mixed("int32", "float32"),
        TypeError,
        "`lhs` and `rhs` must have the same dtype, or both be floats; got int32 and float32",
    ),
    (mixed("int32", "int64"), TypeError, "...; got int32 and int64"),
    (mixed("uint8", "int8"), TypeError, "...; got uint8 and int8"),
    (mixed("complex64", "float32"), TypeError, "...; got complex64 and float32"),
    (mixed("complex64", "complex128"), TypeError, "...; got complex64 and complex128"),
    (mixed("bool", "int8"), TypeError, "...; got bool and int8"),
    (conv(X.astype(object), W, S, P), TypeError, "`lhs` must hold ...; got dtype object (lhs (4, 2, 9, 11))"),
    (conv(X, W.astype(str), S, P), TypeError, "`rhs` must hold ...; got dtype <U32 (rhs (6, 2, 3, 2))"),
    (
        result("float32", "int32"),
        TypeError,
        "`preferred_element_type` must be of a kind that float32 sums to; got int32",
    ),
    (result("float32", "complex64"), TypeError, "...; got complex64"),
    (
        result("float64", "float32"),
        TypeError,
        "`preferred_element_type` must be no narrower than float64; got float32",
    ),
    (result("int32", "int16"), TypeError, "... no narrower than int32; got int16"),
    (result("int32", "float16"), TypeError, "... no narrower than int32; got float16"),
    (result("int8", "uint32"), TypeError, "... a kind that int8 sums to; got uint32"),
    (result("int8", "bool"), TypeError, "... a kind that int8 sums to; got bool"),
    (result("complex64", "float64"), TypeError, "... a kind that complex64 sums to; got float64"),
    (result("float32", "nothing"), TypeError, "`preferred_element_type` must name a dtype; got 'nothing'"),
    (result("float32", "O"), TypeError, "`preferred_element_type` must hold ...; got dtype object ..."),
    (conv(X, W, S, P, precision="best"), ValueError, "`precision` must be ...; got 'best'"),
    (conv(X, W, S, P, precision=2), ValueError, "`precision` must be ...; got 2"),
    (conv(X, W, S, P, precision=("high",)), ValueError, "`precision` must be ...; got ('high',)"),
    (
        lambda lax: lax.conv_general_dilated(X, W, S, P, precision=(lax.Precision.HIGH, "high")),
        ValueError,
        "`precision` must be ...; got (...HIGH..., 'high')",
    ),
    (conv(X, W, S, P, out_sharding=3), TypeError, "`out_sharding` must be None, ...; got 3"),
]
