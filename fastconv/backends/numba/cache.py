"""Compiled code on disk: one file a function and signature, so that a process starts warm.

A file's key names all that its code depends on: the sources of this folder, what the function was made with,
the versions of Python, Numba and its binding to LLVM, Numba's settings, the CPU and its features, and the
signature. What is read for another key is not taken, and what cannot be read or written costs time, never a
failure: ``storage`` sees to that.

The folder is ``FASTCONV_CACHE_DIR``, else ``fastconv`` in the user's cache folder. Set to nothing, or where
there is no such folder, code is compiled anew in every process.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba
from llvmlite import binding
from numba.core import compiler, serialize
from numba.core.runtime import rtsys

from fastconv import storage
from fastconv.backends.numba import registers
from fastconv.machine import cache_folder

# Settings that machine code does not depend on: who sets them where it runs finds what was compiled before.
ELSEWHERE = {
    "NUMBA_NUM_THREADS",
    "NUMBA_THREADING_LAYER",
    "NUMBA_THREADING_LAYER_PRIORITY",
    "NUMBA_CACHE_DIR",
}


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
        self.name = re.sub(r"[^\w.]", "", f"{function.__module__.rpartition('.')[2]}.{function.__qualname__}")
        self.built_with = _built_with(function)
        self.cache_path = str(cache_folder())

    def load_overload(self, signature: Any, context: Any) -> Any:
        """Return the code for a signature, or None."""
        data = storage.read(*self._place(signature, context))
        if data is None:
            return None
        try:
            outer, parts = pickle.loads(data)
            _define(outer, parts, context)
            return compiler.CompileResult._rebuild(context, *parts)
        except Exception:  # whatever is wrong with it, compiling is right
            return None

    def save_overload(self, signature: Any, result: Any) -> None:
        """Keep the code for a signature, where that is possible."""
        if result.library.has_dynamic_globals:  # addresses of this process are in it
            return
        data = serialize.dumps((_outer_names(result.library), result._reduce()))
        storage.write(*self._place(signature, result.target_context), data)

    def _place(self, signature: Any, context: Any) -> tuple[Path, str]:
        """Return the file of a signature and its key."""
        key = repr(
            (self.name, fingerprint(), self.built_with, str(signature), context.codegen().magic_tuple())
        )
        name = f"{self.name}.{hashlib.sha256(key.encode()).hexdigest()[:32]}.bin"
        return storage.collection(Path(self.cache_path), fingerprint()) / name, key


def _outer_names(library: Any) -> list[str]:
    """List what machine code calls or reads that is not in it."""
    module = library._final_module
    outside = [each.name for each in (*module.functions, *module.global_variables) if each.is_declaration]
    return [name for name in outside if not name.startswith("llvm.")]


def _define(names: list[str], parts: tuple, context: Any) -> None:
    """See to it that names can be linked.

    What Numba compiles with, which takes half of a first call to import, is left out unless it defines one.
    """
    rtsys.initialize(context)
    for begin in parts[RELOAD]:
        begin()
    if not all(map(binding.address_of_symbol, names)):
        context.refresh()


RELOAD = 7  # among the parts of a result: what to call before its code is linked, such as starting threads


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
    settings = sorted(
        item for item in os.environ.items() if item[0].startswith("NUMBA_") and item[0] not in ELSEWHERE
    )
    versions = sys.version, numba.__version__, llvmlite.__version__
    sizes = registers.BYTES, registers.REGISTERS  # that kernels are made for
    digest = hashlib.sha256(repr((versions, settings, sizes)).encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()
