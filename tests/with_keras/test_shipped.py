"""The tests that Keras ships of its convolutions and pooling pass, as many as pass with JAX."""

import importlib.util
import re
from pathlib import Path

import pytest

SOURCES = (
    Path(importlib.util.find_spec("keras").origin).parent / "src"
    if importlib.util.find_spec("keras")
    else Path()
)
# Keras' own configuration of pytest is not shipped. It skips what needs gradients, which the backend has not.
# Some tests compare float32 sums of random numbers to a few units in their last places: seeded, they are the
# same in every run.
PLUGIN = """
import numpy as np
import pytest

from fastconv.integrations import keras

keras.install()


def pytest_configure(config):
    config.addinivalue_line("markers", "requires_trainable_backend: needs gradients")


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("requires_trainable_backend"):
            item.add_marker(pytest.mark.skip(reason="no gradients"))


@pytest.fixture(autouse=True)
def _seeded():
    np.random.seed(0)
"""
OPS = "conv or pool or fold or depth_to_space or space_to_depth"


@pytest.mark.parametrize(
    ("selected", "passed"),
    [
        (["layers/convolutional", "layers/pooling"], 384),
        (["ops/nn_test.py", "-k", OPS], 137),
    ],
    ids=["layers", "ops"],
)
def test_keras_own_tests_pass(selected, passed, python, tmp_path):
    (tmp_path / "keras_on_fastconv.py").write_text(PLUGIN)
    first, *rest = [SOURCES / part if "/" in part else part for part in selected]
    said = python(
        *("-W", "default", "-m", "pytest", "-q", "-p", "keras_on_fastconv", "-p", "no:cacheprovider"),
        *("-c", "/dev/null", "--rootdir", SOURCES.parents[1], first, *rest),
        PYTHONPATH=f"{tmp_path}:{Path(__file__).parents[2]}",
    )
    counts = dict(reversed(pair.split()) for pair in re.findall(r"\d+ [a-z]+", said[-1]))
    assert int(counts["passed"]) == passed
    assert "failed" not in counts
    assert "error" not in counts
