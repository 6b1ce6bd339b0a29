"""The plot of README: frames a second of every network, side by side."""

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")  # no display is needed to write a file
from matplotlib import pyplot

from benchmarks.peers.names import three_digits

_OURS, _OTHERS = "tab:blue", "lightgray"


def draw(results: dict[str, Any], path: Path) -> None:
    """Draws the rows of the comparison at its first size, the fastest on top."""
    size = next(iter(results["rows"][0]["fps"]))
    rows = sorted(results["rows"], key=lambda row: float(row["fps"][size]))
    rates = [row["fps"][size] for row in rows]
    labels = [f"{row['network']}, {row['runtime']}" for row in rows]
    colors = [_OURS if row["network"].startswith("livestyle") else _OTHERS for row in rows]
    figure, axis = pyplot.subplots(figsize=(8, 0.28 * len(rows) + 0.9), layout="constrained")
    bars = axis.barh(labels, rates, color=colors)
    axis.bar_label(bars, [three_digits(rate) for rate in rates], padding=3, fontsize="small")
    axis.axvline(30, color="black", linewidth=0.8, linestyle=":")
    axis.set_xlim(0, max(rates) * 1.1)
    axis.set_xlabel(f"frames per second at {size}; dotted: 30, a camera's rate")
    axis.tick_params(axis="y", labelsize="small")
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
