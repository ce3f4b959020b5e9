"""Calls in the words of ``jax.lax``."""

from __future__ import annotations

import math

from . import shapes
from .data import Array, Call, Code, Dice
from .ops import array

LETTERS = ("", "W", "HW", "DHW")
NAMED = ("lax.add", "lax.mul", "lax.max", "lax.min")
BITS = ("lax.bitwise_and", "lax.bitwise_or", "lax.bitwise_xor")
FUNCTIONS = ("lambda a, b: a + b", "lambda a, b: np.maximum(a, b)", "lambda a, b: a if a > b else b")


def draw(dice: Dice) -> Call:
    """Draw a call of any function."""
    return dice.choice(DRAWN)(dice)


def _dtype(dice: Dice) -> str:
    return dice.of(*shapes.DTYPES, "bfloat16")


def _values(dice: Dice, dtype: str) -> tuple[str, bool]:
    if dtype in shapes.FLOATS and dice.maybe(0.15):
        return "real", False
    return shapes.whole(dice, dtype), True


def _arranged(dice: Dice, letters: str, sizes: dict[str, int]) -> tuple[str, tuple[int, ...]]:
    """Put axes in any order."""
    order = "".join(dice.sample(letters, len(letters)))
    return order, tuple(sizes[letter] for letter in order)


def conv(dice: Dice) -> Call:
    rank = dice.of(0, 1, 1, 2, 2, 2, 3)
    n, g, ic, oc = shapes.batch(dice), dice.of(1, 1, 2, 3), shapes.channels(dice), shapes.channels(dice)
    while n * g * oc > 100:
        oc = -(-oc // 2)
    axes = shapes.few(dice, (rank,), n * g * oc, base=dice.maybe(0.3))
    dtype = _dtype(dice)
    values, exact = _values(dice, dtype)
    weights = values if values in ("real", "wide") else "whole"
    letters = LETTERS[rank]
    spatial = dict(zip(letters, axes.i, strict=True)), dict(zip(letters, axes.k, strict=True))
    x_letters, x_shape = _arranged(dice, "NC" + letters, dict(N=n, C=g * ic, **spatial[0]))
    w_letters, w_shape = _arranged(dice, "OI" + letters, dict(O=g * oc, I=ic, **spatial[1]))
    y_letters = "".join(dice.sample("NC" + letters, rank + 2))
    at = [letters.index(each) for each in w_letters if each in letters]
    x, w = array(dice, x_shape, dtype, values), array(dice, w_shape, dtype, weights)

    def ordered(numbers):
        return [numbers[a] for a in at]

    padding = ordered(axes.p)
    if all(b == 1 for b in axes.b) and dice.maybe(0.3):
        padding = dice.of("SAME", "VALID", "same_lower", "valid")
    options = dict(
        lhs_dilation=ordered(axes.b) if set(axes.b) - {1} or dice.maybe(0.3) else None,
        rhs_dilation=ordered(axes.d),
        dimension_numbers=(x_letters, w_letters, y_letters),
        feature_group_count=g,
    )
    if dice.maybe(0.1) and g == 1 and n > 1 and oc % n == 0:
        options["batch_group_count"] = n
    if dtype in ("int8", "float16", "bfloat16", "float32", "int32") and dice.maybe(0.2):
        options["preferred_element_type"] = {"int8": "int32", "int32": "int64"}.get(dtype, "float64")
    return Call("lax.conv_general_dilated", (x, w, ordered(axes.s), padding), options, exact=exact)


def plain(dice: Dice) -> Call:
    rank = dice.of(1, 2, 2, 3)
    n, ic, oc = shapes.batch(dice), shapes.channels(dice), dice.randint(1, 5)
    axes = shapes.few(dice, (rank,), n * oc)
    dtype = _dtype(dice)
    values, exact = _values(dice, dtype)
    weights = values if values in ("real", "wide") else "whole"
    if dice.maybe(0.5):
        i = tuple(min(m, 6) for m in axes.i)
        x = array(dice, (n, *i, ic), dtype, values)
        w = array(dice, (*axes.k, ic, oc), dtype, weights)
        options: dict = dict(transpose_kernel=False)
        if dice.maybe(0.4):
            w = array(dice, (*axes.k, oc, ic), dtype, weights)
            options["transpose_kernel"] = True
        pads = dice.of("SAME", "VALID", tuple((dice.randint(0, 3), dice.randint(0, 3)) for _ in i))
        return Call("lax.conv_transpose", (x, w, axes.s, pads), options, exact=exact)
    x, w = array(dice, (n, ic, *axes.i), dtype, values), array(dice, (oc, ic, *axes.k), dtype, weights)
    if dice.maybe(0.3):
        return Call("lax.conv", (x, w, axes.s, dice.of("SAME", "VALID")), {}, exact=exact)
    steps = axes.s, axes.p, dice.of(None, axes.b), axes.d
    return Call("lax.conv_with_general_padding", (x, w, *steps), {}, exact=exact)


def patches(dice: Dice) -> Call:
    rank = dice.of(1, 2, 3)
    n, c = shapes.batch(dice), dice.randint(1, 4)
    axes = shapes.few(dice, (rank,), n * c, base=dice.maybe(0.3))
    steps = dict(lhs_dilation=axes.b, rhs_dilation=axes.d)
    dtype = dice.choice(shapes.DTYPES)
    x = array(dice, (n, c, *axes.i), dtype, "whole")
    if dice.maybe(0.5):
        return Call("lax.conv_general_dilated_patches", (x, axes.k, axes.s, axes.p), steps)
    w = array(dice, (dice.randint(1, 3), c * math.prod(axes.k), *axes.o), dtype, "whole")
    return Call("lax.conv_general_dilated_local", (x, w, axes.s, axes.p, axes.k), steps)


def reduction(dice: Dice) -> Call:
    rank = dice.of(1, 2, 3, 4)
    axes = shapes.few(dice, (rank,), 2, base=dice.maybe(0.3))
    dtype = _dtype(dice)
    function = dice.of(*NAMED * 2, *FUNCTIONS)
    if "int" in dtype or dtype == "bool":
        function = dice.of(function, *BITS)
    if dtype.startswith("complex") or dtype == "bool":
        function = dice.of("lax.max", "lax.min") if dtype == "bool" else "lax.add"
    values = shapes.whole(dice, dtype)
    if function == "lax.mul":
        values = "ones"
    if values == "wide" and "lambda a, b: a + b" in function:
        values = "whole"
    x = array(dice, axes.i, dtype, values)
    start = {"lax.mul": "1", "lax.max": "-np.inf", "lax.min": "np.inf"}.get(function, "0")
    if dice.maybe(0.3) or ("inf" in start and "float" not in dtype):
        start = "1"
    init = Code(f"dtype_of({dtype!r}).type({start})")
    options = dict(window_strides=axes.s, window_dilation=axes.d, base_dilation=axes.b)
    options["padding"] = axes.p if dice.maybe(0.7) else dice.of("SAME", "VALID")
    rest = Code(f"({function})"), axes.k
    if "lambda" in function and dice.maybe(0.3):
        other = Array(axes.i, "int64", "whole", (), dice.number())
        two = Code("lambda a, b: (a[0] + b[0], np.maximum(a[1], b[1]))")
        if dtype in ("float32", "float64", "int32"):
            return Call("lax.reduce_window", ((x, other), (init, 0), two, axes.k), options)
    return Call("lax.reduce_window", (x, init, *rest), options)


def shape(dice: Dice) -> Call:
    rank = dice.of(1, 2, 3)
    axes = shapes.few(dice, (rank,), 1)
    x, w = (2, 3, *axes.i), (4, 3, *axes.k)
    numbers = tuple(letters + LETTERS[rank] for letters in ("NC", "OI", "NC"))
    if dice.maybe(0.5):
        return Call("lax.conv_general_shape_tuple", (x, w, axes.s, axes.p, numbers), {})
    return Call("lax.padtype_to_pads", (axes.i, axes.k, axes.s, dice.of("SAME", "VALID", "SAME_LOWER")), {})


DRAWN = (conv, conv, conv, conv, plain, plain, patches, reduction, reduction, reduction, shape)
