"""What nodes share: words for errors, and plans that are kept while weights cannot change.

The evaluator makes an instance of an operator's class for each node of a graph, and hands it the
attributes of the *latest* version of the operator, whatever the model's: so `_run` takes all of them, and
None or an empty list for one that is not there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from onnx.reference.op_run import OpRun

from fastconv import calls, dispatch
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

    An initialiser is such an array, and the same in every run, if the model holds it as raw data.
    """
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    return array is None or isinstance(base, bytes)


def as_given(w: np.ndarray, bias: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
    """Take weights and a bias as a node has them."""
    return w, bias


class Kept(NamedTuple):
    """A plan, and what it was made for."""

    key: tuple  # all that a run has but for the weights
    arrays: tuple | None  # what the weights were made of; None if that may change
    plan: Plan  # without weights if these may change


class ConvolutionNode(OpRun):
    """A node that plans once for weights that cannot change.

    The plan is kept with the arrays it was made of, and serves only runs with these very arrays: that it
    keeps them alive keeps others from having their identities, and that they are constant keeps it up to
    date. Weights that a graph computes, or that somebody could write to, are prepared anew in every run.
    """

    kept: Kept | None = None

    @property
    def plan(self) -> Plan | None:
        """The plan of the last run."""
        return self.kept.plan if self.kept else None

    def convolved(
        self,
        words: Words,
        state: Any,
        x: np.ndarray,
        arrays: tuple[np.ndarray | None, ...],
        weights: Callable = as_given,
        activation: str | None = None,
        **attributes: Any,
    ) -> np.ndarray:
        """Compute what `state` states for an input and the ``weights(*arrays)``, which are two arrays."""
        options = plain(attributes)
        layout = "channels_first"
        key = dispatch.wanted_backend("auto"), x.shape, x.dtype, activation, *options.values()
        kept = self.kept
        if kept is None or kept.key != key or not (kept.arrays is None or _same(kept.arrays, arrays)):
            w, bias = weights(*arrays)
            plan = calls.planned(words, state, x.shape, w, layout, options, bias, activation, x.dtype, "auto")
            constant = all(map(is_constant, arrays))
            kept = Kept(key, arrays, plan) if constant else Kept(key, None, plan.without_weights())
            self.kept = kept
        if kept.arrays is not None:
            return kept.plan(x)
        w, bias = weights(*arrays)
        return calls.convolve(words, state, x, w, layout, options, bias, activation, "auto", None)


def _same(these: tuple, those: tuple) -> bool:
    """Whether arrays are the very same ones."""
    return all(a is b for a, b in zip(these, those, strict=True))
