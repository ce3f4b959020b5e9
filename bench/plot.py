"""Bars of speedup over the naive loops, a group for each workload."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from bench.measured import backends, chosen

COLOURS = ("#8fa8c8", "#d1603d", "#5b8c5a", "#7d5ba6")
BAR = 0.12  # inches
INK = "#333333"


def draw(results: dict, path: Path) -> None:
    """Draw what `report.reduced` keeps."""
    rows = results["rows"]
    names = backends(rows)
    workloads = list(chosen(rows, "auto"))
    # The same results give the same file, with its text as text.
    mpl.rcParams.update({"svg.hashsalt": "fastconv", "svg.fonttype": "none"})
    figure = Figure(figsize=(8, 1 + BAR * (len(names) + 1) * len(workloads)), layout="constrained")
    axes = figure.add_subplot()
    height = 1 / (len(names) + 1)
    for place, name in enumerate(names):
        shift = (place - (len(names) - 1) / 2) * height
        own = chosen(rows, name)
        picked = {at + shift: own[workload] for at, workload in enumerate(workloads) if workload in own}
        _bars(axes, picked, height, name, COLOURS[place % len(COLOURS)])
    _dress(axes, workloads)
    figure.savefig(path, metadata={"Date": None})


def _bars(axes, picked: dict, height: float, name: str, colour: str) -> None:
    """Draw one backend's bars at their places, each with its number."""
    values = [row["speedup"] for row in picked.values()]
    bars = axes.barh(list(picked), values, height, label=name, color=colour)
    axes.bar_label(bars, [f"{value:,.0f}" for value in values], padding=3, fontsize=6.5, color=INK)


def _dress(axes, workloads: list[str]) -> None:
    """Set scale, names and legend."""
    axes.set(xscale="log", xlim=(1, None), ylim=(len(workloads) - 0.4, -0.6))
    axes.set_yticks(range(len(workloads)), workloads, fontsize=8)
    axes.set_xlabel("times faster than the naive loops (log scale)", fontsize=9, color=INK)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.tick_params(which="both", length=0, labelcolor=INK)
    axes.grid(axis="x", color="#e5e5e5")
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)
    axes.margins(x=0.1)
    axes.legend(loc="upper right", frameon=False, fontsize=9)
