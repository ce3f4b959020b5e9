"""Deformable convolution: every tap of every place is moved by an offset, and sampled between elements.

    y[n, f, o] = sum_{k, c} w[f, c, k] * mask[n, k, o] * x(n, c, o*s + k*d - p + offset[n, k, :, o])

where ``x(n, c, q)`` is linear in each coordinate of `q` between the elements of `x`, and zero from one
element outside on. (Dai et al., Deformable Convolutional Networks, 2017; with the mask: Zhu et al.,
Deformable ConvNets v2, 2019.)

Some places at a time, their taps are gathered into the rows of a matrix, which is multiplied by the weights.
Elements lie with channels together in a frame of zeros, two before each axis and one behind: a tap whose
sample is zero is sent to the first two, so that no element, be it infinite, is multiplied by zero for it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from fastconv.problem import Words, checked_array, checked_bias
from fastconv.problem.deformable import DeformProblem, deform_problem

DEFORM = Words("deform_conv", "input", "weight", strides="stride", dilation="dilation")

BLOCK = 2**18  # elements gathered at a time: 1 MB of float32, about a second-level cache


def deform_conv(input, offset, weight, bias=None, stride=1, padding=0, dilation=1, mask=None):
    """Convolve N-D inputs with a kernel whose taps are moved by offsets, in the words of torchvision.

    ``y[n, f, o] = sum_{k, c} w[f, c, k] * mask[n, k, o] * x(n, c, o*s + k*d - p + offset[n, k, :, o])``
    where `x` is linear in each coordinate between elements, and falls to zero within one outside of them.

    Parameters
    ----------
    input : array_like, shape (n, c, *i)
        Of a float dtype, with any number of spatial axes.
    offset : array_like, shape (n, offset_groups * taps * rank, *o)
        How far each tap is moved, in elements, along each axis: for each group of channels the taps in
        row-major order, for each tap the axes in order. One that is infinite or NaN moves its tap outside,
        where all is zero, as in ONNX Runtime.
    weight : array_like, shape (f, c / groups, *k)
    bias : array_like, shape (f,), optional
    stride, dilation : int or sequence of int
    padding : int, or one int or (before, after) pair for each spatial axis
        Zeros, none negative.
    mask : array_like, shape (n, offset_groups * taps, *o), optional
        What each tap is multiplied by, 1 if not given.

    Returns
    -------
    ndarray, shape (n, f, *o)
        ``o = (i + before + after - (k - 1)*d - 1) // s + 1``; in the dtype that `input` and `weight`
        promote to. One of 16 bits is computed in float32 and rounded once.

    Raises
    ------
    ValueError : shapes or options break a rule; the message names it.
    TypeError : an argument is of a type that cannot be meant, or no float.

    Examples
    --------
    >>> x, w = np.arange(4.0).reshape(1, 1, 4), np.ones((1, 1, 1))
    >>> offset = np.array([[[0.25, 1, -1, 0.5]]])
    >>> fastconv.deformable.deform_conv(x, offset, w)  # between 0 and 1, at 2, at 1, between 3 and outside
    array([[[0.25, 2.  , 1.  , 1.5 ]]])
    """
    options = dict(strides=stride, padding=padding, dilation=dilation)
    return convolve(DEFORM, input, offset, weight, bias, mask, options)


def convolve(words: Words, x, offset, w, bias, mask, options: dict[str, Any]) -> np.ndarray:
    """Do what `deform_conv` does, in the words of any face."""
    x, offset, w = (
        checked_array(words, name, value) for name, value in ((words.x, x), ("offset", offset), (words.w, w))
    )
    mask = None if mask is None else checked_array(words, "mask", mask)
    p = deform_problem(words, x, w, offset, mask, **options)
    b = None if bias is None else checked_bias(words, bias, p.g * p.oc, p.acc_dtype)
    return _convolved(p, x, w, offset, mask, b)


@np.errstate(all="ignore")
def _convolved(p: DeformProblem, x, w, offset, mask, bias) -> np.ndarray:
    """Multiply what the taps meet by the weights, block by block."""
    n, g, taps, places = p.n, p.g, p.window.taps, math.prod(p.window.o)
    w = w.astype(p.acc_dtype).reshape(g, p.oc, p.ic, taps).swapaxes(2, 3).reshape(g, p.oc, taps * p.ic)
    offset = offset.reshape(n, p.og, taps, p.window.rank, places)
    mask = np.ones((n, 1, 1, 1)) if mask is None else mask.reshape(n, p.og, taps, places)
    y = np.empty((n, g, p.oc, places), p.y_dtype)
    step = max(1, BLOCK // (taps * p.c))
    for image in range(n):
        rows = _framed(p, x[image])
        for first in range(0, places, step):
            block = slice(first, min(first + step, places))
            at = _coordinates(p, block, offset[image, ..., block])
            met = _met(p, rows, at, mask[image, ..., block if mask.shape[-1] > 1 else slice(None)])
            met = met.reshape(-1, taps, g, p.ic).transpose(2, 1, 3, 0).reshape(g, taps * p.ic, -1)
            totals = np.matmul(w, met)
            y[image, ..., block] = totals if bias is None else totals + bias.reshape(g, p.oc, 1)
    return y.reshape(n, g * p.oc, *p.window.o)


def _framed(p: DeformProblem, x: np.ndarray) -> np.ndarray:
    """Lay one image out with channels together and zeros around it: (elements * og, c / og)."""
    frame = np.zeros((*(i + 3 for i in p.window.i), p.c), p.acc_dtype)
    frame[(slice(2, -1),) * p.window.rank] = np.moveaxis(x, 0, -1)
    return frame.reshape(-1, p.c // p.og)


def _coordinates(p: DeformProblem, block: slice, offset: np.ndarray) -> Iterator[np.ndarray]:
    """Say, axis by axis, where in the input taps are: (places, taps, og), -2 for all that is outside."""
    window = p.window
    position = np.unravel_index(np.arange(block.start, block.stop), window.o)
    tap = np.unravel_index(np.arange(window.taps), window.k)
    for axis, (i, s, d, (lo, _)) in enumerate(zip(window.i, window.s, window.d, window.p, strict=True)):
        at = (position[axis] * s - lo)[:, None, None] + (tap[axis] * d)[:, None]
        at = at + offset[:, :, axis].transpose(2, 1, 0).astype(np.float64)
        yield np.where((at > -1) & (at < i), at, -2)


def _met(p: DeformProblem, rows: np.ndarray, coordinates, mask: np.ndarray) -> np.ndarray:
    """Gather what taps meet: (places, taps, og, c / og), the elements around each weighted and added up."""
    index: np.ndarray | int = 0
    corners = [(0, mask.transpose(2, 1, 0))]
    for at, i in zip(coordinates, p.window.i, strict=True):
        low = np.floor(at)
        index = index * (i + 3) + low.astype(np.intp) + 2
        part = at - low
        corners = [
            (shift * (i + 3) + more, weight * share)
            for (shift, weight), (more, share) in itertools.product(corners, ((0, 1 - part), (1, part)))
        ]
    index = index * p.og + np.arange(p.og)
    total: np.ndarray | float = 0
    for shift, weight in corners:
        seen = rows.take(index + shift * p.og, axis=0)
        seen *= weight.astype(p.acc_dtype)[..., None]
        total = seen if shift == 0 else np.add(total, seen, out=seen)
    return np.asarray(total)
