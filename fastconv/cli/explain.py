"""``explain``: which kernel a problem would go to, why no other, and how long each really takes."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

import fastconv
from fastconv import dispatch
from fastconv.cli import shapes, table, timing
from fastconv.cli.progress import steps
from fastconv.dispatch import Problem
from fastconv.kernel import Kernel, Refusal
from fastconv.problem import ConvProblem

PATIENCE = 1e6  # steps of the plain loops (window positions times taps and filters) worth waiting for


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "shapes",
        metavar="SHAPES",
        nargs="+",
        help="'INPUT KERNEL', as '1x56x56x64 3x3x64x64'; or 'INPUT' with --pool; or a problem's line as "
        "this command prints it",
    )
    shapes.add_options(parser)
    parser.add_argument("--time", action="store_true", help="measure every kernel that accepts the problem")


def run(args: argparse.Namespace) -> int:
    """Print what `fastconv.explain` says, and measurements beside its predictions."""
    problem = shapes.problem(args)
    print(fastconv.explain(problem))
    if args.time:
        print(f"\n{_measured(problem)}")
    return 0


def _measured(problem: Problem) -> str:
    """Measure the kernels that accept `problem`; the plain loops only where they are bearable."""
    rows = dispatch.ranking(problem, "fast")
    arrays = inputs(problem)
    lines = []
    with steps(len(rows)) as step:
        for row in rows:
            step(row.name)
            lines.append((row.name, f"{row.cost(problem) * 1e3:.3g}", _verdict(row, problem, *arrays)))
    return table.lines(("kernel", "predicted ms", "measured ms"), lines)


def _verdict(row: Kernel, problem: Problem, x: np.ndarray, w: Any, bias: Any) -> str:
    """Say how long a kernel takes, or why it was not measured."""
    if math.isinf(row.cost(problem)) and _loop_steps(problem) > PATIENCE:
        return "too long for plain loops"
    try:
        timed = call(row, problem, x, w, bias)
    except Refusal as reason:
        return str(reason)
    return table.milliseconds(timing.median(timed))


def _loop_steps(p: Problem) -> float:
    """Count what the plain loops do one at a time."""
    positions = p.n * math.prod(p.window.o)
    outputs = p.g * p.oc if isinstance(p, ConvProblem) else p.c * p.window.taps
    return positions * (p.window.taps + outputs)


def call(row: Kernel, problem: Problem, x: np.ndarray, w: Any, bias: Any) -> Callable[[], object]:
    """Return a call of the kernel alone; an activation that it leaves to others is not in it."""
    problem = _given(row, problem)
    y: Any = _empty(problem.y_shape, problem.y_dtype, problem.y_order)
    if getattr(problem, "indices", False):
        y = y, _empty(problem.y_shape, np.dtype(np.int64), problem.y_order)
    prepared = row.prepare(problem, w)
    return lambda: row.run(problem, x, prepared, bias, y)


def bind(row: Kernel, problem: Problem, x: np.ndarray, w: Any, bias: Any) -> None:
    """Have the kernel bound, if it can be, as plans of small arrays have it."""
    p = _given(row, problem)
    y = _empty(p.y_shape, p.y_dtype, p.y_order)
    if row.bind is not None:
        handed = x.transpose(p.x_order), None, None, y.transpose(p.y_order)
        row.bind(p, x, row.prepare(p, w), bias, y, handed)


def _given(row: Kernel, problem: Problem) -> Problem:
    """Return what the kernel gets: without an activation that it leaves to others."""
    if isinstance(problem, ConvProblem) and problem.activation not in row.fuses:
        return replace(problem, activation="linear", y_dtype=problem.acc_dtype)
    return problem


def inputs(p: Problem) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Return input, weights and bias of a problem, of random small integers."""
    rng = np.random.default_rng(0)
    x = _empty(p.x_shape, p.x_dtype, p.x_order)
    x[...] = rng.integers(0, 5, p.x_shape)
    if not isinstance(p, ConvProblem):
        return x, None, None
    w = rng.integers(0, 5, p.w_shape).astype(p.w_dtype)
    return x, w, np.ones(p.g * p.oc, p.acc_dtype) if p.has_bias else None


def _empty(shape: tuple[int, ...], dtype: np.dtype, order: tuple[int, ...]) -> np.ndarray:
    """Return an array whose axes lie in memory in `order`, from the slowest to the fastest."""
    return np.empty([shape[axis] for axis in order], dtype).transpose(np.argsort(order))
