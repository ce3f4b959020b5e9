"""Rows of the table that compute nothing, for tests of how rows are chosen."""

from fastconv.kernel import Kernel, Refusal
from fastconv.problem import ConvProblem


def row(name, *, cost=1e-9, reason=None, refusal=None, value=0.0, kind=ConvProblem, **more):
    """Make a row that writes `value`, rejects for `reason`, and refuses weights for `refusal`."""

    def prepare(_problem, w):
        if refusal:
            raise Refusal(refusal)
        return w

    def run(_problem, _x, _prepared, _bias, y):
        y[...] = value

    return Kernel(
        **{
            "name": name,
            "problem": kind,
            "rejects": lambda _problem: reason,
            "cost": lambda _problem: cost,
            "run": run,
            "prepare": prepare,
            **more,
        }
    )
