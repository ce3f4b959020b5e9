"""ONNX's reference evaluator, made fast: operators for its ``new_ops``."""

from fastconv.integrations.onnx import convolution, normalization, pooling, quantized

OPS = (*convolution.OPS, *quantized.OPS, *pooling.OPS, *normalization.OPS)

__all__ = ["OPS"]
