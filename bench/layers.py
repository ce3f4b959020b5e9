"""A workload with arrays, and the result that every kernel must give before it is timed."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import fastconv
from bench.workloads import ONE_FILTER, PROBLEMS, SEPARABLE
from fastconv import dispatch
from fastconv.kernel import Kernel
from fastconv.problem import ConvProblem, Window
from fastconv.problem.window import spread

ORACLE = 0.3  # seconds that NumPy may take for the expected result, as predicted


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

    @property
    def is_transposed(self) -> bool:
        """Whether a user states this layer as a transposed convolution."""
        return any(b > 1 for b in self.problem.window.b)

    @property
    def weights(self) -> np.ndarray:
        """The weights as a user has them: those of a transposed convolution are (*k, out, in)."""
        if not self.is_transposed:
            return self.w
        flipped = self.w[(slice(None, None, -1),) * self.problem.window.rank]
        return np.ascontiguousarray(flipped.swapaxes(-1, -2))

    @property
    def padding(self) -> tuple[tuple[int, int], ...]:
        """Pairs of padding as a user states them: a transposed convolution takes off what they put on."""
        win = self.problem.window
        if not self.is_transposed:
            return win.p
        axes = zip(win.p, win.extent, strict=True)
        return tuple((extent - 1 - lo, extent - 1 - hi) for (lo, hi), extent in axes)

    def call(self) -> Callable[..., np.ndarray]:
        """Return the public function's call that states this layer."""
        win, padding = self.problem.window, self.padding
        if all(lo == hi for lo, hi in padding):
            padding = _short(lo for lo, _ in padding)
        if self.w is None:
            options = _short(win.k), _short(win.s), padding
            if self.problem.reduction == "max":
                return functools.partial(fastconv.max_pool, self.x, *options)
            whole = self.problem.divisor == "padded"
            return functools.partial(fastconv.average_pool, self.x, *options, count_include_pad=whole)
        if self.is_transposed:
            return functools.partial(fastconv.conv_transpose, self.x, self.weights, _short(win.b), padding)
        strides, dilation = _short(win.s), _short(win.d)
        return functools.partial(fastconv.conv, self.x, self.w, strides, padding, dilation_rate=dilation)

    def plan(self, backend: str = "auto") -> fastconv.Plan:
        """Plan this layer as a user would."""
        win, shape = self.problem.window, self.x.shape
        if self.w is None:
            options = dict(reduction=self.problem.reduction, dtype=self.problem.x_dtype, backend=backend)
            whole = self.problem.divisor == "padded"
            return fastconv.plan_pool(shape, win.k, win.s, win.p, count_include_pad=whole, **options)
        if self.is_transposed:
            return fastconv.plan_conv_transpose(shape, self.weights, win.b, self.padding, backend=backend)
        options = dict(dilation_rate=win.d, backend=backend)
        return fastconv.plan_conv(shape, self.w, win.s, win.p, **options)

    def corner(self, n: int, o: tuple[int, ...]) -> Layer:
        """Return the same layer with its first images and the first outputs of every axis only."""
        window = _cropped(self.problem.window, o)
        x = self.x[(slice(n), *map(slice, window.i))]
        return Layer(replace(self.problem, n=n, window=window), x, self.w)

    def corners(self) -> Iterator[Layer]:
        """Yield ever smaller corners of this layer, itself first: fewer images, then a shorter axis."""
        n, o = self.problem.n, list(self.problem.window.o)
        while True:
            yield self.corner(n, tuple(o))
            axis = next((a for a, size in enumerate(o) if size > 1), None)
            if n > 1:
                n = n // 2
            elif axis is None:
                return
            else:
                o[axis] //= 2


def _short(values: Iterable[Any]) -> Any:
    """Say once what is the same for all axes, as a user does."""
    values = tuple(values)
    return values[0] if len(set(values)) == 1 else values


def _cropped(win: Window, o: tuple[int, ...]) -> Window:
    """Return the window with the first `o` outputs of every axis."""
    i, p = [], []
    for axis, count in enumerate(o):
        length = (count - 1) * win.s[axis] + win.extent[axis]
        lo, b = win.p[axis][0], win.b[axis]
        size = min(win.i[axis], -(-(length - lo) // b))
        i.append(size)
        p.append((lo, length - lo - spread(size, b)))
    return replace(win, i=tuple(i), p=tuple(p))


@functools.lru_cache(maxsize=8)
def layer(workload: str) -> Layer:
    """Make the workload's arrays of small integers, whose sums are exact in any order."""
    problem = PROBLEMS[workload]
    rng = np.random.default_rng(0)
    x = rng.integers(-8, 9, problem.x_shape, np.int8).astype(problem.x_dtype)
    if not isinstance(problem, ConvProblem):
        return Layer(problem, x, None)
    if workload in SEPARABLE:
        lines = np.meshgrid(*(rng.integers(1, 4, k) for k in problem.window.k), indexing="ij")
        w = math.prod(lines).reshape(problem.w_shape)
    else:
        w = rng.integers(-8, 9, problem.w_shape)
    if workload in ONE_FILTER:
        w[...] = w[..., :1]
    return Layer(problem, x, w.astype(problem.w_dtype))


def by_numpy(problem: Any) -> Kernel:
    """Return NumPy's row for a problem, the cheapest that is exact."""
    return next(row for row in dispatch.ranking(problem, "einsum") if row.exact)


@functools.lru_cache(maxsize=8)
def expected(workload: str) -> np.ndarray:
    """Compute the workload with NumPy, a corner of it where that is slow; `naive.loops` judges it."""
    for subject in layer(workload).corners():
        kernel = by_numpy(subject.problem)
        if kernel.cost(subject.problem) < ORACLE:
            break
    return subject.result(kernel)


def check(kernel: Kernel, subject: Layer, y: np.ndarray, right: np.ndarray) -> None:
    """Hold the corner of a result that `right` covers to equality, or to the kernel's own bound."""
    y = y[tuple(map(slice, right.shape))]
    if kernel.exact:
        np.testing.assert_array_equal(y, right)
        return
    n, *o, _ = right.shape
    corner = subject.corner(n, tuple(o))
    whole = Layer(corner.problem, np.abs(corner.x), None if corner.w is None else np.abs(corner.w))
    magnitude = whole.result(by_numpy(corner.problem))
    bound = kernel.error(corner.problem, magnitude, subject.x, subject.w)
    np.testing.assert_array_equal(np.maximum(np.abs(y - right) - bound, 0), 0)
