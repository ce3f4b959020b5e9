"""Names that the examples in docstrings may use."""

import numpy as np
import pytest

import fastconv

# They import onnx and Keras, which may not be there.
collect_ignore = ["fastconv/integrations/onnx", "fastconv/integrations/keras"]


@pytest.fixture(autouse=True)
def _example_names(doctest_namespace):
    doctest_namespace.update(np=np, fastconv=fastconv)
