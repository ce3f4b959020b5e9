"""Models of one node, and what runs them: the reference evaluator with our operators, or ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np

from .conftest import peer


def model(op: str, opset: int, inputs: list[np.ndarray | None], outputs: int = 1, **attributes: Any):
    """Build a model of one node; an input of None is left out."""
    helper = peer("onnx").helper
    names = ["" if array is None else f"x{n}" for n, array in enumerate(inputs)]
    results = [f"y{n}" for n in range(outputs)]
    dtypes = [None if array is None else helper.np_dtype_to_tensor_dtype(array.dtype) for array in inputs]
    given = [
        helper.make_tensor_value_info(name, dtype, array.shape)
        for name, dtype, array in zip(names, dtypes, inputs, strict=True)
        if array is not None
    ]
    kinds = (dtypes[0], helper.np_dtype_to_tensor_dtype(np.dtype(np.int64)))  # a second output has places
    wanted = [helper.make_tensor_value_info(*each, None) for each in zip(results, kinds, strict=False)]
    graph = helper.make_graph([helper.make_node(op, names, results, **attributes)], op, given, wanted)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def fed(inputs: list[np.ndarray | None]) -> dict[str, np.ndarray]:
    """Name inputs as models have them."""
    return {f"x{n}": array for n, array in enumerate(inputs) if array is not None}


def evaluator(given):
    """Make ready to run a model with our operators."""
    return peer("fastconv.integrations.onnx").evaluator(given)


def by_fastconv(op: str, opset: int, inputs: list[np.ndarray | None], outputs: int = 1, **attributes: Any):
    """Run one node with our operators; one array, or several in a list."""
    y = evaluator(model(op, opset, inputs, outputs, **attributes)).run(None, fed(inputs))
    return y[0] if outputs == 1 else y


def by_onnxruntime(op: str, opset: int, inputs: list[np.ndarray | None], outputs: int = 1, **attributes: Any):
    """Run one node with ONNX Runtime, on one thread."""
    runtime = peer("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    text = model(op, opset, inputs, outputs, **attributes).SerializeToString()
    y = runtime.InferenceSession(text, options, ["CPUExecutionProvider"]).run(None, fed(inputs))
    return y[0] if outputs == 1 else y
