"""What each layer of the demo costs, on the whole photograph and against the plain loops on a part of it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

import fastconv
from fastconv.cli import timing
from fastconv.cli.progress import Step
from fastconv.layers import Sequential


class Measured(NamedTuple):
    """One layer's figures."""

    name: str
    x_shape: tuple[int, ...]
    y_shape: tuple[int, ...]
    parameters: int
    kernel: str  # the row of the table that computes it
    seconds: float  # on the photograph, median
    speedup: float  # over the plain loops, both on the part
    difference: float  # the largest between backends, on the part


class Run(NamedTuple):
    """Every layer's output for the photograph and for a part of it, and its figures."""

    maps: list[np.ndarray]
    part_maps: list[np.ndarray]
    layers: list[Measured]


def count(model: Sequential) -> int:
    """Count the steps that `run` says it begins."""
    return 1 + 2 * len(model.layers)


def run(model: Sequential, photo: np.ndarray, part: np.ndarray, backend: str, step: Step) -> Run:
    """Run a model with one backend, or "auto", and measure every layer."""
    step("the whole model, once")
    with fastconv.use_backend(backend):
        maps, part_maps = model.features(photo), model.features(part)
    inputs = zip(model.layers, [photo, *maps[:-1]], [part, *part_maps[:-1]], strict=True)
    return Run(maps, part_maps, [_measured(layer, x, crop, backend, step) for layer, x, crop in inputs])


def _measured(layer: Any, x: np.ndarray, crop: np.ndarray, backend: str, step: Step) -> Measured:
    """Time a layer on its input for the photograph, and everything there is on that for the part."""
    step(f"{layer.name}: {backend}")
    with fastconv.use_backend(backend):
        y = layer(crop)
        seconds, crop_seconds = timing.median(partial(layer, x)), timing.median(partial(layer, crop))
    step(f"{layer.name}: the loops, on {crop.shape[1]}x{crop.shape[2]}")
    with fastconv.use_backend("naive"):
        loops, loop_seconds = timing.once(partial(layer, crop))
    return Measured(
        name=layer.name,
        x_shape=x.shape,
        y_shape=layer.compute_output_shape(x.shape),
        parameters=layer.count_params(),
        kernel=layer._planned(x.shape, backend)[0].kernel.name,
        seconds=seconds,
        speedup=loop_seconds / crop_seconds,
        difference=_spread([y, loops, *_others(layer, crop)]),
    )


def _others(layer: Any, x: np.ndarray) -> Iterator[np.ndarray]:
    """Compute a layer with every backend but the loops."""
    for backend in fastconv.backends():
        if backend != "naive":
            with fastconv.use_backend(backend):
                yield layer(x)


def _spread(outputs: list[np.ndarray]) -> float:
    """Return the largest difference between any two outputs."""
    return float(np.ptp(np.stack(outputs), axis=0).max())
