"""The constants of predictions: which they are, and those that were measured here in place of the shipped."""

import json
import math
import subprocess
import sys
import warnings

import pytest
from cases import CASES, problem

from bench.workloads import PROBLEMS
from fastconv import costs, dispatch

dispatch.table()  # loads every backend


@pytest.fixture
def cached(monkeypatch, tmp_path):
    """Keep constants in a folder of this test's, and those in use as they were."""
    monkeypatch.setenv("FASTCONV_CACHE_DIR", str(tmp_path / "cache"))
    before = costs.read()
    costs.stored.cache_clear()
    yield costs.path()
    costs.write(before)
    costs.stored.cache_clear()


def predictions():
    problems = [problem(name, dtypes[0]) for name, (_, dtypes) in CASES.items()] + [*PROBLEMS.values()]
    return [row.cost(p) for p in problems for row in dispatch.ranking(p, "fast")]


@pytest.mark.parametrize("name", costs.read())
@pytest.mark.usefixtures("cached")
def test_every_constant_is_positive_and_matters(name):
    """One that another module has copied, or that a remembered result was made of, does not."""
    value, before = costs.read()[name], predictions()
    assert 0 < value < math.inf

    costs.write({name: 1e6 * value})

    assert predictions() != before


def test_every_row_that_is_chosen_by_cost_has_constants():
    for row in dispatch.table():
        if row.backend != "naive":
            assert row.cost.__module__.removeprefix(costs.BACKENDS) in costs.modules(), row.name


def test_what_is_stored_is_used_when_a_backend_is_loaded(cached):
    shipped = dict(costs.shipped)
    costs.write(shipped)
    assert costs.store({name: 2 * value for name, value in shipped.items()}) == cached

    costs.load("einsum")

    for name, value in costs.read().items():
        factor = 2 if name.startswith("einsum.") else 1
        assert math.isclose(value, factor * shipped[name], rel_tol=1e-3), name
    assert costs.shipped == shipped


@pytest.mark.usefixtures("cached")
def test_a_process_predicts_with_what_is_stored():
    costs.store({name: 1e3 * value for name, value in costs.shipped.items()})
    code = "import fastconv; print(fastconv.explain(fastconv.plan_pool((1, 99, 1), 2, backend='einsum')))"

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    (line,) = [
        line for line in done.stdout.splitlines() if "einsum:separable" in line and "planned" not in line
    ]
    assert float(line.split()[1]) > 10  # ms, of a few elements
    assert done.stderr == ""


def stored(**changes):
    """Write a file like `costs.store`, but for some changes."""
    costs.store(costs.shipped)
    content = json.loads(costs.path().read_text()) | changes
    costs.path().write_text(json.dumps(content))


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", "{}", '{"shipped": {}, "constants": {"einsum.CALL": "fast"}}']
    + [
        f'{{"shipped": {{}}, "constants": {{"einsum.CALL": {value}}}}}'
        for value in ("0", "-1", "NaN", "Infinity")
    ],
)
def test_a_broken_file_is_passed_over_with_one_warning(content, cached):
    cached.parent.mkdir(parents=True)
    cached.write_text(content)

    with pytest.warns(
        RuntimeWarning, match=r"costs-\w+\.json is passed over, since it cannot be read: .*tune"
    ) as said:
        costs.load("einsum")

    costs.load("numba")  # a second warning would be an error
    assert len(said) == 1
    assert costs.read() == costs.shipped


@pytest.mark.parametrize("change", ["another value", "one less", "one more"])
@pytest.mark.usefixtures("cached")
def test_a_file_of_another_version_is_passed_over(change):
    other = dict(costs.shipped)
    match change:
        case "another value":
            other["einsum.CALL"] *= 1.5
        case "one less":
            del other["einsum.CALL"]
        case "one more":
            other["einsum.NEW"] = 1.0
    stored(shipped=other)

    with pytest.warns(RuntimeWarning, match="is passed over, since it was measured for another version"):
        costs.load("einsum")

    assert costs.read() == costs.shipped


@pytest.mark.usefixtures("cached")
def test_nothing_is_said_where_nothing_is_stored():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        costs.load("einsum")
    assert costs.read() == costs.shipped


@pytest.mark.usefixtures("cached")
def test_there_may_be_no_place_for_a_file(monkeypatch):
    monkeypatch.setenv("FASTCONV_CACHE_DIR", "")

    assert costs.store(costs.shipped) is None
    assert costs.stored() is None
