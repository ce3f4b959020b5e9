"""What ONNX's operators on regions state that other faces do not."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.problem.arguments import Words

TRANSFORMATIONS = {"half_pixel": True, "output_half_pixel": False}
TRANSFORMED = 16  # the opset whose boxes count half a pixel from where earlier ones do


def check_deformed(
    words: Words,
    x: np.ndarray,
    w: np.ndarray,
    offset: np.ndarray,
    kernel_shape: Any,
    group: Any,
    offset_group: Any,
) -> None:
    """Refuse attributes of a deformable convolution that say otherwise than the shapes of its arrays do."""
    if min(x.ndim, w.ndim, offset.ndim) < 3 or 0 in w.shape:
        return  # which is refused by rules of arrays alone
    k = w.shape[2:]
    numbers = int(np.prod(k)) * len(k)
    pairs = (
        (words.size, tuple(kernel_shape or k), k),
        ("group", group or 1, x.shape[1] // w.shape[1]),
        ("offset_group", offset_group or 1, offset.shape[1] // numbers),
    )
    for name, given, found in pairs:
        if given != found:
            raise ValueError(
                f"{words.op}: `{name}` must be what the shapes say, {found}; got {given} "
                f"({words.x} {x.shape}, {words.w} {w.shape}, offset {offset.shape})"
            )


def is_half_pixel(words: Words, mode: Any, version: int) -> bool:
    """Whether elements are at the centres of pixels; of early opsets, which had no mode, they are not."""
    if version < TRANSFORMED:
        return False
    if mode not in (None, *TRANSFORMATIONS):
        raise ValueError(
            f"{words.op}: `coordinate_transformation_mode` must be half_pixel or output_half_pixel; "
            f"got {mode!r}"
        )
    return TRANSFORMATIONS[mode or "half_pixel"]


def split_regions(words: Words, rois: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split rows of ``image, x1, y1, x2, y2``."""
    if rois.ndim != 2 or rois.shape[1] != 5:
        raise ValueError(
            f"{words.op}: `rois` must be rows of batch_id, x1, y1, x2, y2; got shape {rois.shape}"
        )
    return rois[:, 0], rois[:, 1:]
