"""The machine this runs on: its processor, and where a user's programs keep what they can make again."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import numpy as np


def processor() -> str:
    """Return the processor's name where the system tells it."""
    try:
        with open("/proc/cpuinfo") as file:
            names = (line.partition(":")[2].strip() for line in file if line.startswith("model name"))
            found = next(names, "")
    except OSError:  # only Linux has it
        found = ""
    return found or platform.processor() or "unknown"


def vectors() -> list[str]:
    """List the vector extensions of the processor that NumPy found."""
    found = np.show_config(mode="dicts")["SIMD Extensions"]
    return [*found.get("baseline", []), *found.get("found", [])]


def cache_folder() -> Path | None:
    """Return ``FASTCONV_CACHE_DIR``, else ``fastconv`` in the user's cache folder; None for nowhere."""
    chosen = os.environ.get("FASTCONV_CACHE_DIR")
    if chosen is not None:
        return Path(chosen) if chosen else None
    user = os.environ.get("LOCALAPPDATA" if os.name == "nt" else "XDG_CACHE_HOME")
    try:
        return Path(user or Path.home() / ".cache") / "fastconv"
    except RuntimeError:  # nobody's home
        return None
