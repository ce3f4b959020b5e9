"""Channels that become pixels, and back: the sub-pixel rearrangement of Shi et al., 2016.

shuffle    y[..., c, h*r + a, w*r + b] = x[..., (c*r + a)*r + b, h, w]
unshuffle  the other way around

Of the channels that become pixels, those of one pixel are neighbours here; with `pixels_first` they lie apart
and those that stay channels are neighbours: ``x[..., (a*r + b)*c' + c, h, w]`` for `c'` of them.
"""

from __future__ import annotations

import numpy as np


def shuffle(x: np.ndarray, c: int, r: int, pixels_first: bool = False) -> np.ndarray:
    """Turn ``(*m, c * r * r, h, w)`` into (*m, c, h * r, w * r)."""
    *m, _, h, w = x.shape
    if pixels_first:
        split = np.moveaxis(x.reshape(*m, r, r, c, h, w), -3, -5)
    else:
        split = x.reshape(*m, c, r, r, h, w)
    if r > w:  # the last loop is over neighbours, or over whole rows, whichever is longer
        pixels = np.moveaxis(split, (-4, -3), (-3, -1))
        return np.array(pixels, order="C").reshape(*m, c, h * r, w * r)
    y = np.empty((*m, c, h * r, w * r), x.dtype)
    for a, b in np.ndindex(r, r):
        y[..., a::r, b::r] = split[..., a, b, :, :]
    return y


def unshuffle(x: np.ndarray, h: int, w: int, r: int, pixels_first: bool = False) -> np.ndarray:
    """Turn ``(*m, c, h * r, w * r)`` into (*m, c * r * r, h, w)."""
    *m, c, _, _ = x.shape
    split = np.moveaxis(x.reshape(*m, c, h, r, w, r), (-3, -1), (-4, -3))
    if pixels_first:
        split = np.moveaxis(split, -5, -3)
    return np.array(split, order="C").reshape(*m, c * r * r, h, w)
