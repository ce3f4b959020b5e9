"""The command ``article``, with the peers of the extra `parity` and without them."""

import importlib.util
import os
import re
import subprocess
import sys

import numpy as np
import pytest

import fastconv
from fastconv.cli import article
from fastconv.cli.peers import Outputs

REQUIRED = os.environ.get("FASTCONV_REQUIRE_PARITY") == "1"
RUN = "from fastconv.__main__ import main; sys.exit(main(['article']))"


def program(*lines):
    """Run the command in a process of its own, since Keras takes a backend once a process."""
    code = "\n".join(["import sys", *lines, RUN])
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.parity
def test_agrees_with_keras_and_jax():
    absent = [name for name in ("keras", "jax") if importlib.util.find_spec(name) is None]
    if absent:
        reason = f"{' and '.join(absent)} cannot be found; they come with the extra `parity`"
        (pytest.fail if REQUIRED else pytest.skip)(reason)

    done = program()

    assert done.returncode == 0, done.stderr
    assert "gives kernels (2, 2, 3, 4) and biases (4,)" in done.stdout
    assert re.search(r"^  agrees +conv: \(1, 14, 14, 4\)", done.stdout, re.M)
    assert re.search(r"^  agrees +pool: \(1, 7, 7, 4\)", done.stdout, re.M)
    names = ["jax.lax", "fastconv, the loops", *(f"fastconv, {name}" for name in fastconv.backends()[1:])]
    for name in names:
        assert re.search(rf"^  agrees +{re.escape(name)}", done.stdout, re.M), name
    assert "DIFFERS" not in done.stdout
    assert "missing" not in done.stdout


def test_compares_the_backends_where_the_peers_are_missing():
    done = program("sys.modules['keras'] = sys.modules['jax'] = None")

    assert done.returncode == 0, done.stderr
    assert "Keras is missing" in done.stdout
    assert "JAX is missing" in done.stdout
    assert "pip install 'fastconv[parity]'" in done.stdout
    assert "Compared with fastconv, the loops (naive)" in done.stdout
    assert re.search(r"^  agrees +fastconv, einsum", done.stdout, re.M)
    assert "DIFFERS" not in done.stdout
    assert done.stderr == ""


@pytest.fixture
def no_peers(monkeypatch):
    """Hide the peers: importing them takes seconds, and leaves its mark on the process."""
    monkeypatch.setitem(sys.modules, "keras", None)
    monkeypatch.setitem(sys.modules, "jax", None)
    for name in ("KERAS_BACKEND", "JAX_PLATFORMS"):
        monkeypatch.setenv(name, "")


@pytest.mark.usefixtures("no_peers")
@pytest.mark.parametrize(("error", "code"), [(0.0, 0), (2e-6, 1), (np.nan, 1)])
def test_exit_code_says_whether_all_agrees(error, code, monkeypatch, capsys):
    real = fastconv.conv

    def conv(*args, backend="auto", **options):
        return real(*args, backend=backend, **options) + (error if backend == "einsum" else 0)

    monkeypatch.setattr(fastconv, "conv", conv)
    assert article.run(None) == code
    out = capsys.readouterr().out
    assert bool(re.search(r"^  DIFFERS  fastconv, einsum", out, re.M)) == bool(code)
    right, checks = map(int, re.search(r"^(\d+) of (\d+) checks", out, re.M).groups())
    assert (right < checks) == bool(code)


@pytest.mark.usefixtures("no_peers")
@pytest.mark.parametrize(
    ("name", "broken", "words"),
    [
        ("conv", lambda y: np.pad(y, [(0, 0), (0, 1), (0, 1), (0, 0)]), "3x3 image"),
        ("max_pool", lambda y: y[:, :-1, :-1], "28x28 image"),
        ("conv", lambda y: y * (np.arange(len(y)) < 1).reshape(-1, 1, 1, 1), "3 images"),
    ],
)
def test_the_articles_own_mistakes_are_found(name, broken, words, monkeypatch, capsys):
    real = getattr(fastconv, name)
    monkeypatch.setattr(fastconv, name, lambda *args, **options: broken(real(*args, **options)))
    assert article.run(None) == 1
    assert re.search(rf"^  DIFFERS  {words}", capsys.readouterr().out, re.M)


def test_outputs_of_another_shape_differ(capsys):
    one = Outputs("one", np.zeros((1, 14, 14, 4)), np.zeros((1, 7, 7, 4)))
    other = Outputs("other", np.zeros((1, 14, 14, 4)), np.zeros((1, 1, 7, 4)))
    assert list(article.agreement(one, [one, other])) == [True, False]
    assert "(1, 1, 7, 4)" in capsys.readouterr().out
