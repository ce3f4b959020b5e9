"""The layers that are timed, each a problem's line, by family. Kernels are not mentioned here.

Convolutions are of image networks where the name does not say otherwise: ``whisper`` is speech, ``wavenet``
a stack of dilated causal layers on 16,000 samples, ``r3d18`` is video. The filter ``gauss21`` has weights of
rank one, so that it may be run as two passes.
"""

from __future__ import annotations

from fnmatch import fnmatch

from fastconv.problem.parse import parse

DENSE = {
    "article/conv": "conv n1 g1 ic3 oc4 i28x28 k2x2 s2x2 d1x1 p0+0x0+0 float32",
    "article/conv_n64": "conv n64 g1 ic3 oc4 i28x28 k2x2 s2x2 d1x1 p0+0x0+0 float32",
    "lenet5/conv1": "conv n1 g1 ic1 oc6 i28x28 k5x5 s1x1 d1x1 p2+2x2+2 float32",
    "lenet5/conv2": "conv n1 g1 ic6 oc16 i14x14 k5x5 s1x1 d1x1 p0+0x0+0 float32",
    "mnist/conv1": "conv n1 g1 ic1 oc32 i28x28 k3x3 s1x1 d1x1 p0+0x0+0 float32",
    "vgg16/block1_conv1": "conv n1 g1 ic3 oc64 i224x224 k3x3 s1x1 d1x1 p1+1x1+1 float32",
    "vgg16/block2_conv2": "conv n1 g1 ic128 oc128 i112x112 k3x3 s1x1 d1x1 p1+1x1+1 float32",
    "vgg16/block3_conv2": "conv n1 g1 ic256 oc256 i56x56 k3x3 s1x1 d1x1 p1+1x1+1 float32",
    "vgg16/block4_conv2": "conv n1 g1 ic512 oc512 i28x28 k3x3 s1x1 d1x1 p1+1x1+1 float32",
    "resnet50/conv1": "conv n1 g1 ic3 oc64 i224x224 k7x7 s2x2 d1x1 p3+3x3+3 float32",
    "resnet50/conv2_3x3": "conv n1 g1 ic64 oc64 i56x56 k3x3 s1x1 d1x1 p1+1x1+1 float32",
    "resnet50/conv2_1x1": "conv n1 g1 ic64 oc256 i56x56 k1x1 s1x1 d1x1 p0+0x0+0 float32",
    "resnet50/conv2_1x1_n8": "conv n8 g1 ic64 oc256 i56x56 k1x1 s1x1 d1x1 p0+0x0+0 float32",
    "resnet50/conv3_1x1_s2": "conv n1 g1 ic256 oc512 i56x56 k1x1 s2x2 d1x1 p0+0x0+0 float32",
    "resnet50/conv3_3x3": "conv n1 g1 ic128 oc128 i28x28 k3x3 s1x1 d1x1 p1+1x1+1 float32",
    "resnet50/conv4_3x3": "conv n1 g1 ic256 oc256 i14x14 k3x3 s1x1 d1x1 p1+1x1+1 float32",
    "resnet50/conv4_3x3_n8": "conv n8 g1 ic256 oc256 i14x14 k3x3 s1x1 d1x1 p1+1x1+1 float32",
    "resnet50/conv5_3x3": "conv n1 g1 ic512 oc512 i7x7 k3x3 s1x1 d1x1 p1+1x1+1 float32",
    "deeplab/aspp6": "conv n1 g1 ic256 oc256 i33x33 k3x3 s1x1 d6x6 p6+6x6+6 float32",
    "unet/up": "conv n1 g1 ic256 oc128 i28x28 k2x2 s1x1 d1x1 b2x2 p1+1x1+1 float32",
    "efficientnet/24_3x3": "conv n1 g1 ic24 oc40 i56x56 k3x3 s1x1 d1x1 p1+1x1+1 float32",
    "efficientnet/24_1x1": "conv n1 g1 ic24 oc144 i56x56 k1x1 s1x1 d1x1 p0+0x0+0 float32",
    "efficientnet/40_1x1": "conv n1 g1 ic240 oc40 i28x28 k1x1 s1x1 d1x1 p0+0x0+0 float32",
    "efficientnet/112_1x1": "conv n1 g1 ic112 oc672 i14x14 k1x1 s1x1 d1x1 p0+0x0+0 float32",
    "efficientnet/192_1x1": "conv n1 g1 ic1152 oc192 i7x7 k1x1 s1x1 d1x1 p0+0x0+0 float32",
    "efficientnet/320_1x1": "conv n1 g1 ic1152 oc320 i7x7 k1x1 s1x1 d1x1 p0+0x0+0 float32",
    "whisper/conv1": "conv n1 g1 ic80 oc384 i3000 k3 s1 d1 p1+1 float32",
    "wavenet/d1": "conv n1 g1 ic64 oc64 i16000 k2 s1 d1 p1+0 float32",
    "wavenet/d32": "conv n1 g1 ic64 oc64 i16000 k2 s1 d32 p32+0 float32",
    "wavenet/d512": "conv n1 g1 ic64 oc64 i16000 k2 s1 d512 p512+0 float32",
    "r3d18/conv2": "conv n1 g1 ic64 oc64 i8x56x56 k3x3x3 s1x1x1 d1x1x1 p1+1x1+1x1+1 float32",
}
DEPTHWISE = {
    "mobilenetv2/block1_dw": "conv n1 g96 ic1 oc1 i112x112 k3x3 s2x2 d1x1 p1+1x1+1 float32",
    "mobilenetv2/block2_dw": "conv n1 g144 ic1 oc1 i56x56 k3x3 s1x1 d1x1 p1+1x1+1 float32",
    "mobilenetv2/block4_dw": "conv n1 g192 ic1 oc1 i28x28 k3x3 s1x1 d1x1 p1+1x1+1 float32",
    "mobilenetv2/block14_dw": "conv n1 g960 ic1 oc1 i7x7 k3x3 s1x1 d1x1 p1+1x1+1 float32",
    "efficientnet/dw_5x5": "conv n1 g240 ic1 oc1 i28x28 k5x5 s1x1 d1x1 p2+2x2+2 float32",
    "convnext/dw_7x7": "conv n1 g96 ic1 oc1 i56x56 k7x7 s1x1 d1x1 p3+3x3+3 float32",
    "resnext50/conv2_g32": "conv n1 g32 ic4 oc4 i56x56 k3x3 s1x1 d1x1 p1+1x1+1 float32",
}
FILTERS = {
    "gray512/31x31": "conv n1 g1 ic1 oc1 i512x512 k31x31 s1x1 d1x1 p15+15x15+15 float32",
    "gray1024/gauss21": "conv n1 g1 ic1 oc1 i1024x1024 k21x21 s1x1 d1x1 p10+10x10+10 float32",
    "rgb1080p/5x5": "conv n1 g3 ic1 oc1 i1080x1920 k5x5 s1x1 d1x1 p2+2x2+2 float32",
    "signal/fir101": "conv n1 g1 ic1 oc1 i1000000 k101 s1 d1 p50+50 float32",
    "signal/fir5001": "conv n1 g1 ic1 oc1 i1000000 k5001 s1 d1 p2500+2500 float32",
}
POOLS = {
    "article/pool": "pool max n1 c4 i14x14 k2x2 s2x2 d1x1 p0+0x0+0 float32",
    "lenet5/pool1": "pool mean n1 c6 i28x28 k2x2 s2x2 d1x1 p0+0x0+0 float32",
    "vgg16/block1_pool": "pool max n1 c64 i224x224 k2x2 s2x2 d1x1 p0+0x0+0 float32",
    "vgg16/block1_pool_n8": "pool max n8 c64 i224x224 k2x2 s2x2 d1x1 p0+0x0+0 float32",
    "resnet50/pool1": "pool max n1 c64 i112x112 k3x3 s2x2 d1x1 p0+1x0+1 float32",
    "resnet50/avg_pool": "pool mean n1 c2048 i7x7 k7x7 s7x7 d1x1 p0+0x0+0 float32",
    "resnet50/avg_pool_n32": "pool mean n32 c2048 i7x7 k7x7 s7x7 d1x1 p0+0x0+0 float32",
    "inceptionv3/mixed1_pool": "pool mean n1 c288 i35x35 k3x3 s1x1 d1x1 p1+1x1+1 float32",
    "spp/13x13": "pool max n1 c512 i13x13 k13x13 s1x1 d1x1 p6+6x6+6 float32",
    "speech/1d": "pool max n64 c384 i3000 k2 s2 d1 p0+0 float32",
    "video/3d": "pool max n1 c64 i16x56x56 k2x2x2 s2x2x2 d1x1x1 p0+0x0+0x0+0 float32",
    "gray2048/2x2": "pool max n1 c1 i2048x2048 k2x2 s2x2 d1x1 p0+0x0+0 float32",
    "gray1024/max7": "pool max n1 c1 i1024x1024 k7x7 s1x1 d1x1 p3+3x3+3 float32",
    "gray1024/max31": "pool max n1 c1 i1024x1024 k31x31 s1x1 d1x1 p15+15x15+15 float32",
    "gray1024/max63": "pool max n1 c1 i1024x1024 k63x63 s1x1 d1x1 p31+31x31+31 float32",
    "gray1024/mean7": "pool mean n1 c1 i1024x1024 k7x7 s1x1 d1x1 p3+3x3+3 float32 bypadded",
    "gray1024/mean31": "pool mean n1 c1 i1024x1024 k31x31 s1x1 d1x1 p15+15x15+15 float32 bypadded",
    "gray1024/mean63": "pool mean n1 c1 i1024x1024 k63x63 s1x1 d1x1 p31+31x31+31 float32 bypadded",
}
FAMILIES = {"dense": DENSE, "depthwise": DEPTHWISE, "filters": FILTERS, "pools": POOLS}
PROBLEMS = {name: parse(line) for lines in FAMILIES.values() for name, line in lines.items()}
SEPARABLE = ("gray1024/gauss21",)  # weights of rank one
ONE_FILTER = ("rgb1080p/5x5",)  # for all channels
SMOKE = ("article/conv", "article/pool", "lenet5/conv1", "lenet5/conv2", "lenet5/pool1")  # for every push


def family(workload: str) -> str:
    """Name the family of a workload."""
    return next(name for name, lines in FAMILIES.items() if workload in lines)


def matching(pattern: str) -> list[str]:
    """List the workloads whose name or family's name a pattern as in a shell matches, or begins."""
    wanted = pattern if any(sign in pattern for sign in "*?[") else f"{pattern}*"
    return [name for name in PROBLEMS if fnmatch(name, wanted) or fnmatch(family(name), wanted)]
