"""A photograph as an array: any image file that Pillow reads, or the one that ships with matplotlib."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

import fastconv
from fastconv.cli import CommandError

DETAIL = 144  # pixels a side, if it were square, of the part that is shown enlarged
LEAST = 32  # pixels an axis, so that something is left to look at after the last layer


def default() -> Path:
    """Return the path of matplotlib's sample photograph: Grace Hopper, in the public domain."""
    from matplotlib.cbook import get_sample_data

    return Path(str(get_sample_data("grace_hopper.jpg", asfileobj=False)))


class Photo(NamedTuple):
    """Red, green and blue from 0 to 1, float32, and what the sides of the file's image were divided by."""

    pixels: np.ndarray  # (1, h, w, 3)
    divisor: int


def read(path: Path, longest: int) -> Photo:
    """Read an image, and make it smaller by average pooling if a side has more than `longest` pixels.

    Transparency shows white.

    Raises
    ------
    CommandError : there is no such file, it is no image, or it is too small.
    """
    from PIL import Image

    try:
        with Image.open(path) as image:
            pixels = _pixels(image)
    # What Pillow's decoders raise on a file that breaks their format.
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise CommandError(f"PHOTO must be an image file; got {path} ({_reason(error)})") from None
    divisor = -(-max(pixels.shape) // longest)
    if min(pixels.shape[:2]) // divisor < LEAST:
        raise CommandError(
            f"PHOTO must have at least {LEAST * divisor} pixels on each side; got {path} with "
            f"{pixels.shape[1]} x {pixels.shape[0]}"
        )
    # By einsum, whatever the environment says: the backend to show may not pool, or take long.
    return Photo(fastconv.average_pool(pixels[None], divisor, backend="einsum"), divisor)


def detail(photo: np.ndarray) -> tuple[slice, slice]:
    """Return rows and columns of a part of (1, h, w, 3), of the same proportions, where faces often are."""
    h, w = photo.shape[1:3]
    share = min(1.0, DETAIL / (h * w) ** 0.5)
    height, width = round(h * share), round(w * share)
    top, left = (h - height) * 3 // 8, (w - width) // 2
    return slice(top, top + height), slice(left, left + width)


def _pixels(image) -> np.ndarray:
    """Return an image of any mode as (h, w, 3)."""
    from PIL import ImageOps

    image = ImageOps.exif_transpose(image)  # as the camera was held
    if image.mode.startswith("I") or image.mode == "F":  # one channel of more than 8 bits
        values = np.nan_to_num(np.asarray(image).astype(np.float32))
        return np.repeat(_unit(values, image.mode)[..., None], 3, axis=-1)
    rgba = np.asarray(image.convert("RGBA")).astype(np.float32) / 255
    colour, opacity = rgba[..., :3], rgba[..., 3:]
    return colour * opacity + (1 - opacity)


def _unit(values: np.ndarray, mode: str) -> np.ndarray:
    """Bring values to 0 ... 1: integers of 16 bits by that range, others by the values there are."""
    low, high = values.min(), values.max()
    if mode != "F" and low >= 0 and high <= 65535:
        low, high = np.float32(0), np.float32(65535)
    return (values - low) / max(high - low, np.finfo(np.float32).tiny)


def _reason(error: Exception) -> str:
    """Say what is wrong without repeating the path."""
    return getattr(error, "strerror", None) or type(error).__name__
