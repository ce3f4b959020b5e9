"""Constants are recovered from measurements that were made with them, by rows of this file's own."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from rows import row

from bench import fit_costs
from fastconv import costs
from fastconv.cli import fitting, samples
from fastconv.cli.fitting import Sample

TRUE = {"START": 5e-6, "WORK": 3e-11, "MOVED": 2e-10, "RATIO": 2.5}
FIRST = {"START": 1e-6, "WORK": 1e-10, "MOVED": 2e-11, "RATIO": 1.0}


@pytest.fixture
def made(monkeypatch):
    """A backend of two rows whose costs share constants, as a module that is alone in having any."""
    module = ModuleType("fastconv.backends.made")
    vars(module).update(FIRST, COSTS=tuple(FIRST), UNUSED=1.0)

    def direct(p):
        return module.START + module.WORK * p.flops

    def copying(p):
        moved = module.MOVED * p.bytes
        return (
            module.START * module.RATIO + (moved if moved > 1e-6 else 2 * moved) + module.WORK * p.flops / 2
        )

    monkeypatch.setitem(sys.modules, "fastconv.backends.made", module)
    monkeypatch.setattr(costs, "modules", lambda: {"made": module})
    monkeypatch.setattr(costs, "shipped", {f"made.{name}": value for name, value in FIRST.items()})
    return SimpleNamespace(
        module=module, rows=[row("made:direct", cost=0), row("made:copying", cost=0)], ways=[direct, copying]
    )


def measured(made, disturbed=()):
    """Measure as a machine would on which the true constants hold, and which was busy at some problems."""
    vars(made.module).update(TRUE)
    found = []
    for number, problem in enumerate(samples.problems()):
        for kernel, way in zip(made.rows, made.ways, strict=True):
            real = row(kernel.name)
            object.__setattr__(real, "cost", way)
            found.append(Sample(real, problem, way(problem) * (20 if number in disturbed else 1)))
    vars(made.module).update(FIRST)
    return found


def test_true_constants_are_recovered(made):
    fitted = fitting.fit(measured(made))

    for name, value in TRUE.items():
        np.testing.assert_allclose(fitted[f"made.{name}"], value, rtol=0.02, err_msg=name)


def test_what_is_in_use_stays_in_use(made):
    fitting.fit(measured(made))

    assert costs.read() == costs.shipped


def test_disturbed_measurements_count_little(made):
    fitted = fitting.fit(measured(made, disturbed=range(0, 200, 10)))

    for name, value in TRUE.items():
        np.testing.assert_allclose(fitted[f"made.{name}"], value, rtol=0.2, err_msg=name)


def test_a_constant_of_which_nothing_is_known_stays(made):
    only = [sample for sample in measured(made) if sample.kernel.name == "made:direct"]

    fitted = fitting.fit(only)

    assert fitted["made.MOVED"] == pytest.approx(FIRST["MOVED"])
    np.testing.assert_allclose(fitted["made.WORK"], TRUE["WORK"], rtol=0.02)


def test_quality_is_by_how_much_predictions_and_choices_are_off(made):
    def sample(name, predicted, problem, seconds):
        return Sample(row(name, cost=predicted), problem, seconds)

    first, second = samples.problems()[:2]
    found = [
        sample("a", 1.0, first, 2.0),  # chosen, and 4 times as slow as b
        sample("b", 2.0, first, 0.5),
        sample("a", 3.0, second, 3.0),
        sample("b", 4.0, second, 5.0),
    ]

    quality = fitting.quality(found, costs.shipped)

    assert quality.regrets == {first: 4.0, second: 1.0}
    np.testing.assert_allclose(quality.off["a"], [2**0.5, 2.0])  # by 2 and by 1
    np.testing.assert_allclose(quality.off["b"], [(4 * 1.25) ** 0.5, 4.0])
    assert fitting.said(quality.regrets) == (
        "chosen / best kernel's time: 2.000 (geometric mean), below 1.15 in 1 of 2 (50%), 4.00 at most"
    )
    assert made.module.UNUSED == 1.0


def test_the_report_gives_constants_to_paste(made):
    text = fit_costs.report(measured(made))

    assert "# made\nSTART = 5e-06  # 1e-06 before\nWORK = 3e-11  # 1e-10 before\n" in text
    assert "made:direct" in text
    assert "fitted, all: chosen / best kernel's time: 1.000" in text


def test_problems_to_measure_are_the_same_every_time():
    found = samples.problems()

    assert found == samples.problems()
    assert len(found) == len(set(found)) == samples.EACH * len(samples.KINDS)
    assert all(samples.LEAST <= p.flops <= samples.MOST for p in found)
