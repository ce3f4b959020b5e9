"""Normalization: by the statistics that a model holds, and by neighbouring channels.

They are here since the reference computes them wrongly: ``BatchNormalization`` of opsets 9 to 13 by
statistics of the batch, and ``LRN`` only for as many channels as there are images.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx.reference.op_run import OpRun

from fastconv.integrations.onnx.pooling import PoolingNode
from fastconv.problem.dtypes import accumulator


class BatchNormalization(OpRun):
    """``Y = (X - mean) / sqrt(var + epsilon) * scale + B``, channel by channel."""

    def _run(self, x, scale, bias, mean, var, epsilon=1e-5, momentum=0.9, training_mode=0, **old: Any):
        """Compute in the accumulator's precision; `old` are attributes of opsets before 9."""
        if not training_mode:
            if any(self.output[1:]) or old.get("spatial") == 0:
                raise NotImplementedError(
                    "BatchNormalization: a node of an opset before 14 must have one output and a mean for "
                    f"each channel; got outputs {list(self.output)} and {old}"
                )
            return (normalized(x, scale, bias, mean, var, epsilon),)
        others = tuple(axis for axis in range(x.ndim) if axis != 1)
        wide = x.astype(accumulator(x.dtype), copy=False)
        now = wide.mean(others), wide.var(others)
        running = (
            (old * momentum + new * (1 - momentum)).astype(old.dtype)
            for old, new in zip((mean, var), now, strict=True)
        )
        return normalized(x, scale, bias, *now, epsilon), *running


def normalized(x, scale, bias, mean, var, epsilon) -> np.ndarray:
    """Normalise every channel: one factor and one summand for each."""
    acc = accumulator(x.dtype)
    factor = scale.astype(acc) / np.sqrt(var.astype(acc) + epsilon)
    summand = bias.astype(acc) - mean.astype(acc) * factor
    along = (-1, *(1,) * (x.ndim - 2))
    y = x * factor.reshape(along).astype(acc)
    y += summand.reshape(along)
    return y.astype(x.dtype, copy=False)


class LRN(PoolingNode):
    """``Y = X / (bias + alpha / size * S) ** beta``; S sums the squares of `size` neighbouring channels."""

    def _run(self, x, alpha=1e-4, beta=0.75, bias=1.0, size=1):
        """Pool channels as the rows of an image whose columns are the elements of a plane."""
        wide = x.astype(accumulator(x.dtype), copy=False)
        squares = (wide * wide).reshape(x.shape[0], 1, x.shape[1], -1)
        pads = (size - 1) // 2, 0, size // 2, 0
        scale = self.pooled(squares, "sum", kernel_shape=(size, 1), pads=pads).reshape(x.shape)
        scale *= wide.dtype.type(alpha / size)
        scale += wide.dtype.type(bias)
        return ((wide / powers(scale, beta)).astype(x.dtype, copy=False),)


def powers(x: np.ndarray, beta: float) -> np.ndarray:
    """Raise positive numbers to a power; by roots, which cost less, to the usual one."""
    if beta == 0.75:
        root = np.sqrt(x)
        root *= np.sqrt(root)
        return root
    return x**beta


OPS = (BatchNormalization, LRN)
