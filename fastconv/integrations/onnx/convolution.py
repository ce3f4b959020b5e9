"""Convolutions: ``Conv``, ``ConvTranspose`` and the causal one that takes its past along."""

from __future__ import annotations

from typing import Any

from fastconv.integrations.onnx.node import ConvolutionNode, words
from fastconv.problem.onnx import causal_state, onnx_conv_problem, onnx_transpose_problem

ACTIVATIONS = {None: None, "none": None, "silu": "silu", "swish": "silu"}


class Conv(ConvolutionNode):
    """``Y = X conv W + B`` with weights (g*oc, ic, *k)."""

    def _run(self, x, w, bias=None, **attributes: Any):
        return (self.convolved(words("Conv"), onnx_conv_problem, x, (w, bias), **attributes),)


class ConvTranspose(ConvolutionNode):
    """The transpose of a convolution, plus B, with weights (g*ic, oc, *k)."""

    def _run(self, x, w, bias=None, **attributes: Any):
        return (self.convolved(words("ConvTranspose"), onnx_transpose_problem, x, (w, bias), **attributes),)


class CausalConvWithState(ConvolutionNode):
    """A depthwise convolution that sees no later input, preceded by the end of the sequence before."""

    def _run(self, x, w, bias=None, past=None, activation=None):
        named = words("CausalConvWithState", x="input", w="weight")
        if activation not in ACTIVATIONS:
            raise ValueError(f"{named.op}: `activation` must be none, silu or swish; got {activation!r}")
        x, state = causal_state(named, x, w.shape, past)
        options = dict(group=w.shape[0], activation=ACTIVATIONS[activation])
        return self.convolved(named, onnx_conv_problem, x, (w, bias), **options), state


OPS = (Conv, ConvTranspose, CausalConvWithState)
