"""Random tests that are the same in every run, an environment that chooses nothing, rows for one test."""

import os

import pytest
from hypothesis import settings

from fastconv import calls, dispatch

collect_ignore = ["neon.py"]  # sizes kernels for another machine when it is imported

settings.register_profile("fastconv", derandomize=True, database=None, deadline=None, max_examples=150)
settings.load_profile("fastconv")

for name in ("FASTCONV_BACKEND", "FASTCONV_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.pop(name, None)


@pytest.fixture(autouse=True)
def environment_is_read_again():
    """Let tests set variables that a process reads once."""
    dispatch.usual.cache_clear()
    yield
    dispatch.usual.cache_clear()


@pytest.fixture
def add_rows(monkeypatch):
    """Put rows into the table for one test; their names are of backends there are."""
    real = dispatch.table

    def add(*rows):
        def table(backend="auto"):
            added = [row for row in rows if backend in ("auto", row.backend, row.name)]
            return (*real(backend), *added)

        monkeypatch.setattr(dispatch, "table", table)
        monkeypatch.setattr(calls, "_recent", {})  # plans for the table as it was
        dispatch.ranking.cache_clear()

    yield add
    dispatch.ranking.cache_clear()
