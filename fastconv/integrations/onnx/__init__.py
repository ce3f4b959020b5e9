"""ONNX's reference evaluator, made fast and right.

`OPS` are operators for its ``new_ops``: convolutions, pools and some more. `evaluator(model)` is an
evaluator that has them, and `profile` says what each of its nodes costs. onnx is needed, but no runtime.
"""

from fastconv.integrations.onnx.models import Cost, evaluator, profile
from fastconv.integrations.onnx.operators import OPS

__all__ = ["OPS", "Cost", "evaluator", "profile"]
