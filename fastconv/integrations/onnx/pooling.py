"""Pooling: the largest, the mean and the p-norm of every window, or of every plane."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx.reference.op_run import OpRun

from fastconv import calls
from fastconv.integrations.onnx.node import plain, words
from fastconv.plan import Plan
from fastconv.problem.dtypes import accumulator
from fastconv.problem.onnx import onnx_pool_problem, positions


class PoolingNode(OpRun):
    """A node that reduces windows."""

    plan: Plan | None = None  # that of the last run

    def pooled(self, x: np.ndarray, function: str, **attributes: Any) -> np.ndarray:
        """Reduce every window."""
        ready, x = self.planned(x, function, **attributes)
        return ready.anew(x)

    def planned(self, x: np.ndarray, function: str, **attributes: Any) -> tuple[Plan, np.ndarray]:
        """Plan the reduction of every window; return the array too, as it was checked."""
        named, options = words(type(self).__name__), plain(attributes)
        self.plan, x = calls.reduction(
            named, onnx_pool_problem, x, "channels_first", options, function, "auto"
        )
        return self.plan, x

    def norms(self, x: np.ndarray, p: float, **attributes: Any) -> np.ndarray:
        """Return the p-norm of every window, rounded once."""
        powers = np.abs(x.astype(accumulator(x.dtype), copy=False)) ** p
        return (self.pooled(powers, "sum", **attributes) ** (1 / p)).astype(x.dtype, copy=False)


class MaxPool(PoolingNode):
    """The largest element of every window; its position in the whole input too, if the graph uses it."""

    def _run(self, x, storage_order=0, **attributes: Any):
        if len(self.output) < 2 or not self.output[1]:
            return (self.pooled(x, "max", **attributes),)
        ready, x = self.planned(x, "max", indices=1, **attributes)
        y, at = ready.with_indices(x)
        return y, positions(at, x.shape, storage_order)


class AveragePool(PoolingNode):
    """The mean of every window; padding counts only if it is told to."""

    def _run(self, x, count_include_pad=0, **attributes: Any):
        divisor = "padded" if count_include_pad else "real"
        return (self.pooled(x, "mean", divisor=divisor, **attributes),)


class LpPool(PoolingNode):
    """The p-norm of every window."""

    def _run(self, x, p=2, **attributes: Any):
        return (self.norms(x, p, **attributes),)


class GlobalMaxPool(PoolingNode):
    """The largest element of every plane."""

    def _run(self, x):
        return (self.pooled(x, "max", kernel_shape=x.shape[2:]),)


class GlobalAveragePool(PoolingNode):
    """The mean of every plane."""

    def _run(self, x):
        return (self.pooled(x, "mean", kernel_shape=x.shape[2:]),)


class GlobalLpPool(PoolingNode):
    """The p-norm of every plane."""

    def _run(self, x, p=2):
        return (self.norms(x, p, kernel_shape=x.shape[2:]),)


OPS = (MaxPool, AveragePool, LpPool, GlobalMaxPool, GlobalAveragePool, GlobalLpPool)
