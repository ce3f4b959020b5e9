"""The same calls in the words of ``jax.lax``, and what Keras can be asked.

Modules of peers are arguments, so that nothing here needs them installed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .cases import Case, arranged, pads, transposed_sizes


def keras_can(case: Case) -> bool:
    """Whether ``keras.ops`` has the options of this call."""
    words = case.padding in ("valid", "same") and case.rank in (1, 2, 3)
    if case.op == "average_pool" and dict(case.extra)["count_include_pad"] and case.padding == "same":
        return False
    return words and (case.w_shape is not None or set(case.d) == {1})


def keras_arguments(case: Case) -> dict[str, Any]:
    """Keyword arguments that both know."""
    ours = {"count_include_pad", "activation"} | (set() if case.w_shape else {"dilation_rate"})
    given = {name: value for name, value in case.arguments.items() if name not in ours}
    # Keras 3.15.1 cannot take its own default strides in pools with a window for each axis.
    return given | (dict(strides=case.k) if case.s is None else {})


def keras_transpose(keras, case: Case, x: Any, w: Any) -> Any:
    """Transpose a convolution, each group for itself as Keras has none."""
    channel = 1 if case.data_format == "channels_first" else x.ndim - 1
    inputs = keras.ops.split(x, case.groups, channel)
    kernels = keras.ops.split(w, case.groups, case.rank)
    given = keras_arguments(case)
    parts = [keras.ops.conv_transpose(x, w, **given) for x, w in zip(inputs, kernels, strict=True)]
    return keras.ops.concatenate(parts, channel)


def numbers(case: Case) -> tuple[str, str, str]:
    """Dimension numbers of a convolution in the case's layout, with our order of the kernel."""
    letters = "TDHW"[4 - case.rank :]
    x = "".join(arranged(case.data_format, "N", tuple(letters), "C"))
    return x, letters + "IO", x


def lax_padding(case: Case) -> Any:
    """Padding as lax takes it."""
    if case.padding in ("valid", "same", "same_lower"):
        return case.padding.upper()
    return pads(case.padding, case.extent)


def lax_conv(lax, case: Case, x: Any, w: np.ndarray, groups: int | None = None) -> Any:
    """Convolve as `fastconv.conv` does."""
    x, padding = cropped(case, x, lax_padding(case))
    return lax.conv_general_dilated(
        x,
        w,
        case.strides,
        padding,
        rhs_dilation=case.d,
        dimension_numbers=numbers(case),
        feature_group_count=case.groups if groups is None else groups,
    )


def cropped(case: Case, x: Any, padding: Any) -> tuple[Any, Any]:
    """Crop beforehand what negative padding would, and return what padding is left.

    XLA's convolution of float32 and float16 on the CPU (jax 0.10.2) reads past the end of what
    negative padding leaves of an axis; that of float64 and int32 does not, and is left to crop.
    """
    if isinstance(padding, str) or case.dtype not in ("float32", "float16"):
        return x, padding
    inside = tuple(
        slice(max(-lo, 0), i - max(-hi, 0)) for i, (lo, hi) in zip(spatial(case, x), padding, strict=True)
    )
    left = tuple((max(lo, 0), max(hi, 0)) for lo, hi in padding)
    return x[arranged(case.data_format, slice(None), inside, slice(None))], left


def spatial(case: Case, x: Any) -> tuple[int, ...]:
    """Spatial sizes of an array in the case's layout."""
    return x.shape[1:-1] if case.data_format == "channels_last" else x.shape[2:]


def lax_depthwise(lax, case: Case, x: np.ndarray, w: np.ndarray) -> Any:
    """Convolve every channel, as many groups, with weights ``(*k, c, m)``."""
    return lax_conv(lax, case, x, w.reshape(*case.k, 1, -1), groups=case.c)


def lax_transpose(jax, case: Case, x: Any, w: Any) -> Any:
    """Transpose the convolution that leads back from the output's sizes to those of `x`.

    Weights ``(*k, g*f, c)`` of the transposed convolution are ``(*k, f, g*c)`` of the other. Where
    output padding reaches a stride, that one gives more than `x`, which is left out. JAX transposes
    functions of floats alone.
    """
    number = "float64" if case.dtype == "int32" else case.dtype
    *taps, f, c = w.shape
    forth = w.astype(number).reshape(*taps, case.groups, f // case.groups, c)
    forth = jax.numpy.moveaxis(forth, case.rank, -2).reshape(*taps, f // case.groups, -1)
    inside = arranged(case.data_format, slice(None), tuple(map(slice, case.i)), slice(None))
    shape = arranged(case.data_format, case.n, transposed_sizes(case), f)
    y = jax.ShapeDtypeStruct(shape, number)
    (back,) = jax.linear_transpose(lambda y: lax_conv(jax.lax, case, y, forth)[inside], y)(x.astype(number))
    return back.astype(case.dtype)


def lax_mix(lax, case: Case, x: Any, w: np.ndarray) -> Any:
    """Mix channels at each position, with weights ``(*1, c, f)``."""
    return lax.conv_general_dilated(x, w, (1,) * case.rank, "VALID", dimension_numbers=numbers(case))


def lax_reduce(lax, case: Case, x: np.ndarray, name: str, start: Any) -> Any:
    """Reduce every window with lax's function of that name, from `start`, which padding is too."""
    padding = lax_padding(case)
    if not isinstance(padding, str):
        padding = arranged(case.data_format, (0, 0), tuple(padding), (0, 0))
    return lax.reduce_window(
        x,
        x.dtype.type(start),
        getattr(lax, name),
        arranged(case.data_format, 1, case.k, 1),
        arranged(case.data_format, 1, case.strides, 1),
        padding,
        window_dilation=arranged(case.data_format, 1, case.d, 1),
    )


def least(dtype: np.dtype) -> Any:
    """Return the number that any maximum is no less than."""
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def greatest(dtype: np.dtype) -> Any:
    """Return the number that any minimum is no more than."""
    return np.inf if dtype.kind == "f" else np.iinfo(dtype).max


def lax_mean(lax, case: Case, x: Any) -> Any:
    """Divide lax's sum of every window by lax's count of what is to be counted in it."""
    total = lax_reduce(lax, case, x, "add", 0)
    if dict(case.extra)["count_include_pad"]:
        count = np.prod(case.k)
    else:
        count = lax_reduce(lax, case, np.ones(x.shape, x.dtype), "add", 0)
    number = "float64" if case.dtype == "int32" else case.dtype
    return total.astype(number) / count.astype(number)


def lax_patches(jax, case: Case, x: Any) -> Any:
    """Arrange lax's patches, whose channels count input channels and then taps, as `windows` does."""
    x, padding = cropped(case, x, lax_padding(case))
    y = jax.lax.conv_general_dilated_patches(
        x, case.k, case.strides, padding, rhs_dilation=case.d, dimension_numbers=numbers(case)
    )
    channel = 1 if case.data_format == "channels_first" else y.ndim - 1
    split = y.reshape(*y.shape[:channel], case.c, *case.k, *y.shape[channel + 1 :])
    taps = range(channel + 1, channel + 1 + case.rank)
    return jax.numpy.moveaxis(split, taps, range(-case.rank, 0))


def keras_patches(keras, jax, case: Case, x: Any) -> Any:
    """Arrange Keras' patches, whose channels count taps and then input channels, as `windows` does."""
    if case.padding not in ("valid", "same") or case.rank not in (2, 3):
        return None
    y = keras.ops.image.extract_patches(x, case.k, **case.arguments)
    channel = 1 if case.data_format == "channels_first" else y.ndim - 1
    split = y.reshape(*y.shape[:channel], *case.k, case.c, *y.shape[channel + 1 :])
    taps = range(channel, channel + case.rank)
    return jax.numpy.moveaxis(split, taps, range(-case.rank, 0))
