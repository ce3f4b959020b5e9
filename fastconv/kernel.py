"""One row of the dispatch table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class Refusal(Exception):  # noqa: N818 (no error: the plan goes on)
    """What `prepare` raises, with the reason, where the values of the weights rule a row out."""


def no_preparation(_problem: Any, w: Any) -> Any:
    """Use the weights as they come."""
    return w


@dataclass(frozen=True, slots=True)
class Kernel:
    """One way of computing one kind of problem.

    `run` gets arrays that the problem describes, of any strides, in the problem's memory order, and
    writes all of ``y``; it adds `bias`, which is contiguous, and applies the problem's activation if it is
    in `fuses` (any other the plan applies afterwards). Pooling has neither weights nor bias: both are None.
    """

    name: str  # "backend:variant"
    problem: type  # ConvProblem, PoolProblem or FoldProblem
    rejects: Callable[[Any], str | None]  # problem -> why this row cannot, or None
    cost: Callable[[Any], float]  # problem -> predicted seconds, from the module's `costs`; never 0
    run: Callable[..., None]  # (problem, x, prepared, bias, y)
    prepare: Callable[[Any, Any], Any] = no_preparation  # (problem, w) -> prepared, or Refusal
    once: Callable[[Any, Any], Any] | None = None  # `prepare` for one call: it may keep the weights
    # (problem, x, prepared, bias, y, (x, w, bias, y) as a caller has them) -> ``bound(x, w, bias, y)`` for
    # arrays that differ from those in place alone, which returns whether they do; or None.
    bind: Callable[..., Callable[..., bool] | None] | None = None
    exact: bool = True  # sums in any order, within Higham's bound; False: within `error`, and no integers
    error: Callable[..., Any] | None = None  # (problem, |x| conv |w|, x, w) -> bound of |y - exact|
    fuses: frozenset[str] = frozenset({"linear"})  # activations that `run` applies
    asked: bool = False  # only for who names it, or "fast": its error goes by more than what it sums

    @property
    def backend(self) -> str:
        """The part of the name before the colon."""
        return self.name.partition(":")[0]
