"""Functions of a window that Numba compiles, for pools."""

import numpy as np

try:
    from numba import njit
except ImportError:  # as they are, then: pools take any function

    def njit(function):  # or the types that it is for
        return function if callable(function) else njit


@njit
def weighted(window):
    """Tell every order of elements from every other, and how many there are."""
    total = window.size
    for at, element in enumerate(window):
        total += (at + 1) * element
    return total


@njit
def median(window):
    """Call a function of NumPy's that Numba has."""
    return np.median(window)


@njit
def largest(window):
    """Result in the dtype of the window, which in Python is a float of another."""
    return window.max()


@njit
def refusing(window):
    """Raise an exception at some windows."""
    if window[0] > 5:
        raise ValueError("too much")
    return window[0]


@njit("float64(float64[:])")
def of_doubles(window):
    """Take one dtype and no other."""
    return window.sum()


@njit
def unsound(window):
    """Add what cannot be added."""
    return window + "a"


@njit
def no_number(window):
    """Return what is no number."""
    return window


def holding(what):
    """Make a function that adds, and has in its closure itself or a ufunc."""
    add = np.add

    @njit
    def total(seen):
        return seen[0] if len(seen) == 1 else seen[0] + total(seen[1:])

    @njit
    def summed(seen):
        result = seen[0]
        for element in seen[1:]:
            result = add(result, element)
        return result

    return {"itself": total, "a ufunc": summed}[what]
