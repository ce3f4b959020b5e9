"""The layers that are timed, each a problem's line. Kernels are not mentioned here: the table has them."""

from __future__ import annotations

import pytest

from fastconv import dispatch
from fastconv.problem.parse import parse

CONVS = {
    "article/conv": "conv n1 g1 ic3 oc4 i28x28 k2x2 s2x2 d1x1 p0+0x0+0 float32",
    "lenet5/conv1": "conv n1 g1 ic1 oc6 i28x28 k5x5 s1x1 d1x1 p2+2x2+2 float32",
    "lenet5/conv2": "conv n1 g1 ic6 oc16 i14x14 k5x5 s1x1 d1x1 p0+0x0+0 float32",
    "vgg16/block1_conv1": "conv n1 g1 ic3 oc64 i224x224 k3x3 s1x1 d1x1 p1+1x1+1 float32",
    "vgg16/block2_conv2": "conv n1 g1 ic128 oc128 i112x112 k3x3 s1x1 d1x1 p1+1x1+1 float32",
    "vgg16/block3_conv2": "conv n1 g1 ic256 oc256 i56x56 k3x3 s1x1 d1x1 p1+1x1+1 float32",
    "vgg16/block4_conv2": "conv n1 g1 ic512 oc512 i28x28 k3x3 s1x1 d1x1 p1+1x1+1 float32",
    "resnet50/conv1": "conv n1 g1 ic3 oc64 i224x224 k7x7 s2x2 d1x1 p3+3x3+3 float32",
    "resnet50/conv2_3x3": "conv n1 g1 ic64 oc64 i56x56 k3x3 s1x1 d1x1 p1+1x1+1 float32",
    "resnet50/conv2_1x1": "conv n1 g1 ic64 oc256 i56x56 k1x1 s1x1 d1x1 p0+0x0+0 float32",
    "resnet50/conv3_3x3": "conv n1 g1 ic128 oc128 i28x28 k3x3 s1x1 d1x1 p1+1x1+1 float32",
    "resnet50/conv4_3x3": "conv n1 g1 ic256 oc256 i14x14 k3x3 s1x1 d1x1 p1+1x1+1 float32",
    "resnet50/conv5_3x3": "conv n1 g1 ic512 oc512 i7x7 k3x3 s1x1 d1x1 p1+1x1+1 float32",
    "mobilenetv2/block1_dw": "conv n1 g96 ic1 oc1 i112x112 k3x3 s2x2 d1x1 p0+1x0+1 float32",
    "mobilenetv2/block2_dw": "conv n1 g144 ic1 oc1 i56x56 k3x3 s1x1 d1x1 p1+1x1+1 float32",
    "mobilenetv2/block4_dw": "conv n1 g192 ic1 oc1 i28x28 k3x3 s1x1 d1x1 p1+1x1+1 float32",
    "mobilenetv2/block14_dw": "conv n1 g960 ic1 oc1 i7x7 k3x3 s1x1 d1x1 p1+1x1+1 float32",
}
POOLS = {
    "article/pool": "pool max n1 c4 i14x14 k2x2 s2x2 d1x1 p0+0x0+0 float32",
    "lenet5/pool1": "pool mean n1 c6 i28x28 k2x2 s2x2 d1x1 p0+0x0+0 float32",
    "vgg16/block1_pool": "pool max n1 c64 i224x224 k2x2 s2x2 d1x1 p0+0x0+0 float32",
    "resnet50/pool1": "pool max n1 c64 i112x112 k3x3 s2x2 d1x1 p0+1x0+1 float32",
    "resnet50/avg_pool": "pool mean n1 c2048 i7x7 k7x7 s7x7 d1x1 p0+0x0+0 float32",
    "inceptionv3/mixed0_pool": "pool mean n1 c192 i35x35 k3x3 s1x1 d1x1 p1+1x1+1 float32",
}
PROBLEMS = {name: parse(line) for name, line in (CONVS | POOLS).items()}
SMOKE = ("article/", "lenet5/")  # small enough to time on every push

NAMES = [pytest.param(name, marks=[pytest.mark.smoke] * name.startswith(SMOKE)) for name in PROBLEMS]


def pairs() -> list:
    """List every workload with the name of every row of the table that takes it, naive's first."""
    return [
        pytest.param(name, row.name, marks=[pytest.mark.smoke] * name.startswith(SMOKE))
        for name, problem in PROBLEMS.items()
        for row in sorted(dispatch.table(), key=lambda row: row.backend != "naive")
        if isinstance(problem, row.problem) and row.rejects(problem) is None
    ]
