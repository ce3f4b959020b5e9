"""Layers of Keras models as layers of fastconv.

Nothing of Keras is imported: a model says all there is to know by ``get_config()`` (Keras 3) and
``get_weights()`` of its layers, whatever its backend.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from typing import Any

from fastconv.layers import (
    activation,
    convolution,
    dense,
    depthwise,
    normalization,
    pooling,
    reshaping,
    transposed,
)
from fastconv.layers.layer import Layer

MODULES = (activation, convolution, dense, depthwise, normalization, pooling, reshaping, transposed)
KINDS: dict[str, type[Layer]] = {
    name: kind
    for module in MODULES
    for name, kind in vars(module).items()
    if isinstance(kind, type) and issubclass(kind, Layer)
}
MODELS = ("Sequential", "Functional")
TRAINING = ("renorm_momentum", "synchronized")  # options that matter only there, besides those of `Layer`

Entry = dict[str, Any]  # one layer in a model's configuration


def layers_of(model: Any) -> list[Layer]:
    """Make the layers of a linear model with its weights, models inside it opened up.

    Raises
    ------
    TypeError : `model` is no Keras model of that kind.
    ValueError : it is not built, its graph branches, or a layer is of a kind, or has an option, that
        there is not in `fastconv.layers`; the message names the layer.
    """
    kind = type(model).__name__
    if kind not in MODELS or not hasattr(model, "get_config"):
        raise TypeError(f"from_keras: `model` must be a Keras Sequential or functional model; got {kind}")
    if not model.built:
        raise ValueError(
            "from_keras: `model` must be built, by a call or an input shape; "
            f"got {model.name!r}, which is not"
        )
    return [layer for entry in _in_order(model, kind) for layer in _made(model, entry)]


def _in_order(model: Any, kind: str) -> list[Entry]:
    """List what a model's configuration says of each layer, from the input to the output."""
    config = model.get_config()
    return config["layers"] if kind == "Sequential" else _chain(config)


def _chain(config: Entry) -> list[Entry]:
    """Follow the only path through a functional model, or say where it is not the only one."""
    entries = {entry["name"]: entry for entry in config["layers"]}
    sources = {name: list(_sources(entry["inbound_nodes"])) for name, entry in entries.items()}
    takers = {name: [taker for taker, given in sources.items() if name in given] for name in entries}
    for name, several in takers.items():
        if len(several) > 1:
            raise ValueError(
                f"from_keras: the graph must not branch; layer {name!r} feeds {_listed(several)}"
            )
    for name, several in sources.items():
        if len(several) > 1:
            raise ValueError(
                f"from_keras: every layer must take one input, once; layer {name!r} takes {_listed(several)}"
            )
    path = [name for name, given in sources.items() if not given]
    while len(path) < len(entries) and takers[path[-1]]:
        path += takers[path[-1]]
    outputs = list(_references(config["output_layers"]))
    if len(path) != len(entries) or outputs != path[-1:]:
        inputs = _listed(name for name, given in sources.items() if not given)
        raise ValueError(
            "from_keras: the graph must lead from one input through every layer to one output; "
            f"got inputs {inputs} and outputs {_listed(outputs)}"
        )
    return [entries[name] for name in path]


def _sources(value: Any) -> Iterator[str]:
    """Name the layers whose outputs a serialised call takes."""
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        yield from _references(value["config"]["keras_history"])
    elif isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _sources(part)


def _references(value: Any) -> Iterator[str]:
    """Name the layers in references (name, call, output), however nested."""
    if isinstance(value, dict):
        value = list(value.values())
    if value and isinstance(value[0], str):
        yield value[0]
    else:
        for part in value:
            yield from _references(part)


def _made(model: Any, entry: Entry) -> list[Layer]:
    """Make the layer, or the layers of the model, that an entry describes."""
    kind, config = entry["class_name"], entry["config"]
    name = config["name"]
    if kind in MODELS:
        inner = layers_of(model.get_layer(name))
        return [layer for layer in inner if not isinstance(layer, reshaping.InputLayer)]
    if kind not in KINDS or entry.get("registered_name"):
        raise ValueError(f"from_keras: layer {name!r} must be of a class of fastconv.layers; got {kind}")
    if kind == "InputLayer":
        return [reshaping.InputLayer(batch_shape=config["batch_shape"], name=name)]
    try:
        _check_calls(entry.get("inbound_nodes", ()))
        layer = KINDS[kind](**_arguments(KINDS[kind], config))
        if not layer.built:
            layer.build(entry["build_config"]["input_shape"])
        layer.set_weights(model.get_layer(name).get_weights())
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"from_keras: layer {name!r} has no counterpart in fastconv.layers: {error}"
        ) from error
    return [layer]


def _check_calls(nodes: Any) -> None:
    """Refuse a layer that is called as in training."""
    if any(node["kwargs"].get("training") for node in nodes):
        raise ValueError("`training` must not be True in its call; got True")


def _arguments(kind: type[Layer], config: Entry) -> dict[str, Any]:
    """Translate a layer's configuration; options that we lack and nobody uses are left out."""
    taken = inspect.signature(kind).parameters
    arguments = {}
    for key, value in config.items():
        if key.endswith("_initializer"):
            value = "zeros"  # the weights come next, and zeros cost nothing
        elif key == "dtype" and isinstance(value, dict):
            value = value["config"]["name"]
        elif key in TRAINING or (key not in taken and (value is None or value is False)):
            continue
        arguments[key] = value
    return arguments


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))
