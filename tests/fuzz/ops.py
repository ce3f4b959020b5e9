"""Calls in the words of ``keras.ops``."""

from __future__ import annotations

import math

from . import shapes
from .data import Array, Call, Code, Dice, Out
from .memory import drawn_form

ACTIVATIONS = (None, None, None, "linear", "relu", "relu6")
ROUNDING = ("leaky_relu", "elu", "softplus", "sigmoid", "tanh", "silu", "gelu", "hard_sigmoid", "hard_silu")
RANKS = (0, 1, 1, 1, 2, 2, 2, 2, 3, 4)
FUNCTIONS = ("np.max", "np.min", "np.mean", "np.sum", "np.prod", "np.maximum", "np.add", "np.multiply")
OTHERS = ("lambda v: v[-1] if len(v) else 7", "len", "np.fmax", "np.hypot")
BITS = ("np.bitwise_and", "np.bitwise_or", "np.bitwise_xor", "np.logical_or")
COMPILED = ("functions.weighted", "functions.largest")  # anew in every process, which takes a second


def draw(dice: Dice) -> Call:
    """Draw a call of any function."""
    return dice.choice(DRAWN)(dice)


def array(dice: Dice, shape, dtype: str, values: str) -> Array:
    return Array(shape, dtype, values, drawn_form(dice, len(shape)), dice.number())


def _layout(dice: Dice, options: dict, n: int, i: tuple, c: int) -> tuple[int, ...]:
    """Put the channels where they are to be, and say so."""
    if dice.maybe(0.3):
        options["data_format"] = "channels_first"
        return (n, c, *i)
    return (n, *i, c)


def _padding(dice: Dice, axes: shapes.Axes, *words: str):
    """Write padding by a word or by pairs; the word makes another shape of output."""
    if dice.maybe(0.35):
        return dice.of("valid", "same", "same_lower", "SAME", *words)
    if axes.p and len({*axes.p, axes.p[0][::-1]}) == 1:
        return axes.p[0][0]
    return axes.p


def _steps(dice: Dice, axes: shapes.Axes, options: dict, *words: str) -> None:
    if set(axes.s) - {1} or dice.maybe(0.3):
        options["strides"] = shapes.spelled(dice, axes.s)
    if set(axes.d) - {1} or dice.maybe(0.3):
        options["dilation_rate"] = shapes.spelled(dice, axes.d)
    options["padding"] = _padding(dice, axes, *words)


def _ends(dice: Dice, options: dict, outputs: int, dtype: str, values: str) -> tuple[bool, Out | None]:
    """Add bias, activation and a place for the result; say whether results stay exact."""
    if dice.maybe(0.4):
        options["bias"] = array(dice, (outputs,), dtype, "whole" if values == "wide" else values)
    real = "float" in dtype or dtype == "longdouble"
    if not dtype.startswith("complex"):
        options["activation"] = dice.of(*ACTIVATIONS, *(ROUNDING if real and dice.maybe(0.3) else ()))
    return options.get("activation") not in ROUNDING, place(dice)


def place(dice: Dice) -> Out | None:
    return Out(drawn_form(dice, 4, writeable=True)) if dice.maybe(0.25) else None


def _values(dice: Dice, dtype: str) -> tuple[str, str, bool]:
    """Draw what inputs and weights hold, and whether sums of their products are exact."""
    if "float" in dtype and dice.maybe(0.15):
        return "real", "real", False
    values = shapes.whole(dice, dtype)
    return values, "wide" if values == "wide" else "whole", True


def conv(dice: Dice) -> Call:
    n, g, ic, oc = shapes.batch(dice), dice.of(1, 1, 1, 2, 3, 5), shapes.channels(dice), shapes.channels(dice)
    while n * g * oc > 150:
        oc = -(-oc // 2)
    axes = shapes.few(dice, RANKS, n * g * oc)
    dtype = dice.choice(shapes.DTYPES)
    x_values, w_values, exact = _values(dice, dtype)
    options: dict = {}
    x = array(dice, _layout(dice, options, n, axes.i, g * ic), dtype, x_values)
    w = array(dice, (*axes.k, ic, g * oc), dtype, w_values)
    _steps(dice, axes, options, *(("causal",) if axes.rank == 1 else ()))
    kept, out = _ends(dice, options, g * oc, dtype, x_values)
    rest = dict(out=out, exact=exact and kept)
    if dice.maybe(0.2):
        return planned("plan_conv", x, w, options, **rest)
    return Call("conv", (x, w), options, **rest)


def planned(function: str, x: Array, *args, out: Out | None = None, exact: bool = True) -> Call:
    """Call the plan for inputs of these shapes that are given later."""
    *args, options = args
    options = {**options, "dtype": x.dtype}
    return Call(function, (x.shape, *args), options, inputs=(x,), out=out, exact=exact)


def depthwise(dice: Dice) -> Call:
    n, c, m = shapes.batch(dice), shapes.channels(dice), dice.of(1, 1, 1, 2, 3)
    axes = shapes.few(dice, RANKS, n * c * m)
    dtype = dice.choice(shapes.DTYPES)
    x_values, w_values, exact = _values(dice, dtype)
    options: dict = {}
    x = array(dice, _layout(dice, options, n, axes.i, c), dtype, x_values)
    w = array(dice, (*axes.k, c, m), dtype, w_values)
    _steps(dice, axes, options)
    if dice.maybe(0.25):
        f = dice.randint(1, 4)
        mix = array(dice, (*(1,) * axes.rank, c * m, f), dtype, w_values)
        kept, out = _ends(dice, options, f, dtype, x_values)
        exact = exact and kept and dtype not in ("float16",)
        return Call("separable_conv", (x, w, mix), options, out=out, exact=exact)
    kept, out = _ends(dice, options, c * m, dtype, x_values)
    return Call("depthwise_conv", (x, w), options, out=out, exact=exact and kept)


def transpose(dice: Dice) -> Call:
    n, g, ic, oc = shapes.batch(dice), dice.of(1, 1, 2, 3), shapes.channels(dice), shapes.channels(dice)
    while n * g * oc > 60:
        oc = -(-oc // 2)
    axes = shapes.few(dice, RANKS, 2 * n * g * oc * 4, padded=False)
    dtype = dice.choice(shapes.DTYPES)
    x_values, w_values, exact = _values(dice, dtype)
    options: dict = {}
    i = tuple(min(n, 6) for n in axes.i)
    x = array(dice, _layout(dice, options, n, i, g * ic), dtype, x_values)
    w = array(dice, (*axes.k, g * oc, ic), dtype, w_values)
    _steps(dice, axes, options)
    if dice.maybe(0.4):
        pairs = tuple((dice.randint(-1, 2), dice.randint(-1, 2)) for _ in axes.k)
        options["padding"] = dice.of("valid", "same", "same_lower", pairs)
    if dice.maybe(0.3):
        options["output_padding"] = tuple(dice.randrange(s) for s in axes.s)
    kept, out = _ends(dice, options, g * oc, dtype, x_values)
    rest = dict(out=out, exact=exact and kept)
    if dice.maybe(0.2):
        return planned("plan_conv_transpose", x, w, options, **rest)
    return Call("conv_transpose", (x, w), options, **rest)


def pool(dice: Dice) -> Call:
    function = dice.of("max_pool", "min_pool", "average_pool", "pool", "plan_pool")
    n, c = shapes.batch(dice), shapes.channels(dice)
    axes = shapes.few(dice, RANKS, n * c)
    dtype = dice.choice(shapes.DTYPES)
    options: dict = {}
    values = shapes.whole(dice, dtype)
    kind = {"average_pool": "np.mean", "max_pool": "np.max", "min_pool": "np.min"}.get(function)
    if function == "plan_pool":
        kind = "np." + dice.of("max", "min", "mean", "sum", "prod")
        options["reduction"] = kind.removeprefix("np.")
    if kind is None:
        has_elements = all(min(pair) >= 0 and max(pair) < k for pair, k in zip(axes.p, axes.k, strict=True))
        others = OTHERS if has_elements else OTHERS[:2]
        others += BITS[:3] * ("int" in dtype) + BITS * (dtype == "bool")
        is_jitted = has_elements and dtype == "float32" and dice.maybe(0.1)
        kind = dice.of(*COMPILED) if is_jitted else dice.of(*FUNCTIONS, *others)
        if kind == "np.hypot" and dtype not in shapes.FLOATS:
            kind = "np.sum"
        options["fn"] = Code(kind)
    exact = True
    if kind not in (
        "np.max",
        "np.min",
        "np.maximum",
        "np.fmax",
        "len",
        OTHERS[0],
        "functions.largest",
        *BITS,
    ):
        if "float" in dtype and dice.maybe(0.2):
            values, exact = "real", False
        elif values == "wide" or kind not in ("np.sum", "np.add"):
            values = "whole"
        if kind in ("np.prod", "np.multiply"):
            values, exact = "few", exact and math.prod(axes.k) < 12
        if kind == "np.hypot":
            exact = False
    elif "float" in dtype and dice.maybe(0.2):
        values = "real"
    x = array(dice, _layout(dice, options, n, axes.i, c), dtype, values)
    _steps(dice, axes, options)
    if function in ("average_pool", "plan_pool") and dice.maybe(0.5):
        options["count_include_pad"] = dice.maybe(0.5)
    size = shapes.spelled(dice, axes.k)
    out = place(dice) if function != "pool" else None
    if function == "plan_pool":
        return planned(function, x, size, options, out=out, exact=exact)
    return Call(function, (x, size), options, out=out, exact=exact)


def windows(dice: Dice) -> Call:
    n, c = shapes.batch(dice), shapes.channels(dice)
    axes = shapes.few(dice, RANKS, n * c)
    options: dict = {}
    dtype = dice.choice(shapes.DTYPES)
    x = array(dice, _layout(dice, options, n, axes.i, c), dtype, "whole")
    _steps(dice, axes, options)
    return Call("windows", (x, shapes.spelled(dice, axes.k)), options)


def adaptive(dice: Dice) -> Call:
    function = dice.of("adaptive_max_pool", "adaptive_average_pool")
    n, c = shapes.batch(dice), min(shapes.channels(dice), 20)
    axes = shapes.few(dice, RANKS, n * c)
    options: dict = {}
    dtype = dice.choice(shapes.DTYPES)
    values = shapes.whole(dice, dtype) if "max" in function else "whole"
    i = tuple(min(n, 12) for n in axes.i)
    x = array(dice, _layout(dice, options, n, i, c), dtype, values)
    sizes = tuple(dice.of(1, 2, 3, n, max(n // 2, 1)) for n in i)
    return Call(function, (x, shapes.spelled(dice, sizes)), options)


DRAWN = (
    conv,
    conv,
    conv,
    conv,
    depthwise,
    depthwise,
    transpose,
    transpose,
    pool,
    pool,
    pool,
    pool,
    windows,
    adaptive,
)
