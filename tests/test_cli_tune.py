"""The command ``tune``: what it measures it keeps, what it kept it forgets when told to."""

import json
import re

import pytest

from fastconv import costs, dispatch, machine
from fastconv.__main__ import main
from fastconv.cli import samples, tune
from fastconv.problem.parse import parse

LINES = (
    "conv n1 g1 ic3 oc4 i9x11 k3x2 s1x1 d1x1 p0+0x0+0 float32",
    "conv n1 g5 ic1 oc1 i9x11 k3x2 s1x1 d1x1 p0+0x0+0 float64",
    "pool max n1 c3 i9x11 k3x2 s3x2 d1x1 p0+0x0+0 float32",
)


@pytest.fixture
def place(monkeypatch, tmp_path):
    """Tune on a few problems, into a folder of this test's; constants in use and compiled code stay."""
    dispatch.table()
    monkeypatch.setattr(samples, "problems", lambda: [parse(line) for line in LINES])
    monkeypatch.setattr(tune, "BUDGET", 1e-3)
    before = costs.read()
    monkeypatch.setattr(machine, "cache_folder", lambda: tmp_path)
    costs.stored.cache_clear()
    yield costs.path()
    costs.write(before)
    costs.stored.cache_clear()


def test_tune_measures_and_keeps(place, capsys):
    assert main(["tune"]) == 0

    out = capsys.readouterr().out
    assert re.search(r"^numba:rows +\d", out, re.M)
    assert "As shipped, chosen / best kernel's time" in out
    assert str(place) in out
    content = json.loads(place.read_text())
    assert content["shipped"] == costs.shipped
    assert content["constants"].keys() == costs.shipped.keys()
    assert content["constants"] != costs.shipped


def test_info_tells_whether_constants_were_measured(place, capsys):
    assert main(["info"]) == 0
    assert re.search(r"^costs +as shipped", capsys.readouterr().out, re.M)
    costs.store({name: 2 * value for name, value in costs.shipped.items()})
    costs.stored.cache_clear()
    costs.load("einsum")

    assert main(["info"]) == 0

    assert f"measured on this machine, {place}" in capsys.readouterr().out


def test_reset_deletes(place, capsys):
    costs.store(costs.shipped)

    assert main(["tune", "--reset"]) == 0
    assert not place.exists()
    assert f"{place} is deleted" in capsys.readouterr().out
    assert main(["tune", "--reset"]) == 0
    assert "nothing to forget" in capsys.readouterr().out


def test_no_place_to_keep_is_refused_before_measuring(place, monkeypatch, capsys):
    monkeypatch.setattr(machine, "cache_folder", lambda: None)
    monkeypatch.setattr(tune, "measure", lambda _problem: pytest.fail("measured"))

    assert main(["tune"]) == 2
    assert capsys.readouterr().err == (
        "fastconv tune: there must be a folder to keep constants in: FASTCONV_CACHE_DIR is empty\n"
    )
    assert not place.exists()


def test_a_place_that_cannot_be_written_is_refused(place, monkeypatch, capsys):
    monkeypatch.setattr(machine, "cache_folder", lambda: place.parent / "file")
    (place.parent / "file").write_text("in the way")

    assert main(["tune", "--quick"]) == 2
    assert re.search(
        r"^fastconv tune: .*costs-\w+\.json must be a file that can be written", capsys.readouterr().err, re.M
    )
