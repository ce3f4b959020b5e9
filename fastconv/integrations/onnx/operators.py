"""The operators that there are: collected from the modules that have them."""

from fastconv.integrations.onnx import convolution, normalization, pooling, quantized

OPS = (*convolution.OPS, *quantized.OPS, *pooling.OPS, *normalization.OPS)
