"""``fastconv.lax`` equals ``jax.lax``: convolutions, patches and reductions over windows, to the last bit."""

import numpy as np
import pytest

from fastconv import dispatch, lax

from .compare import assert_agreement, grouped
from .lax_calls import CONVOLUTIONS
from .lax_reductions import REDUCTIONS

pytestmark = pytest.mark.parity


@pytest.mark.parametrize("calls", grouped(CONVOLUTIONS))
def test_convolutions(calls, jax):
    assert_agreement(
        jax,
        calls,
        [call.arrays() for call in calls],
        lambda call, *arrays: answer(lax, call, arrays),
        peers=dict(lax=lambda call, *arrays: answer(jax.lax, call, arrays)),
    )


def answer(module, call, arrays):
    """Call one of the two; axes as dimension numbers have a type of its own."""
    options, numbers = dict(call.options), call.options.get("dimension_numbers")
    if numbers is not None and not isinstance(numbers[0], str):
        options["dimension_numbers"] = module.ConvDimensionNumbers(*numbers)
    return getattr(module, call.function)(*arrays, **options)


@pytest.mark.parametrize("calls", grouped(REDUCTIONS))
def test_reductions(calls, jax):
    assert_agreement(
        jax,
        calls,
        [call.arrays() for call in calls],
        ours,
        peers=dict(lax=lambda call, x: reduced(jax.lax, call, x)),
    )


FLOATING = [call for call in REDUCTIONS if call.dtype in ("float16", "float32", "float64")]


@pytest.mark.parametrize("calls", grouped(FLOATING[::2]))
def test_reductions_of_nan_and_infinity(calls, jax):
    assert_agreement(
        jax,
        calls,
        [special(call) for call in calls],
        ours,
        peers=dict(lax=lambda call, x: reduced(jax.lax, call, x)),
    )


def special(call):
    """Draw integers, every fourth of which becomes a NaN or an infinity."""
    (x,) = call.arrays()
    x.flat[::4] = np.resize([np.nan, np.inf, -np.inf], -(-x.size // 4))
    return (x,)


def ours(call, x):
    """Reduce by ours; of what takes seconds to compile for each dtype, one stands for all."""
    if dispatch.wanted_backend("auto") == "numba" and call.dtype != "float32":
        raise NotImplementedError
    return reduced(lax, call, x)


def reduced(module, call, x):
    """Reduce by one of the two; a computation is of its own."""
    options = dict(call.options)
    computation, init = options.pop("computation"), options.pop("init")
    if isinstance(computation, str):
        computation = getattr(module, computation)
    return module.reduce_window(x, init, computation, **options)
