"""Plots of a loss over the steps, as PNG."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("Agg")  # no display is needed to write a file
from matplotlib import pyplot


def plot_losses(path: Path, title: str, rows: Sequence[Mapping[str, float]], names: Sequence[str]) -> None:
    """Writes a plot of the named terms over `step`, smoothed, on a logarithmic scale if one is above 0."""
    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    for name in names:
        known = [(row["step"], row[name]) for row in rows if name in row]
        if known:
            steps, values = np.array(known).T
            axes.plot(steps, _smooth(values), label=name)
    axes.set(
        title=title,
        xlabel="step",
        yscale="log" if any(row.get(name, 0) > 0 for row in rows for name in names) else "linear",
    )
    axes.grid(alpha=0.3)
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def _smooth(values: np.ndarray) -> np.ndarray:
    """A running mean over a fiftieth of the values."""
    width = max(1, len(values) // 50)
    padded = np.pad(values, (width // 2, width - 1 - width // 2), mode="edge")
    return np.convolve(padded, np.ones(width) / width, mode="valid")
