"""The cases that ship in onnx's wheel, as many as there are in onnx 1.23.2, all by our operators."""

import importlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.parity

NODES = {  # cases of each operator; one that is written out in others counts for the first of these in it
    "AveragePool": 20,
    "CausalConvWithState": 13,
    "Col2Im": 5,
    "Conv": 19,
    "ConvInteger": 2,
    "ConvTranspose": 11,
    "DeformConv": 4,
    "GlobalAveragePool": 2,
    "GlobalMaxPool": 2,
    "LpPool": 8,
    "MaxPool": 19,
    "MaxUnpool": 2,
    "QLinearConv": 1,
    "RoiAlign": 3,
}
OTHERS = {"BatchNormalization": 4, "DepthToSpace": 2, "LRN": 2, "SpaceToDepth": 4}
CONVERTED = {"pytorch-converted": 43, "pytorch-operator": 3}


@pytest.fixture(scope="module")
def plugin(onnx):  # noqa: ARG001 (it must be there)
    return importlib.import_module("fastconv.integrations.onnx")


@pytest.fixture(scope="module")
def nodes(onnx_cases):
    """All cases of single nodes, by the operator of ours that is in them."""
    found = {op: [] for op in (*NODES, *OTHERS)}
    for case in onnx_cases.values():
        ops = [node.op_type for node in case.model.graph.node if node.op_type in found]
        if ops:
            found[ops[0]].append(case)
    return found


def check(ready, op, feeds, expected, rtol, atol):
    """Run a model, in which our class computes an operator."""
    (node, *_) = (node for node in ready.rt_nodes_ if node.op_type == op)
    assert type(node).__module__.startswith("fastconv.")
    results = ready.run(None, feeds)
    for y, wanted in zip(results, expected, strict=True):
        np.testing.assert_equal((y.shape, y.dtype), (wanted.shape, wanted.dtype))
        np.testing.assert_allclose(y.astype(np.float64), wanted.astype(np.float64), rtol=rtol, atol=atol)


def test_there_are_111_cases_of_convolutions_and_pools():
    assert sum(NODES.values()) == 111


@pytest.mark.parametrize(("op", "count"), (NODES | OTHERS).items())
def test_node_cases(op, count, nodes, plugin):
    assert len(nodes[op]) == count
    for case in nodes[op]:
        ready = plugin.evaluator(case.model)
        for inputs, outputs in case.data_sets:
            names = [value.name for value in case.model.graph.input]
            check(ready, op, dict(zip(names, inputs, strict=True)), outputs, case.rtol, case.atol)


@pytest.mark.parametrize(("folder", "count"), CONVERTED.items())
def test_models_converted_from_pytorch(folder, count, onnx, plugin):
    checked = Counter()
    for path in sorted((Path(onnx.__file__).parent / "backend/test/data" / folder).glob("*/model.onnx")):
        model = onnx.load(path)
        ops = [node.op_type for node in model.graph.node if node.op_type in NODES]
        if ops:
            checked[folder] += 1
            ready = plugin.evaluator(model)
            for data in path.parent.glob("test_data_set_*"):
                inputs, outputs = (_tensors(onnx, data, kind) for kind in ("input", "output"))
                names = [name for name in ready.input_names if name not in ready.rt_inits_]
                check(ready, ops[0], dict(zip(names, inputs, strict=True)), outputs, 1e-3, 1e-7)
    assert checked[folder] == count


def _tensors(onnx, folder, kind):
    paths = sorted(folder.glob(f"{kind}_*.pb"))
    tensors = [onnx.TensorProto.FromString(path.read_bytes()) for path in paths]
    return [onnx.numpy_helper.to_array(tensor) for tensor in tensors]
