"""Channels that become pixels, and back: the sub-pixel rearrangement of Shi et al., 2016.

shuffle    y[..., c, h*r + a, w*r + b] = x[..., (c*r + a)*r + b, h, w]
unshuffle  the other way around
"""

from __future__ import annotations

import numpy as np


def shuffle(x: np.ndarray, c: int, r: int) -> np.ndarray:
    """Turn ``(*m, c * r * r, h, w)`` into (*m, c, h * r, w * r)."""
    *m, _, h, w = x.shape
    split = np.moveaxis(x.reshape(*m, c, r, r, h, w), (-4, -3), (-3, -1))
    return np.array(split, order="C").reshape(*m, c, h * r, w * r)


def unshuffle(x: np.ndarray, h: int, w: int, r: int) -> np.ndarray:
    """Turn ``(*m, c, h * r, w * r)`` into (*m, c * r * r, h, w)."""
    *m, c, _, _ = x.shape
    split = np.moveaxis(x.reshape(*m, c, h, r, w, r), (-3, -1), (-4, -3))
    return np.array(split, order="C").reshape(*m, c * r * r, h, w)
