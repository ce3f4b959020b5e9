"""Pooling layers: over windows, over everything, and into a given number of outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from fastconv.layers.arguments import padding_of
from fastconv.layers.layer import Shape, Weights
from fastconv.layers.spatial import Planned, Spatial
from fastconv.ops import adaptive_average_pool, adaptive_max_pool, plan_pool
from fastconv.plan import Plan
from fastconv.problem import per_axis, pool_problem, truth


class Pooling(Planned):
    """Reduction of every window to its maximum or mean.

    Parameters
    ----------
    pool_size, strides, padding, data_format
        As of ``fastconv.max_pool``. A mean is over the elements that are not padding.
    name, dtype, input_shape
        As of `Layer`.
    """

    reduction: ClassVar[str]

    def __init__(self, pool_size, strides=None, padding="valid", data_format=None, name=None, **rest):
        super().__init__(data_format=data_format, name=name, **rest)
        self.pool_size = per_axis(self.words, "pool_size", pool_size, self.rank)
        self.strides = self.pool_size
        if strides is not None:
            self.strides = per_axis(self.words, "strides", strides, self.rank)
        self.padding = padding_of(self.words, padding, self.rank)

    def _output_shape(self, shape: Shape) -> Shape:
        self._check_rank(shape)
        problem = pool_problem(
            self.words,
            self._layout,
            shape,
            self.dtype,
            self.pool_size,
            strides=self.strides,
            padding=self.padding,
            reduction=self.reduction,
        )
        return self._in_layout(problem.y_shape)

    def _make_plans(self, shape: Shape, backend: str, _weights: Weights) -> tuple[Plan, ...]:
        plan = plan_pool(
            shape,
            self.pool_size,
            self.strides,
            self.padding,
            self.data_format,
            reduction=self.reduction,
            dtype=self.dtype,
            backend=backend,
        )
        return (plan,)


class MaxPooling(Pooling):
    """The largest element of every window: `Pooling` with windows of 2 if nothing else is said."""

    reduction = "max"

    def __init__(self, pool_size=2, strides=None, padding="valid", data_format=None, name=None, **rest):
        super().__init__(pool_size, strides, padding, data_format, name, **rest)


class MaxPooling1D(MaxPooling):
    """`MaxPooling` over one spatial axis: inputs (n, steps, c), or (n, c, steps)."""

    rank = 1


class MaxPooling2D(MaxPooling):
    """`MaxPooling` over two spatial axes: inputs (n, rows, columns, c), or (n, c, rows, columns)."""

    rank = 2


class MaxPooling3D(MaxPooling):
    """`MaxPooling` over three spatial axes: inputs (n, planes, rows, columns, c), or (n, c, ...)."""

    rank = 3


class AveragePooling1D(Pooling):
    """Mean of every window (`Pooling`) over one spatial axis."""

    rank, reduction = 1, "mean"


class AveragePooling2D(Pooling):
    """Mean of every window (`Pooling`) over two spatial axes."""

    rank, reduction = 2, "mean"


class AveragePooling3D(Pooling):
    """Mean of every window (`Pooling`) over three spatial axes."""

    rank, reduction = 3, "mean"


class GlobalPooling(Planned):
    """Reduction of each channel to one number.

    Parameters
    ----------
    data_format : {"channels_last", "channels_first"}, optional
    keepdims : bool
        Whether the output keeps the spatial axes, each of size 1; if not, it is (n, c).
    name, dtype, input_shape
        As of `Layer`.
    """

    reduction: ClassVar[str]

    def __init__(self, data_format=None, keepdims=False, **rest):
        super().__init__(data_format=data_format, **rest)
        self.keepdims = truth(self.words, "keepdims", keepdims)

    def call(self, x: np.ndarray) -> np.ndarray:
        """Pool the whole input with one window."""
        y = super().call(x)
        return y.reshape(self._kept(y.shape))

    def _output_shape(self, shape: Shape) -> Shape:
        self._check_rank(shape)
        problem = pool_problem(self.words, self._layout, shape, self.dtype, self._whole(shape))
        return self._kept(self._in_layout(problem.y_shape))

    def _make_plans(self, shape: Shape, backend: str, _weights: Weights) -> tuple[Plan, ...]:
        plan = plan_pool(
            shape,
            self._whole(shape),
            data_format=self.data_format,
            reduction=self.reduction,
            dtype=self.dtype,
            backend=backend,
        )
        return (plan,)

    def _whole(self, shape: Shape) -> Shape:
        """Size of the window over everything; at least 1, so that an empty input is what is refused."""
        return tuple(max(shape[axis], 1) for axis in self._layout.x[1:-1])

    def _kept(self, pooled: Shape) -> Shape:
        """Shape of the output, of which the spatial sizes are all 1."""
        return pooled if self.keepdims else (pooled[0], pooled[self._layout.y[-1]])


class GlobalMaxPooling1D(GlobalPooling):
    """Largest element of each channel (`GlobalPooling`) over one spatial axis."""

    rank, reduction = 1, "max"


class GlobalMaxPooling2D(GlobalPooling):
    """Largest element of each channel (`GlobalPooling`) over two spatial axes."""

    rank, reduction = 2, "max"


class GlobalMaxPooling3D(GlobalPooling):
    """Largest element of each channel (`GlobalPooling`) over three spatial axes."""

    rank, reduction = 3, "max"


class GlobalAveragePooling1D(GlobalPooling):
    """Mean of each channel (`GlobalPooling`) over one spatial axis."""

    rank, reduction = 1, "mean"


class GlobalAveragePooling2D(GlobalPooling):
    """Mean of each channel (`GlobalPooling`) over two spatial axes."""

    rank, reduction = 2, "mean"


class GlobalAveragePooling3D(GlobalPooling):
    """Mean of each channel (`GlobalPooling`) over three spatial axes."""

    rank, reduction = 3, "mean"


class AdaptivePooling(Spatial):
    """Reduction of a given number of windows that together cover the input.

    Parameters
    ----------
    output_size : int or sequence of int, one per spatial axis
    data_format : {"channels_last", "channels_first"}, optional
    name, dtype, input_shape
        As of `Layer`.
    """

    _pool: ClassVar[Callable[..., np.ndarray]]

    def __init__(self, output_size, data_format=None, **rest: Any):
        super().__init__(data_format=data_format, **rest)
        self.output_size = per_axis(self.words, "output_size", output_size, self.rank)

    def call(self, x: np.ndarray) -> np.ndarray:
        """Pool as the function of this name does."""
        self._check_rank(x.shape)
        return self._pool(x, self.output_size, self.data_format)

    def _output_shape(self, shape: Shape) -> Shape:
        self._check_rank(shape)
        return self._in_layout((shape[0], *self.output_size, self._channels(shape)))


class AdaptiveMaxPooling1D(AdaptivePooling):
    """Largest element of each window (`AdaptivePooling`) over one spatial axis."""

    rank, _pool = 1, staticmethod(adaptive_max_pool)


class AdaptiveMaxPooling2D(AdaptivePooling):
    """Largest element of each window (`AdaptivePooling`) over two spatial axes."""

    rank, _pool = 2, staticmethod(adaptive_max_pool)


class AdaptiveMaxPooling3D(AdaptivePooling):
    """Largest element of each window (`AdaptivePooling`) over three spatial axes."""

    rank, _pool = 3, staticmethod(adaptive_max_pool)


class AdaptiveAveragePooling1D(AdaptivePooling):
    """Mean of each window (`AdaptivePooling`) over one spatial axis."""

    rank, _pool = 1, staticmethod(adaptive_average_pool)


class AdaptiveAveragePooling2D(AdaptivePooling):
    """Mean of each window (`AdaptivePooling`) over two spatial axes."""

    rank, _pool = 2, staticmethod(adaptive_average_pool)


class AdaptiveAveragePooling3D(AdaptivePooling):
    """Mean of each window (`AdaptivePooling`) over three spatial axes."""

    rank, _pool = 3, staticmethod(adaptive_average_pool)


MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
GlobalMaxPool1D, GlobalMaxPool2D, GlobalMaxPool3D = GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D
GlobalAvgPool1D, GlobalAvgPool2D = GlobalAveragePooling1D, GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
