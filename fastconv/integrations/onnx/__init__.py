"""ONNX's reference evaluator, made fast: operators for its ``new_ops``."""

from fastconv.integrations.onnx import convolution

OPS = (*convolution.OPS,)

__all__ = ["OPS"]
