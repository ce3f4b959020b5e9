"""Precision: accepted as in JAX, where it has no effect on CPUs either."""

from __future__ import annotations

import enum
from typing import Any


class Precision(enum.Enum):
    """How exactly accelerators are to multiply float32; here, always exactly."""

    DEFAULT = 0
    HIGH = 1
    HIGHEST = 2

    @classmethod
    def _missing_(cls, value: object) -> Precision | None:
        return _NAMES.get(value) if isinstance(value, str) else None


_NAMES = {
    **dict.fromkeys(("default", "fastest", "bfloat16"), Precision.DEFAULT),
    **dict.fromkeys(("high", "bfloat16_3x", "tensorfloat32"), Precision.HIGH),
    **dict.fromkeys(("highest", "float32"), Precision.HIGHEST),
}


def check_precision(op: str, precision: Any) -> None:
    """Refuse what is neither None, a `Precision`, the name of one, nor a pair of either."""
    pair = precision if isinstance(precision, (tuple, list)) else (precision,) * 2
    alike = all(isinstance(p, Precision) for p in pair) or all(
        isinstance(p, str) and p in _NAMES for p in pair
    )
    if precision is not None and not (len(pair) == 2 and alike):
        raise ValueError(
            f"{op}: `precision` must be None, a Precision, one of {', '.join(_NAMES)}, or two of a sort; "
            f"got {precision!r}"
        )
