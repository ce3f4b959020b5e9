"""What ``fastconv.lax`` refuses, each in one sentence that begins with its name and holds the numbers."""

import re

import pytest
import refused_convolutions
import refused_reductions
from refusal import pattern

from fastconv import lax

CASES = [
    *((call, error, f"conv_general_dilated: {text}") for call, error, text in refused_convolutions.CASES),
    *refused_reductions.CONVOLUTIONS,
    *((call, error, f"reduce_window: {text}") for call, error, text in refused_reductions.REDUCTIONS),
]


@pytest.mark.parametrize(("call", "error", "text"), CASES, ids=[text for *_, text in CASES])
def test_refusal(call, error, text):
    with pytest.raises(error, match=f"^{pattern(text)}$") as caught:
        call(lax)
    assert type(caught.value) in (ValueError, TypeError, RuntimeError)
    assert "\n" not in str(caught.value)


def test_there_are_many():
    assert len({text for *_, text in CASES}) >= 100
    assert all(re.search(r"\d|got \S", text) for *_, text in CASES)
