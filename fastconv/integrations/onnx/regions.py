"""What samples an image at places of its own: ``DeformConv``, ``RoiAlign`` and ``MaxRoiPool``."""

from __future__ import annotations

from typing import Any

from onnx.reference.op_run import OpRun

from fastconv import deformable, roi
from fastconv.integrations.onnx.node import words
from fastconv.problem import Words
from fastconv.problem.onnx import each_axis, explicit_padding
from fastconv.problem.onnx_regions import check_deformed, is_half_pixel, split_regions

ALIGN, POOL = Words("RoiAlign", x="X"), Words("MaxRoiPool", x="X")


class DeformConv(OpRun):
    """A convolution whose taps are moved by offsets."""

    def _run(
        self,
        x,
        w,
        offset,
        bias=None,
        mask=None,
        dilations=None,
        group=None,
        kernel_shape=None,
        offset_group=None,
        pads=None,
        strides=None,
    ):
        named, rank = words("DeformConv"), x.ndim - 2
        check_deformed(named, x, w, offset, kernel_shape, group, offset_group)
        options = dict(
            strides=each_axis(named, named.strides, strides, rank),
            padding=explicit_padding(named, pads, rank),
            dilation=each_axis(named, named.dilation, dilations, rank),
        )
        return (deformable.convolve(named, x, offset, w, bias, mask, options),)


class RoiAlign(OpRun):
    """Boxes of images, sampled between elements and reduced to bins."""

    def _run(
        self,
        x,
        rois,
        batch_indices,
        coordinate_transformation_mode=None,
        mode="avg",
        output_height=1,
        output_width=1,
        sampling_ratio=0,
        spatial_scale=1.0,
    ):
        version = self.run_params["opsets"][self.onnx_node.domain]
        half = is_half_pixel(ALIGN, coordinate_transformation_mode, version)
        bins = output_height, output_width
        return (roi.align(ALIGN, x, rois, batch_indices, bins, spatial_scale, sampling_ratio, half, mode),)


class MaxRoiPool(OpRun):
    """Boxes of images, reduced to the largest element of each bin."""

    def _run(self, x, rois, pooled_shape: Any = None, spatial_scale=1.0):
        images, corners = split_regions(POOL, rois)
        return (roi.pool(POOL, x, corners, images, tuple(pooled_shape), spatial_scale),)


OPS = (DeformConv, RoiAlign, MaxRoiPool)
