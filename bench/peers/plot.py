"""Dots: how many times as long as fastconv's plan each library takes, a line for each workload."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from bench.peers.libraries import PEERS
from bench.peers.tables import NAMES, Standing, standings

COLOURS = ("#d1603d", "#5b8c5a", "#3f6fb0", "#7d5ba6", "#c9a227", "#8f8f8f")
LINE = 0.17  # inches
INK = "#333333"


def draw(results: dict, path: Path) -> None:
    """Draw results as they are kept."""
    found = list(standings(results["rows"]))
    # The same results give the same file, with its text as text.
    mpl.rcParams.update({"svg.hashsalt": "fastconv", "svg.fonttype": "none"})
    figure = Figure(figsize=(8, 1.2 + LINE * len(found)), layout="constrained")
    axes = figure.add_subplot()
    for name, colour in zip(PEERS, COLOURS, strict=True):
        _dots(axes, found, name, colour)
    _dress(axes, [s.workload for s in found])
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def _dots(axes, found: list[Standing], name: str, colour: str) -> None:
    """Draw one library's dots."""
    ratios = {at: s.peers[name] / s.plan for at, s in enumerate(found) if name in s.peers}
    if ratios:
        axes.scatter(list(ratios.values()), list(ratios), s=18, color=colour, label=NAMES[name], zorder=3)


def _dress(axes, workloads: list[str]) -> None:
    """Set scale, names and legend; what is right of the line is slower than fastconv."""
    axes.set(xscale="log", ylim=(len(workloads) - 0.4, -0.6))
    axes.axvline(1, color=INK, linewidth=1)
    axes.set_yticks(range(len(workloads)), workloads, fontsize=8)
    axes.set_xlabel(
        "time over that of fastconv's plan (log scale): right of the line is slower", fontsize=9, color=INK
    )
    axes.xaxis.set_major_formatter("{x:g}")
    axes.tick_params(which="both", length=0, labelcolor=INK)
    axes.grid(axis="both", color="#e5e5e5")
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)
    axes.legend(loc="upper right", frameon=True, framealpha=1, edgecolor="none", fontsize=9)
