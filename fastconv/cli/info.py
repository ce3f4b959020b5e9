"""``info``: versions, processor, threads, backends, and the table of kernels."""

from __future__ import annotations

import argparse
import importlib.metadata
import platform
import sys

import fastconv
from fastconv import costs, dispatch, machine
from fastconv.cli import table
from fastconv.kernel import Kernel

PACKAGES = ("numpy", "numba", "llvmlite")


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """Declare nothing: there is no choice."""


def run(_args: argparse.Namespace) -> int:
    """Print what a bug report should say of the machine and of the package."""
    facts = [("fastconv", fastconv.__version__), ("python", platform.python_version())]
    facts += [(name, _version(name)) for name in PACKAGES]
    facts += [
        ("system", f"{platform.system()} {platform.machine()}"),
        ("processor", machine.processor()),
        ("vectors", ", ".join(machine.vectors()) or "unknown"),
        ("threads", str(fastconv.get_num_threads())),
        ("backends", ", ".join(fastconv.backends())),
        ("costs", _costs()),
    ]
    width = max(len(name) for name, _ in facts)
    print("\n".join(f"{name:<{width}}  {value}" for name, value in facts))
    kernels = [row for backend in fastconv.backends() for row in dispatch.table(backend)]
    rows = [(row.name, _kind(row), "yes" if row.exact else "no", _meaning(row)) for row in kernels]
    print(f"\n{table.lines(('kernel', 'computes', 'exact', 'what it is'), rows)}")
    return 0


def _version(package: str) -> str:
    """Return the version of an installed package."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _costs() -> str:
    """Say where the constants of predictions come from."""
    dispatch.table()  # loads the backends
    tuned = costs.read() != costs.shipped
    return f"measured on this machine, {costs.path()}" if tuned else "as shipped (`tune` measures them)"


def _kind(row: Kernel) -> str:
    """Name what a kernel computes: conv or pool."""
    return row.problem.__name__.removesuffix("Problem").lower()


def _meaning(row: Kernel) -> str:
    """Return the first line of the docstring of a kernel's function, or else of its module."""
    text = row.run.__doc__ or sys.modules[row.run.__module__].__doc__ or ""
    return text.strip().partition("\n")[0].replace("``", "")
