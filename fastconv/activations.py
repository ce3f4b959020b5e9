"""Activations on NumPy arrays, by the names and definitions of ``keras.activations``.

Each takes a float array and gives a new one, or the same one where nothing changes, in the same
dtype. relu and its kin also take integers. All let NaN through.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Array = np.ndarray


def linear(x: Array) -> Array:
    """Return ``x``."""
    return x


def relu(x: Array) -> Array:
    """Return ``max(x, 0)``."""
    return np.maximum(x, x.dtype.type(0))


def relu6(x: Array) -> Array:
    """Return ``min(max(x, 0), 6)``."""
    return np.minimum(relu(x), x.dtype.type(6))


def leaky_relu(x: Array, negative_slope: float = 0.2) -> Array:
    """Return ``x`` where it is positive, `negative_slope` times it elsewhere."""
    return np.where(x >= 0, x, x.dtype.type(negative_slope) * x)


def elu(x: Array, alpha: float = 1.0) -> Array:
    """Return ``x`` where it is positive, ``alpha * (exp(x) - 1)`` elsewhere."""
    return np.where(x >= 0, x, x.dtype.type(alpha) * np.expm1(np.minimum(x, x.dtype.type(0))))


def softplus(x: Array) -> Array:
    """Return ``log(1 + exp(x))``."""
    return np.logaddexp(x, x.dtype.type(0))


def sigmoid(x: Array) -> Array:
    """Return ``1 / (1 + exp(-x))``, by way of exp of a negative number so as not to overflow."""
    one = x.dtype.type(1)
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, one, small) / (one + small)


def tanh(x: Array) -> Array:
    """Return the hyperbolic tangent."""
    return np.tanh(x)


def silu(x: Array) -> Array:
    """Return ``x * sigmoid(x)``."""
    return x * sigmoid(x)


def gelu(x: Array) -> Array:
    """Return ``x * (1 + erf(x / sqrt(2))) / 2``: the exact one, Keras' default."""
    half = x.dtype.type(0.5)
    return x * (half + half * erf(x * x.dtype.type(np.sqrt(0.5))))


def hard_sigmoid(x: Array) -> Array:
    """Return ``min(max(x / 6 + 1/2, 0), 1)``."""
    return np.clip(x / x.dtype.type(6) + x.dtype.type(0.5), x.dtype.type(0), x.dtype.type(1))


def hard_silu(x: Array) -> Array:
    """Return ``x * hard_sigmoid(x)``."""
    return x * hard_sigmoid(x)


def _polynomial(coefficients: str) -> np.ndarray:
    """Read coefficients, the highest power's first."""
    return np.array(coefficients.split(), np.float64)


# erf near zero is x times the ratio of two polynomials in x^2; erfc farther out, exp(-x^2) times one in x.
# W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23 (1969).
_NEAR = (
    _polynomial(
        "1.85777706184603153e-1 3.16112374387056560e0 1.13864154151050156e2 "
        "3.77485237685302021e2 3.20937758913846947e3"
    ),
    _polynomial("1 2.36012909523441209e1 2.44024637934444173e2 1.28261652607737228e3 2.84423683343917062e3"),
)
_FAR = (
    _polynomial(
        "2.15311535474403846e-8 5.64188496988670089e-1 8.88314979438837594e0 6.61191906371416295e1 "
        "2.98635138197400131e2 8.81952221241769090e2 1.71204761263407058e3 2.05107837782607147e3 "
        "1.23033935479799725e3"
    ),
    _polynomial(
        "1 1.57449261107098347e1 1.17693950891312499e2 5.37181101862009858e2 1.62138957456669019e3 "
        "3.29079923573345963e3 4.36261909014324716e3 3.43936767414372164e3 1.23033935480374942e3"
    ),
)
_NEAR_END, _FAR_END = 0.46875, 6.0  # beyond, erf is 1 to the last bit of a float64


def erf(x: Array) -> Array:
    """Return the error function, to about one unit in the last place of a float64."""
    size = np.minimum(np.abs(x.astype(np.float64, copy=False)), _FAR_END)
    square = np.minimum(size, _NEAR_END) ** 2
    near = size * np.polyval(_NEAR[0], square) / np.polyval(_NEAR[1], square)
    far = 1 - np.exp(-size * size) * np.polyval(_FAR[0], size) / np.polyval(_FAR[1], size)
    return np.copysign(np.where(size <= _NEAR_END, near, far), x).astype(x.dtype, copy=False)


FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    function.__name__: function
    for function in (
        *(linear, relu, relu6, leaky_relu, elu, softplus, sigmoid, tanh),
        *(silu, gelu, hard_sigmoid, hard_silu),
    )
}
