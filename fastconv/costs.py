"""The constants of the rows' cost functions: as they ship, or as measured on this machine.

A module of a backend lists in ``COSTS`` the names of those of its numbers that its predictions are made of,
seconds or ratios, all of them positive:

    TASK, VECTOR = 6e-7, 6e-10  # seconds on one thread: of a task, of each 64 bytes of products
    COSTS = ("TASK", "VECTOR")

They ship as ``python -m bench.fit_costs`` fitted them. ``python -m fastconv tune`` fits them to the machine
it runs on and keeps them in the cache folder; from the next process on, a backend is loaded with those. So
that there is one of each, another module reads ``direct.MAC`` and does not import the name, and no function
that remembers its results depends on any.

A file that was measured for another version, or that cannot be read, is passed over with a warning.
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
import warnings
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from fastconv import machine

Constants = dict[str, float]  # "numba.direct.MAC": 4.7e-12

BACKENDS = "fastconv.backends."
shipped: Constants = {}  # of the backends loaded so far


class Tuned(NamedTuple):
    """What a file holds: constants, and those they were measured to replace."""

    shipped: Constants
    constants: Constants


def modules() -> dict[str, ModuleType]:
    """Return the modules loaded so far that have constants, by their names below the backends' folder."""
    loaded = {
        name.removeprefix(BACKENDS): sys.modules[name] for name in sorted(sys.modules) if BACKENDS in name
    }
    return {name: module for name, module in loaded.items() if hasattr(module, "COSTS")}


def read() -> Constants:
    """Return the constants in use, of the backends loaded so far."""
    return {
        f"{name}.{key}": getattr(module, key) for name, module in modules().items() for key in module.COSTS
    }


def write(constants: Constants) -> None:
    """Predict with these from now on."""
    loaded = modules()
    for name, value in constants.items():
        module, _, key = name.rpartition(".")
        setattr(loaded[module], key, value)


def load(backend: str) -> None:
    """Let a backend whose modules were just imported predict with what was measured here, if anything was."""
    new = _of(backend, read())
    shipped.update(new)
    if (tuned := stored()) and (constants := _of(backend, tuned.constants)):
        if _of(backend, tuned.shipped) == new and constants.keys() == new.keys():
            write(constants)
        else:
            _pass_over("it was measured for another version")


def path() -> Path | None:
    """Return the file of constants measured on this kind of processor, whether or not it is there."""
    folder = machine.cache_folder()
    kind = repr((machine.processor(), machine.vectors()))
    return folder and folder / f"costs-{hashlib.sha256(kind.encode()).hexdigest()[:16]}.json"


@cache
def stored() -> Tuned | None:
    """Read what `store` left. Asked once a process."""
    file = path()
    if file is None:
        return None
    try:
        content = json.loads(file.read_text())
        tuned = Tuned(dict(content["shipped"]), dict(content["constants"]))
        if all(0 < value < math.inf for value in tuned.constants.values()):
            return tuned
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError):
        pass  # whatever is wrong with it
    _pass_over("it cannot be read")
    return None


def store(constants: Constants) -> Path | None:
    """Keep constants for later processes; return where, or None if there is nowhere."""
    file = path()
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        rounded = {name: float(f"{value:.4g}") for name, value in constants.items()}
        content = {"processor": machine.processor(), "shipped": shipped, "constants": rounded}
        temporary = file.with_suffix(".tmp")
        temporary.write_text(json.dumps(content, indent=1))
        temporary.replace(file)
    return file


def _of(backend: str, constants: Constants) -> Constants:
    """Select the constants of one backend."""
    return {name: value for name, value in constants.items() if name.partition(".")[0] == backend}


def _pass_over(reason: str) -> None:
    """Say why a file of constants is not used."""
    warnings.warn(
        f"{path()} is passed over, since {reason}: `python -m fastconv tune` measures this machine anew, "
        "`python -m fastconv tune --reset` deletes the file",
        RuntimeWarning,
        stacklevel=3,
    )
