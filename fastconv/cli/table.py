"""Tables in plain text."""

from __future__ import annotations

from collections.abc import Sequence


def lines(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Align columns under their header: those whose every cell begins with a digit to the right."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(header)
    widths = [max(map(len, (name, *cells))) for name, cells in zip(header, columns, strict=True)]
    right = [bool(cells) and all(cell[:1].isdigit() for cell in cells) for cells in columns]
    aligned = [
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in (header, *rows)
    ]
    return "\n".join([aligned[0], "-" * max(map(len, aligned)), *aligned[1:]])


def shape(sizes: Sequence[int]) -> str:
    """Write a shape as ``1x28x28x3``."""
    return "x".join(map(str, sizes))


def milliseconds(seconds: float) -> str:
    """Write a duration with three digits that matter."""
    return f"{seconds * 1e3:.3g}" if seconds < 1 else f"{seconds * 1e3:.0f}"
