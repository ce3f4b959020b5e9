"""``warmup``: compiles ahead, so that every later process finds the code on disk: for images of containers.

Every problem is computed once by the kernel that calls would take, in as many processes as there are CPUs.
Without problems these are the ``usual`` ones.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from fastconv import dispatch, machine, storage
from fastconv.cli import CommandError, explain, usual
from fastconv.cli.progress import steps
from fastconv.dispatch import Problem
from fastconv.kernel import Kernel
from fastconv.problem.parse import parse
from fastconv.threads import available


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add = parser.add_argument
    add("problems", metavar="PROBLEM", nargs="*", help="a problem's line as `explain` prints it")
    add("--dtype", action="append", choices=usual.DTYPES, help="of the usual problems; default: all of these")
    add("--processes", type=int, default=available(), metavar="N", help="that compile; default: one a CPU")


def run(args: argparse.Namespace) -> int:
    """Compile, and say how much is kept where; 1 if nothing is."""
    folder = machine.cache_folder()
    if folder is None:
        raise CommandError("there must be a folder to keep code in: FASTCONV_CACHE_DIR, or a home")
    if "numba" not in dispatch.backends():
        raise CommandError("there must be something to compile: Numba cannot be imported")
    began = time.perf_counter()
    shares = _shares(args.problems or usual.lines(tuple(args.dtype or usual.DTYPES)))
    spawn = multiprocessing.get_context("spawn")  # a fork would share what this process has compiled
    with steps(len(shares)) as step, ProcessPoolExecutor(max(1, args.processes), spawn) as processes:
        for (name, *_), done in [(share, processes.submit(compute, share[1:])) for share in shares]:
            step(name)
            done.result()
    count, size = _kept(folder)
    print(f"{count} functions, {size / 1e6:.1f} MB, in {folder}: {time.perf_counter() - began:.0f} s")
    return 0 if count else 1


def _shares(lines: list[str]) -> list[list[str]]:
    """Gather problems that may need the same code, the longest first; each share begins with its name."""
    shares: dict[str, list[str]] = {}
    for line in lines:
        problem, row = _compiled(line)
        if row:
            shares.setdefault(f"{row.name} {problem.x_dtype}", []).append(line)
    return [[name, *share] for name, share in sorted(shares.items(), key=lambda each: -len(each[1]))]


def _compiled(line: str) -> tuple[Problem, Kernel | None]:
    """Return a problem and the kernel that it goes to, if that is one to compile."""
    try:
        problem = parse(line)
    except ValueError as error:
        raise CommandError(str(error)) from None
    ranking = dispatch.ranking(problem, dispatch.current_backend("auto", "warmup"))
    return problem, ranking[0] if ranking and ranking[0].backend == "numba" else None


def compute(lines: list[str]) -> None:
    """Compute problems, so that what they need is compiled and kept."""
    for line in lines:
        problem, row = _compiled(line)
        x, w, bias = explain.inputs(problem)
        if row:  # weights of ones are such that no kernel refuses them
            given = x, w if w is None else np.ones_like(w), bias
            explain.call(row, problem, *given)()
            explain.bind(row, problem, *given)


def _kept(folder: Path) -> tuple[int, int]:
    """Count the files of compiled code in a folder, and their bytes."""
    sizes = [path.stat().st_size for path in folder.glob(f"{storage.PREFIX}*/*.bin")]
    return len(sizes), sum(sizes)
