"""What stands in for JAX while Keras' NumPy backend is imported where JAX is not installed.

The backend imports ``jax`` and ``jax.lax``, to call them in functions that `install` replaces, and two
Fourier transforms from Keras' JAX backend, which stay. Stand-ins are in `sys.modules` during that import
alone, so that nobody who looks for JAX later takes them for it.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np


class Absent(ModuleType):
    """A module without contents: whoever needs some is told what is missing."""

    def __getattr__(self, name: str) -> Any:
        """Refuse, in the way that suits whoever asks: Python itself asks for names like ``__path__``."""
        if name.startswith("__"):
            raise AttributeError(name)
        raise ModuleNotFoundError(
            f"{self.__name__}.{name} must be there for this; JAX is not installed, and Keras was imported "
            "without it by fastconv.integrations.keras.install()",
            name="jax",
        )


@contextmanager
def jax_or_standins() -> Iterator[None]:
    """Let Keras' NumPy backend be imported in this context, with JAX or without."""
    if importlib.util.find_spec("jax") is not None:
        yield
        return
    modules = _standins()
    before = {name: sys.modules[name] for name in modules if name in sys.modules}
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name in modules:
            sys.modules.pop(name, None)
        sys.modules.update(before)


def _standins() -> dict[str, ModuleType]:
    """Make the modules, by the names under which they are imported."""
    jax: Any = Absent("jax")
    jax.lax = Absent("jax.lax")
    jax.monitoring = ModuleType("jax.monitoring")  # Keras gives it a function if it has none
    math: Any = ModuleType("fft")
    math.fft, math.fft2 = fft, fft2
    # The transforms are in the one place up to Keras 3.15, in the other where backends have a folder of ops.
    places = "keras.src.backend.jax.math", "keras.src.backend.jax.ops.math"
    return {"jax": jax, "jax.lax": jax.lax, "jax.monitoring": jax.monitoring, **dict.fromkeys(places, math)}


def fft(x):
    """Transform the last axis of a pair of arrays, a number's real and imaginary part."""
    return _parts(np.fft.fft(_complex(x)))


def fft2(x):
    """Transform the last two axes of a pair of arrays, a number's real and imaginary part."""
    return _parts(np.fft.fft2(_complex(x)))


def _complex(x) -> np.ndarray:
    """Join real and imaginary parts; the messages are Keras'."""
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        raise ValueError(f"Input `x` should be a tuple of two tensors - real and imaginary. Received: x={x}")
    real, imag = map(np.asarray, x)
    if real.shape != imag.shape:
        raise ValueError(
            "Input `x` should be a tuple of two tensors - real and imaginary. Both the real and imaginary "
            "parts should have the same shape. "
            f"Received: x[0].shape = {real.shape}, x[1].shape = {imag.shape}"
        )
    if real.dtype.kind != "f" or imag.dtype.kind != "f":
        raise ValueError(f"At least one tensor in input `x` is not of type float. Received: x={x}.")
    return real + 1j * imag


def _parts(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split complex numbers."""
    return np.real(x), np.imag(x)
