"""Dots on a logarithmic scale, a line for each workload: how much faster than the loops, or than others."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from bench.measured import backends, chosen
from bench.peers.libraries import PEERS
from bench.peers.tables import NAMES, standings

COLOURS = ("#d1603d", "#3f6fb0", "#5b8c5a", "#7d5ba6", "#c9a227", "#8f8f8f")
LINE = 0.17  # inches
INK = "#333333"

Dots = dict[str, dict[str, float]]  # by name, by workload


def speedup(results: dict, path: Path) -> None:
    """Draw what `report.reduced` keeps: the speedup of each backend's choices over the naive loops."""
    rows = results["rows"]
    dots = {
        name: {workload: row["speedup"] for workload, row in chosen(rows, name).items()}
        for name in backends(rows)
    }
    draw(path, dots, list(chosen(rows, "auto")), "times faster than the naive loops (log scale)")


def race(results: dict, path: Path) -> None:
    """Draw what the race keeps: the time of each library over that of fastconv's plan."""
    found = list(standings(results["rows"]))
    dots = {
        NAMES[name]: {s.workload: s.peers[name] / s.plan for s in found if name in s.peers} for name in PEERS
    }
    label = "time over that of fastconv's plan (log scale): right of the line is slower"
    draw(path, dots, [s.workload for s in found], label)


def draw(path: Path, dots: Dots, workloads: list[str], label: str) -> None:
    """Draw dots at their values, a colour for each name."""
    # The same results give the same file, with its text as text.
    mpl.rcParams.update({"svg.hashsalt": "fastconv", "svg.fonttype": "none"})
    figure = Figure(figsize=(8, 1.2 + LINE * len(workloads)), layout="constrained")
    axes = figure.add_subplot()
    for (name, values), colour in zip(dots.items(), COLOURS, strict=False):
        if values:
            places = [workloads.index(workload) for workload in values]
            axes.scatter(list(values.values()), places, s=18, color=colour, label=name, zorder=3)
    _dress(axes, workloads, label)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def _dress(axes, workloads: list[str], label: str) -> None:
    """Set scale, names and legend."""
    axes.set(xscale="log", ylim=(len(workloads) - 0.4, -0.6))
    axes.axvline(1, color=INK, linewidth=1)
    axes.set_yticks(range(len(workloads)), workloads, fontsize=8)
    axes.set_xlabel(label, fontsize=9, color=INK)
    axes.xaxis.set_major_formatter("{x:,g}")
    axes.tick_params(which="both", length=0, labelcolor=INK)
    axes.grid(axis="both", color="#e5e5e5")
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)
    axes.legend(loc="upper center", ncols=6, bbox_to_anchor=(0.4, 1.05), frameon=False, fontsize=9)
