"""Convolutions of integers with zero points: ``ConvInteger`` and ``QLinearConv``.

``y = sum (x - x_zero_point) * (w - w_zero_point)`` in int32, where padding counts as the zero point; then,
in ``QLinearConv``, plus bias, scaled, rounded half to even and clipped to what the output's dtype can hold.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.integrations.onnx.node import ConvolutionNode, words
from fastconv.problem.onnx import onnx_conv_problem


class ConvInteger(ConvolutionNode):
    """A convolution of 8-bit integers into int32."""

    def _run(self, x, w, x_zero_point=None, w_zero_point=None, **attributes: Any):
        arrays = w, w_zero_point, None
        shifted = centred(x, x_zero_point)
        named = words("ConvInteger", x="x", w="w")
        return (self.convolved(named, onnx_conv_problem, shifted, arrays, centred_weights, **attributes),)


class QLinearConv(ConvolutionNode):
    """A convolution of quantised tensors into a quantised one."""

    def _run(
        self,
        x,
        x_scale,
        x_zero_point,
        w,
        w_scale,
        w_zero_point,
        y_scale,
        y_zero_point,
        bias=None,
        **attributes: Any,
    ):
        arrays = w, w_zero_point, bias
        shifted = centred(x, x_zero_point)
        named = words("QLinearConv", x="x", w="w")
        sums = self.convolved(named, onnx_conv_problem, shifted, arrays, centred_weights, **attributes)
        scale = x_scale * per_output(w_scale, x.ndim - 1) / y_scale
        return (quantized(sums * scale, y_zero_point, x.dtype),)


def centred(x: np.ndarray, zero_point: np.ndarray | None) -> np.ndarray:
    """Return how far elements are from their zero point, if they have one, in int32."""
    wide = x.astype(np.int32)
    return wide if zero_point is None else wide - zero_point.astype(np.int32)


def centred_weights(w, zero_point, bias) -> tuple[np.ndarray, np.ndarray | None]:
    """Do the same with weights, whose zero point may be one or one per output; pass the bias on."""
    return centred(w, None if zero_point is None else per_output(zero_point, w.ndim)), bias


def per_output(values: np.ndarray, axes: int) -> np.ndarray:
    """View one value for all outputs, or one for each, as an array whose first of `axes` is theirs."""
    return np.reshape(values, (-1, *(1,) * (axes - 1)))


def quantized(y: np.ndarray, zero_point: np.ndarray | None, dtype: np.dtype) -> np.ndarray:
    """Round and clip to the integers of the zero point's dtype, else of `dtype`."""
    dtype = dtype if zero_point is None else zero_point.dtype
    rounded = np.round(y) if zero_point is None else np.round(y) + zero_point
    return np.clip(rounded, np.iinfo(dtype).min, np.iinfo(dtype).max).astype(dtype)


OPS = (ConvInteger, QLinearConv)
