"""Bias and activation after a convolution equal Keras', as close as roundings allow."""

from dataclasses import replace

import numpy as np
import pytest

import fastconv
from fastconv.problem import ACTIVATIONS

from .compare import assert_agreement, grouped
from .families import FAMILIES
from .peers import keras_arguments, keras_can, keras_transpose

pytestmark = pytest.mark.parity

EXACT = ("linear", "relu", "relu6")
CONVOLUTIONS = [case for family in ("conv", "depthwise", "conv_transpose") for case in FAMILIES[family]]


def activated():
    """Give every activation a case of every convolution, rank and dtype that it takes."""
    for params in grouped(filter(keras_can, CONVOLUTIONS)):
        (cases,) = params.values
        for at, name in enumerate(ACTIVATIONS):
            if cases[0].dtype != "int32" or name in EXACT:
                case = cases[at % len(cases)]
                yield replace(case, extra=(*case.extra, ("activation", name)))


@pytest.mark.parametrize("cases", grouped(activated()))
def test_bias_and_activation(cases, keras, jax):
    def by_keras(case, *arrays):
        *given, bias = arrays
        along = (-1, *(1,) * case.rank) if case.data_format == "channels_first" else (-1,)
        if case.op == "conv_transpose":
            total = keras_transpose(keras, case, *given) + bias.reshape(along)
        else:
            total = getattr(keras.ops, case.op)(*given, **keras_arguments(case)) + bias.reshape(along)
        # Of Keras' own (3.15.1 on JAX), tanh makes float32 of float64, and relu6 a float of an integer.
        name = dict(case.extra)["activation"]
        function = jax.lax.tanh if name == "tanh" else keras.activations.get(name)
        return function(total).astype(case.dtype), total

    def ours(case, *arrays):
        *given, bias = arrays
        return getattr(fastconv, case.op)(*given, bias=bias, **case.arguments)

    assert_agreement(
        jax, cases, [drawn(case) for case in cases], ours, peers=dict(keras=by_keras), equal=assert_near
    )


def drawn(case):
    """Draw input, weights and bias; quarters for floats, so that sums are where activations bend."""
    arrays = case.arrays(2)
    outputs = case.w_shape[-1]
    if case.op in ("depthwise_conv", "separable_conv"):
        outputs *= case.c
    if case.op == "conv_transpose":
        outputs = case.w_shape[-2]
    rng = np.random.default_rng(case.seed + 1)
    if case.op == "separable_conv":
        arrays.append(rng.integers(-1, 2, (*(1,) * case.rank, outputs, outputs)).astype(case.dtype))
    arrays.append(rng.integers(-3, 4, outputs).astype(case.dtype))
    return arrays if case.dtype == "int32" else [array / array.dtype.type(4) for array in arrays]


def assert_near(case, y, answer):
    """Hold an activation of `total` to its roundings.

    Sums are exact, and so are maxima and minima. Any other activation takes a handful of roundings
    of numbers no larger than 1, and then perhaps a multiplication by the sum: 4 eps of the larger of
    both are enough for two ways of doing so.
    """
    theirs, total = answer
    if dict(case.extra)["activation"] in EXACT:
        np.testing.assert_array_equal(y, theirs, strict=True)
        return
    assert (y.dtype, y.shape) == (theirs.dtype, theirs.shape)
    wide = np.float64
    bound = 4 * float(np.finfo(y.dtype).eps) * np.maximum(1, np.abs(total.astype(wide)))
    np.testing.assert_array_less(np.abs(y.astype(wide) - theirs.astype(wide)), bound)
