"""The command ``demo`` as a whole: its table, its progress, its refusals."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
from photographs import needs_demo, noise, written

from fastconv import dispatch
from fastconv.__main__ import main

pytestmark = needs_demo


def refused(capsys, *arguments):
    """Run a command that must end with one sentence and exit code 2; return the sentence."""
    assert main(["demo", *map(str, arguments)]) == 2
    err = capsys.readouterr().err.splitlines()[-1]
    assert err.startswith("fastconv demo: ")
    return err


def png(path):
    from matplotlib.image import imread

    assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    return imread(path)


def test_prints_a_table_and_saves_a_picture(tmp_path, capsys):
    saved = tmp_path / "demo.png"
    assert main(["demo", str(written(tmp_path, noise(64, 80, 3))), "--save", str(saved)]) == 0
    out, err = capsys.readouterr()

    assert re.search(r"^photograph: .*photo\.png, 64x80x3$", out, re.M)
    assert re.search(rf"^picture: {re.escape(str(saved))}$", out, re.M)
    shapes = ["1x64x80x3", "1x58x74x6", "1x56x72x3", "1x28x36x4", "1x14x18x4"]
    parameters = [7 * 7 * 3 * 2, 3 * 3 * 6 * 3, 2 * 2 * 3 * 4 + 4, 0]
    kernels = "|".join(row.name for row in dispatch.table())
    for before, after, count in zip(shapes[:-1], shapes[1:], parameters, strict=True):
        line = rf"^\w.* {before} +{after} +{count} +({kernels}) +[\d.]+ +\d+ +[\d.]+e[+-]\d+$"
        assert re.search(line, out, re.M), (before, after)
    assert err.splitlines()[0] == "[1/9] the whole model, once"
    assert err.splitlines()[-1].startswith("[9/9] ")
    height, width, _ = png(saved).shape
    assert 800 < width < 1200
    assert 800 < height < 1800


def test_a_photograph_of_nothing_is_a_photograph(tmp_path):
    saved = tmp_path / "demo.png"
    assert main(["demo", str(written(tmp_path, np.full((32, 33), 90, np.uint8))), "--save", str(saved)]) == 0
    assert png(saved).size


def test_a_large_photograph_is_said_to_be_made_smaller(tmp_path, capsys):
    path = written(tmp_path, noise(64, 1030, 3))
    assert main(["demo", str(path), "--save", str(tmp_path / "demo.png")]) == 0
    assert re.search(r"photo\.png, 32x515x3, its sides divided by 2$", capsys.readouterr().out, re.M)


def test_runs_in_a_process_of_its_own_on_the_photograph_of_matplotlib(tmp_path):
    command = [sys.executable, "-m", "fastconv", "demo"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )  # no arguments: every default
    assert done.returncode == 0, done.stderr
    assert "grace_hopper.jpg, 600x512x3" in done.stdout
    png(tmp_path / "fastconv-demo.png")


@pytest.mark.parametrize("backend", ["naive", "einsum"])
def test_a_named_backend_computes_every_layer(backend, tmp_path, capsys):
    path = written(tmp_path, noise(34, 32, 3))
    assert main(["demo", str(path), "--save", str(tmp_path / "demo.png"), "--backend", backend]) == 0
    assert len(re.findall(rf" {backend}:\w+ ", capsys.readouterr().out)) == 4


def test_the_environments_backend_counts_and_the_option_goes_first(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("FASTCONV_BACKEND", "naive")
    arguments = ["demo", str(written(tmp_path, noise(32, 32, 3))), "--save", str(tmp_path / "demo.png")]
    assert main(arguments) == 0
    assert len(re.findall(r" naive:\w+ ", capsys.readouterr().out)) == 4
    assert main([*arguments, "--backend", "einsum"]) == 0
    assert len(re.findall(r" einsum:\w+ ", capsys.readouterr().out)) == 4


def test_an_unknown_backend_in_the_environment_is_refused(capsys, monkeypatch):
    monkeypatch.setenv("FASTCONV_BACKEND", "cuda")
    assert "got 'cuda'" in refused(capsys)


def test_a_photograph_may_have_any_name_and_the_environment_any_kernel(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("FASTCONV_BACKEND", "einsum:depthwise")
    arguments = written(tmp_path, noise(32, 32, 3), "$a_{$ \\frac.png"), "--save", tmp_path / "demo.png"
    assert main(["demo", *map(str, arguments), "--backend", "einsum"]) == 0
    assert main(["demo", *map(str, arguments)]) == 2
    assert "backend='einsum:depthwise' cannot compute" in capsys.readouterr().err


def test_a_kernel_that_cannot_compute_a_layer_is_refused(tmp_path, capsys):
    arguments = (
        written(tmp_path, noise(32, 32, 3)),
        "--save",
        tmp_path / "demo.png",
        "--backend",
        "einsum:depthwise",
    )
    assert main(["demo", *map(str, arguments)]) == 2
    err = capsys.readouterr().err
    assert "fastconv demo: backend='einsum:depthwise' cannot compute conv n1 g1 ic6 oc3" in err
    assert "6 input channels a group, only 1" in err
    assert not (tmp_path / "demo.png").exists()


@pytest.mark.parametrize("place", ["missing/demo.png", "photo.png/demo.png", "", "demo.xyz"])
def test_a_place_that_cannot_be_written_is_refused_at_once(place, tmp_path, capsys):
    path = written(tmp_path, noise(64, 64, 3))
    assert re.search(r"--save must .*; got ", refused(capsys, path, "--save", tmp_path / place))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no device that is always full")
def test_a_full_disk_is_said_in_a_sentence(tmp_path, capsys):
    path = written(tmp_path, noise(32, 32, 3))
    assert "--save must name a file that can be written; got /dev/full (No space left" in refused(
        capsys, path, "--save", "/dev/full"
    )
