"""What Keras' models do between convolutions, without the copies that its NumPy backend makes.

Keras converts every operand of these functions to an array, which copies it even where it is one, and each
step of a formula makes another. The functions here take the same steps, in the same order, in the memory of
their result; numbers are the same to the last bit. But `matmul` has BLAS sum in an order of its own, and
`gelu` by erf, most of the time of a network that has it, is compiled code where there is Numba: closer to the
exact result than Keras', it is within ``2**-23 * abs(x)`` of it.
They do so for float32, which most models are made of. Anything else, Keras' own functions get.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import Any

import keras
import numpy as np

from fastconv import dispatch

FLOAT32 = np.dtype(np.float32)
PLAIN = {int, float, bool, type(None)}


def batch_normalization(x, mean, variance, axis, offset=None, scale=None, epsilon=1e-3):
    """Shift and scale each channel to given statistics."""
    shape = [1] * x.ndim
    shape[axis] = -1
    factor = 1.0 / np.sqrt(variance + epsilon)
    if scale is not None:
        factor = factor * scale
    shift = -mean * factor
    if offset is not None:
        shift = shift + offset
    y = np.multiply(x, factor.reshape(shape))
    return np.add(y, shift.reshape(shape), out=y)


def relu(x):
    """Return ``max(x, 0)``."""
    return np.maximum(x, x.dtype.type(0))


def relu6(x):
    """Return ``min(max(x, 0), 6)``."""
    y = relu(x)
    return np.minimum(y, x.dtype.type(6), out=y)


def sigmoid(x):
    """Return ``1 / (1 + exp(-x))``."""
    one = x.dtype.type(1)
    y = np.negative(x)
    np.exp(y, out=y)
    np.add(one, y, out=y)
    return np.divide(one, y, out=y)


def silu(x):
    """Return ``x * sigmoid(x)``."""
    y = sigmoid(x)
    return np.multiply(x, y, out=y)


def gelu(x, approximate=True):
    """Return x times the normal distribution's probability of less, or an approximation of it by tanh."""
    if not approximate:
        return _exact_gelu()(x)
    half, one = x.dtype.type(0.5), x.dtype.type(1)
    y = x**3
    y *= x.dtype.type(0.044715)
    y += x
    y *= np.sqrt(2 / np.pi).astype(x.dtype)
    np.tanh(y, out=y)
    y += one
    y *= half
    return np.multiply(x, y, out=y)


def _exact_gelu() -> Callable[[np.ndarray], np.ndarray]:
    """Choose how to compute, by the backend that convolutions are to have."""
    wanted = dispatch.wanted_backend("auto").partition(":")[0]
    return (wanted in (*dispatch.EVERY, "numba") and _compiled_gelu()) or _gelu_by_scipy


@cache
def _compiled_gelu() -> Callable[[np.ndarray], np.ndarray] | None:
    """Return what Numba compiles, if it may."""
    try:
        from fastconv.backends.numba import gelu, jit
    except ImportError:
        return None
    return None if jit.OFF else gelu.gelu


def _gelu_by_scipy(x: np.ndarray) -> np.ndarray:
    """Take Keras' steps."""
    from scipy.special import erf  # as late as in Keras

    y = x / np.sqrt(2).astype(x.dtype)
    erf(y, out=y)
    y += x.dtype.type(1)
    y *= x
    return np.multiply(y, x.dtype.type(0.5), out=y)


def add(x1, x2):
    """Return the sum of two arrays."""
    return np.add(x1, x2)


def subtract(x1, x2):
    """Return the difference of two arrays."""
    return np.subtract(x1, x2)


def multiply(x1, x2):
    """Return the product of two arrays, element by element."""
    return np.multiply(x1, x2)


def matmul(x1, x2):
    """Return the product of matrices, or of stacks of them; a stack times a matrix in one piece."""
    if x2.ndim == 2 and x1.ndim > 2 and x1.flags.c_contiguous:
        return np.matmul(x1.reshape(-1, x1.shape[-1]), x2).reshape(*x1.shape[:-1], x2.shape[-1])
    return np.matmul(x1, x2)


# By the module of Keras' NumPy backend they are in.
FUNCTIONS = {
    "nn": (batch_normalization, relu, relu6, sigmoid, silu, gelu),
    "numpy": (add, subtract, multiply, matmul),
}


def of_arrays(ours: Callable, theirs: Callable) -> Callable:
    """Compute arrays of float32, and numbers beside them, with `ours`; all else with `theirs`."""

    @wraps(theirs)
    def function(*args: Any, **kwargs: Any) -> Any:
        given = [a.value if isinstance(a, keras.Variable) else a for a in args]
        named = {name: a.value if isinstance(a, keras.Variable) else a for name, a in kwargs.items()}
        if _are_plain([*given, *named.values()]):
            return ours(*given, **named)
        return theirs(*args, **kwargs)

    return function


def _are_plain(values: list) -> bool:
    """Whether values are arrays of float32 with axes, at least one, and Python's numbers."""
    arrays = sum(type(a) is np.ndarray and a.dtype == FLOAT32 and a.ndim > 0 for a in values)
    return arrays > 0 and arrays + sum(type(a) in PLAIN for a in values) == len(values)
