"""``onnx``: run a model, and say which kernel computes each of its nodes and how long that takes."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path
from typing import Any

import numpy as np

from fastconv.cli import CommandError, table, timing

ROUNDS = 9  # of a profile
NAME = 36  # letters of a node's name
LARGEST = 10  # integers that are drawn are less


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("model", metavar="MODEL.onnx", type=Path)
    parser.add_argument(
        "--input",
        action="append",
        default=[],
        metavar="[NAME=]FILE.npy",
        help="an array for the model's input of that name, or for the next; default: random numbers, and 1 "
        "for a size that the model leaves open",
    )
    parser.add_argument(
        "--profile", action="store_true", help=f"take medians of {ROUNDS} runs, and sum operators up"
    )


def run(args: argparse.Namespace) -> int:
    """Run the model once to prepare it, then once more or several times for the table."""
    plugin, ready = _evaluator(args.model)
    feeds = _feeds(ready, args.input)
    print("\n".join(f"input   {name}  {_said(array)}" for name, array in feeds.items()))
    try:
        outputs, costs = plugin.profile(ready, feeds, ROUNDS if args.profile else 1)
    except (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError) as error:
        raise CommandError(f"the model cannot be run: {_first_line(error.__cause__ or error)}") from error
    timing.settle()
    print(
        "\n".join(f"output  {name}  {_said(y)}" for name, y in zip(ready.output_names, outputs, strict=True))
    )
    print(f"\n{_nodes(costs)}")
    if args.profile:
        print(f"\n{_operators(costs)}")
    return 0


def _evaluator(path: Path) -> tuple[Any, Any]:
    """Return the plug-in and an evaluator of the model in a file."""
    try:
        plugin = importlib.import_module("fastconv.integrations.onnx")
    except ImportError as error:
        raise CommandError("onnx must be installed: pip install 'fastconv[onnx]'") from error
    try:
        return plugin, plugin.evaluator(str(path))
    except Exception as error:  # of whatever kind a file that is no model leads to
        raise CommandError(f"MODEL.onnx must be a model that onnx can read: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    """Return what an error says, without the graphs that may follow."""
    return (str(error) or type(error).__name__).splitlines()[0]


def _feeds(ready: Any, given: list[str]) -> dict[str, np.ndarray]:
    """Return an array for each input, those that are given first."""
    wanted = {
        name: kind
        for name, kind in zip(ready.input_names, ready.input_types, strict=True)
        if name not in ready.rt_inits_
    }
    feeds: dict[str, np.ndarray] = {}
    for text in given:
        name, _, file = text.rpartition("=")
        name = name or next((name for name in wanted if name not in feeds), "")
        if name not in wanted:
            raise CommandError(f"--input must be for one of {', '.join(wanted)}; got {text!r}")
        feeds[name] = _loaded(file)
    rng = np.random.default_rng(0)
    return {
        name: feeds[name] if name in feeds else _drawn(rng, name, kind.tensor_type)
        for name, kind in wanted.items()
    }


def _loaded(file: str) -> np.ndarray:
    """Read an array."""
    try:
        return np.load(file)
    except (OSError, ValueError) as error:
        raise CommandError(f"--input must name a file of NumPy's: {error}") from error


def _drawn(rng: np.random.Generator, name: str, kind: Any) -> np.ndarray:
    """Draw an input of the shape and type that a model declares."""
    helper = importlib.import_module("onnx.helper")
    sizes = [size.dim_value or 1 for size in kind.shape.dim]
    try:
        dtype = helper.tensor_dtype_to_np_dtype(kind.elem_type)
    except KeyError:
        dtype = np.dtype(object)
    if dtype.hasobject:
        raise CommandError(f"--input {name}=FILE.npy must be given, since it is no tensor of numbers")
    if dtype.kind in "biu":
        return rng.integers(0, LARGEST, sizes).astype(dtype)
    return rng.standard_normal(sizes).astype(dtype)


def _said(array: Any) -> str:
    """Say what an array is like in a few words."""
    if not isinstance(array, np.ndarray) or not array.size or array.dtype.hasobject:
        return type(array).__name__
    wide = array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)
    spread = f"{wide.min():.4g} to {wide.max():.4g}, mean {wide.mean():.4g}"
    return f"{table.shape(array.shape) or 'scalar'} {array.dtype}  {spread}"


def _nodes(costs: list[Any]) -> str:
    """Lay out what each node costs."""
    total = sum(cost.seconds for cost in costs)
    rows = [
        (_cut(c.name), c.op, table.shape(c.shape), c.kernel, table.milliseconds(c.seconds), _share(c, total))
        for c in costs
    ]
    rows.append(("total", f"{len(costs)} nodes", "", "", table.milliseconds(total), "100%"))
    return table.lines(("node", "op", "shape", "kernel", "ms", "share"), rows)


def _operators(costs: list[Any]) -> str:
    """Lay out what all nodes of each operator cost, the dearest first."""
    total = sum(cost.seconds for cost in costs)
    sums: dict[str, list[float]] = {}
    for cost in costs:
        sums.setdefault(cost.op, []).append(cost.seconds)
    rows = [
        (op, str(len(seconds)), table.milliseconds(sum(seconds)), f"{sum(seconds) / total:.1%}")
        for op, seconds in sorted(sums.items(), key=lambda pair: -sum(pair[1]))
    ]
    return table.lines(("op", "nodes", "ms", "share"), rows)


def _share(cost: Any, total: float) -> str:
    """Write which part of the whole a node takes."""
    return f"{cost.seconds / total:.1%}"


def _cut(name: str) -> str:
    """Leave off the beginning of a name that is too long."""
    return name if len(name) <= NAME else f"...{name[3 - NAME :]}"
