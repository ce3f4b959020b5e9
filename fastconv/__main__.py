"""The command line: ``python -m fastconv COMMAND``, one of `COMMANDS`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from fastconv import __version__
from fastconv.cli import CommandError, article, demo, explain, info, keras, onnx, tune, warmup

COMMANDS = {
    "demo": (demo, "filters on a photograph: a table of times and a picture"),
    "article": (article, "the check this library grew from, against Keras and JAX"),
    "info": (info, "versions, threads and kernels"),
    "explain": (explain, "which kernel a problem would go to, and why"),
    "onnx": (onnx, "run an ONNX model, with a table of what each node costs"),
    "tune": (tune, "measure the kernels on this machine, to choose among them by that"),
    "keras": (keras, "run a script whose Keras computes with fastconv, with JAX or without"),
    "warmup": (warmup, "compile ahead, so that later processes find the code on disk"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return 0, 1 if a check failed, or 2 for arguments that cannot be obeyed."""
    args = _parser().parse_args(argv)
    command, _ = COMMANDS[args.command]
    try:
        code = command.run(args)
        sys.stdout.flush()
        return code
    except CommandError as reason:
        return _refused(args.command, str(reason))
    except MemoryError as error:
        return _refused(args.command, f"there must be memory enough ({error})")
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130  # as shells say it


def _refused(command: str, reason: str) -> int:
    """Say why a command does not go on."""
    print(f"fastconv {command}: {reason}", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    """Declare the commands and their arguments."""
    parser = argparse.ArgumentParser("fastconv", description="Convolution and pooling on NumPy arrays.")
    parser.add_argument("--version", action="version", version=f"fastconv {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (command, summary) in COMMANDS.items():
        command.add_arguments(commands.add_parser(name, help=summary, description=summary))
    return parser


if __name__ == "__main__":
    sys.exit(main())
