"""Names that the examples in docstrings may use."""

import numpy as np
import pytest

import fastconv


@pytest.fixture(autouse=True)
def _example_names(doctest_namespace):
    doctest_namespace.update(np=np, fastconv=fastconv)
