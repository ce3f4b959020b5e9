"""Layers over inputs with spatial axes: a batch, `rank` axes of space and channels."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, ClassVar

import numpy as np

from fastconv import dispatch
from fastconv.layers.layer import Layer, OpenShape, Shape, Weights
from fastconv.plan import Plan
from fastconv.problem import Layout

PLANS = 8  # kept by a layer


class Spatial(Layer):
    """A layer for inputs (n, *i, c), or (n, c, *i).

    Parameters
    ----------
    data_format : {"channels_last", "channels_first"}, optional
        None is "channels_last".
    **rest
        As of `Layer`.
    """

    rank: ClassVar[int]

    def __init__(
        self, initializers: Mapping[str, Any] | None = None, *, data_format: str | None = None, **rest: Any
    ):
        self.data_format = "channels_last" if data_format is None else data_format
        self._layout = Layout.of(self.words, self.data_format, self.rank + 2)
        super().__init__(initializers, **rest)

    def _channels(self, shape: OpenShape) -> int:
        """Channels of inputs of a shape that has the right number of axes."""
        self._check_rank(shape)
        return self._size(shape, self._layout.x[-1])

    def _check_rank(self, shape: OpenShape) -> None:
        """Refuse inputs that have not one axis for each thing there is."""
        if len(shape) != self.rank + 2:
            raise ValueError(
                f"{self.words.op}: `inputs` must have {self.rank + 2} axes, for a batch, {self.rank} "
                f"dimensions of space, and channels; got shape {shape}"
            )

    def _in_layout(self, canonical: Sequence[Any]) -> tuple[Any, ...]:
        """Order what is given for the axes (n, *i, c) as this layer's axes are."""
        return tuple(canonical[axis] for axis in np.argsort(self._layout.x))


class Planned(Spatial):
    """A spatial layer that plans once for every shape of its inputs and runs the plans.

    A plan is made for inputs of one shape, batch included, and for the backend in use; the last
    `PLANS` are kept until the weights change.
    """

    _planned: Callable[[Shape, str], tuple[Plan, ...]]

    def call(self, x: np.ndarray) -> np.ndarray:
        """Run the plans for inputs of this shape, one after another."""
        for plan in self._planned(x.shape, dispatch.current_backend("auto", self.words.op)):
            x = plan(x)
        return x

    def keep(self, weights: Weights) -> None:
        """Take up weights that are the layer's own, and forget the plans of those before."""
        # The cache goes with the weights: a thread that is still planning with the old ones puts its
        # plan where nobody will look.
        self._planned = lru_cache(maxsize=PLANS)(partial(self._plans, weights))
        super().keep(weights)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the plans: a copy makes its own."""
        return {name: value for name, value in vars(self).items() if name != "_planned"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take up what another layer was."""
        vars(self).update(state)
        if self._weights is not None:
            self.keep(self._weights)

    def _plans(self, weights: Weights, shape: Shape, backend: str) -> tuple[Plan, ...]:
        """Plan for inputs of a new shape, or say in this layer's words what is wrong with it."""
        self._check_channels(shape, weights)
        self._output_shape(shape)
        return self._make_plans(shape, backend, weights)

    @abstractmethod
    def _make_plans(self, shape: Shape, backend: str, weights: Weights) -> tuple[Plan, ...]:
        """Plan for inputs of a checked shape."""
