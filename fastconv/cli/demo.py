"""``demo``: filters that a person recognises, on a photograph; a table of times and one picture."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

import numpy as np

import fastconv
from fastconv import dispatch
from fastconv.cli import CommandError, measure, model, photo, picture, table
from fastconv.cli.measure import Measured, Run
from fastconv.cli.progress import steps

LONGEST = 1024  # pixels a side; larger photographs are made smaller
LONGEST_BY_LOOPS = 192  # the plain loops would take minutes for more
HEADER = ("layer", "in", "out", "params", "kernel", "ms", "x loops", "max diff")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "photo",
        metavar="PHOTO",
        nargs="?",
        type=Path,
        help="an image file; default: the portrait of Grace Hopper that comes with matplotlib",
    )
    parser.add_argument(
        "--save", metavar="FILE", type=Path, default=Path("fastconv-demo.png"), help="default: %(default)s"
    )
    parser.add_argument(
        "--backend",
        type=_backend,
        default="auto",
        metavar="NAME",
        help="auto (the default), naive, einsum, numba, or a kernel as `info` lists them",
    )


def run(args: argparse.Namespace) -> int:
    """Run the model on a photograph, print a table and save a picture."""
    _require_matplotlib()
    backend = _resolved(args.backend)
    picture.check_place(args.save)
    path = args.photo or photo.default()
    image, divisor = photo.read(path, LONGEST_BY_LOOPS if backend.startswith("naive") else LONGEST)
    part = photo.detail(image)
    shrunk = f", its sides divided by {divisor}" if divisor > 1 else ""
    print(f"photograph: {path}, {table.shape(image.shape[1:])}{shrunk}\n", flush=True)
    result = _measured(image, image[:, *part], backend)
    _print_table(image[:, *part], result.layers)
    picture.write(args.save, f"fastconv on {path.name}", _rows(image[0], part, result))
    print(f"picture: {args.save.resolve()}")
    return 0


def _require_matplotlib() -> None:
    """Refuse to begin without what reads photographs and draws pictures."""
    try:
        importlib.import_module("matplotlib")
    except ImportError:
        raise CommandError("matplotlib must be installed: pip install 'fastconv[demo]'") from None


def _measured(image: np.ndarray, part: np.ndarray, backend: str) -> Run:
    """Run the model, saying how far it is."""
    filters = model.build()
    with steps(measure.count(filters)) as step:
        try:
            return measure.run(filters, image, part, backend, step)
        except NotImplementedError as error:  # a layer that the named backend cannot compute
            raise CommandError(str(error)) from None


def _print_table(part: np.ndarray, layers: list[Measured]) -> None:
    """Print a line for each layer, and what the columns mean."""
    rows = [
        (
            layer.name,
            table.shape(layer.x_shape),
            table.shape(layer.y_shape),
            str(layer.parameters),
            layer.kernel,
            table.milliseconds(layer.seconds),
            f"{layer.speedup:.0f}",
            f"{layer.difference:.1e}",
        )
        for layer in layers
    ]
    print(table.lines(HEADER, rows))
    print(f"""
ms        median, on the photograph
x loops   times as fast as plain loops, both on {_size(part)} pixels of it
max diff  largest difference between any two of {", ".join(fastconv.backends())}, on the same pixels
""")


def _size(x: np.ndarray) -> str:
    """Write the spatial size of (n, h, w, c)."""
    return table.shape(x.shape[1:3])


def _rows(image: np.ndarray, part: tuple[slice, slice], result: Run) -> list[picture.Row]:
    """Caption the photograph and the maps of every layer."""
    _, edges, features, pooled = (y[0] for y in result.maps)
    near = result.part_maps[0][0]
    strong = np.percentile(np.abs(edges), 99, axis=(0, 1))
    strength = np.abs(edges) / np.where(strong > 0, strong, 1)
    filters = "lighter below", "darker below", "lighter to the right", "dark outlines"
    return [
        _row(
            f"Depthwise convolution {model.SIZE}\u00d7{model.SIZE}",
            result.layers[0],
            picture.colour("input", image, part),
            picture.colour("part of it", image[part]),
            picture.colour("blurred", near[..., 0::2]),
            picture.colour("sharpened", near[..., 1::2]),
        ),
        _row(
            "Convolution 3\u00d73",
            result.layers[1],
            picture.relief("horizontal edges", edges[..., 0]),
            picture.relief("vertical edges", edges[..., 1]),
            picture.relief("outlines", edges[..., 2]),
            picture.colour("all three as red, green, blue", strength),
        ),
        _row(
            "The article's convolution 2\u00d72, strides 2, then relu",
            result.layers[2],
            *(picture.ink(name, features[..., f]) for f, name in enumerate(filters)),
        ),
        _row(
            "The article's max pooling 2\u00d72",
            result.layers[3],
            *(picture.ink(f"{name}, pooled", pooled[..., f]) for f, name in enumerate(filters)),
        ),
    ]


def _row(heading: str, layer: Measured, *panels: picture.Panel) -> picture.Row:
    """Put panels under a heading with the layer's figures."""
    before, after = (" \u00d7 ".join(map(str, shape[1:])) for shape in (layer.x_shape, layer.y_shape))
    facts = (
        f"{before}  \u2192  {after}   \u00b7   {layer.kernel}   \u00b7   "
        f"{table.milliseconds(layer.seconds)} ms   \u00b7   {layer.speedup:,.0f}\u00d7 the loops"
    )
    return picture.Row(heading, facts, panels)


def _backend(name: str) -> str:
    """Take the name of a backend or a kernel."""
    try:
        return dispatch.checked_backend(name, "demo")
    except ValueError:
        names = *dispatch.EVERY, *dispatch.backends(), *(row.name for row in dispatch.table())
        raise argparse.ArgumentTypeError(
            f"invalid choice: {name!r} (choose from {', '.join(names)})"
        ) from None


def _resolved(backend: str) -> str:
    """Take the environment's backend where none is named."""
    try:
        return dispatch.current_backend(backend, "FASTCONV_BACKEND")
    except ValueError as error:
        raise CommandError(str(error)) from None
