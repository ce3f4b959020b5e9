"""The networks that ship in onnx's wheel, given weights, agree with ONNX Runtime; and a file of one runs."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fastconv.__main__ import main

pytestmark = pytest.mark.parity

NETWORKS = (
    *("bvlc_alexnet", "densenet121", "inception_v1", "inception_v2", "resnet50", "shufflenet"),
    *("squeezenet", "vgg19", "zfnet512"),
)


@pytest.fixture(scope="module")
def light(onnx):  # noqa: ARG001 (it must be there)
    from bench import light

    return light


@pytest.mark.parametrize("name", NETWORKS)
def test_networks(name, light, onnxruntime):
    """To 1e-4 of the largest output, of which outputs of two images are more than 100 times that apart."""
    from fastconv.integrations.onnx import evaluator

    assert light.NAMES == NETWORKS
    model = light.model(name)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    ready = evaluator(model)

    expected = []
    for feeds in light.images(model, 2):
        (wanted,), (y,) = session.run(None, feeds), ready.run(None, feeds)
        assert y.shape == wanted.shape
        assert np.abs(y - wanted).max() <= 1e-4 * np.abs(wanted).max()
        expected.append(wanted)
    assert np.abs(expected[0] - expected[1]).max() > 1e-2 * np.abs(expected[0]).max()


def test_the_readmes_example_needs_no_more_than_onnx(onnx):  # noqa: ARG001 (it must be there)
    text = (Path(__file__).parents[2] / "README.md").read_text()
    (example,) = re.findall(r"^## ONNX without a runtime$.*?^```python$(.*?)^```$", text, re.M | re.S)
    others = "onnxruntime", "torch", "jax", "keras", "scipy"
    code = f"import sys; sys.modules |= dict.fromkeys({others}){example}print(*scores.shape, scores.dtype)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout == "1 1000 1 1 float32\n"


@pytest.fixture
def saved(tmp_path, onnx):
    """A file of a model with a convolution, an activation and a pool, and one input of open batch size."""
    rng = np.random.default_rng(0)
    w = rng.standard_normal((4, 3, 3, 3)).astype(np.float32)
    h = onnx.helper
    graph = h.make_graph(
        [
            h.make_node("Conv", ["image", "w"], ["features"], name="first", strides=(2, 2)),
            h.make_node("Relu", ["features"], ["positive"]),
            h.make_node("MaxPool", ["positive"], ["pooled"], kernel_shape=(2, 2), strides=(2, 2)),
        ],
        "small",
        [h.make_tensor_value_info("image", onnx.TensorProto.FLOAT, ("batch", 3, 15, 11))],
        [h.make_empty_tensor_value_info("pooled")],
        [onnx.numpy_helper.from_array(w, "w")],
    )
    path = tmp_path / "small.onnx"
    onnx.save(h.make_model(graph, opset_imports=[h.make_opsetid("", 13)]), path)
    return path


def test_command_lists_what_every_node_costs(saved, capsys):
    assert main(["onnx", str(saved)]) == 0
    said = capsys.readouterr().out
    assert re.search(r"^input +image +1x3x15x11 float32", said, re.M)
    assert re.search(r"^output +pooled +1x4x3x2 float32", said, re.M)
    assert re.search(r"^node +op +shape +kernel +ms +share$", said, re.M)
    assert re.search(r"^first +Conv +1x4x7x5 +\w+:\w+ +[\d.]+ +[\d.]+%$", said, re.M)
    assert re.search(r"^positive +Relu +1x4x7x5 +onnx +[\d.]+ +[\d.]+%$", said, re.M)
    assert re.search(r"^pooled +MaxPool +1x4x3x2 +\w+:\w+ +[\d.]+ +[\d.]+%$", said, re.M)
    assert re.search(r"^total +3 nodes +[\d.]+ +100%$", said, re.M)


def test_command_takes_an_input_and_sums_up(saved, tmp_path, capsys):
    np.save(tmp_path / "x.npy", np.full((2, 3, 15, 11), 7, np.float32))
    assert main(["onnx", str(saved), "--input", f"image={tmp_path / 'x.npy'}", "--profile"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"^input +image +2x3x15x11 float32 +7 to 7, mean 7$", said, re.M)
    assert re.search(r"^op +nodes +ms +share$", said, re.M)
    assert len(re.findall(r"^(?:Conv|Relu|MaxPool) +1 +[\d.]+ +[\d.]+%$", said, re.M)) == 3


def test_command_refuses_in_one_sentence(saved, tmp_path, capsys):
    np.save(tmp_path / "x.npy", np.ones((1, 2, 15, 11), np.float32))
    cases = {
        (str(tmp_path / "none.onnx"),): "MODEL.onnx must be a model that onnx can read: .*none.onnx",
        (__file__,): "MODEL.onnx must be a model that onnx can read: ",
        (str(saved), "--input", "photo=x.npy"): "--input must be for one of image; got 'photo=x.npy'",
        (str(saved), "--input", __file__): "--input must name a file of NumPy's: ",
        (str(saved), "--input", str(tmp_path / "x.npy")): "the model cannot be run: Conv: .*1, 2, 15, 11",
    }
    for arguments, sentence in cases.items():
        assert main(["onnx", *arguments]) == 2
        assert re.fullmatch(f"fastconv onnx: {sentence}.*\n", capsys.readouterr().err)
