"""A problem as one line: test id, log entry, benchmark row and bug report alike; `parse` reads it back.

    conv n1 g1 ic64 oc256 i56x56 k1x1 s1x1 d1x1 p0+0x0+0 float32
    pool max n1 c64 i112x112 k3x3 s2x2 d1x1 p0+1x0+1 float32

What is not as usual follows: ``b2x1`` base dilation, ``over0x1`` overhang, ``init0``, ``by9`` a
divisor, ``indices``, ``w:``, ``acc:``, ``y:`` other dtypes, ``x@0312`` a memory order, ``bias`` and
the activation.
"""

from __future__ import annotations

from typing import Any

from fastconv.problem.dtypes import accumulator
from fastconv.problem.window import Window


def conv(p: Any) -> str:
    """Name a `ConvProblem`."""
    fields = [
        "conv",
        f"n{p.n}",
        f"g{p.g}",
        f"ic{p.ic}",
        f"oc{p.oc}",
        _window(p.window),
        p.x_dtype.name,
    ]
    fields += [f"w:{p.w_dtype.name}"] * (p.w_dtype != p.x_dtype)
    fields += _rest(p)
    fields += ["bias"] * p.has_bias + [p.activation] * (p.activation != "linear")
    return " ".join(fields)


def pool(p: Any) -> str:
    """Name a `PoolProblem`."""
    name = p.reduction if isinstance(p.reduction, str) else getattr(p.reduction, "__name__", "fn")
    fields = ["pool", name, f"n{p.n}", f"c{p.c}", _window(p.window), p.x_dtype.name]
    fields += [f"over{_by(p.overhang)}"] * any(p.overhang)
    fields += [f"init{p.init}"] * (p.init is not None)
    fields += [f"by{p.divisor}"] * (p.divisor != "real") + ["indices"] * p.indices
    return " ".join(fields + _rest(p))


def fold(p: Any) -> str:
    """Name a `FoldProblem`."""
    name = getattr(p.reduction, "__name__", "fn")
    return f"fold {name} {_window(p.window)} {' '.join(dtype.name for dtype in p.dtypes)}"


def _window(w: Window) -> str:
    pads = _by(f"{lo}+{hi}" for lo, hi in w.p)
    base = f" b{_by(w.b)}" if any(b != 1 for b in w.b) else ""
    return f"i{_by(w.i)} k{_by(w.k)} s{_by(w.s)} d{_by(w.d)}{base} p{pads}"


def _rest(p: Any) -> list[str]:
    """List what of dtypes and memory orders is not as usual."""
    natural = tuple(range(len(p.x_order)))
    fields = [f"acc:{p.acc_dtype.name}"] * (p.acc_dtype != accumulator(p.x_dtype))
    fields += [f"y:{p.y_dtype.name}"] * (p.y_dtype != p.x_dtype)
    fields += [f"x@{''.join(map(str, p.x_order))}"] * (p.x_order != natural)
    return fields + [f"y@{''.join(map(str, p.y_order))}"] * (p.y_order != natural)


def _by(numbers: Any) -> str:
    return "x".join(map(str, numbers))
