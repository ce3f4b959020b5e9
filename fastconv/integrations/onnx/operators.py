"""The operators that there are: collected from the modules that have them."""

from fastconv.integrations.onnx import arrangement, convolution, normalization, pooling, quantized, regions

OPS = (
    *convolution.OPS,
    *quantized.OPS,
    *pooling.OPS,
    *normalization.OPS,
    *arrangement.OPS,
    *regions.OPS,
)
