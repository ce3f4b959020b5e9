"""The command ``explain``: problems as people write them, and kernels measured."""

import re

import numpy as np
import pytest

import fastconv
from fastconv import dispatch
from fastconv.__main__ import main
from fastconv.cli import explain
from fastconv.problem.parse import parse


def said(capsys, *arguments):
    """Run a command that succeeds; return what it prints."""
    assert main(["explain", *arguments]) == 0
    return capsys.readouterr().out


def refused(capsys, *arguments):
    """Run a command that must end with one sentence and exit code 2; return the sentence."""
    assert main(["explain", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("fastconv explain: ")
    assert err.count("\n") == 1
    return err


# Shapes and options, and the line worked out by hand.
CONVS = {
    "1x56x48x64 3x2x64x32": "conv n1 g1 ic64 oc32 i56x48 k3x2 s1x1 d1x1 p0+0x0+0 float32",
    "2x9x4 3x2x6 --strides 2": "conv n2 g2 ic2 oc3 i9 k3 s2 d1 p0+0 float32",
    "1x9x11x3 3x2x3x4 --strides 2x1 --padding same": (
        "conv n1 g1 ic3 oc4 i9x11 k3x2 s2x1 d1x1 p1+1x0+1 float32"
    ),
    "1x9x11x3 3x2x3x4 --padding 2 --dilation 1x3": "conv n1 g1 ic3 oc4 i9x11 k3x2 s1x1 d1x3 p2+2x2+2 float32",
    "1x9x11x3 3x2x3x4 --padding=-1+0x2": "conv n1 g1 ic3 oc4 i9x11 k3x2 s1x1 d1x1 p-1+0x2+2 float32",
    "1x9x3 3x3x4 --padding causal --bias --activation relu --dtype float64": (
        "conv n1 g1 ic3 oc4 i9 k3 s1 d1 p2+0 float64 bias relu"
    ),
    "1x3x9x11 3x2x3x4 --data-format channels_first": (
        "conv n1 g1 ic3 oc4 i9x11 k3x2 s1x1 d1x1 p0+0x0+0 float32 x@0312 y@0312"
    ),
}
POOLS = {
    "1x9x11x3 --pool 3x2": "pool max n1 c3 i9x11 k3x2 s3x2 d1x1 p0+0x0+0 float32",
    "1x9x11x3 --pool 3 --strides 2 --padding 1+0x0+1 --reduction mean": (
        "pool mean n1 c3 i9x11 k3x3 s2x2 d1x1 p1+0x0+1 float32"
    ),
    "1x9x3 --pool 2 --dilation 3 --dtype int16 --reduction sum": "pool sum n1 c3 i9 k2 s2 d3 p0+0 int16",
}


def arguments(text):
    """Split a line of this file: the shapes are one argument."""
    shapes, *options = re.split(r" (?=--)", text)
    return [shapes, *(word for option in options for word in option.split(" "))]


@pytest.mark.parametrize(("text", "line"), [*CONVS.items(), *POOLS.items()])
def test_explains_what_the_shapes_and_options_say(text, line, capsys):
    out = said(capsys, *arguments(text))
    assert out.splitlines()[0] == line
    assert out == f"{fastconv.explain(parse(line))}\n"


@pytest.mark.parametrize("text", [*CONVS, *POOLS])
def test_a_printed_line_explains_the_same(text, capsys):
    out = said(capsys, *arguments(text))
    assert said(capsys, out.splitlines()[0]) == out


def test_shapes_need_no_quotes(capsys):
    assert said(capsys, "1x9x3", "3x3x4", "--strides", "2") == said(capsys, "1x9x3 3x3x4", "--strides=2")


@pytest.mark.parametrize("line", ["conv", "pool max n1 c3", "conv n1 g1 ic64 oc32 i56 k3 s0 d1 p0+0 float32"])
def test_an_incomplete_line_is_refused(line, capsys):
    assert repr(line) in refused(capsys, line)


@pytest.mark.parametrize("shapes", ["", "1x9x3", "1x9x3 3x3x4 1", "1x9x3 3x-3x4", "1x9x3 3,3,4", "a b"])
def test_other_shapes_are_refused(shapes, capsys):
    assert "must be" in refused(capsys, shapes)


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("1x9x3 3x3x4 --reduction max", "--reduction"),
        ("1x9x3 --pool 2 --bias", "--bias"),
        ("1x9x3 --pool 2 --activation relu", "--activation"),
        ("conv n1 g1 ic1 oc1 i9 k3 s1 d1 p0+0 float32 --strides 2", "--strides"),
        ("conv n1 g1 ic1 oc1 i9 k3 s1 d1 p0+0 float32 --data-format channels_last", "--data-format"),
    ],
)
def test_an_option_that_would_be_ignored_is_refused(text, option, capsys):
    assert f"explain: {option} must be left out" in refused(capsys, *arguments(text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1x9x5 3x2x4", r"channels of `INPUT` must be a multiple of those of `KERNEL`; got 5 and 2"),
        ("1x9x3 11x3x4", r"`KERNEL` must fit in the padded `INPUT`.* extent \(11,\) over \(9,\)"),
        ("1x9x3 3x3x4 --strides 0", r"`--strides` must be a positive int .*; got 0"),
        ("1x9x3 3x3x4 --padding half", r"`--padding` must be .*; got 'half'"),
        ("1x9x3 3x3x4 --activation swoosh", r"`activation` must be .*; got 'swoosh'"),
        ("1x9x3 --pool 2x2", r"`--pool` must be a positive int or 1 of them.*; got \(2, 2\)"),
        ("9 3", r"`INPUT` must have a batch and a channel axis; got 1 axes"),
    ],
)
def test_a_problem_that_breaks_a_rule_is_refused_in_the_commands_words(text, words, capsys):
    assert re.search(words, refused(capsys, *arguments(text)))


@pytest.mark.parametrize(
    ("option", "value"), [("--dtype", "object"), ("--dtype", "real"), ("--strides", "2.5")]
)
def test_an_unreadable_option_is_refused(option, value, capsys):
    with pytest.raises(SystemExit, match=r"^2$"):
        main(["explain", "1x9x3 3x3x4", option, value])
    assert re.search(rf"argument {option}: .*; got '{value}'", capsys.readouterr().err)


@pytest.mark.parametrize(
    "text",
    [
        "1x3x9x11 3x2x3x4 --bias --activation gelu --data-format channels_first",
        "1x9x11x3 --pool 3x2 --dtype int8",
        "pool max n1 c3 i9x11 k3x2 s3x2 d1x1 p0+0x0+0 float32 indices",
    ],
)
def test_time_measures_every_kernel_that_accepts(text, capsys):
    out = said(capsys, *arguments(text), "--time")
    line, rest = out.splitlines()[0], out.partition("measured ms")[2]
    for row in dispatch.ranking(parse(line)):
        assert re.search(rf"^{row.name} +\S+ +\d\S*$", rest, re.M), row.name


def test_time_leaves_out_plain_loops_that_would_take_long(capsys):
    out = said(capsys, "1x999x999x16", "--pool=5x4", "--strides=1", "--time")
    assert re.search(r"^naive:pool +inf +too long for plain loops$", out, re.M)
    assert re.search(r"^einsum:separable +\S+ +\d\S*$", out, re.M)


def test_inputs_lie_in_memory_as_the_problem_says():
    problem = parse("conv n2 g1 ic3 oc4 i9x11 k3x2 s1x1 d1x1 p0+0x0+0 float32 x@0312 y@0312 bias")
    x, w, bias = explain.inputs(problem)
    assert x.shape == problem.x_shape
    assert x.transpose(problem.x_order).flags.c_contiguous
    assert w.shape == problem.w_shape
    np.testing.assert_array_equal(bias, np.ones(4, np.float32))
