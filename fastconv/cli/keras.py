"""``keras``: run a script whose Keras computes with fastconv, without editing it."""

from __future__ import annotations

import argparse
import runpy
import sys
from pathlib import Path

from fastconv.cli import CommandError
from fastconv.integrations import keras


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("script", metavar="SCRIPT", help="a Python file; Keras is on its NumPy backend in it")
    parser.add_argument("arguments", metavar="ARGS", nargs=argparse.REMAINDER, help="what the script gets")


def run(args: argparse.Namespace) -> int:
    """Run the script as ``python SCRIPT ARGS`` would, after `install`."""
    script = Path(args.script)
    if not script.is_file():
        raise CommandError(f"SCRIPT must be a file; got {args.script!r}")
    try:
        keras.install()
    except (ImportError, RuntimeError) as error:
        raise CommandError(str(error)) from error
    before = sys.argv, sys.path[0]
    sys.argv, sys.path[0] = [args.script, *args.arguments], str(script.parent.resolve())
    try:
        runpy.run_path(args.script, run_name="__main__")
    finally:
        sys.argv, sys.path[0] = before
    return 0
