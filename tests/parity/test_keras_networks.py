"""Networks of ``keras.applications`` compute the same on fastconv as on Keras' JAX backend."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.keras_worker import NETWORKS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def outputs(keras, tmp_path_factory):  # noqa: ARG001 (Keras and JAX must be there)
    """Return what each backend, in a process of its own, makes of two images: small ones, to be quick."""
    folder = tmp_path_factory.mktemp("outputs")
    worker = [sys.executable, "-m", "bench.keras_worker"]
    running = {
        backend: subprocess.Popen([*worker, backend, "--outputs", folder / f"{backend}.npz"], cwd=ROOT)
        for backend in ("fastconv", "jax")
    }
    assert [process.wait(500) for process in running.values()] == [0, 0]
    return {backend: np.load(folder / f"{backend}.npz") for backend in running}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_computes_what_it_does_on_jax(name, outputs):
    ours, theirs = outputs["fastconv"][name], outputs["jax"][name]
    largest = np.abs(theirs).max()
    # An output that hardly depends on the image would agree whatever the layers do.
    assert np.abs(theirs[0] - theirs[1]).max() > 0.1 * largest
    assert ours.dtype == theirs.dtype == np.float32
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-3 * largest)


def test_a_backend_that_is_not_numpy_is_refused(keras):  # noqa: ARG001 (it must be there)
    code = (
        "import keras; from fastconv.integrations import keras as plugin\n"
        "try:\n    plugin.install()\nexcept RuntimeError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=100
    )
    assert done.stdout == (
        "install: Keras must be on its NumPy backend; it was imported on 'jax' "
        "(KERAS_BACKEND=numpy before its first import has it there)\n"
    )
