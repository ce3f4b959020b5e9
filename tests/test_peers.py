"""The race: agreement comes before times, and the tables are those of the results."""

import json
import math
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from bench import layers
from bench.peers import __main__ as command
from bench.peers import race, tables
from bench.peers.libraries import (
    CALL,
    FAST,
    LIMIT,
    PLAN,
    Contender,
    factors,
    image,
    is_filter,
    is_tiling,
    taps,
)
from bench.peers.worker import Worker

WORKLOAD = "article/pool"


class Near:
    """A worker in this process, of a library made here."""

    def __init__(self, *contenders):
        self.worker = Worker(SimpleNamespace(contenders=lambda _layer: contenders))
        self.said, self.cpu, self.timed = None, 0.0, []

    def tell(self, **command):
        self.timed += [command["time"]] if "time" in command else []
        try:
            self.said = self.worker.answer(command)
        except Exception as error:
            self.said = {"error": f"{type(error).__name__}: {error}"}

    def answer(self):
        return self.said

    def ask(self, **command):
        self.tell(**command)
        return self.answer()


def ours():
    call = layers.layer(WORKLOAD).call()
    return Near(Contender("row", call, np.asarray, (PLAN,)), Contender("call", call, np.asarray, (CALL,)))


def contender(change, name="peer", races=(PLAN, CALL)):
    """Make a contender that computes what is right, but for a change."""
    return Contender(name, layers.layer(WORKLOAD).call(), lambda y: change(np.array(y)), races)


def raced(tmp_path, rounds=3, **processes):
    """Race in this process."""
    made = object.__new__(race.Race)
    made.processes, made.folder = {"fastconv": ours(), **processes}, tmp_path
    return made.run(WORKLOAD, rounds), made.processes


def test_a_contender_that_agrees_is_timed_once_a_round(tmp_path):
    row, processes = raced(tmp_path, 3, torch=Near(contender(lambda y: y.reshape(1, 7, 28))))

    assert list(row["seconds"][PLAN]) == ["fastconv:row", "torch:peer"]
    assert list(row["seconds"][CALL]) == ["fastconv:call", "torch:peer"]
    assert all(0 < value < 1 for times in row["seconds"].values() for value in times.values())
    assert processes["torch"].timed == ["plan/call/peer"] * 3
    assert row["failed"] == {}


def changed(y, value):
    y[0, 3, 4, 2] = value
    return y


@pytest.mark.parametrize("value", [9.0, -1e3, math.nan, math.inf])
def test_a_contender_that_disagrees_is_an_error_and_nothing_is_timed(value, tmp_path):
    near = Near(contender(lambda y: y, "good"), contender(lambda y: changed(y, value), "bad"))

    with pytest.raises(
        race.Disagreement, match=r"^article/pool: torch:plan/call/bad is \S+ apart from fastconv.*c4 i14x14"
    ):
        raced(tmp_path, torch=near)
    assert near.timed == []


def test_a_difference_as_small_as_rounding_is_none(tmp_path):
    row, _ = raced(tmp_path, torch=Near(contender(lambda y: changed(y, y[0, 3, 4, 2] + 1e-5))))

    assert "torch:peer" in row["seconds"][PLAN]


def test_a_contender_that_fails_is_named_and_the_others_go_on(tmp_path):
    def fails(_y):
        raise MemoryError("too large")

    row, _ = raced(tmp_path, torch=Near(contender(fails)), jax=Near(contender(lambda y: y[:, :6])))

    assert row["failed"] == {
        "torch:plan/call/peer": "MemoryError: too large",
        "jax:plan/call/peer": "ValueError: an output of shape (1, 6, 7, 4), not (1, 7, 7, 4)",
    }
    assert list(row["seconds"][PLAN]) == ["fastconv:row"]


def test_a_failure_of_ours_is_an_error(tmp_path):
    made = object.__new__(race.Race)
    made.processes, made.folder = {"fastconv": Near(contender(lambda y: y / "0", "row"))}, tmp_path

    with pytest.raises(RuntimeError, match=r"article/pool: .*fastconv:plan/call/row.*Error"):
        made.run(WORKLOAD, 1)


def test_slow_contenders_have_fewer_turns(tmp_path, monkeypatch):
    monkeypatch.setattr(race, "PATIENCE", 0.0)
    monkeypatch.setattr(race, "SLOW", 1.0)

    _, processes = raced(tmp_path, 5, torch=Near(contender(lambda y: y)))

    assert processes["torch"].timed == ["plan/call/peer"] * 2
    monkeypatch.setattr(race, "SLOW", 0.0)
    row, processes = raced(tmp_path, 5, torch=Near(contender(lambda y: y)))
    assert processes["torch"].timed == []
    assert row["seconds"][PLAN]["torch:peer"] > 0


def test_the_command_races_in_processes_and_adds_to_what_is_kept(tmp_path):
    """With NumPy as the only peer, which every machine has."""
    kept = tmp_path / "race.json"
    options = ["--libraries", "numpy", "--rounds", "1", "--threads", "1", "--json", str(kept)]
    for pattern in ("article/pool", "efficientnet/320"):
        done = subprocess.run(
            [sys.executable, "-m", "bench.peers", "--only", pattern, *options],
            capture_output=True, text=True, check=True, timeout=300,
        )  # fmt: skip

    results = json.loads(kept.read_text())
    assert [row["workload"] for row in results["rows"]] == ["efficientnet/320_1x1", "article/pool"]
    for row, peer, limit in zip(results["rows"], ("matmul", "max"), ("matmul", "copy"), strict=True):
        assert {name.partition(":")[0] for name in row["seconds"][PLAN]} == {"fastconv", "numpy"}
        assert f"numpy:{peer}" in row["seconds"][CALL]
        assert list(row["seconds"][LIMIT]) == [f"limits:{limit}"]
    assert "efficientnet/320_1x1" in done.stdout
    assert "dense" in done.stdout


def test_what_is_not_there_to_race_is_refused(capsys):
    assert command.main(["--only", "nothing", "--libraries"]) == 2
    assert "--only must match a workload; got nothing" in capsys.readouterr().err


def test_a_library_that_is_not_installed_is_named():
    code = (
        "import sys; sys.modules['scipy'] = None; sys.argv = ['worker', 'scipy', '1']\n"
        "import runpy; runpy.run_module('bench.peers.worker', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input="", capture_output=True, text=True, check=True, timeout=60
    )
    assert "scipy" in json.loads(done.stdout)["missing"]


def row(workload, plan, call, peers, calls, limit, fast=None, **more):
    seconds = {
        PLAN: {"fastconv:numba:direct": plan, **peers},
        CALL: {"fastconv:call": call, **calls},
        FAST: {"fastconv:numba:winograd": fast} if fast else {},
        LIMIT: limit,
    }
    problem = str(layers.PROBLEMS[workload])
    return {
        **dict(workload=workload, problem=problem, seconds=seconds, failed={}, idle=0.0, others=0.0),
        **more,
    }


RESULTS = {
    "date": "2026-02-03",
    "commit": "0123456789ab",
    "cpu": "A CPU",
    "python": "3.12.1",
    "threads": 2,
    "versions": {"fastconv": "0.1.0", "torch": "2.13.0"},
    "missing": {"jax": "No module named 'jax'"},
    "rows": [
        row(  # 2 * 56**2 * 9 * 64 * 64 = 231,211,008 flops in 2 ms, beside 2**31 in 20 ms: 107.7 %
            "resnet50/conv2_3x3", 2e-3, 4e-3,
            {"torch:contiguous": 4e-3, "torch:channels_last": 3e-3, "onnxruntime:bound": 2.5e-3},
            {"torch:contiguous": 4e-3, "torch:channels_last": 3e-3}, {"limits:matmul": 20e-3}, 1e-3,
        ),
        row(
            "mnist/conv1", 10e-6, 12.34e-6, {"torch:contiguous": 20e-6}, {"torch:contiguous": 24.68e-6},
            {"limits:matmul": 20e-3}, others=0.1,
        ),
        row(
            WORKLOAD, 4e-6, 5e-6, {}, {}, {"limits:copy": 1e-6},
            failed={"torch:plan/call/x": "MemoryError: 9"},
        ),
    ],
}  # fmt: skip


def test_standings_are_of_each_librarys_best_way():
    conv, small, pool = tables.standings(RESULTS["rows"])

    assert conv.peers == {"torch": 3e-3, "onnxruntime": 2.5e-3}
    np.testing.assert_allclose([conv.plan_gain, conv.call_gain, conv.fast_gain], [1.25, 0.75, 2.5])
    np.testing.assert_allclose(conv.share, 231_211_008 / 2**31 * 10)
    np.testing.assert_allclose([small.plan_gain, small.call_gain, small.fast_gain], [2, 2, 2])
    assert (conv.fast, small.fast, pool.fast) == (1e-3, None, None)
    assert (pool.plan_gain, pool.call_gain, pool.fast_gain) == (None, None, None)
    np.testing.assert_allclose(pool.share, 0.25)


def test_averages_are_geometric_and_name_the_least():
    (dense,) = tables.averages(list(tables.standings(RESULTS["rows"])))

    # (1.25 * 2) ** (1/2) = 1.58, (0.75 * 2) ** (1/2) = 1.22, (2.5 * 2) ** (1/2) = 2.24
    assert dense == [
        *("dense", "1.58", "2 of 2", "1.25", "resnet50/conv2_3x3"),
        *("1.22", "1 of 2", "0.75", "resnet50/conv2_3x3"),
        *("2.24", "2 of 2", "2.00", "mnist/conv1"),
    ]


def test_the_readmes_tables_are_those_of_the_results():
    lines = tables.markdown(RESULTS).splitlines()

    assert lines[0].startswith(
        "A CPU, 2 threads each; Python 3.12.1, fastconv 0.1.0, torch 2.13.0 (0123456789ab"
    )
    assert "NumPy's matmul beside them: 107 GFLOP/s." in lines[0]
    columns = (
        "plan us",
        "call us",
        "fast us",
        "PyTorch",
        "ONNX Runtime",
        "best / plan",
        "best / call",
        "of limit",
    )
    assert f"| workload | {' | '.join(columns)} |" in lines
    assert "| resnet50/conv2_3x3 | 2,000 | 4,000 | 1,000 | 3,000 | 2,500 | 1.25 | 0.75 | 108% |" in lines
    assert "| mnist/conv1 | 10 | 12.3 |  | 20 |  | 2.00 | 2.00 | 36% |" in lines
    assert "| article/pool | 4 | 5 |  |  |  |  |  | 25% |" in lines
    assert "jax is not installed: No module named 'jax'" in lines
    assert "article/pool: torch:plan/call/x failed: MemoryError: 9" in lines
    assert any("beside 1 of 3 workloads" in line and line.endswith(": mnist/conv1") for line in lines)


def test_layers_are_what_image_libraries_know():
    assert is_filter(layers.layer("gray512/31x31"))
    assert is_filter(layers.layer("gray1024/max31"))
    assert is_filter(layers.layer("signal/fir101"))
    assert not is_filter(layers.layer("gray2048/2x2"))  # strides
    assert not is_filter(layers.layer("lenet5/conv1"))  # filters
    assert is_tiling(layers.layer("gray2048/2x2"))
    assert not is_tiling(layers.layer("resnet50/pool1"))
    assert image(layers.layer("signal/fir101")).shape == (1, 1_000_000)
    assert image(layers.layer("gray512/31x31")).shape == (512, 512)
    assert taps(layers.layer("signal/fir101")).shape == (1, 101)
    assert factors(taps(layers.layer("gray512/31x31"))) is None
    w = taps(layers.layer("gray1024/gauss21"))
    np.testing.assert_allclose(np.outer(*factors(w)), w)
