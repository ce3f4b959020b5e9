"""The small files of whole networks that come with onnx, given weights.

They hold shapes where weights would be, and every output is one number. Here each such tensor becomes an
initialiser of seeded random numbers, scaled so that signals neither vanish nor explode, and the last
Softmax, which would hide differences, is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

FOLDER = Path(onnx.__file__).parent / "backend/test/data/light"
ENOUGH = 999_983  # different numbers in a tensor, repeated after that; a prime, so no two rows begin alike
NAMES = tuple(sorted(path.stem.removeprefix("light_") for path in FOLDER.glob("*.onnx")))


def model(name: str, seed: int = 0) -> onnx.ModelProto:
    """Load a network and give it weights."""
    model = onnx.load(FOLDER / f"light_{name}.onnx")
    graph, rng = model.graph, np.random.default_rng(seed)
    users = {tensor: (node.op_type, place) for node in graph.node for place, tensor in enumerate(node.input)}
    sizes = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    constants = [node for node in graph.node if node.op_type == "ConstantOfShape"]
    for node in constants:
        shape, made = tuple(sizes[node.input[0]]), node.output[0]
        graph.initializer.append(numpy_helper.from_array(_weights(rng, shape, *users[made]), made))
        graph.node.remove(node)
    used = {tensor for node in graph.node for tensor in node.input}
    for tensors in (graph.initializer, graph.input):
        for tensor in [tensor for tensor in tensors if tensor.name not in used]:
            tensors.remove(tensor)  # a shape
    if graph.node[-1].op_type == "Softmax":
        graph.output[0].name = graph.node[-1].input[0]
        graph.output[0].type.tensor_type.ClearField("shape")
        graph.node.pop()
    return model


def _weights(rng: np.random.Generator, shape: tuple[int, ...], user: str, place: int) -> np.ndarray:
    """Draw a tensor for the node that uses it, and for its place among that node's inputs."""
    if len(shape) > 1:
        some = rng.standard_normal(min(math.prod(shape), ENOUGH), np.float32)
        w = np.resize(some * np.float32((2 / math.prod(shape[1:])) ** 0.5), shape)
        if len(shape) > 2:  # or all images look alike after some layers
            w -= w.mean(tuple(range(1, len(shape))), keepdims=True)
        return w
    if (user, place) in (("BatchNormalization", 1), ("BatchNormalization", 4), ("Unsqueeze", 0)):
        return rng.uniform(0.5, 1.5, shape).astype(np.float32)
    return rng.normal(0, 0.1, shape).astype(np.float32)


def images(model: onnx.ModelProto, count: int, seed: int = 1) -> Iterator[dict[str, np.ndarray]]:
    """Draw inputs for a network."""
    rng = np.random.default_rng(seed)
    given = {tensor.name for tensor in model.graph.initializer}
    (image,) = (tensor for tensor in model.graph.input if tensor.name not in given)
    shape = [size.dim_value for size in image.type.tensor_type.shape.dim]
    for _ in range(count):
        coarse = rng.standard_normal((*shape[:2], 7, 7), np.float32)
        yield {image.name: np.kron(coarse, np.ones((32, 32), np.float32))}
