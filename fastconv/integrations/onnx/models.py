"""Whole models: an evaluator of one, and what its nodes cost."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from onnx.reference import ReferenceEvaluator

from fastconv.integrations.onnx.node import is_constant
from fastconv.integrations.onnx.operators import OPS


def evaluator(model: Any, new_ops: Sequence[Any] = (), **options: Any) -> ReferenceEvaluator:
    """Make an evaluator that computes with fastconv what it can.

    Parameters
    ----------
    model : ModelProto, GraphProto, FunctionProto, path or bytes
        As ``onnx.reference.ReferenceEvaluator`` takes it.
    new_ops : sequence of OpRun classes
        Operators that go before those of fastconv.
    options
        Others of ``ReferenceEvaluator``.

    Returns
    -------
    ReferenceEvaluator
        ``evaluator(model).run(None, {"input": x})`` is a list of outputs. Initialisers are read-only, so that
        what is planned for them in the first run of every input shape is good for the next.
    """
    theirs = {(op.op_domain, op.__name__) for op in new_ops}
    ours = [op for op in OPS if (op.op_domain, op.__name__) not in theirs]
    ready = ReferenceEvaluator(model, new_ops=[*new_ops, *ours], **options)
    for name, array in ready.rt_inits_.items():
        ready.rt_inits_[name] = _constant(array)
    return ready


def _constant(array: Any) -> Any:
    """Copy an initialiser into memory that nobody can write to, if it is not in such; but not strings."""
    if not isinstance(array, np.ndarray) or not array.size or array.dtype.hasobject or is_constant(array):
        return array
    return np.frombuffer(array.tobytes(), array.dtype).reshape(array.shape)


class Cost(NamedTuple):
    """What one node of a graph costs."""

    name: str
    op: str
    shape: tuple[int, ...]  # of its first output
    kernel: str  # the row of the table that computes it, else "numpy", or "onnx" if fastconv does not
    seconds: float


def profile(
    ready: ReferenceEvaluator, feeds: dict[str, np.ndarray], rounds: int = 1
) -> tuple[list[Any], list[Cost]]:
    """Run a model; return its outputs and the median cost of each of its nodes, in their order.

    One more round comes first, in which kernels are compiled and weights prepared.
    """
    outputs: Any = ready.run(None, feeds)
    timings: list[list[tuple[float, tuple[int, ...]]]] = [[] for _ in ready.rt_nodes_]
    for node, taken in zip(ready.rt_nodes_, timings, strict=True):
        node.run = partial(_timed, node.run, taken)
    try:
        for _ in range(rounds):
            ready.run(None, feeds)
    finally:
        for node in ready.rt_nodes_:
            del node.run  # the class' own is behind it
    return outputs, [_cost(node, taken) for node, taken in zip(ready.rt_nodes_, timings, strict=True)]


def _timed(run: Any, taken: list, *inputs: Any, **options: Any) -> Any:
    """Run a node, and note the seconds and the shape of what came out."""
    start = time.perf_counter()
    outputs = run(*inputs, **options)
    taken.append((time.perf_counter() - start, np.shape(outputs[0])))
    return outputs


def _cost(node: Any, taken: list) -> Cost:
    """Sum up what a node took."""
    plan = getattr(node, "plan", None)
    ours = type(node).__module__.startswith("fastconv.")
    return Cost(
        name=node.onnx_node.name or next(iter(node.output), ""),
        op=node.op_type,
        shape=taken[-1][1],
        kernel=plan.kernel.name if plan else "numpy" if ours else "onnx",
        seconds=statistics.median(seconds for seconds, _ in taken),
    )
