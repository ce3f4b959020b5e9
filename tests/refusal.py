"""Calls that are right, for tests that make them wrong, and the check that they are refused."""

import re

import numpy as np
import pytest

import fastconv

X = np.zeros((2, 9, 11, 3), np.float32)  # inputs
W = np.zeros((3, 2, 3, 5), np.float32)  # kernel
D = np.zeros((3, 2, 3, 4), np.float32)  # depthwise kernel
P = np.zeros((1, 1, 12, 5), np.float32)  # pointwise kernel
T = np.zeros((3, 2, 5, 3), np.float32)  # transposed kernel

CONVS = {"conv": (X, W), "depthwise_conv": (X, D), "separable_conv": (X, D, P), "conv_transpose": (X, T)}
POOLS = {"max_pool": (X, 2), "min_pool": (X, 2), "average_pool": (X, 2), "pool": (X, 2), "windows": (X, 2)}
ADAPTIVE = {"adaptive_max_pool": (X, 2), "adaptive_average_pool": (X, 2)}
PLANS = {"plan_conv": (X.shape, W), "plan_conv_transpose": (X.shape, T), "plan_pool": (X.shape, 2)}
OPS = {**CONVS, **POOLS, **ADAPTIVE}


def pattern(text: str) -> str:
    """Match `text` as it stands, but for "..." which is anything."""
    return re.escape(text).replace(re.escape("..."), ".*")


def refuses(error, text, op, *args, **options):
    """Check that a call is refused in one sentence: its name, then what `text` says, to the end."""
    with pytest.raises(error, match=f"{pattern(text)}$") as caught:
        getattr(fastconv, op)(*args, **options)
    assert str(caught.value).startswith(f"{op}: ")
    assert "\n" not in str(caught.value)
