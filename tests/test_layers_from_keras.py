"""What `from_keras` refuses, with stand-ins for Keras models, so that Keras need not be installed."""

import re

import numpy as np
import pytest

from fastconv import layers


class Sequential:
    """What is asked of a Keras model, and nothing else."""

    def __init__(self, *entries, built=True, **config):
        self.name, self.built = "model", built
        self.config = {"layers": list(entries), **config}

    def get_config(self):
        return self.config

    def get_layer(self, name):
        (self.entry,) = (entry for entry in self.config["layers"] if entry["config"]["name"] == name)
        return self

    def get_weights(self):
        return self.entry.get("weights", [])


class Functional(Sequential):
    pass


class LeNet:
    pass


def entry(kind, name, *sources, weights=(), **config):
    """Describe a layer as Keras 3 does, with the layers it is called on."""
    calls = [{"args": (tensor(source),), "kwargs": {}} for source in sources]
    return {
        "class_name": kind,
        "name": name,
        "config": {"name": name, "trainable": True, "dtype": {"config": {"name": "float32"}}, **config},
        "build_config": {"input_shape": (None, 4, 3)},
        "registered_name": None,
        "inbound_nodes": calls,
        "weights": list(weights),
    }


def tensor(source):
    if isinstance(source, list):
        return [tensor(part) for part in source]
    return {"class_name": "__keras_tensor__", "config": {"keras_history": [source, 0, 0]}}


def entrance(name="in"):
    return entry("InputLayer", name, batch_shape=(None, 4, 3))


def functional(*entries, outputs=("out", 0, 0)):
    return Functional(*entries, output_layers=list(outputs))


KERNEL, BIAS = np.arange(6).reshape(3, 2), np.array([1, -1])
DENSE = {"units": 2, "activation": "linear", "kernel_initializer": {"class_name": "Orthogonal"}}


def test_sequential():
    dense = entry("Dense", "out", weights=[KERNEL, BIAS], quantization_config=None, **DENSE)
    model = layers.Sequential.from_keras(Sequential(entrance(), drop("kept"), dense))

    assert model.name == "model"
    assert model.names == ("kept", "out")


def test_functional_is_taken_in_the_order_of_its_graph():
    dense = entry("Dense", "mid", "in", weights=[KERNEL, BIAS], **DENSE)
    flat = entry("Flatten", "out", "mid", data_format="channels_last")

    model = layers.Sequential.from_keras(functional(flat, entrance(), dense))

    assert model.names == ("mid", "out")
    np.testing.assert_array_equal(
        model(np.ones((1, 4, 3))),
        np.float32([[7, 8] * 4]),  # columns of 0 2 4 and 1 3 5, with the bias
    )


def drop(name, *sources, **options):
    return entry("Dropout", name, *sources, rate=0.5, seed=None, noise_shape=None, **options)


BRANCH = functional(entrance(), drop("a", "in"), drop("b", "a"), drop("out", "a"))
MERGE = functional(entrance(), entrance("in2"), entry("Add", "out", ["in", "in2"]))
SHARED = functional(entrance(), entrance("in2"), drop("out", "in", "in2"))
APART = functional(entrance(), entrance("in2"), drop("a", "in2"), drop("out", "in"))
EARLY = functional(entrance(), drop("a", "in"), drop("b", "a"), outputs=("a", 0, 0))
TWO = functional(entrance(), drop("a", "in"), drop("out", "a"), outputs=(["a", 0, 0], ["out", 0, 0]))
NOISY = functional(entrance(), drop("out", "in"))
NOISY.config["layers"][1]["inbound_nodes"][0]["kwargs"]["training"] = True
CUSTOM = Sequential(entrance(), {**drop("mine"), "registered_name": "lab>Dropout"})


@pytest.mark.parametrize(
    ("model", "text"),
    [
        (BRANCH, "the graph must not branch; layer 'a' feeds 'b', 'out'"),
        (MERGE, "every layer must take one input, once; layer 'out' takes 'in', 'in2'"),
        (SHARED, "every layer must take one input, once; layer 'out' takes 'in', 'in2'"),
        (APART, "the graph must lead from one input ...; got inputs 'in', 'in2' and outputs 'out'"),
        (EARLY, "the graph must lead ... to one output; got inputs 'in' and outputs 'a'"),
        (TWO, "the graph must lead ... to one output; got inputs 'in' and outputs 'a', 'out'"),
        (NOISY, "layer 'out' has no counterpart ...: `training` must not be True in its call; got True"),
        (CUSTOM, "layer 'mine' must be of a class of fastconv.layers; got Dropout"),
        (Sequential(entrance(), entry("LSTM", "memory")), "layer 'memory' must be of a class ...; got LSTM"),
        (
            Sequential(entrance(), entry("Dense", "odd", **DENSE | {"activation": {"class_name": "PReLU"}})),
            "layer 'odd' has no counterpart in fastconv.layers: Dense: `activation` must be ... 'PReLU'}",
        ),
        (
            Sequential(entrance(), entry("Dense", "half", **DENSE | {"dtype": "mixed_float16"})),
            "layer 'half' has no ...: Dense: `dtype` must be one of ...; got 'mixed_float16'",
        ),
        (
            Sequential(entrance(), entry("Dense", "low", **DENSE, lora_rank=4)),
            "layer 'low' has no ...: Dense: got an unknown argument 'lora_rank'",
        ),
        (
            Sequential(entrance(), entry("Dense", "bare", **DENSE)),
            "layer 'bare' has no ...: Dense: `weights` must be ... [(3, 2), (2,)]; got 0 of shapes []",
        ),
        (Sequential(built=False), "`model` must be built, by a call or ...; got 'model', which is not"),
    ],
)
def test_models_that_are_refused(model, text):
    wanted = re.escape(f"from_keras: {text}").replace(re.escape("..."), ".*")

    with pytest.raises(ValueError, match=f"^{wanted}$"):
        layers.Sequential.from_keras(model)


def test_no_model():
    with pytest.raises(TypeError, match="`model` must be a Keras Sequential or functional model; got LeNet"):
        layers.Sequential.from_keras(LeNet())
