"""What `fastconv.functional` refuses: one sentence with the rule and the numbers that break it."""

import builtins

import pytest
from refusal import pattern
from refused import REFUSALS, call

from fastconv import functional


@pytest.mark.parametrize(("text", "refusal"), REFUSALS)
def test_refusal(text, refusal):
    error, _, sentence = refusal.partition(": ")
    op = text.partition("(")[0]

    with pytest.raises(getattr(builtins, error), match=f"^{op}: {pattern(sentence)}$") as caught:
        call(text, functional)

    assert type(caught.value).__name__ == error
    assert "\n" not in str(caught.value)


def test_there_are_more_than_a_hundred():
    assert len(set(REFUSALS)) == len(REFUSALS) > 100
