"""Fits the constants of cost functions to measurements.

A prediction is a sum of terms, each a constant times something of the problem, though some are only there in
some cases and ratios are multiplied with seconds. So its derivatives are had by asking it again with a
constant a little larger, which needs nothing of the function but that it reads its constants. Minimised is

    sum over samples of huber(log(predicted / measured)) + PULL sum over constants of log(constant / before)^2

over the logarithms of the constants, so that they stay positive, and by steps that are halved until they help
(Levenberg and Marquardt). A prediction twice too long is as bad as one half as long; a measurement that was
disturbed counts as one that is WILD away; a constant that no sample says anything about stays as it was.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastconv import costs
from fastconv.costs import Constants
from fastconv.dispatch import Problem
from fastconv.kernel import Kernel

PULL = 0.02
WILD = 0.3  # of a logarithm
STEP = 0.03  # of a logarithm, for derivatives
ROUNDS = 30


class Sample(NamedTuple):
    """A kernel measured on a problem."""

    kernel: Kernel
    problem: Problem
    seconds: float


def fit(samples: list[Sample]) -> Constants:
    """Return constants that fit the samples better than those in use, which stay in use."""
    before = costs.read()
    try:
        return _fitted(samples, before)
    finally:
        costs.write(before)


def _fitted(samples: list[Sample], before: Constants) -> Constants:
    names, start = list(before), np.log(list(before.values()))
    measured = np.log([sample.seconds for sample in samples])

    def residuals(point: np.ndarray) -> np.ndarray:
        costs.write(dict(zip(names, np.exp(point).tolist(), strict=True)))
        return np.log([sample.kernel.cost(sample.problem) for sample in samples]) - measured

    def loss(point: np.ndarray, apart: np.ndarray) -> float:
        far = np.abs(apart)
        huber = np.where(far < WILD, far**2, WILD * (2 * far - WILD))
        return float(huber.sum() + PULL * ((point - start) ** 2).sum())

    point, damping = start.copy(), 1e-2
    apart = residuals(point)
    least = loss(point, apart)
    for _ in range(ROUNDS):
        slopes = np.array([residuals(point + STEP * unit) - apart for unit in np.eye(len(point))]).T / STEP
        weights = np.minimum(1, WILD / np.maximum(np.abs(apart), 1e-12))
        matrix = slopes.T @ (weights[:, None] * slopes) + PULL * np.eye(len(point))
        down = slopes.T @ (weights * apart) + PULL * (point - start)
        gained = 0.0
        for _ in range(10):
            damped = matrix + damping * np.diag(np.diag(matrix))
            trial = point - np.clip(np.linalg.solve(damped, down), -1, 1)
            then = residuals(trial)
            if (value := loss(trial, then)) < least:
                gained, damping = least - value, damping / 5
                point, apart, least = trial, then, value
                break
            damping *= 4
        if gained < 1e-4 * least:
            break
    return dict(zip(names, np.exp(point).tolist(), strict=True))


class Quality(NamedTuple):
    """How good predictions are, and the choices that follow from them."""

    off: dict[str, tuple[float, float]]  # by kernel: median and largest factor between predicted and measured
    regrets: dict[Problem, float]  # seconds of the kernel that "auto" would choose over those of the best


def quality(samples: list[Sample], constants: Constants) -> Quality:
    """Judge constants by samples."""
    before = costs.read()
    costs.write(constants)
    try:
        rows: dict[str, list[float]] = {}
        found: dict[Problem, list[tuple[float, float]]] = {}
        for kernel, problem, seconds in samples:
            predicted = kernel.cost(problem)
            rows.setdefault(kernel.name, []).append(abs(np.log(predicted / seconds)))
            if not kernel.asked:
                found.setdefault(problem, []).append((predicted, seconds))
    finally:
        costs.write(before)
    off = {
        name: (float(np.exp(np.median(far))), float(np.exp(max(far)))) for name, far in sorted(rows.items())
    }
    regrets = {p: min(each)[1] / min(seconds for _, seconds in each) for p, each in found.items()}
    return Quality(off, regrets)


def said(regrets: dict[Problem, float]) -> str:
    """Sum up regrets in a sentence."""
    values = sorted(regrets.values())
    good = sum(value < 1.15 for value in values)
    return (
        f"chosen / best kernel's time: {np.exp(np.mean(np.log(values))):.3f} (geometric mean), below 1.15 in "
        f"{good} of {len(values)} ({good / len(values):.0%}), {values[-1]:.2f} at most"
    )
