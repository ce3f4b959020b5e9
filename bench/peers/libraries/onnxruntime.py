"""ONNX Runtime on models of one node, its weights an initialiser, which the session packs."""

from __future__ import annotations

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from bench.layers import Layer
from bench.peers.libraries import CALL, PLAN, Contender

PACKAGES = ("onnxruntime", "onnx")
OPTIONS = onnxruntime.SessionOptions()


def limit(threads: int) -> None:
    """Use so many threads."""
    OPTIONS.intra_op_num_threads = threads
    OPTIONS.inter_op_num_threads = 1


def contenders(layer: Layer) -> list[Contender]:
    """List a run into a bound output and, where there are no weights, one that makes its output."""
    x = np.moveaxis(layer.x, -1, 1).copy()
    n, *o, channels = layer.problem.y_shape
    y = np.empty((n, channels, *o), np.float32)
    session = onnxruntime.InferenceSession(_model(layer, x.shape, y.shape), OPTIONS, ["CPUExecutionProvider"])
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in (x, y)]
    binding = session.io_binding()
    binding.bind_ortvalue_input("x", values[0])
    binding.bind_ortvalue_output("y", values[1])

    def bound():
        session.run_with_iobinding(binding)
        return values[1]

    found = [Contender("bound", bound, lambda y: np.moveaxis(y.numpy(), 1, -1), (PLAN,))]
    if layer.w is None:
        inputs = {"x": x}
        found.append(
            Contender("run", lambda: session.run(None, inputs)[0], lambda y: np.moveaxis(y, 1, -1), (CALL,))
        )
    return found


def _model(layer: Layer, x_shape: tuple[int, ...], y_shape: tuple[int, ...]) -> bytes:
    """Write a model of one node."""
    initialisers = []
    if layer.w is not None:
        rank = layer.problem.window.rank
        w = layer.weights.transpose(rank + 1, rank, *range(rank)).copy()
        initialisers = [numpy_helper.from_array(w, "w")]
    kind, attributes = _node(layer)
    node = helper.make_node(kind, ["x", "w"][: 1 + len(initialisers)], ["y"], **attributes)
    shapes = ("x", x_shape), ("y", y_shape)
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes)
    graph = helper.make_graph([node], "layer", [x], [y], initialisers)
    versions = [helper.make_opsetid("", 19)]
    return helper.make_model(graph, opset_imports=versions, ir_version=9).SerializeToString()


def _node(layer: Layer) -> tuple[str, dict]:
    """Name the operator, and its attributes."""
    p, win = layer.problem, layer.problem.window
    pads = [lo for lo, _ in layer.padding] + [hi for _, hi in layer.padding]
    if layer.is_transposed:
        return "ConvTranspose", dict(kernel_shape=win.k, strides=win.b, dilations=win.d, pads=pads)
    if layer.w is not None:
        return "Conv", dict(kernel_shape=win.k, strides=win.s, dilations=win.d, pads=pads, group=p.g)
    if p.reduction == "mean" and set(win.o) == {1} and win.is_plain:
        return "GlobalAveragePool", {}
    options = dict(kernel_shape=win.k, strides=win.s, pads=pads)
    if p.reduction == "max":
        return "MaxPool", options
    return "AveragePool", dict(options, count_include_pad=int(p.divisor == "padded"))
