"""Compiled code on disk: one file a function and signature, so that a process starts warm.

A file's name holds a hash of all that its code depends on: the sources of this folder, what the function was
made with, the versions of Python, Numba and its binding to LLVM, Numba's settings, the CPU and its features,
and the signature. Nothing is ever changed in place, so processes cannot disturb one another: each writes a
file of its own and renames it, and whoever comes last has written the same. A file that cannot be read or
written costs time, never a failure.

The folder is ``FASTCONV_CACHE_DIR``, else ``fastconv`` in the user's cache folder. Set to nothing, or where
there is no such folder, code is compiled anew in every process.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba
from numba.core import compiler, serialize

from fastconv.machine import cache_folder


def cached(function: Any) -> Any:
    """Let a compiled function look for its code on disk, and leave it there, if all of that code is ours."""
    if cache_folder() is not None and not numba.config.DISABLE_JIT and _is_ours(function.py_func):
        function._cache = DiskCache(function.py_func)
    return function


def named(function: Any) -> Any:
    """Give a function that another has made a name for what it was made with.

    Compiled code is linked by name. The counter that Numba adds starts anew in every process, so that code
    from disk may bring the name of what has been compiled here of another shape: one would run for the other.
    """
    if function.__closure__ and _is_ours(function):
        made_with = _built_with(function)
        function.__qualname__ += f"_{hashlib.sha256(repr(made_with).encode()).hexdigest()[:16]}"
    return function


class DiskCache:
    """What Numba asks for code before it compiles a function, and tells when it has."""

    def __init__(self, function: Any):
        self.name = f"{function.__module__.rpartition('.')[2]}.{function.__qualname__}"
        self.built_with = _built_with(function)
        self.cache_path = str(cache_folder())

    def load_overload(self, signature: Any, context: Any) -> Any:
        """Return the code for a signature, or None."""
        context.refresh()
        try:
            data = pickle.loads(self._path(signature, context).read_bytes())
            return compiler.CompileResult._rebuild(context, *data)
        except Exception:  # whatever is wrong with a file, compiling is right
            return None

    def save_overload(self, signature: Any, result: Any) -> None:
        """Keep the code for a signature, where that is possible."""
        if result.library.has_dynamic_globals:  # addresses of this process are in it
            return
        path = self._path(signature, result.target_context)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as file:
                file.write(serialize.dumps(result._reduce()))
            os.replace(file.name, path)
        except OSError:  # a full disk, or not ours to write: this process has its code all the same
            return

    def _path(self, signature: Any, context: Any) -> Path:
        """Name the file of a signature."""
        key = repr((fingerprint(), self.built_with, str(signature), context.codegen().magic_tuple()))
        return Path(self.cache_path) / f"{self.name}.{hashlib.sha256(key.encode()).hexdigest()[:32]}.bin"


def _built_with(function: Any) -> tuple:
    """Name what a function made by another function was made with."""
    return tuple(
        (inner.__qualname__, *_built_with(inner)) if callable(inner) else repr(inner)
        for inner in _captured(function)
    )


def _is_ours(function: Any) -> bool:
    """Whether all functions that a function was made with are of this folder: others no hash here covers."""
    made_with = [inner for inner in _captured(function) if callable(inner)]
    return all(
        str(getattr(inner, "__module__", "")).startswith(f"{__package__}.") and _is_ours(inner)
        for inner in made_with
    )


def _captured(function: Any) -> list:
    """List the values in a function's closure, of compiled functions and intrinsics what they are made of."""
    values = [cell.cell_contents for cell in function.__closure__ or ()]
    return [getattr(value, "py_func", getattr(value, "_defn", value)) for value in values]


@cache
def fingerprint() -> str:
    """Hash the sources of this folder, any of which may be compiled into any function, and versions."""
    settings = sorted(item for item in os.environ.items() if item[0].startswith("NUMBA_"))
    versions = sys.version, numba.__version__, llvmlite.__version__
    digest = hashlib.sha256(repr((versions, settings)).encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()
