"""Problems as people write them on a command line."""

from __future__ import annotations

import argparse
import re
from typing import Any

import numpy as np

from fastconv.cli import CommandError
from fastconv.dispatch import Problem
from fastconv.problem import Layout, Words, checked_dtype, conv_problem, pool_problem
from fastconv.problem.parse import parse

CONV = Words("conv", "INPUT", "KERNEL", strides="--strides", dilation="--dilation", padding="--padding")
POOL = CONV._replace(op="pool", size="--pool")

SIZES = re.compile(r"\d+(x\d+)*")
PADS = re.compile(r"-?\d+(\+-?\d+)?(x-?\d+(\+-?\d+)?)*")
FOR_CONV = ("bias", "activation")
FOR_POOL = ("pool", "reduction")
FOR_BOTH = ("strides", "padding", "dilation", "data_format", "dtype")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare what shapes alone do not say; what is not given is None."""
    add = parser.add_argument
    add("--strides", type=sizes, metavar="S", help="as 2 or 2x1; default: 1, of a pool its windows' size")
    add(
        "--padding",
        type=padding,
        metavar="P",
        help="valid (the default), same, same_lower, causal, or numbers: 1, 1x0, 0+1x0+1 (before+after)",
    )
    add("--dilation", type=sizes, metavar="D", help="as 2 or 2x1; default: 1")
    add("--data-format", choices=("channels_last", "channels_first"), help="default: channels_last")
    add("--dtype", type=dtype, help="of all arrays; default: float32")
    add("--bias", action="store_const", const=True, help="add a bias")
    add("--activation", metavar="NAME", help="as relu")
    add("--pool", type=sizes, metavar="K", help="pool INPUT in windows of K, as 2 or 3x2")
    add("--reduction", choices=("max", "min", "mean", "sum", "prod"), help="of a pool; default: max")


def problem(args: argparse.Namespace) -> Problem:
    """State the problem that SHAPES and the options describe.

    Raises
    ------
    CommandError : they describe none.
    """
    text = " ".join(args.shapes)
    words = text.split()
    try:
        if words[:1] in (["conv"], ["pool"]):
            _refuse_options(args, FOR_BOTH + FOR_CONV + FOR_POOL, "a problem's line says everything")
            return parse(text)
        shapes = [_tuple(sizes(word)) for word in words]
        if args.pool is None and len(shapes) == 2:
            _refuse_options(args, FOR_POOL, "INPUT KERNEL is a convolution")
            return _conv(args, *shapes)
        if args.pool is not None and len(shapes) == 1:
            _refuse_options(args, FOR_CONV, "--pool makes it a pooling")
            return _pool(args, *shapes)
    except (ValueError, TypeError, argparse.ArgumentTypeError) as error:
        raise CommandError(str(error)) from None
    raise CommandError(
        "SHAPES must be 'INPUT KERNEL', as '1x56x56x64 3x3x64x64', or 'INPUT' with --pool, or a problem's "
        f"line as this command prints it; got {text!r}"
    )


def _refuse_options(args: argparse.Namespace, names: tuple[str, ...], why: str) -> None:
    """Refuse options that would be ignored."""
    given = [f"--{name.replace('_', '-')}" for name in names if getattr(args, name) is not None]
    if given:
        raise CommandError(f"{', '.join(given)} must be left out, since {why}")


def _conv(args: argparse.Namespace, x_shape: tuple[int, ...], w_shape: tuple[int, ...]) -> Problem:
    """State a convolution."""
    return conv_problem(
        CONV,
        _layout(args, CONV, x_shape),
        x_shape,
        w_shape,
        strides=1 if args.strides is None else args.strides,
        padding=args.padding if args.padding is not None else "valid",
        dilation=1 if args.dilation is None else args.dilation,
        x_dtype=args.dtype or np.dtype(np.float32),
        w_dtype=args.dtype or np.dtype(np.float32),
        has_bias=bool(args.bias),
        activation=args.activation,
    )


def _pool(args: argparse.Namespace, x_shape: tuple[int, ...]) -> Problem:
    """State a pooling."""
    return pool_problem(
        POOL,
        _layout(args, POOL, x_shape),
        x_shape,
        args.dtype or np.dtype(np.float32),
        args.pool,
        strides=args.strides,
        padding=args.padding if args.padding is not None else "valid",
        dilation=1 if args.dilation is None else args.dilation,
        reduction=args.reduction or "max",
    )


def _layout(args: argparse.Namespace, words: Words, x_shape: tuple[int, ...]) -> Layout:
    return Layout.of(words, args.data_format or "channels_last", len(x_shape))


def sizes(text: str) -> int | tuple[int, ...]:
    """Read ``3`` as 3 and ``3x2`` as (3, 2)."""
    if not SIZES.fullmatch(text):
        raise argparse.ArgumentTypeError(f"sizes must be whole numbers joined by x, as 3x2; got {text!r}")
    numbers = tuple(map(int, text.split("x")))
    return numbers if len(numbers) > 1 else numbers[0]


def padding(text: str) -> Any:
    """Read ``1`` as 1, ``1x0`` as one number an axis, ``0+1x0+1`` as one pair an axis; leave words."""
    if not PADS.fullmatch(text):
        return text  # a word, which the problem's own check knows
    axes = [tuple(map(int, axis.split("+"))) for axis in text.split("x")]
    entries = [axis if len(axis) == 2 else axis[0] for axis in axes]
    return entries[0] if entries == [axes[0][0]] else entries


def dtype(text: str) -> np.dtype:
    """Read a dtype that holds numbers."""
    try:
        return checked_dtype(CONV, "--dtype", text, ())
    except TypeError:
        raise argparse.ArgumentTypeError(
            f"a dtype must be NumPy's name of one that holds numbers, as float32; got {text!r}"
        ) from None


def _tuple(value: int | tuple[int, ...]) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value,)
