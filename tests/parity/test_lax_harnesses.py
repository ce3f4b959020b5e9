"""The harnesses that ship in JAX's wheel, as many as there are in jax 0.10.2."""

import importlib
import inspect
import warnings

import numpy as np
import pytest

from fastconv import lax

pytestmark = pytest.mark.parity


@pytest.fixture(scope="module")
def harnesses(jax):  # noqa: ARG001 (64-bit types must be on when they are defined)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("jax._src.internal_test_util.test_harnesses").all_harnesses


def arguments(harness):
    """Return the harness' arguments by name, those of JAX's own types as ours."""
    drawn = harness.args_maker(np.random.RandomState(0))  # they ask for one
    given = inspect.signature(harness.fun).bind(*drawn).arguments
    if given.get("precision") is not None:
        given["precision"] = lax.Precision[given["precision"].name]
    if "computation" in given:
        given["computation"] = getattr(lax, given["computation"].__name__)
    return given


def answer(jax, harness):
    return jax.device_get(harness.dyn_fun(*harness.dyn_args_maker(np.random.RandomState(0))))


def magnitude(function, given, arrays):
    """Compute with the sizes of numbers, in float64."""
    sizes = {name: np.abs(np.asarray(given[name], np.complex128)) for name in arrays}
    return function(**given | sizes | dict.fromkeys({"preferred_element_type"} & set(given)))


def unit(dtype):
    """Return the unit roundoff of a float's parts."""
    if dtype.name == "bfloat16":
        return 2.0**-8
    return np.finfo(dtype).eps / 2


def assert_close(y, theirs, given, steps, size):
    """Compare what both have rounded at most at every one of their steps."""
    np.testing.assert_equal((y.shape, y.dtype), (theirs.shape, theirs.dtype))
    if y.dtype.kind in "biu" or steps == 0:
        np.testing.assert_array_equal(y, theirs)
        return
    u, wide = unit(y.dtype), np.float64
    if y.dtype.kind == "c":  # JAX has three products for one, of sums that it takes in the arrays' dtype
        u, wide = 4 * unit(given.dtype), np.complex128
    np.testing.assert_array_less(np.abs(y.astype(wide) - theirs.astype(wide)), 2 * steps * u * size + 1e-300)


def test_convolutions(harnesses, jax):
    found = [h for h in harnesses if h.group_name == "conv_general_dilated"]
    assert len(found) == 132
    for harness in found:
        given = arguments(harness)
        y = lax.conv_general_dilated(**given)
        size = magnitude(lax.conv_general_dilated, given, ("lhs", "rhs"))
        assert_close(y, answer(jax, harness), given["rhs"], given["rhs"].size + 1, size)


def test_reductions(harnesses, jax):
    found = [h for h in harnesses if h.group_name.startswith("reduce_window")]
    assert len(found) == 187
    for harness in found:
        given = arguments(harness)
        y = lax.reduce_window(**given)
        rounds = given["computation"] in (lax.add, lax.mul)
        size = magnitude(lax.reduce_window, given, ("operand", "init_value")) if rounds else 0
        steps = rounds * (np.prod(given["window_dimensions"]) + 1)
        assert_close(y, answer(jax, harness), given["operand"], steps, size)
