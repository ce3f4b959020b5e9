"""Problems as ONNX states them: geometry worked out by hand, and what is refused."""

import re

import numpy as np
import pytest

from fastconv.problem import Layout, Words
from fastconv.problem.onnx import (
    causal_state,
    onnx_conv_problem,
    onnx_pool_problem,
    onnx_transpose_problem,
    positions,
)

WORDS = Words("Conv", x="X", w="W", size="kernel_shape", dilation="dilations", padding="pads")
FIRST = Layout.of(WORDS, "channels_first", 4)
F = np.dtype(np.float32)


def conv(x=(1, 4, 9, 8), w=(6, 2, 3, 2), state=onnx_conv_problem, w_dtype=F, **attributes):
    return state(WORDS, FIRST, x, w, x_dtype=F, w_dtype=w_dtype, **{"group": 2} | attributes)


def transpose(x=(1, 4, 5, 3), w=(4, 3, 3, 2), **attributes):
    return conv(x, w, onnx_transpose_problem, **attributes)


def pool(**attributes):
    return onnx_pool_problem(
        WORDS, FIRST, (1, 2, 9, 8), F, kernel_shape=[3, 2], reduction="max", **attributes
    )


LINES = [
    (conv(), "conv n1 g2 ic2 oc3 i9x8 k3x2 s1x1 d1x1 p0+0x0+0"),
    (conv(pads=[1, 2, 3, 4]), "k3x2 s1x1 d1x1 p1+3x2+4"),
    (conv(pads=[], strides=[2, 1], dilations=[2, 3], auto_pad="SAME_UPPER"), "s2x1 d2x3 p2+2x1+2"),
    (conv(strides=[2, 1], dilations=[2, 3], auto_pad="SAME_LOWER"), "s2x1 d2x3 p2+2x2+1"),
    (conv(pads=[1, 1, 1, 1], auto_pad="VALID"), "p0+0x0+0"),
    (transpose(strides=[2, 3]), "conv n1 g2 ic2 oc3 i5x3 k3x2 s1x1 d1x1 b2x3 p2+2x1+1"),
    (transpose(strides=[2, 3], pads=[1, 0, 2, 1], output_padding=[1, 2]), "p1+1x1+2"),
    (transpose(strides=[2, 3], auto_pad="SAME_UPPER"), "p2+1x1+2"),  # 11 of which 10, 8 of which 9 are wanted
    (transpose(strides=[2, 3], output_shape=[8, 8]), "p0+1x1+1"),  # 3 too many, of which 2 at the beginning
    (transpose(strides=[2, 3], output_shape=[1, 6, 8, 8]), "p0+1x1+1"),
    (pool(strides=[4, 3]), "k3x2 s4x3 d1x1 p0+0x0+0"),
    (pool(strides=[4, 3], ceil_mode=1), "over2x0"),  # windows at 0, 4, 8; at 0, 3, 6
    (pool(strides=[4, 5], pads=[0, 0, 0, 2], ceil_mode=1), "p0+2x0+2 over2x0"),
]


@pytest.mark.parametrize(("problem", "words"), LINES, ids=[words for _, words in LINES])
def test_geometry(problem, words):
    assert set(words.split()) <= set(str(problem).split()), str(problem)


def test_positions_count_planes_and_may_count_columns_first():
    at = np.array([[[[0, 5]], [[7, -1]]]])  # in planes of 3 by 4: rows 0, 1 and 1, columns 0, 1 and 3

    np.testing.assert_array_equal(positions(at, (1, 2, 3, 4), 0), [[[[0, 5]], [[19, -1]]]])
    np.testing.assert_array_equal(positions(at, (1, 2, 3, 4), 1), [[[[0, 4]], [[22, -1]]]])


def test_causal_state_is_the_end_of_all():
    x = np.arange(1.0, 5).reshape(1, 2, 2)
    whole, state = causal_state(WORDS, x, (2, 1, 4), np.full((1, 2, 3), 9.0))
    np.testing.assert_array_equal(whole, [[[9, 9, 9, 1, 2], [9, 9, 9, 3, 4]]])
    np.testing.assert_array_equal(state, [[[9, 1, 2], [9, 3, 4]]])
    np.testing.assert_array_equal(causal_state(WORDS, x, (2, 1, 4), None)[1], [[[0, 1, 2], [0, 3, 4]]])


REFUSED = {
    "`pads` must have a begin and then an end for each of 2 spatial axes; got [1, 1]": lambda: conv(
        pads=[1, 1]
    ),
    "`auto_pad` must be NOTSET, SAME_UPPER, SAME_LOWER or VALID; got 'SAME'": lambda: conv(auto_pad="SAME"),
    "in `group` groups; got 3 (X (1, 4, 9, 8), W (6, 2, 3, 2))": lambda: conv(group=3),
    "a multiple of its outputs, in `group` groups; got 2": lambda: conv(w=(5, 2, 3, 2)),
    "the channels of `X`, a multiple of `group`; got 3": lambda: transpose(group=3),
    "then the same spatial ones; got 4 and 3": lambda: conv(w=(6, 2, 3)),
    "`W` must have the dtype of `X`; got float64 and float32": lambda: conv(w_dtype=np.dtype(float)),
    "`kernel_shape` must be that of `W`; got (2, 2)": lambda: conv(kernel_shape=[2, 2]),
    "`strides` must be a positive int or 2 of them, one per spatial axis; got (0, 1)": lambda: conv(
        strides=[0, 1]
    ),
    "`W` must fit in the padded `X` on every axis": lambda: conv(dilations=[1, 9]),
    "`X` must be (n, c, i) and `W` (c, 1, k); got (1, 2, 5) and (3, 1, 4)": lambda: causal_state(
        WORDS, np.zeros((1, 2, 5)), (3, 1, 4), None
    ),
    "`past_state` must have shape (1, 2, 3); got (1, 2, 4)": lambda: causal_state(
        WORDS, np.zeros((1, 2, 5)), (2, 1, 4), np.zeros((1, 2, 4))
    ),
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_refusals(sentence):
    with pytest.raises((ValueError, TypeError), match=f"^Conv: .*{re.escape(sentence)}"):
        REFUSED[sentence]()
