"""What ONNX's operators on blocks, places and groups state, and what is refused of them.

Attributes that are not there are None, or empty.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastconv.problem.arguments import Words, check_size, checked_sizes, per_axis
from fastconv.problem.arrangement import check_blocks, fitting
from fastconv.problem.onnx import each_axis, explicit_padding
from fastconv.problem.window import Window

MODES = ("DCR", "CRD")


def image_window(
    words: Words,
    shape: tuple[int, ...],
    image: np.ndarray,
    block: np.ndarray,
    *,
    dilations: Any = None,
    pads: Any = None,
    strides: Any = None,
) -> Window:
    """Lay out the blocks ``(n, c * taps, places)`` that ``Col2Im`` adds up to an image of any rank."""
    i = checked_sizes(words, "image_shape", image.tolist())
    rank = len(i)
    k = per_axis(words, words.size, tuple(block.tolist()), rank)
    s = each_axis(words, words.strides, strides, rank)
    d = each_axis(words, words.dilation, dilations, rank)
    if len(shape) != 3 or rank == 0:
        raise ValueError(
            f"{words.op}: `{words.x}` must be (n, c * elements of a block, blocks) and `image_shape` have an "
            f"axis; got {words.x} {shape} and {i}"
        )
    window = fitting(words, Window(i, k, s, d, (1,) * rank, explicit_padding(words, pads, rank)))
    check_blocks(words, window, shape, "image_shape")
    check_size(words, (*shape[:2], *window.padded), np.dtype(np.complex128))
    return window


def unpooled(
    words: Words,
    at: np.ndarray,
    shape: tuple[int, ...],
    output_shape: np.ndarray | None,
    *,
    kernel_shape: Any,
    pads: Any = None,
    strides: Any = None,
) -> tuple[np.ndarray, tuple[int, ...]]:
    """Find where ``MaxUnpool`` puts the elements of an array of `shape`: flat in the result, and its shape.

    ``MaxPool`` counts places in its whole input, and that is the result: `output_shape` if it is given. But
    ONNX's own example of one counts them in the shape that the attributes give, which is then put into a
    corner. So they are read that way where it takes every place, as the other does not, to its own window.
    """
    rank = len(shape) - 2
    k = per_axis(words, words.size, tuple(kernel_shape), rank)
    s = each_axis(words, words.strides, strides, rank)
    pairs = explicit_padding(words, pads, rank)
    usual = tuple(
        (n - 1) * step + t - lo - hi for n, t, step, (lo, hi) in zip(shape[2:], k, s, pairs, strict=True)
    )
    if at.shape != shape or at.dtype != np.int64:
        raise ValueError(
            f"{words.op}: `I` must be of int64 and have the shape of `{words.x}`; got {at.dtype} {at.shape} "
            f"({words.x} {shape})"
        )
    inferred, wanted = (*shape[:2], *usual), (*shape[:2], *usual)
    if output_shape is not None:
        wanted = checked_sizes(words, "output_shape", output_shape.tolist())
    if len(wanted) != len(shape) or wanted[:2] != shape[:2] or min(wanted[2:], default=0) < 1:
        raise ValueError(
            f"{words.op}: the result must have batch and channels of `{words.x}` and elements on every "
            f"spatial axis; got {wanted} for {words.x} {shape}"
        )
    check_size(words, wanted, np.dtype(np.complex128))
    first = [np.arange(n) * step - lo for n, step, (lo, _) in zip(shape[2:], s, pairs, strict=True)]
    if inferred != wanted and _at_home(at, inferred, first, k) and not _at_home(at, wanted, first, k):
        if any(n > m for n, m in zip(inferred, wanted, strict=True)):
            raise ValueError(
                f"{words.op}: `output_shape` must hold what the attributes give, {inferred}; got {wanted}"
            )
        at = np.asarray(np.ravel_multi_index(np.unravel_index(at, inferred), wanted))
    if at.size and not 0 <= at.min() <= at.max() < math.prod(wanted):
        raise ValueError(
            f"{words.op}: `I` must be from 0 to {math.prod(wanted) - 1}, places in a result {wanted}; "
            f"got from {at.min()} to {at.max()}"
        )
    return at, wanted


def _at_home(at: np.ndarray, shape: tuple[int, ...], first: list[np.ndarray], k: tuple[int, ...]) -> bool:
    """Whether each place, read in `shape`, is in its own plane and in the window that it was found in."""
    if at.size and not 0 <= at.min() <= at.max() < math.prod(shape):
        return False
    places = np.unravel_index(at, shape)
    begins = [*map(np.arange, at.shape[:2]), *first]
    spans = zip(places, np.ix_(*begins), (1, 1, *k), strict=True)
    return all(bool(((place >= begin) & (place < begin + size)).all()) for place, begin, size in spans)


def is_pixels_first(words: Words, mode: Any) -> bool:
    """Whether channels that become pixels lie apart: depth, column, row, from the fastest on."""
    if mode not in (None, *MODES):
        raise ValueError(f"{words.op}: `mode` must be DCR or CRD; got {mode!r}")
    return mode != "CRD"


def check_image(words: Words, shape: tuple[int, ...], blocksize: Any) -> int:
    """Refuse what is no batch of images, or a size that is none; return that."""
    if len(shape) != 4:
        raise ValueError(f"{words.op}: `{words.x}` must be (n, c, h, w); got {words.x} {shape}")
    return per_axis(words, words.size, (blocksize,), 1)[0]
