"""What the environment must be, and a process in it."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REQUIRED = os.environ.get("FASTCONV_REQUIRE_KERAS") == "1"


@pytest.fixture(autouse=True, scope="session")
def _environment():
    """Skip without Keras; fail where an environment with Keras and without JAX is required."""
    if REQUIRED and importlib.util.find_spec("jax"):
        pytest.fail("JAX is installed, and these tests are to run without it")
    if not importlib.util.find_spec("keras"):
        (pytest.fail if REQUIRED else pytest.skip)("Keras is not installed; it comes with the extra `keras`")


@pytest.fixture
def python(tmp_path):
    """Run Python with arguments; return the lines it prints. Warnings are errors, as in tests."""

    def run(*arguments, code=0, **environment):
        inherited = {k: v for k, v in os.environ.items() if k not in ("KERAS_BACKEND", "XLA_FLAGS")}
        paths = dict(PYTHONPATH=str(ROOT), KERAS_HOME=str(tmp_path))
        done = subprocess.run(
            [sys.executable, "-W", "error", *map(str, arguments)],
            env={**inherited, **paths, **environment},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return (done.stderr if code else done.stdout).splitlines()

    return run
