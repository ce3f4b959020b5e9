"""Convolutions."""

from __future__ import annotations

from typing import Any

from fastconv.integrations.onnx.node import PlannedNode, words
from fastconv.problem.onnx import onnx_conv_problem


class Conv(PlannedNode):
    """``Conv``."""

    def _run(self, x, w, bias=None, **attributes: Any):
        return (self.convolved(words("Conv"), onnx_conv_problem, x, w, bias, **attributes),)


OPS = (Conv,)
