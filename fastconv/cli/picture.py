"""One picture of a run of the demo: the photograph, and below it what each layer made of it."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fastconv.cli import CommandError

# Inches. Four panels a row; each row under a heading, each panel over a caption.
WIDTH, GAP, MARGIN, HEADING, CAPTION, TITLE = 2.1, 0.12, 0.3, 0.56, 0.28, 0.3
DPI = 110
INK, GREY, ACCENT = "#1d1d1f", "#6e6e73", "#e8590c"


class Panel(NamedTuple):
    """One image with its caption."""

    caption: str
    pixels: np.ndarray  # (h, w) or (h, w, 3)
    colours: str = "gray"  # the name of a colour map
    low: float = 0.0
    high: float = 1.0
    frame: tuple[slice, slice] | None = None  # a part to mark


class Row(NamedTuple):
    """Panels under a heading and a line of facts."""

    heading: str
    facts: str
    panels: Sequence[Panel]


def colour(caption: str, pixels: np.ndarray, frame: tuple[slice, slice] | None = None) -> Panel:
    """Show red, green and blue from 0 to 1."""
    return Panel(caption, np.clip(pixels, 0, 1), frame=frame)


def relief(caption: str, values: np.ndarray) -> Panel:
    """Show signed values: zero is grey, negative ones are darker."""
    high = _high(np.abs(values))
    return Panel(caption, values, "gray", -high, high)


def ink(caption: str, values: np.ndarray) -> Panel:
    """Show values from 0 up as ink on paper."""
    return Panel(caption, values, "gray_r", 0, _high(values))


def _high(values: np.ndarray) -> float:
    """Return the value to show at full strength: some outliers may exceed it."""
    top = float(np.percentile(values, 99.5))
    return top if top > 0 else float(values.max()) or 1.0


def check_place(path: Path) -> None:
    """Refuse a file that cannot be written, before any work is done for it."""
    from matplotlib.backend_bases import FigureCanvasBase

    folder = path.resolve().parent
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise CommandError(f"--save must name a file in a folder that can be written to; got {path}")
    formats = FigureCanvasBase.get_supported_filetypes()
    if _format(path) not in formats:
        raise CommandError(f"--save must end in one of {', '.join(sorted(formats))}; got {path}")


def write(path: Path, title: str, rows: Sequence[Row]) -> None:
    """Draw a picture and write it to a file, in the format that its name ends in.

    Raises
    ------
    CommandError : the file cannot be written.
    """
    import matplotlib.style

    buffer = io.BytesIO()  # so that a failure halfway leaves an older file as it is
    with matplotlib.style.context("default"):  # the picture should not depend on a user's settings
        draw(title, rows).savefig(buffer, format=_format(path), dpi=DPI, facecolor="white")
    try:
        path.write_bytes(buffer.getvalue())
    except OSError as error:
        raise CommandError(
            f"--save must name a file that can be written; got {path} ({error.strerror})"
        ) from None


def _format(path: Path) -> str:
    """Name a picture format as matplotlib does."""
    return path.suffix.removeprefix(".").lower() or "png"


def draw(title: str, rows: Sequence[Row]):
    """Lay out title, headings and panels on a matplotlib figure."""
    from matplotlib.figure import Figure

    first = rows[0].panels[0].pixels
    height = WIDTH * min(max(first.shape[0] / first.shape[1], 0.4), 2.0)
    columns = max(len(row.panels) for row in rows)
    wide = 2 * MARGIN + columns * WIDTH + (columns - 1) * GAP
    high = 2 * MARGIN + TITLE + len(rows) * (HEADING + height + CAPTION)
    figure = Figure((wide, high))

    def text(x: float, y: float, words: str, **style) -> None:
        figure.text(x / wide, 1 - y / high, words, parse_math=False, **style)

    text(MARGIN, MARGIN, title, size=15, weight="bold", color=INK, va="top")
    y = MARGIN + TITLE
    for row in rows:
        text(MARGIN, y + HEADING - 0.25, row.heading, size=10.5, weight="bold", color=INK)
        text(MARGIN, y + HEADING - 0.08, row.facts, size=8.5, color=GREY)
        y += HEADING
        for column, panel in enumerate(row.panels):
            x = MARGIN + column * (WIDTH + GAP)
            box = x / wide, 1 - (y + height) / high, WIDTH / wide, height / high
            _show(figure.add_axes(box), panel)
            text(x + WIDTH / 2, y + height + 0.05, panel.caption, size=9, color=INK, ha="center", va="top")
        y += height + CAPTION
    return figure


def _show(axes, panel: Panel) -> None:
    """Draw a panel; pixels stay square, and visible where there are few of them."""
    from matplotlib.patches import Rectangle

    shrinks = panel.pixels.shape[1] > WIDTH * DPI
    axes.imshow(
        panel.pixels,
        cmap=panel.colours,
        vmin=panel.low,
        vmax=panel.high,
        interpolation="antialiased" if shrinks else "nearest",
    )
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(color="#d2d2d7", linewidth=0.6)
    if panel.frame is not None:
        down, across = panel.frame
        corner = across.start - 0.5, down.start - 0.5
        size = across.stop - across.start, down.stop - down.start
        axes.add_patch(Rectangle(corner, *size, fill=False, edgecolor=ACCENT, linewidth=1.4))
