"""The peers: Keras 3 on its JAX backend and ``jax.lax``, with 64-bit types on; PyTorch; ONNX, its runtime.

They come with the extra `parity`. Without it these tests skip and say so; where
``FASTCONV_REQUIRE_PARITY=1`` is set, a missing peer is a failure.
"""

from __future__ import annotations

import importlib
import os
import sys
import warnings

import pytest

# Keras reads its backend when it is imported, and XLA its flags before the first computation. Thousands
# of small programs are compiled here and each runs once, so code is wanted soon rather than fast. The
# algebraic simplifier must be off: in jax 0.10.2 it aborts the process on some transposed convolutions of
# float16, and it may multiply by reciprocals where an average divides.
os.environ["KERAS_BACKEND"] = "jax"
os.environ["XLA_FLAGS"] = (
    "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false --xla_disable_hlo_passes=algsimp"
)


def peer(name: str):
    """Import another library, or skip, or fail where it is required."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        reason = f"{name} cannot be imported ({error}); it comes with the extra `parity`"
        if os.environ.get("FASTCONV_REQUIRE_PARITY") == "1":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="package")
def jax():
    """JAX with 64-bit types, which other tests of the session do not get to see."""
    jax = peer("jax")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield jax
    jax.config.update("jax_enable_x64", before)


@pytest.fixture(scope="package")
def keras(jax):  # noqa: ARG001 (64-bit types must be on)
    """Keras on its JAX backend."""
    keras = peer("keras")
    if keras.backend.backend() != "jax":
        pytest.fail("Keras was imported on another backend before these tests; run tests/parity on its own")
    return keras


@pytest.fixture(scope="package")
def torch():
    """PyTorch, on one thread: its pool would spin beside the others'."""
    torch = peer("torch")
    torch.set_num_threads(1)
    return torch


@pytest.fixture(scope="package")
def onnx():
    """ONNX, with its reference evaluator."""
    return peer("onnx")


@pytest.fixture(scope="package")
def onnxruntime():
    """ONNX Runtime, which says nothing of what it leaves out."""
    onnxruntime = peer("onnxruntime")
    onnxruntime.set_default_logger_severity(3)
    return onnxruntime


@pytest.fixture(scope="package")
def onnx_cases(onnx):  # noqa: ARG001 (it must be there)
    """ONNX's own cases of single nodes, by name."""
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some divide by zero when they are made
        return {case.name: case for case in collect_testcases(None)}


@pytest.fixture(autouse=True, scope="module")
def _forget_programs():
    """Free what JAX compiled for one module's cases: the next has others."""
    yield
    if "jax" in sys.modules:
        sys.modules["jax"].clear_caches()
