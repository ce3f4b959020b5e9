"""Keras without JAX: its NumPy backend computes convolutions and pooling with fastconv.

>>> from fastconv.integrations import keras as plugin
>>> plugin.install()  # doctest: +SKIP
>>> import keras  # doctest: +SKIP

``windows`` and ``elementwise`` have what Keras calls from then on; ``standins`` let it be imported where JAX
is not installed. ``python -m fastconv keras SCRIPT`` runs a script that knows nothing of this.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable
from types import ModuleType

from fastconv.integrations.keras.standins import jax_or_standins

BACKEND = "KERAS_BACKEND"
# Where the NumPy backend's modules are, in Keras 3.15 and in what is to follow.
PACKAGES = "keras.src.backend.numpy", "keras.src.backend.numpy.ops"
NEEDED = {
    "keras": "the extra `keras` brings it",
    "scipy": "Keras' NumPy backend computes with it, and the extra `keras` brings it",
}

_replaced: list[tuple[ModuleType, str, Callable]] = []  # functions of Keras' that ours are in the place of
_set_backend = False  # whether the environment is to be put back too


def install() -> None:
    """Have Keras compute with fastconv: before or after it is imported, with JAX or without.

    Keras must be on its NumPy backend. If it is not imported yet, it is now, with ``KERAS_BACKEND=numpy`` in
    the environment, which is set if nothing is. From then on ``keras.ops``, layers and models call fastconv
    for ``conv``, ``depthwise_conv``, ``separable_conv``, ``conv_transpose``, ``max_pool``,
    ``average_pool``, ``adaptive_max_pool``, ``adaptive_average_pool``, ``unfold`` and ``fold``. Functions of
    single elements, such as ``batch_normalization`` and ``relu``, and ``matmul`` give what they gave, and
    copy less; ``gelu`` by erf is rounded otherwise, and no worse. Installing twice is installing once.

    Raises
    ------
    RuntimeError : Keras is on another backend, or not of a version that is known; it is left as it was.
    ModuleNotFoundError : Keras is not installed, or SciPy, which its NumPy backend needs.

    See Also
    --------
    uninstall : give Keras its own functions back.
    """
    if _replaced:
        return
    _import_keras()
    for place, name, function in _replacements():
        _replaced.append((place, name, getattr(place, name)))
        setattr(place, name, function)


def uninstall() -> None:
    """Give Keras its own functions back, and the environment what it had; do nothing if nothing is installed.

    Keras stays imported. Where JAX is not installed, its own functions say so when they are called.
    """
    global _set_backend  # noqa: PLW0603
    while _replaced:
        setattr(*_replaced.pop())
    if _set_backend:
        os.environ.pop(BACKEND, None)
        _set_backend = False


def _import_keras() -> None:
    """Import Keras on its NumPy backend, if it is not imported, and see that this is where it is."""
    global _set_backend  # noqa: PLW0603
    asked = os.environ.get(BACKEND)
    if "keras" not in sys.modules:
        if asked not in (None, "", "numpy"):
            raise RuntimeError(f"install: {BACKEND} must be numpy, or not be set; got {asked!r}")
        for package, why in NEEDED.items():
            if importlib.util.find_spec(package) is None:
                raise ModuleNotFoundError(f"install: {package} must be installed: {why}", name=package)
        if asked != "numpy":
            os.environ[BACKEND] = "numpy"
            _set_backend = True
    with jax_or_standins():
        keras = importlib.import_module("keras")
    if keras.config.backend() != "numpy":
        raise RuntimeError(
            f"install: Keras must be on its NumPy backend; it was imported on {keras.config.backend()!r} "
            f"({BACKEND}=numpy before its first import has it there)"
        )


def _replacements() -> list[tuple[ModuleType, str, Callable]]:
    """Return modules of Keras, and by name the functions that are to be in them."""
    try:  # they need functions of Keras
        elementwise = importlib.import_module("fastconv.integrations.keras.elementwise")
        windows = importlib.import_module("fastconv.integrations.keras.windows")
    except ImportError as error:
        raise _unknown_version(str(error)) from error
    replacements = []
    for functions, replacement in ((windows, _ours), (elementwise, elementwise.of_arrays)):
        for module, ours in functions.FUNCTIONS.items():
            place = _place(module)
            for function in ours:
                theirs = _checked(place, function)
                replacements.append((place, function.__name__, replacement(function, theirs)))
    return replacements


def _ours(ours: Callable, _theirs: Callable) -> Callable:
    """Put a function in the place of another whatever it is called with."""
    return ours


def _place(module: str) -> ModuleType:
    """Return a module of Keras' NumPy backend."""
    for package in PACKAGES:
        try:
            return importlib.import_module(f"{package}.{module}")
        except ModuleNotFoundError as error:
            if error.name not in (package, f"{package}.{module}"):
                raise
    raise _unknown_version(f"there must be a module {' or '.join(f'{p}.{module}' for p in PACKAGES)}")


def _checked(place: ModuleType, ours: Callable) -> Callable:
    """Return the function of Keras' that is called as ours is."""
    theirs = getattr(place, ours.__name__, None)
    wanted = f"{ours.__name__}{inspect.signature(ours)}"
    found = f"{ours.__name__}{inspect.signature(theirs)}" if callable(theirs) else "nothing of that name"
    if theirs is None or found != wanted:
        raise _unknown_version(f"{place.__name__} must have {wanted}; it has {found}")
    return theirs


def _unknown_version(difference: str) -> RuntimeError:
    """Say in what Keras is not what was looked for."""
    version = getattr(sys.modules.get("keras"), "__version__", "?")
    return RuntimeError(f"install: Keras must be of a version that is known, not {version}: {difference}")
