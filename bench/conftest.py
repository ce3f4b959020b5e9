"""Benchmarks apart from tests, and the summary that pytest-benchmark's own table leaves out."""

from __future__ import annotations

import pytest

from bench import machine, summary

# No examples, and they need what tests do not.
collect_ignore = ["plot.py", "light.py", "onnx_networks.py", "onnx_nodes.py"]
collect_ignore_glob = ["peers/libraries/*"]  # likewise, and each needs the library it is named after
MEASURED = pytest.StashKey[list]()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Leave out what is not asked for, so that "skipped" in the last line means what it says."""
    only, skip = config.getoption("benchmark_only"), config.getoption("benchmark_skip")
    if only or skip:
        unwanted = [item for item in items if ("benchmark" in getattr(item, "fixturenames", ())) != only]
        config.hook.pytest_deselected(items=unwanted)
        items[:] = [item for item in items if item not in set(unwanted)]


def pytest_benchmark_update_machine_info(machine_info):
    machine_info["fastconv"] = machine.description()


@pytest.hookimpl(wrapper=True)
def pytest_benchmark_group_stats(config, benchmarks):
    config.stash[MEASURED] = [row["extra_info"] for row in benchmarks if row["extra_info"]]
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter, config):
    if measured := config.stash.get(MEASURED, []):
        terminalreporter.section("fastconv")
        terminalreporter.write_line(summary.text(measured, machine.description()))
