"""A problem, the kernel chosen for it and prepared weights: something to call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

import numpy as np

from fastconv import dispatch
from fastconv.activations import FUNCTIONS
from fastconv.binding import PLACE, bind, is_plain, later, maker
from fastconv.dispatch import Rankable
from fastconv.kernel import Kernel, Refusal
from fastconv.problem import (
    ConvProblem,
    FoldProblem,
    Layout,
    PoolProblem,
    Words,
    checked_array,
    checked_out,
    memory_order,
)


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A convolution or pooling that is ready to run: ``plan(x)`` or ``plan(x, out=y)``.

    It keeps its own copy of the weights, in the form its kernel wants them, and no scratch memory, so
    that any number of threads may call it at once; it can be pickled. `plan_conv` and its kin make plans.
    """

    problem: ConvProblem | PoolProblem
    kernel: Kernel
    given: ConvProblem | PoolProblem  # what the kernel gets: without the activation, if it leaves that
    finish: Callable[[np.ndarray], np.ndarray] | None  # the activation, if the kernel leaves it
    x_shape: tuple[int, ...]  # in the face's layout, as y_shape
    y_shape: tuple[int, ...]
    refusals: dict[str, str]  # rows that the values of the weights ruled out
    words: Words
    layout: Layout
    canonical: bool  # whether the layout is (n, *i, c), in which contiguous inputs were planned for
    blank: Callable[[], np.ndarray]  # makes an array for the output
    prepared: Any
    bias: np.ndarray | None
    bound: Callable[..., bool] | None = None  # what computes ``(x, w, bias, y)`` if they are contiguous

    def __call__(self, x: Any, out: np.ndarray | None = None) -> np.ndarray:
        """Compute the output for an input of the planned shape.

        Parameters
        ----------
        x : array_like, of the planned shape and a dtype that casts safely to the planned one
        out : ndarray, optional
            Where to write the result; it must not overlap `x`. Large arrays are written quicker if they begin
            at a multiple of 64 bytes, as those do that a plan has made.

        Returns
        -------
        ndarray
            `out`, or a new C-contiguous array.

        Raises
        ------
        ValueError, TypeError : `x` or `out` is not as planned; the message names what is wrong.
        """
        if self.bound is not None:
            y = self.blank() if out is None else out
            if self.bound(x, None, None, y):
                return y
        words, dtype = self.words, self.problem.x_dtype
        if self.canonical and is_plain(x, self.x_shape, dtype):
            if out is None:
                return self.anew_with(x, self.prepared, self.bias)
            free = is_plain(out, self.y_shape, self.problem.y_dtype) and out.flags.writeable
            if free and not np.may_share_memory(x, out):
                return self._computed(x, self.prepared, self.bias, out)
        array = checked_array(words, words.x, x)
        if array.shape != self.x_shape:
            raise ValueError(
                f"{words.op}: `{words.x}` must have the planned shape {self.x_shape}; got {array.shape}"
            )
        if not np.can_cast(array.dtype, dtype, "safe"):
            raise TypeError(
                f"{words.op}: `{words.x}` must cast safely to the planned {dtype}; got {array.dtype}"
            )
        return self.run(array, out, x if isinstance(x, np.ndarray) else None)

    def run(self, x: np.ndarray, out: np.ndarray | None = None, *reads: np.ndarray | None) -> np.ndarray:
        """Compute from a checked `x`; `out` must not overlap it or any of `reads`."""
        if out is None:
            y = self.blank()
        else:
            checked_out(self.words, out, self.y_shape, self.problem.y_dtype, x, *reads)
            y = out
        return self._computed(self._in_order(x), self.prepared, self.bias, y)

    def with_indices(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Compute values, and positions in the input, from a checked `x`: of a problem with indices."""
        y = self.blank(), maker(self.y_shape, PLACE)()
        if self.bound is not None and self.bound(x, None, y[1], y[0]):
            return y
        views = tuple(array.transpose(self.layout.y) for array in y)
        if y[0].size:
            self.kernel.run(self.given, self._in_order(x), self.prepared, None, views)
        return y

    def without_weights(self) -> Plan:
        """Return what is the same for all weights of these shapes, and is bound when a call comes again."""
        return replace(self, prepared=None, bias=None, bound=later)

    def binding(self, prepared: Any, bias: np.ndarray | None, *given: Any) -> Plan:
        """Bind the kernel to weights in its form, or to what those were that are `given` with each call."""
        bound = None
        if self.finish is None and self.given.y_dtype == self.problem.y_dtype:
            shapes = self.x_shape, self.y_shape
            bound = bind(self.kernel, self.given, self.layout, shapes, prepared, bias, given or (None, None))
        return replace(self, bound=bound)

    def anew(self, x: np.ndarray) -> np.ndarray:
        """Compute a new array from an `x` that is as planned."""
        if self.bound is not None:
            y = self.blank()
            if self.bound(x, None, None, y):
                return y
        return self.anew_with(x, self.prepared, self.bias)

    def anew_with(self, x: np.ndarray, prepared: Any, bias: np.ndarray | None) -> np.ndarray:
        """Compute a new array from an `x` that is as planned, of given weights in the kernel's form."""
        y = self.blank()
        return self._computed(x if self.canonical else x.transpose(self.layout.x), prepared, bias, y)

    def _in_order(self, x: np.ndarray) -> np.ndarray:
        """Return an input as the problem says: of its dtype, its axes canonical and in its memory order."""
        x = x.astype(self.problem.x_dtype, copy=False).transpose(self.layout.x)
        order = self.problem.x_order
        if memory_order(x.shape, x.strides) == order:
            return x
        return np.ascontiguousarray(x.transpose(order)).transpose(np.argsort(order))

    def _computed(self, x: np.ndarray, prepared: Any, bias: np.ndarray | None, y: np.ndarray) -> np.ndarray:
        """Compute `y`, in the face's layout, from an `x` and weights that are as the problem says."""
        given = self.given
        target = y if given.y_dtype == self.problem.y_dtype else np.empty(y.shape, given.y_dtype)
        view = target if self.canonical else target.transpose(self.layout.y)
        if view.size:  # else nothing is to be done, be the input vast
            self.kernel.run(given, x, prepared, bias, view)
        if self.finish is not None:
            self._apply(target, y)
        return y

    def _apply(self, values: np.ndarray, y: np.ndarray) -> None:
        """Write ``finish(values)`` to `y`; a caller's function must keep shape and kind."""
        result = np.asarray(self.finish(values)) if self.finish else values
        if result.shape != y.shape or not np.can_cast(result.dtype, y.dtype, "same_kind"):
            raise ValueError(
                f"{self.words.op}: `activation` must keep shape {y.shape} and kind of {y.dtype}; "
                f"got {result.shape} of {result.dtype}"
            )
        if result is not y:
            with np.errstate(all="ignore"):  # float16 overflows, and underflows
                y[...] = result

    def __reduce__(self) -> tuple:
        """Pickle the kernel by its name: what is compiled and bound is a process' own."""
        names = (field.name for field in fields(self) if field.name not in ("kernel", "bound"))
        return _restored, (self.kernel.name, {name: getattr(self, name) for name in names})

    def __repr__(self) -> str:
        """Name problem and kernel."""
        return f"<Plan {self.problem} by {self.kernel.name}>"


def _restored(kernel: str, kept: dict[str, Any]) -> Plan:
    """Make a plan of what another process kept of it."""
    (row,) = dispatch.table(kernel)
    return Plan(kernel=row, **kept).binding(kept["prepared"], kept["bias"])


def make(
    words: Words,
    layout: Layout,
    problem: ConvProblem | PoolProblem,
    backend: str,
    w: np.ndarray | None = None,
    bias: np.ndarray | None = None,
    activation: Any = None,
    *,
    once: bool = False,
) -> Plan:
    """Plan a problem with the cheapest row that takes it and its weights.

    The weights are only used `once`, or must last as long as the plan.
    """

    def given(row: Kernel) -> Any:
        whole = _left_over(problem, row, activation) is None
        return _one_of_equals(problem if whole else _without_activation(problem))

    row, prepared, refusals = _first(words, problem, backend, w, given, once=once)
    y_shape = _in_layout(layout.y, problem.y_shape)
    natural = tuple(range(len(layout.x)))
    plan = Plan(
        problem=problem,
        kernel=row,
        given=given(row),
        finish=_left_over(problem, row, activation),
        x_shape=_in_layout(layout.x, problem.x_shape),
        y_shape=y_shape,
        refusals=refusals,
        words=words,
        layout=layout,
        canonical=natural == layout.x == layout.y == problem.x_order,
        blank=maker(y_shape, problem.y_dtype),
        prepared=prepared,
        bias=bias,
    )
    return plan if once else plan.binding(prepared, bias)


@lru_cache(maxsize=1024)
def _one_of_equals(problem: ConvProblem | PoolProblem) -> ConvProblem | PoolProblem:
    """Return the first of equal problems: rows look up what they know of one, and know it by identity."""
    return problem


def fold(words: Words, problem: FoldProblem, x: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    """Fold arrays with the cheapest row that takes the problem."""
    row, prepared, _ = _first(words, problem, "auto", None, lambda _row: problem)
    y = tuple(np.empty(problem.window.o, dtype) for dtype in problem.dtypes)
    row.run(problem, x, prepared, None, y)
    return y


def _first(
    words: Words,
    problem: Rankable,
    backend: str,
    w: np.ndarray | None,
    given: Callable[[Kernel], Any],
    *,
    once: bool = False,
) -> tuple[Kernel, Any, dict[str, str]]:
    """Return the cheapest row that takes a problem and its weights, these as it wants them, and refusals."""
    backend = dispatch.current_backend(backend, words.op)
    refusals: dict[str, str] = {}
    for row in dispatch.rank(problem, backend):
        try:
            prepare = (once and row.once) or row.prepare
            return row, prepare(given(row), w), refusals
        except Refusal as reason:
            refusals[row.name] = str(reason)
    raise dispatch.cannot(problem, backend, refusals)


def explain(problem: ConvProblem | PoolProblem | Plan) -> str:
    """Say which kernels could compute a problem, at what predicted cost, or why they cannot.

    Parameters
    ----------
    problem : Plan, ConvProblem or PoolProblem
        What `plan_conv` and its kin return, or a plan's ``problem``.

    Returns
    -------
    str
        The problem in one line, then a line for each kernel, the one that would run first.

    Raises
    ------
    TypeError : `problem` is neither.

    Examples
    --------
    >>> plan = fastconv.plan_conv((1, 5, 7, 2), np.ones((3, 2, 2, 4)), backend="naive")
    >>> print(fastconv.explain(plan))  # doctest: +ELLIPSIS
    conv n1 g1 ic2 oc4 i5x7 k3x2 s1x1 d1x1 p0+0x0+0 float64
      ...
    planned: naive:conv
    """
    if isinstance(problem, Plan):
        table = dispatch.explain_problem(problem.problem, problem.refusals)
        return f"{table}\nplanned: {problem.kernel.name}"
    if not isinstance(problem, (ConvProblem, PoolProblem)):
        raise TypeError(f"explain: `problem` must be a plan or a plan's problem; got {problem!r}")
    return dispatch.explain_problem(problem, {})


def _in_layout(axes: tuple[int, ...], canonical: tuple[int, ...]) -> tuple[int, ...]:
    """Shape, with a face's axes, of an array whose canonical shape is given."""
    return tuple(size for _, size in sorted(zip(axes, canonical, strict=True)))


def _left_over(problem: Any, row: Kernel, activation: Any) -> Callable[[np.ndarray], np.ndarray] | None:
    """Return the activation as a function, if the kernel does not apply it itself."""
    if callable(activation):
        return activation
    name = getattr(problem, "activation", "linear")
    return None if name in row.fuses else FUNCTIONS[name]


def _without_activation(problem: Any) -> Any:
    """Return what a kernel computes that leaves the activation: unrounded, so that it rounds once."""
    return replace(problem, activation="linear", y_dtype=problem.acc_dtype)
