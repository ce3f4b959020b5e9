"""Calls made wrong: one argument replaced by something else, which may be right all the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .data import Array, Call, Code, Dice, Out

NUMBERS = (-1, 0, 1, 2, 3, -(2**31), 2**31, 2**32 + 1, 2**62, 2**63 - 1, 2**63, 2**64, -(2**63), 10**30)
OTHERS = (
    *(
        "None",
        "True",
        "False",
        "1.0",
        "1.5",
        "np.nan",
        "np.inf",
        "1j",
        "object()",
        "...",
        "print",
        "slice(2)",
    ),
    *("'same'", "'VALID'", "'causal'", "'full'", "''", "b'same'", "'channels_first'", "'NCHW'", "'ähm'"),
    *(
        "()",
        "[]",
        "{}",
        "set()",
        "(1,)",
        "(2, 2)",
        "(1, 2, 3)",
        "[1, 1, 1, 1, 1]",
        "((1, 2), (3, 4))",
        "range(2)",
    ),
    *(
        "((1, 2, 3),)",
        "(None, None)",
        "('x1', 'x2')",
        "((0, 0),)",
        "[[1], [1, 2]]",
        "(2**63, 1)",
        "(1.0, 2.0)",
    ),
    *("np.int64(2)", "np.float32(2)", "np.array(2)", "np.array([1, 2])", "np.array([])", "np.array('a')"),
    *(
        "np.ma.masked_array(np.ones((1, 4, 1)), np.eye(4)[None, :, :1])",
        "np.array([None, 1])",
        "np.uint8(200)",
    ),
    *(
        "np.ones((1, 4, 4, 2), object)",
        "np.ones((1, 4, 2), 'M8[s]')",
        "np.array(['a', 'b'])",
        "memoryview(b'abc')",
    ),
    *("np.zeros(3, 'i4,f4')", "np.ones((2,) * 9)", "np.broadcast_to(1.0, (0, 5))"),
)
VAST = 2**33  # more elements than 32 bits count, of no memory


def spoil(dice: Dice, call: Call) -> Call:
    """Replace one argument, or part of one, or add one that there is not."""
    among_themselves = "'wide'", "'tiny'", "'large'"  # exact, but not beside others
    if any(values in repr(call) for values in among_themselves):
        call = replace(call, exact=False)
    ways = [("args", at) for at in range(len(call.args))] + [("options", name) for name in call.options]
    ways += [("inputs", at) for at in range(len(call.inputs or ()))]
    ways += [("weights", at) for at in range(len(call.weights or ()))]
    ways += [("more", "")] * dice.maybe(0.3) + [("out", "")] * (call.out is not None)
    kind, at = dice.choice(ways)
    if kind == "out":
        return replace(
            call, out=Out((), dice.of("shape", "dtype", "readonly", "overlap", "same", "list")), spoilt="out"
        )
    if kind == "more":
        return _more(dice, call)
    if kind == "options":
        options = dict(call.options)
        options[at] = _other(dice, options[at])
        return replace(call, options=options, spoilt=str(at))
    given = list(getattr(call, kind))
    if kind == "args" and dice.maybe(0.05):
        del given[at]
    else:
        given[at] = _other(dice, given[at])
    return replace(call, **{kind: tuple(given)}, spoilt=f"{kind} {at}")


def _more(dice: Dice, call: Call) -> Call:
    """Give an option that the function may not have."""
    name = dice.of(
        "backend", "strides", "stride", "padding", "bias", "activation", "groups", "nonsense", "dtype"
    )
    value = dice.of("numba", "einsum:matmul", "numba:none", "", 3, None) if name == "backend" else junk(dice)
    return replace(call, options={**call.options, name: value}, spoilt=name)


def junk(dice: Dice) -> Any:
    return dice.choice(NUMBERS) if dice.maybe(0.4) else Code(dice.choice(OTHERS))


def _other(dice: Dice, value: Any) -> Any:
    """Replace a value, or one number in it, or an array by one that fits less."""
    if isinstance(value, Array) and dice.maybe(0.85):
        return _other_array(dice, value)
    if isinstance(value, (tuple, list)) and value and dice.maybe(0.7):
        given = list(value)
        at = dice.randrange(len(given))
        if dice.maybe(0.15):
            given = given[:at] + given[at + 1 :] if dice.maybe(0.5) else [*given, given[at]]
        else:
            given[at] = _other(dice, given[at])
        return type(value)(given)
    return junk(dice)


def _other_array(dice: Dice, array: Array) -> Array:
    """Change the shape or the dtype of an array; such arrays lie as NumPy makes them."""
    shape, dtype = list(array.shape), array.dtype
    way = dice.of("size", "size", "axis", "axes", "empty", "dtype", "vast")
    if not shape:
        way = dice.of("axes", "dtype")
    at = dice.randrange(len(shape)) if shape else 0
    if way == "size":
        shape[at] += dice.of(-1, 1, 2)
    elif way == "axis":
        del shape[at]
    elif way == "axes":
        shape.insert(dice.randint(0, len(shape)), dice.of(1, 2))
    elif way == "empty":
        shape[at] = 0
    elif way == "vast":  # such as NumPy's broadcast_to makes
        shape[at] = VAST
        return replace(array, shape=tuple(shape), form=("vast",), values="whole")
    else:
        dtype = dice.of("float64", "float32", "int8", "bool", "complex64", "uint64", "float16")
    return Array(tuple(max(n, 0) for n in shape), dtype, "whole", (), array.seed)
