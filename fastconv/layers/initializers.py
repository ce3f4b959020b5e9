"""Initial weights, by the names and definitions of ``keras.initializers``.

"zeros" and "ones"; and "glorot_uniform", "he_normal" and their kin, which draw numbers of the variance
``scale / fan``, so that the sizes of activations neither grow nor fade from layer to layer:

    glorot  1 / mean(inputs, outputs)     Glorot and Bengio, AISTATS 2010
    he      2 / inputs                    He et al., ICCV 2015
    lecun   1 / inputs                    LeCun et al., "Efficient BackProp", 1998

where inputs and outputs count the channels at every tap of the window.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastconv.problem import Words, check_size, checked_array

FAMILIES = ("glorot", "he", "lecun")
NAMES = ("zeros", "ones", *(f"{family}_{kind}" for family in FAMILIES for kind in ("uniform", "normal")))

# Standard deviation of a standard normal variable cut off at +-2.
_CUT_DEVIATION = 0.87962566103423978


def check_initializer(words: Words, name: str, initializer: Any) -> None:
    """Refuse a string that names no initialiser."""
    if isinstance(initializer, str) and initializer not in NAMES:
        raise ValueError(
            f"{words.op}: `{name}` must be an array, a function of shape and dtype, or one of "
            f"{', '.join(NAMES)}; got {initializer!r}"
        )


def initial(
    words: Words,
    name: str,
    initializer: Any,
    shape: tuple[int, ...],
    dtype: np.dtype,
    rng: np.random.Generator,
) -> np.ndarray:
    """Make a weight: by a name that was checked, by a function of shape and dtype, or as a copy."""
    check_size(words, shape, dtype)
    if isinstance(initializer, str):
        return _named(initializer, shape, dtype, rng)
    array = checked_array(words, name, initializer(shape, dtype) if callable(initializer) else initializer)
    if array.shape != shape:
        raise ValueError(f"{words.op}: `{name}` must give the shape {shape}; got {array.shape}")
    if not np.can_cast(array.dtype, dtype, "same_kind"):
        raise TypeError(f"{words.op}: `{name}` must give real numbers; got {array.dtype} of shape {shape}")
    return array.astype(dtype)


def _named(initializer: str, shape: tuple[int, ...], dtype: np.dtype, rng: np.random.Generator) -> np.ndarray:
    """Make a weight by one of `NAMES`."""
    if initializer in ("zeros", "ones"):
        return np.zeros(shape, dtype) if initializer == "zeros" else np.ones(shape, dtype)
    family, _, kind = initializer.partition("_")
    variance = _variance(family, *_fans(shape))
    drawn = np.result_type(dtype, np.float32)  # generators know no smaller one
    if kind == "uniform":
        w, scale = rng.random(shape, drawn), 2 * math.sqrt(3 * variance)
        w -= 0.5
    else:
        w, scale = _cut_normal(shape, drawn, rng), math.sqrt(variance) / _CUT_DEVIATION
    w *= scale
    with np.errstate(under="ignore"):
        return w.astype(dtype, copy=False)


def _variance(family: str, fan_in: int, fan_out: int) -> float:
    match family:
        case "glorot":
            return 2 / (fan_in + fan_out)
        case "he":
            return 2 / fan_in
        case _:
            return 1 / fan_in


def _fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Count the inputs of an output and the outputs of an input, of weights (*k, in, out)."""
    if len(shape) == 1:
        return shape[0], shape[0]
    taps = math.prod(shape[:-2])
    return taps * shape[-2], taps * shape[-1]


def _cut_normal(shape: tuple[int, ...], dtype: np.dtype, rng: np.random.Generator) -> np.ndarray:
    """Draw standard normal numbers, those beyond +-2 again."""
    x = rng.standard_normal(shape, dtype)
    while (beyond := np.abs(x) > 2).any():
        x[beyond] = rng.standard_normal(np.count_nonzero(beyond), dtype)
    return x
