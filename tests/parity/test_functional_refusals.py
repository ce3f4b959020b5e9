"""What `fastconv.functional` refuses, PyTorch does not compute either."""

import warnings

import pytest
from refused import REFUSALS, call

pytestmark = pytest.mark.parity


@pytest.mark.parametrize("text", [text for text, _ in REFUSALS])
def test_pytorch_refuses_too(text, torch):
    # Some of its refusals are by Python alone: of a tuple's length, or a division by zero.
    refusals = RuntimeError, ValueError, TypeError, LookupError, ZeroDivisionError

    with warnings.catch_warnings(), pytest.raises(refusals):  # noqa: PT012 (warnings are not of interest)
        warnings.simplefilter("ignore")
        call(text, torch.nn.functional, torch.from_numpy)
