"""``fastconv.functional`` equals ``torch.nn.functional``: values, indices, dtypes and shapes.

Sums of small integers are exact and each mean is one division, so floats are compared to the last bit. Only
means of adaptive windows, which PyTorch divides axis by axis, roots and powers, which libraries compute to a
few units in the last place, and real numbers are compared within a bound.
"""

from __future__ import annotations

import inspect
import math
import re
import warnings

import numpy as np
import pytest

from fastconv import functional

from .compare import assert_agreement, grouped
from .torch_arrangements import DRAWN, FAMILIES

pytestmark = pytest.mark.parity

ALL = [call for family in FAMILIES.values() for call in family]
MEANS = [call for call in ALL if call.op.startswith("adaptive_avg_pool")]
OTHERS = (*MEANS, *FAMILIES["lp_pool"], *FAMILIES["unpool"])
EXACT = [call for call in ALL if call not in set(OTHERS)]


def test_at_least_3000_different_calls_of_every_function():
    assert len(set(map(str, ALL))) == len(ALL) >= 3000
    assert {call.op for call in ALL} == set(functional.__all__)


@pytest.mark.parametrize("family", FAMILIES)
def test_calls_are_drawn_the_same_again_and_no_axis_is_like_another(family):
    assert tuple(DRAWN[family]()) == FAMILIES[family]
    for call in FAMILIES[family]:
        if call.op not in ("fold", "pad"):  # whose names or shapes do not tell
            i = call.shapes[0][-call.rank :]
            assert len(set(i)) == len(i), call


def signature(function) -> list[str]:
    """Name a function's parameters and defaults; where Python does not know them, as its description does."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:
        parameters = ()
    if all(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters):
        first = re.search(r"\w+\((.*?)\)", function.__doc__)
        return first[1].split(", ")
    required = inspect.Parameter.empty
    return [p.name if p.default is required else f"{p.name}={p.default!r}" for p in parameters]


@pytest.mark.parametrize("name", functional.__all__)
def test_signatures(name, torch):
    theirs = signature(getattr(torch.nn.functional, name))

    assert signature(getattr(functional, name)) == [each.replace('"', "'") for each in theirs]


def by_torch(torch):
    """Answer calls by PyTorch."""

    def answer(call, *arrays):
        given = [torch.from_numpy(array) for array in arrays]
        named = {n: torch.from_numpy(v) if isinstance(v, np.ndarray) else v for n, v in call.named().items()}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of "same" and windows of even size, which cost a copy
            y = getattr(torch.nn.functional, call.op)(*given, *call.args, **named)
        return tuple(each.numpy() for each in y) if isinstance(y, tuple) else y.numpy()

    return answer


def ours(call, *arrays):
    return getattr(functional, call.op)(*arrays, *call.args, **call.named())


def equal(_call, y, answer):
    pairs = zip(y, answer, strict=True) if isinstance(answer, tuple) else [(y, answer)]
    for one, other in pairs:
        np.testing.assert_array_equal(one, other, strict=True)


@pytest.mark.parametrize("calls", grouped(EXACT))
def test_results(calls, torch):
    arrays = [call.arrays() for call in calls]

    assert_agreement(None, calls, arrays, ours, peers=dict(torch=by_torch(torch)), equal=equal)


@pytest.mark.parametrize("calls", grouped(MEANS))
def test_means_of_adaptive_windows(calls, torch):
    arrays = [call.arrays() for call in calls]

    assert_agreement(None, calls, arrays, ours, peers=dict(torch=by_torch(torch)), equal=within_divisions)


REAL = [call for name in ("conv", "conv_transpose", "avg_pool") for call in FAMILIES[name]]
REAL = [call for call in REAL if call.dtype != "int64"][::3]


@pytest.mark.parametrize("calls", grouped(REAL))
def test_rounding(calls, torch):
    """As in `test_rounding`: sums of m terms, in any order, are within ``2 gamma`` of each other."""

    def normal(call):
        rng = np.random.default_rng(call.seed)
        return [rng.standard_normal(array.shape).astype(array.dtype) for array in call.arrays()]

    answer = by_torch(torch)

    def theirs(call, *arrays):
        return answer(call, *arrays), answer(call, *map(np.abs, arrays))

    arrays = [normal(call) for call in calls]

    assert_agreement(None, calls, arrays, ours, peers=dict(torch=theirs), equal=within_rounding)


def terms(call) -> int:
    """Count the elements or products of a sum."""
    if len(call.shapes) == 1:
        return call.taps
    first, second, *k = call.shapes[1]
    channels = first // dict(call.options)["groups"] if "transpose" in call.op else second
    return channels * math.prod(k)


def within_rounding(call, y, answer):
    """Compare relative to sums of absolute values, of products and bias, which are rounded as often."""
    theirs, magnitude = answer
    mu = (terms(call) + 1) * np.finfo(y.dtype).eps / 2
    excess = np.abs(y - theirs) - 2 * mu / (1 - mu) * np.abs(magnitude) / (1 - mu / (1 - mu))
    np.testing.assert_array_less(excess, np.finfo(y.dtype).tiny)
    assert y.dtype == theirs.dtype


def within_divisions(call, y, answer):
    """Compare exact sums that were divided once, and once an axis or by way of a reciprocal."""
    u = np.finfo(y.dtype).eps / 2
    np.testing.assert_allclose(y, answer, rtol=(call.rank + 3) * u, atol=0, strict=True)


@pytest.mark.parametrize("calls", grouped(FAMILIES["unpool"]))
def test_unpooling_of_what_pooling_found(calls, torch):
    def pooled(call):
        options = {name: value for name, value in call.options if name != "output_size"}
        pool = getattr(torch.nn.functional, f"max_pool{call.rank}d")
        (x,) = call.arrays()
        values, positions = pool(torch.from_numpy(x), *call.args, return_indices=True, **options)
        return values.numpy(), positions.numpy()

    arrays = [pooled(call) for call in calls]

    assert_agreement(None, calls, arrays, ours, peers=dict(torch=by_torch(torch)), equal=equal)


@pytest.mark.parametrize("calls", grouped(FAMILIES["lp_pool"]))
def test_power_means(calls, torch):
    arrays = [call.arrays() for call in calls]

    assert_agreement(None, calls, arrays, ours, peers=dict(torch=by_torch(torch)), equal=within_powers)


POWER = 4  # units in the last place that a library's power may be off


def within_powers(call, y, answer):
    """Compare power means of numbers that are no NaN only where none of a window's powers are negative.

    Powers of either library are off by `POWER` units, their mean of m terms and the product by m + 2 more,
    and a root takes a p-th of a relative error and is off by itself.
    """
    assert y.dtype == answer.dtype
    p, u = call.args[0], np.finfo(y.dtype).eps / 2 if y.dtype.kind == "f" else 0
    if math.isinf(p):
        np.testing.assert_array_equal(y, answer, strict=True)
        return
    bound = 2 * ((2 * POWER + call.taps + 2) / p + 2 * POWER) * u
    np.testing.assert_allclose(y, answer, rtol=bound, atol=0, equal_nan=True, strict=True)
