"""How much faster single ONNX nodes run than in the reference evaluator: ``python -m bench.onnx_nodes``.

Both evaluators run the same model of one node in turn, and must agree. The sizes are small, for the
reference takes seconds for a layer of a real network: the ratios there are larger than these.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from onnx import helper
from onnx.reference import ReferenceEvaluator

from bench import clock
from fastconv.cli import table
from fastconv.integrations.onnx import evaluator

F = np.float32


def nodes() -> Iterator[tuple[str, list[np.ndarray], dict[str, Any]]]:
    """Yield operators with inputs and attributes."""
    rng = np.random.default_rng(0)

    def normal(*shape):
        return rng.standard_normal(shape, F)

    corners = rng.uniform(0, 12, (8, 2)).astype(F)
    rois = np.concatenate((corners, corners + rng.uniform(8, 16, (8, 2)).astype(F)), axis=1)
    yield "DeformConv", [normal(1, 4, 14, 14), normal(4, 4, 3, 3), normal(1, 18, 12, 12)], {}
    for mode in ("avg", "max"):
        size = dict(output_height=7, output_width=7, sampling_ratio=2, mode=mode)
        yield "RoiAlign", [normal(1, 16, 28, 28), rois, np.zeros(8, np.int64)], size
    planes = np.arange(16).reshape(1, 16, 1, 1) * 56 * 56
    at = planes + (2 * np.arange(28)[:, None] * 56 + 2 * np.arange(28))
    yield "MaxUnpool", [normal(1, 16, 28, 28), at], dict(kernel_shape=(2, 2), strides=(2, 2))
    yield "Col2Im", [normal(1, 36, 28 * 28), np.array([30, 30]), np.array([3, 3])], {}
    yield "Col2Im", [normal(1, 16, 1000), np.array([11, 11, 11]), np.array([2, 2, 2])], {}
    for mode in ("DCR", "CRD"):
        yield "DepthToSpace", [normal(1, 64, 56, 56)], dict(blocksize=2, mode=mode)
        yield "SpaceToDepth", [normal(1, 16, 112, 112)], dict(blocksize=2, mode=mode)


def model(op: str, inputs: list[np.ndarray], attributes: dict[str, Any]):
    """Build a model of one node of the newest operators."""
    names = [f"x{place}" for place in range(len(inputs))]
    given = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in zip(names, inputs, strict=True)
    ]
    node = helper.make_node(op, names, ["y"], **attributes)
    graph = helper.make_graph([node], op, given, [helper.make_empty_tensor_value_info("y")])
    return helper.make_model(graph)


def row(op: str, inputs: list[np.ndarray], attributes: dict[str, Any]) -> list[str]:
    """Check that a node gives what the reference gives, and time both in turn."""
    stated = model(op, inputs, attributes)
    feeds = {f"x{place}": array for place, array in enumerate(inputs)}
    both = dict(fastconv=evaluator(stated), reference=ReferenceEvaluator(stated))
    ours, theirs = (each.run(None, feeds)[0] for each in both.values())
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4, strict=True)
    times = clock.medians({name: lambda ready=each: ready.run(None, feeds) for name, each in both.items()})
    sizes = " ".join(table.shape(array.shape) for array in inputs)
    ratio = times["reference"] / times["fastconv"]
    return [op, attributes.get("mode", ""), sizes, *map(table.milliseconds, times.values()), f"{ratio:.2f}"]


if __name__ == "__main__":
    header = ("op", "mode", "inputs", "fastconv (ms)", "reference (ms)", "times faster")
    print(table.lines(header, [row(*node) for node in nodes()]))
