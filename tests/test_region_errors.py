"""What deformable convolutions and regions of interest refuse: one sentence with the rule and the numbers."""

import builtins

import numpy as np
import pytest
from refusal import pattern
from refused import read

from fastconv.deformable import deform_conv
from fastconv.roi import roi_align, roi_pool

FUNCTIONS = dict(deform_conv=deform_conv, roi_align=roi_align, roi_pool=roi_pool)
ARRAYS = dict(
    **dict(x=np.zeros((2, 4, 5, 6)), w=np.zeros((6, 2, 3, 2)), offset=np.zeros((2, 12, 3, 5))),
    **dict(boxes=np.zeros((3, 4)), at=np.zeros(3, np.int64)),
)
NAMES = dict(**ARRAYS, zeros=lambda *shape: np.zeros(shape), nan=np.nan, inf=np.inf)


@pytest.mark.parametrize(("text", "refusal"), read("region_refusals.txt"))
def test_refusal(text, refusal):
    error, _, sentence = refusal.partition(": ")
    op = text.partition("(")[0]

    with pytest.raises(getattr(builtins, error), match=f"^{op}: {pattern(sentence)}$") as caught:
        eval(text, NAMES | FUNCTIONS)

    assert type(caught.value).__name__ == error
    assert "\n" not in str(caught.value)


def test_what_the_refused_calls_change_is_right():
    x, w, offset, boxes, at = ARRAYS.values()

    assert deform_conv(x, offset, w).shape == (2, 6, 3, 5)
    assert roi_align(x, boxes, at, 2).shape == roi_pool(x, boxes, at, 2).shape == (3, 4, 2, 2)
