"""The benchmarks' layers: that a part is a part of the whole, and that public calls state what lines say."""

import itertools
import math

import numpy as np
import pytest
from cases import arrays, problem

from bench import layers, workloads
from bench.layers import Layer
from fastconv import dispatch

SMALL = ["article/conv", "article/pool", "lenet5/pool1", "mnist/conv1"]


@pytest.mark.parametrize(
    "name", ["2d", "same", "strides", "groups", "negative padding", "transposed", "3d all options", "causal"]
)
def test_a_corner_is_a_corner_of_the_result(name):
    name = f"conv {name}"
    p = problem(name)
    x, w, _ = arrays(p, np.random.default_rng(0))
    whole = Layer(p, x, w)
    y = whole.result(dispatch.choose(p, "naive"))

    seen = []
    for corner in whole.corners():
        part = corner.result(dispatch.choose(corner.problem, "naive"))
        np.testing.assert_array_equal(part, y[tuple(map(slice, part.shape))])
        seen.append(part.size)

    assert seen == sorted(set(seen), reverse=True)
    assert seen[0] == y.size
    assert seen[-1] == p.g * p.oc


@pytest.mark.parametrize("workload", workloads.PROBLEMS)
def test_the_public_call_states_the_workload(workload):
    """Of plans: calls go the same way, and the largest layers take long."""
    assert layers.layer(workload).plan("einsum").problem == workloads.PROBLEMS[workload]


@pytest.mark.parametrize("workload", [*SMALL, "resnet50/pool1", "wavenet/d32", "unet/up", "gray1024/gauss21"])
def test_the_call_and_the_plan_give_what_is_expected(workload):
    subject, right = layers.layer(workload), layers.expected(workload)
    plan = subject.plan()

    layers.check(plan.kernel, subject, subject.call()(), right)
    layers.check(plan.kernel, subject, plan(subject.x), right)


def test_families_share_no_workload():
    names = list(itertools.chain.from_iterable(workloads.FAMILIES.values()))

    assert len(names) == len(set(names)) == len(workloads.PROBLEMS)
    assert {workloads.family(name) for name in names} == set(workloads.FAMILIES)
    assert set(workloads.SMOKE) <= set(names)


@pytest.mark.parametrize(
    ("pattern", "some", "count"),
    [
        ("pools", "spp/13x13", len(workloads.POOLS)),
        ("resnet50/conv4", "resnet50/conv4_3x3_n8", 2),
        ("*1x1", "efficientnet/24_1x1", 6),
        ("nothing", None, 0),
    ],
)
def test_patterns_select_workloads(pattern, some, count):
    found = workloads.matching(pattern)

    assert some is None or some in found
    assert len(found) == count


def test_weights_of_rank_one_are():
    w = layers.layer("gray1024/gauss21").w[..., 0, 0]

    assert np.linalg.matrix_rank(w) == 1
    assert math.prod(w.shape) == 441


def test_a_wrong_result_is_found():
    subject, right = layers.layer("mnist/conv1"), layers.expected("mnist/conv1")
    kernel, y = dispatch.choose(subject.problem), right.copy()
    layers.check(kernel, subject, y, right)

    y[0, 3, 4, 5] += 1

    with pytest.raises(AssertionError, match="Mismatched elements: 1"):
        layers.check(kernel, subject, y, right)
    layers.check(kernel, subject, y, right[:, :3])  # where only a corner is known
