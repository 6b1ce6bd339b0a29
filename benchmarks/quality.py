"""The tables and plots of `benchmarks/README.md`, out of `benchmarks/results/quality_*.json`."""

import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

mpl.use("Agg")  # no display is needed to write a file
from matplotlib import pyplot

from benchmarks.training import comparison, speed_of_training

Results = dict[str, Any]


def report(results: Path, folder: Path) -> str:
    """The text of `benchmarks/README.md`; the plots it shows are written into `folder`."""
    parts = [_HEAD]
    for path in sorted(results.glob("quality_*.json")):
        measured = _read(path)
        plot = folder / f"{path.stem}.png"
        _plot(plot, measured)
        parts.append(_section(measured, plot.name))
    parts += [comparison(_read(path)) for path in sorted(results.glob("compare_*.json"))]
    speeds = [_read(path) for path in sorted(results.glob("training*.json"))]
    if speeds:
        parts.append(speed_of_training(speeds))
    return "\n".join(parts)


def _read(path: Path) -> Results:
    measured: Results = json.loads(path.read_text(encoding="utf-8"))
    return measured


_HEAD = """# Quality and steadiness

Made by `python -m benchmarks quality` from `results/`, which `python -m train evaluate` writes. Speed is in
the [README](../README.md#how-fast).

- *style* and *content*: relative errors on photos that were not trained on, as `train/losses.py` defines.
- *Gatys*: after how many L-BFGS iterations optimising the pixels (Gatys et al. 2015) is as good, counted on
  the first of the photos alone, from that photo on and without a line search.
- *e*: root mean square of first - warp(second) over valid pixels, mean over RGB, images in [0, 1], without
  the stabiliser, on pairs of MPI-Sintel frames with their true flow.
- *flicker*: root mean square change, in levels of 255, where a webcam's picture stands still; *motion*: mean
  change where it moves; both next to the input's own.
- *grain*: what `livestyle image` and `livestyle cam` give the network where the original is even, in levels
  of 255 (`livestyle/grain.py`).
"""


def _section(measured: Results, plot: str) -> str:
    grain = measured.get("grain")
    lines = [f"## {measured['model']}" + (f" with a grain of {grain:g}" if grain else ""), ""]
    lines.append(
        f"{measured['photos']} photos of {measured['side']} pixels, {measured['backend']}, loss network "
        f"{measured['loss_network']}, on {measured['machine']['processor']}; `{measured['command']}`."
        + measured.get("remark", "")
    )
    lines += ["", *_table(measured), "", f"![Errors and flicker of each style]({plot})", ""]
    return "\n".join(lines)


def _table(measured: Results) -> list[str]:
    rows = measured["styles"]
    scenes = list(measured.get("sintel_input", {}))
    titles = ["style", "style error", "content error", "Gatys", *(f"e {scene}" for scene in scenes)]
    titles += ["flicker, each frame by itself", "flicker, steady", "motion, steady"]
    lines = ["| " + " | ".join(titles) + " |", "|---|" + "---:|" * (len(titles) - 1)]
    for name, row in rows.items():
        cells = [name, f"{row['style']:.3f}", f"{row['content']:.2f}"]
        cells.append(str(row.get("gatys_iterations", "")))
        cells += [f"{row['sintel'][scene]:.3f}" for scene in scenes]
        cells += _flicker_cells(row)
        lines.append("| " + " | ".join(cells) + " |")
    if scenes:
        lines.append(_input_row(measured, scenes))
    return lines


def _flicker_cells(row: Results) -> list[str]:
    if "steady" not in row:
        return ["", "", ""]
    alone, steady = row["each_frame"], row["steady"]
    kept = steady["moving"] / alone["moving"]
    return [
        f"{alone['still']:.1f}",
        f"{steady['still']:.1f}",
        f"{steady['moving']:.0f} ({kept:.0%} of it kept)",
    ]


def _input_row(measured: Results, scenes: list[str]) -> str:
    cells = ["*the input*", "", "", ""] + [f"{measured['sintel_input'][scene]:.3f}" for scene in scenes]
    with_flicker = [row["steady"] for row in measured["styles"].values() if "steady" in row]
    if with_flicker:
        still, moving = with_flicker[0]["input_still"], with_flicker[0]["input_moving"]
        cells += [f"{still:.1f}", f"{still:.1f}", f"{moving:.0f}"]
    return "| " + " | ".join(cells) + " |"


def _plot(path: Path, measured: Results) -> None:
    rows = measured["styles"]
    panels = {
        "style error": [row["style"] for row in rows.values()],
        "content error": [row["content"] for row in rows.values()],
    }
    if all("steady" in row for row in rows.values()):
        panels["flicker, each frame by itself"] = [row["each_frame"]["still"] for row in rows.values()]
        panels["flicker, steady"] = [row["steady"]["still"] for row in rows.values()]
    figure, axes = pyplot.subplots(
        1, len(panels), figsize=(3.2 * len(panels), 4), layout="constrained", sharey=True
    )
    places = np.arange(len(rows))
    for axis, (title, values) in zip(axes, panels.items(), strict=True):
        axis.barh(places, values)
        axis.set(title=title, yticks=places, yticklabels=list(rows))
        axis.grid(axis="x", alpha=0.3)
    axes[0].invert_yaxis()
    figure.savefig(path, dpi=90)
    pyplot.close(figure)
