"""Activations on NumPy arrays, by the names and definitions of ``keras.activations``.

Each takes a float array and gives a new one, or the same one where nothing changes, in the same
dtype. relu and its kin also take integers. All let NaN through.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Array = np.ndarray

quiet = np.errstate(all="ignore")  # NaN and infinity are numbers like others


@quiet
def linear(x: Array) -> Array:
    """Return ``x``."""
    return x


@quiet
def relu(x: Array) -> Array:
    """Return ``max(x, 0)``."""
    return np.maximum(x, x.dtype.type(0))


@quiet
def relu6(x: Array) -> Array:
    """Return ``min(max(x, 0), 6)``."""
    return np.minimum(relu(x), x.dtype.type(6))


@quiet
def leaky_relu(x: Array, negative_slope: float = 0.2) -> Array:
    """Return ``x`` where it is positive, `negative_slope` times it elsewhere."""
    return np.where(x >= 0, x, x.dtype.type(negative_slope) * x)


@quiet
def elu(x: Array, alpha: float = 1.0) -> Array:
    """Return ``x`` where it is positive, ``alpha * (exp(x) - 1)`` elsewhere."""
    return np.where(x >= 0, x, x.dtype.type(alpha) * np.expm1(np.minimum(x, x.dtype.type(0))))


@quiet
def softplus(x: Array) -> Array:
    """Return ``log(1 + exp(x))``."""
    return np.logaddexp(x, x.dtype.type(0))


@quiet
def sigmoid(x: Array) -> Array:
    """Return ``1 / (1 + exp(-x))``, by way of exp of a negative number so as not to overflow."""
    one = x.dtype.type(1)
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, one, small) / (one + small)


@quiet
def tanh(x: Array) -> Array:
    """Return the hyperbolic tangent."""
    return np.tanh(x)


@quiet
def silu(x: Array) -> Array:
    """Return ``x * sigmoid(x)``."""
    return x * sigmoid(x)


@quiet
def gelu(x: Array) -> Array:
    """Return ``x * (1 + erf(x / sqrt(2))) / 2``: the exact one, Keras' default."""
    wide = x.astype(np.float64, copy=False)
    tail = erfc(np.abs(wide) * np.sqrt(0.5)) / 2  # of the normal distribution, beyond |x|
    return (wide * np.where(wide >= 0, 1 - tail, tail)).astype(x.dtype, copy=False)


@quiet
def hard_sigmoid(x: Array) -> Array:
    """Return ``min(max(x / 6 + 1/2, 0), 1)``."""
    return np.clip(x / x.dtype.type(6) + x.dtype.type(0.5), x.dtype.type(0), x.dtype.type(1))


@quiet
def hard_silu(x: Array) -> Array:
    """Return ``x * hard_sigmoid(x)``."""
    return x * hard_sigmoid(x)


def _polynomial(coefficients: str) -> np.ndarray:
    """Read coefficients, the highest power's first."""
    return np.array(coefficients.split(), np.float64)


# Near zero, erf is x and x times the ratio of two polynomials in x^2; farther out, erfc is exp(-x^2) times
# one in x; beyond that, exp(-x^2) / x times 1 / sqrt(pi) less one in 1 / x^2.
# W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23 (1969), whose first
# numerator is here less its denominator.
_NEAR = (
    _polynomial(
        "-0.814222293815396847 -20.44016720847355530 -130.160483783394017 "
        "-905.131288392070259 365.14075569929885"
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
_TAIL = (
    _polynomial(
        "1.63153871373020978e-2 3.05326634961232344e-1 3.60344899949804439e-1 1.25781726111229246e-1 "
        "1.60837851487422766e-2 6.58749161529837803e-4"
    ),
    _polynomial(
        "1 2.56852019228982242e0 1.87295284992346725e0 5.27905102951428412e-1 6.05183413124413191e-2 "
        "2.33520497626869185e-3"
    ),
)
_FROM_FAR, _FROM_TAIL = 0.46875, 4.0


def _ratio(polynomials: tuple[Array, Array], x: Array) -> Array:
    """Divide one polynomial by another."""
    return np.polyval(polynomials[0], x) / np.polyval(polynomials[1], x)


def erf(x: Array) -> Array:
    """Return the error function of float64 numbers, to about one unit in the last place."""
    size = np.abs(x)
    return np.copysign(np.where(size <= _FROM_FAR, _erf_near(size), 1 - erfc(size)), x)


def erfc(x: Array) -> Array:
    """Return 1 - erf of float64 numbers that are not negative, with all the digits of small results."""
    tail, inverse = np.maximum(x, _FROM_TAIL), np.maximum(x, _FROM_TAIL) ** -2.0
    beyond = (1 / np.sqrt(np.pi) - inverse * _ratio(_TAIL, inverse)) / tail
    far = np.where(x <= _FROM_TAIL, _ratio(_FAR, np.minimum(x, _FROM_TAIL)), beyond)
    return np.where(x <= _FROM_FAR, 1 - _erf_near(x), np.exp(-x * x) * far)


def _erf_near(x: Array) -> Array:
    """Return erf of numbers between 0 and `_FROM_FAR`; of others, anything."""
    return x + x * _ratio(_NEAR, np.minimum(x, _FROM_FAR) ** 2)


FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    function.__name__: function
    for function in (
        *(linear, relu, relu6, leaky_relu, elu, softplus, sigmoid, tanh),
        *(silu, gelu, hard_sigmoid, hard_silu),
    )
}
