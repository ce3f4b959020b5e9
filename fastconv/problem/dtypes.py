"""Dtypes: what is computed in what. bfloat16 comes from the package ml_dtypes and is known by its name.

NumPy has no kind for bfloat16 and promotes it with no other float of 16 bits; here it is a float.
"""

from __future__ import annotations

from functools import reduce

import numpy as np

HALVES = ("float16", "bfloat16")


def kind(dtype: np.dtype) -> str:
    """Return NumPy's letter of the kind, "f" of bfloat16 too."""
    return "f" if dtype.name == "bfloat16" else dtype.kind


def accumulator(dtype: np.dtype) -> np.dtype:
    """Dtype that sums of `dtype` are taken in: float32 for floats of 16 bits, which round once."""
    return np.dtype(np.float32) if dtype.name in HALVES else dtype


def promoted(*dtypes: np.dtype) -> np.dtype:
    """Smallest dtype that holds all of them."""
    return reduce(_pair, dtypes)


def _pair(a: np.dtype, b: np.dtype) -> np.dtype:
    mixed = a != b and a.name in HALVES and b.name in HALVES
    return np.dtype(np.float32) if mixed else np.result_type(a, b)
