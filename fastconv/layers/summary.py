"""A model as a table, as Keras prints it."""

from __future__ import annotations

from collections.abc import Iterable

HEAD = ("Layer (type)", "Output Shape", "Param #")


def table(name: str, rows: Iterable[tuple[str, str, str]], params: int, nbytes: int) -> str:
    """Lay out a row for each layer under a head, and the total; names left, numbers right."""
    lines = [HEAD, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    rule = "=" * (sum(widths) + 2 * (len(widths) - 1))
    head, *body = (
        "  ".join((layer.ljust(widths[0]), shape.ljust(widths[1]), count.rjust(widths[2])))
        for layer, shape, count in lines
    )
    total = f"Total params: {params:,} ({size(nbytes)})"
    return "\n".join([f'Model: "{name}"', head, rule, *body, rule, total])


def size(nbytes: int) -> str:
    """Write a number of bytes with three digits or more: ``208.00 B``, ``1.25 MB``."""
    amount, *units = float(nbytes), "B", "KB", "MB", "GB"
    while amount >= 1024 and len(units) > 1:
        amount, units = amount / 1024, units[1:]
    return f"{amount:.2f} {units[0]}"
