"""Layers in the words of ``keras.layers``, and models of a few of them."""

from __future__ import annotations

from . import shapes
from .data import Array, Call, Code, Dice
from .ops import array

PADDINGS = ("valid", "same")


def draw(dice: Dice) -> Call:
    """Draw a layer and what it is called with."""
    return dice.choice(DRAWN)(dice)


def _input(dice: Dice, options: dict, i: tuple, c: int, dtype: str, values: str) -> Array:
    n = shapes.batch(dice)
    if dice.maybe(0.3):
        options["data_format"] = "channels_first"
        return array(dice, (n, c, *i), dtype, values)
    return array(dice, (n, *i, c), dtype, values)


def _weights(
    dice: Dice, dtype: str, values: str, *kernels: tuple[int, ...], bias: int = 0
) -> tuple[Array, ...]:
    shapes_of = [*kernels, *([(bias,)] if bias else [])]
    return tuple(Array(shape, dtype, values, (), dice.number()) for shape in shapes_of)


def _steps(dice: Dice, axes: shapes.Axes) -> dict:
    """Draw strides or dilations: Keras has not both."""
    return dice.of(dict(strides=axes.s), dict(dilation_rate=axes.d))


def conv(dice: Dice) -> Call:
    rank = dice.of(1, 2, 2, 3)
    kind = dice.of("", "", "Transpose", "Depthwise", "Separable")
    rank = min(rank, 2) if kind in ("Depthwise", "Separable") else rank
    g, ic, oc = dice.of(1, 1, 2), shapes.channels(dice), dice.randint(1, 6)
    axes = shapes.few(dice, (rank,), 3 * g * oc * (8 if kind == "Transpose" else 1), padded=False)
    i = tuple(min(m, 6) for m in axes.i) if kind == "Transpose" else axes.i
    dtype, options = dice.of(*shapes.FLOATS, "float16"), {}
    values = dice.of("whole", "special")
    bias = dice.maybe(0.6)
    options |= dict(padding=dice.of(*PADDINGS), use_bias=bias, dtype=dtype, activation=dice.of(None, "relu"))
    options |= _steps(dice, axes)
    if kind == "":
        x = _input(dice, options, i, g * ic, dtype, values)
        args: tuple = (g * oc, axes.k)
        options["groups"] = g
        kernels, outputs = [(*axes.k, ic, g * oc)], g * oc
    elif kind == "Transpose":
        x = _input(dice, options, i, ic, dtype, values)
        args, kernels, outputs = (oc, axes.k), [(*axes.k, oc, ic)], oc
    else:
        m, ic = dice.randint(1, 2), min(ic, 20)
        x = _input(dice, options, i, ic, dtype, values)
        options["depth_multiplier"] = m
        options["strides"] = axes.s[0] if "strides" in options else 1
        args, kernels, outputs = (axes.k,), [(*axes.k, ic, m)], ic * m
        if kind == "Separable":
            args, outputs = (oc, axes.k), oc
            kernels.append((*(1,) * rank, ic * m, oc))
    weights = _weights(dice, dtype, "whole", *kernels, bias=outputs * bias)
    name = f"layers.Conv{rank}DTranspose" if kind == "Transpose" else f"layers.{kind}Conv{rank}D"
    exact = not (kind == "Separable" and dtype == "float16")
    return Call(name, args, options, weights=weights, inputs=(x,), exact=exact)


def pool(dice: Dice) -> Call:
    rank = dice.of(1, 2, 2, 3)
    c = shapes.channels(dice)
    axes = shapes.few(dice, (rank,), 3 * c, padded=False)
    kind = dice.of(
        "MaxPooling", "AveragePooling", "GlobalMaxPooling", "GlobalAveragePooling", "AdaptiveMaxPooling"
    )
    options: dict = dict(dtype=dice.of(*shapes.FLOATS, "float16"))
    i = tuple(min(m, 9) for m in axes.i) if kind[-7:] != "Pooling" or kind[0] in "GA" else axes.i
    x = _input(dice, options, i, c, dice.of(options["dtype"], "float32", "int8"), "whole")
    args: tuple = ()
    if kind.startswith("Global"):
        options["keepdims"] = dice.maybe(0.5)
    elif kind.startswith("Adaptive"):
        args = (tuple(dice.randint(1, m) for m in i),)
    else:
        args = (axes.k,)
        options |= dict(strides=dice.of(None, axes.s), padding=dice.of(*PADDINGS))
    return Call(f"layers.{kind}{rank}D", args, options, inputs=(x,))


def other(dice: Dice) -> Call:
    dtype = dice.of(*shapes.FLOATS)
    c = shapes.channels(dice)
    kind = dice.of("ZeroPadding2D", "Flatten", "Dense", "BatchNormalization", "Activation")
    options: dict = dict(dtype=dtype)
    i = (dice.randint(1, 4), dice.randint(1, 4))
    if kind == "ZeroPadding2D":
        x = _input(dice, options, i, c, dtype, "special")
        return Call(f"layers.{kind}", (((0, 2), (1, 0)),), options, inputs=(x,))
    x = array(dice, (shapes.batch(dice), *i, c), dtype, "whole")
    if kind == "Flatten":
        return Call(f"layers.{kind}", (), options, inputs=(x,))
    if kind == "Dense":
        weights = _weights(dice, dtype, "whole", (c, 3), bias=3)
        return Call(f"layers.{kind}", (3,), options, weights=weights, inputs=(x,))
    if kind == "Activation":
        return Call(
            f"layers.{kind}", (dice.of("relu", "softmax", "tanh", "gelu"),), options, inputs=(x,), exact=False
        )
    weights = tuple(Array((c,), dtype, "unit", (), dice.number()) for _ in range(4))
    return Call(f"layers.{kind}", (), options, weights=weights, inputs=(x,), exact=False)


def model(dice: Dice) -> Call:
    c, seed = dice.randint(1, 5), dice.number()
    x = array(dice, (shapes.batch(dice), dice.randint(6, 9), dice.randint(6, 9), c), "float32", "special")
    code = (
        f"[layers.Conv2D(3, (2, 3), activation='relu', padding='same', kernel_initializer=whole({seed})), "
        f"layers.MaxPooling2D((2, 1)), layers.DepthwiseConv2D((2, 2), depthwise_initializer=whole({seed}))]"
    )
    return Call("layers.Sequential", (Code(code),), {}, inputs=(x,))


DRAWN = (conv, conv, conv, pool, pool, other, model)
