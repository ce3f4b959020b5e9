"""Names that the examples in docstrings may use."""

import numpy as np
import pytest

import fastconv

collect_ignore = ["fastconv/integrations/onnx"]  # imports onnx, which may not be there


@pytest.fixture(autouse=True)
def _example_names(doctest_namespace):
    doctest_namespace.update(np=np, fastconv=fastconv)
