"""Rows of the table that compute nothing, for tests of how rows are chosen; and what rows may be given."""

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


def weights_for(row, p, w):
    """Return the weights if `row` takes them, else filters that are each a column times a row of them."""
    try:
        row.prepare(p, w)
    except Refusal:
        return w[..., :, :1, :, :] * w[..., :1, :, :, :]
    return w
