"""A workload with arrays, and the result that every kernel must give before it is timed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import fastconv
from bench.workloads import PROBLEMS
from fastconv import dispatch
from fastconv.kernel import Kernel
from fastconv.problem import ConvProblem


@dataclass(frozen=True, eq=False)
class Layer:
    """A problem with its input and weights (None for pooling)."""

    problem: Any
    x: np.ndarray
    w: np.ndarray | None

    def bound(self, kernel: Kernel) -> tuple[Callable[[], None], np.ndarray]:
        """Prepare `kernel` for this layer: a function without arguments, and what it writes."""
        y = np.empty(self.problem.y_shape, self.problem.y_dtype)
        prepared = kernel.prepare(self.problem, self.w)
        return functools.partial(kernel.run, self.problem, self.x, prepared, None, y), y

    def result(self, kernel: Kernel) -> np.ndarray:
        """Compute the layer with `kernel`."""
        run, y = self.bound(kernel)
        run()
        return y

    def call(self) -> Callable[[], np.ndarray]:
        """Return the public function's call that states this layer."""
        win = self.problem.window
        if self.w is not None:
            return functools.partial(fastconv.conv, self.x, self.w, win.s, win.p, dilation_rate=win.d)
        pool = {"max": fastconv.max_pool, "mean": fastconv.average_pool}[self.problem.reduction]
        return functools.partial(pool, self.x, win.k, win.s, win.p)

    def plan(self, backend: str = "auto") -> fastconv.Plan:
        """Plan this layer as a user would."""
        win, shape = self.problem.window, self.x.shape
        if self.w is not None:
            options = dict(dilation_rate=win.d, backend=backend)
            return fastconv.plan_conv(shape, self.w, win.s, win.p, **options)
        options = dict(reduction=self.problem.reduction, dtype=self.problem.x_dtype, backend=backend)
        return fastconv.plan_pool(shape, win.k, win.s, win.p, **options)

    def head(self, rows: int) -> Layer:
        """Return the same layer with its first output rows only."""
        win = self.problem.window
        if rows == win.o[0]:
            return self
        (lo, _), *others = win.p
        length = (rows - 1) * win.s[0] + win.extent[0]
        i = min(win.i[0], length - lo)
        window = replace(win, i=(i, *win.i[1:]), p=((lo, length - lo - i), *others))
        return Layer(replace(self.problem, window=window), self.x[:, :i], self.w)


@functools.cache
def layer(workload: str) -> Layer:
    """Make the workload's arrays of small integers, whose sums are exact in any order."""
    problem = PROBLEMS[workload]
    rng = np.random.default_rng(0)
    x = rng.integers(-8, 9, problem.x_shape).astype(problem.x_dtype)
    if not isinstance(problem, ConvProblem):
        return Layer(problem, x, None)
    return Layer(problem, x, rng.integers(-8, 9, problem.w_shape).astype(problem.w_dtype))


@functools.cache
def expected(workload: str) -> np.ndarray:
    """Compute the workload with NumPy; `naive.loops` holds that against the definition."""
    subject = layer(workload)
    return subject.result(dispatch.choose(subject.problem, "einsum"))


def check(kernel: Kernel, subject: Layer, y: np.ndarray, right: np.ndarray) -> None:
    """Hold a result to equality, or to the kernel's own bound if it has one."""
    if kernel.exact:
        np.testing.assert_array_equal(y, right)
        return
    whole = Layer(subject.problem, np.abs(subject.x), None if subject.w is None else np.abs(subject.w))
    magnitude = whole.result(dispatch.choose(subject.problem, "einsum"))
    excess = np.maximum(np.abs(y - right) - kernel.error(subject.problem, magnitude), 0)
    np.testing.assert_array_equal(excess, 0)
