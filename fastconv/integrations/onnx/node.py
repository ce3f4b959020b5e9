"""What nodes share: the words for errors, and plans that are kept while weights cannot change.

The evaluator makes an instance of an operator's class for each node of a graph, and hands it the
attributes of the *latest* version of the operator, whatever the model's: so `_run` takes all of them, and
None or an empty list for one that is not there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx.reference.op_run import OpRun

from fastconv import calls
from fastconv.plan import Plan
from fastconv.problem import Words


def words(op: str, x: str = "X", w: str = "W") -> Words:
    """Name an operation and its arguments as ONNX does."""
    return Words(op, x=x, w=w, size="kernel_shape", dilation="dilations", padding="pads")


def plain(attributes: dict[str, Any]) -> dict[str, Any]:
    """Turn lists into tuples, which can name a call."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in attributes.items()}


def is_constant(array: np.ndarray | None) -> bool:
    """Whether nobody can change an array: there is none, or its memory is that of a ``bytes``.

    An initialiser is such an array, and the same in every run, if a file holds it as raw data.
    """
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    return array is None or isinstance(base, bytes)


class PlannedNode(OpRun):
    """A node that plans once for weights that cannot change.

    The plan is kept with the arrays it was made of, and goes with them alone: that they live on keeps their
    identities from passing to others, and that they are constant keeps it up to date. Weights that a graph
    computes, or that somebody could write to, are prepared anew in every run.
    """

    _kept: tuple[tuple, tuple, Plan] | None = None

    def convolved(self, words: Words, state: Any, x: Any, w: Any, bias: Any, **attributes: Any) -> np.ndarray:
        """Compute what `state` states for the arrays and attributes of a run."""
        options, arrays = plain(attributes), (w, bias)
        if not all(map(is_constant, arrays)):
            return calls.convolve(words, state, x, w, "channels_first", options, bias, None, "auto", None)
        key = x.shape, x.dtype, *options.values()
        kept = self._kept
        if kept is None or kept[0] != key or any(a is not b for a, b in zip(kept[1], arrays, strict=True)):
            plan = calls.planned(
                words, state, x.shape, w, "channels_first", options, bias, None, x.dtype, "auto"
            )
            self._kept = kept = key, arrays, plan
        return kept[2](x)
