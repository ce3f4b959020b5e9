"""Inputs that may lack a batch: they get one on the way in, and results lose it on the way out."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.problem import Words, checked_array
from fastconv.problem.functional import batched, check_dtype


def with_batch(words: Words, rank: int, input: Any) -> tuple[np.ndarray, bool]:
    """View an input of `rank` spatial axes with a batch; say whether it had one."""
    given = input if type(input) is np.ndarray else checked_array(words, words.x, input)
    x = batched(words, rank, given)
    return x, x is given


def checked_batch(words: Words, rank: int, input: Any) -> tuple[np.ndarray, bool]:
    """Do the same for what no problem is stated of, which would check the dtype."""
    x, has_batch = with_batch(words, rank, checked_array(words, words.x, input))
    check_dtype(words, x.dtype)
    return x, has_batch


def as_given(y: Any, has_batch: bool) -> Any:
    """Take the batch from a result, or from a pair of them, if the input had none."""
    if has_batch:
        return y
    return tuple(each[0] for each in y) if isinstance(y, tuple) else y[0]
