"""What moves elements about: ``Col2Im``, ``MaxUnpool``, ``DepthToSpace`` and ``SpaceToDepth``."""

from __future__ import annotations

from typing import Any

from onnx.reference.op_run import OpRun

from fastconv import fold, shuffle, unpool
from fastconv.integrations.onnx.node import words
from fastconv.problem import Words
from fastconv.problem.arrangement import shuffled_channels, unshuffled_sizes
from fastconv.problem.onnx_arrangement import check_image, image_window, is_pixels_first, unpooled

BLOCKS = Words("Col2Im", x="input", size="block_shape", dilation="dilations", padding="pads")
DEPTH, SPACE = (Words(op, x="input", size="blocksize") for op in ("DepthToSpace", "SpaceToDepth"))


class Col2Im(OpRun):
    """Blocks added up to an image of any rank."""

    def _run(self, x, image_shape, block_shape, **attributes: Any):
        return (fold.fold(image_window(BLOCKS, x.shape, image_shape, block_shape, **attributes), x),)


class MaxUnpool(OpRun):
    """The largest elements of windows, put back where they were found."""

    def _run(self, x, at, output_shape=None, **attributes: Any):
        at, shape = unpooled(words("MaxUnpool"), at, x.shape, output_shape, **attributes)
        return (unpool.unpool(x.reshape(1, 1, x.size), at.reshape(1, 1, x.size), shape)[0, 0],)


class DepthToSpace(OpRun):
    """Channels that become pixels."""

    def _run(self, x, blocksize=None, mode=None):
        r = check_image(DEPTH, x.shape, blocksize)
        c = shuffled_channels(DEPTH, x.shape, r)
        return (shuffle.shuffle(x, c, r, is_pixels_first(DEPTH, mode)),)


class SpaceToDepth(OpRun):
    """Pixels that become channels."""

    def _run(self, x, blocksize=None, mode=None):
        r = check_image(SPACE, x.shape, blocksize)
        h, w = unshuffled_sizes(SPACE, x.shape, r)
        return (shuffle.unshuffle(x, h, w, r, is_pixels_first(SPACE, mode)),)


OPS = (Col2Im, MaxUnpool, DepthToSpace, SpaceToDepth)
