"""Problems that between them need the compiled code of most others: for ``warmup``.

Code depends on the kernel, the dtype, for grouped convolution and pooling on the window, and for dense
convolution on what filters leave of a vector; hardly ever on other sizes, which are such that threads are
worth starting. ``{}`` stands for the dtype.
"""

from __future__ import annotations

FLOATS = ("float32", "float64")  # of convolutions and means
NUMBERS = ("uint8", "int8", "int32", "int64")  # that are pooled too
DTYPES = (*FLOATS, *NUMBERS)

DENSE = (
    "conv n1 g1 ic64 oc64 i28x28 k3x3 s1x1 d1x1 p1+1x1+1 {}",
    "conv n1 g1 ic64 oc64 i56x56 k1x1 s1x1 d1x1 p0+0x0+0 {}",
    "conv n1 g1 ic3 oc32 i112x112 k3x3 s2x2 d1x1 p0+1x0+1 {}",
    "conv n1 g1 ic64 oc64 i28x28 k3x3 s1x1 d1x1 p1+1x1+1 {} x@0312 y@0312",
    "conv n1 g1 ic64 oc64 i56x56 k1x1 s1x1 d1x1 p0+0x0+0 {} x@0312 y@0312",
    "conv n1 g1 ic1 oc1 i512x512 k5x5 s1x1 d1x1 p2+2x2+2 {}",
    "conv n1 g1 ic1 oc1 i512x512 k15x15 s1x1 d1x1 p7+7x7+7 {}",
    "conv n1 g1 ic1 oc1 i100000 k301 s1 d1 p150+150 {}",
    "conv n1 g3 ic1 oc1 i512x512 k5x5 s1x1 d1x1 p2+2x2+2 {}",
    "conv n1 g32 ic1 oc1 i56x56 k3x3 s1x1 d1x1 p1+1x1+1 {} x@0312 y@0312",
)
# Filters that leave a vector, or half of one, of whatever length it is.
FEW = tuple(f"conv n1 g1 ic64 oc{oc} i28x28 k3x3 s1x1 d1x1 p1+1x1+1 {{}}" for oc in (1, 2, 4, 8, 16))
DEPTHWISE = tuple(
    f"conv n1 g64 ic1 oc1 i112x112 k{k}x{k} s{s}x{s} d1x1 p{k // 2}+{k // 2}x{k // 2}+{k // 2} {{}}"
    for k in (3, 5, 7)
    for s in (1, 2)
)
GROUPED = tuple(f"conv n1 g32 ic{c} oc{c} i56x56 k3x3 s1x1 d1x1 p1+1x1+1 {{}}" for c in (4, 8))
POOLS = (
    "pool max n1 c64 i224x224 k2x2 s2x2 d1x1 p0+0x0+0 {}",
    "pool max n1 c3 i1024x1024 k2x2 s2x2 d1x1 p0+0x0+0 {}",
    "pool max n1 c1 i1024x1024 k2x2 s2x2 d1x1 p0+0x0+0 {}",
    "pool max n1 c64 i224x224 k7x7 s7x7 d1x1 p0+0x0+0 {}",
)
MEANS = tuple(line.replace("max", "mean") for line in POOLS)
WIDE = (
    "pool max n1 c512 i56x56 k56x56 s56x56 d1x1 p0+0x0+0 {} x@0312 y@0312",
    "pool mean n1 c512 i56x56 k56x56 s56x56 d1x1 p0+0x0+0 {} x@0312 y@0312",
    "pool max n1 c1 i512x512 k15x15 s1x1 d1x1 p7+7x7+7 {}",
    "pool mean n1 c1 i512x512 k15x15 s1x1 d1x1 p7+7x7+7 {}",
    "pool max n1 c64 i224x224 k2x2 s2x2 d1x1 p0+0x0+0 {} indices",
    "pool max n1 c1 i512x512 k15x15 s1x1 d1x1 p7+7x7+7 {} indices",
)


def lines(dtypes: tuple[str, ...]) -> list[str]:
    """List the problems of these dtypes."""
    found = []
    for dtype in dtypes:
        floating = dtype in FLOATS
        kinds = (*DENSE, *FEW, *DEPTHWISE, *GROUPED, *POOLS, *MEANS, *WIDE) if floating else POOLS
        found += [line.replace("{}", dtype) for line in kinds]
    return found
