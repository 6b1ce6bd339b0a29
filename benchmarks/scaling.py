"""How time grows: with pixels, cores, styles in the table, the length of a clip.

Each should be linear or flat.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

from benchmarks.clips import make_clip
from benchmarks.compare import paint_clip
from livestyle.bench import frame, machine
from livestyle.engine import Engine, load_engine
from livestyle.styles import StyleMix
from livestyle.weights import Weights, load_weights

mpl.use("Agg")  # no display is needed to write a file
from matplotlib import pyplot

SIZES = ((320, 240), (640, 480), (1280, 720), (1920, 1080), (3840, 2160))
TABLES = (1, 10, 100, 1000)
LENGTHS = (75, 150, 300, 600, 1200)
_VGA = (640, 480)
_SECONDS = 1.0
_PANELS = {
    "pixels": ("pixels of a frame", "ms a frame", True),
    "cores": ("cores", "ms a frame", True),
    "styles": ("styles in the table", "ms a frame", False),
    "frames": ("frames of a clip", "s of the whole command", True),
}
"""What is plotted against what, and whether both axes are logarithmic."""
_LIMITED = """
import os, sys
os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:int(sys.argv[1])]))
from benchmarks.scaling import time_frame
from livestyle.engine import load_engine
from livestyle.weights import load_weights
print(time_frame(load_engine(load_weights("small"), "openvino"), (640, 480), "mosaic"))
"""
"""On some of the cores only, from before OpenVINO starts its threads."""


def scaling(
    sizes: tuple[tuple[int, int], ...] = SIZES,
    tables: tuple[int, ...] = TABLES,
    lengths: tuple[int, ...] = LENGTHS,
) -> dict[str, Any]:
    """Milliseconds of a frame for each, by the fastest backend here; for clips the command's seconds."""
    weights = load_weights("small")
    engine = load_engine(weights)
    return {
        "machine": machine(),
        "backend": engine.backend,
        "pixels": {size[0] * size[1]: time_frame(engine, size, "mosaic") for size in sizes},
        "cores": {count: _on_cores(count) for count in range(1, _cores() + 1)},
        "styles": {count: _with_table(weights, count) for count in tables},
        "frames": _clips(lengths),
    }


def time_frame(engine: Engine, size: tuple[int, int], style: str) -> float:
    """The median milliseconds of a frame, after two to warm up."""
    return _median(partial(engine.stylize, frame(size), StyleMix.parse(style)))


def lines(results: dict[str, Any]) -> list[str]:
    """What the numbers say, a line for each."""
    found = []
    for name, (label, unit, _) in _PANELS.items():
        x, y = _numbers(results[name])
        found.append(f"- {label}: {_slope(x, y)}; {_listed(x, y, unit)}")
    return [f"With {results['backend']}:", "", *found]


def draw(results: dict[str, Any], path: Path) -> None:
    """Writes the plots, side by side."""
    figure, axes = pyplot.subplots(1, 4, figsize=(14, 3.2), layout="constrained")
    for axis, (name, (label, unit, logarithmic)) in zip(axes, _PANELS.items(), strict=True):
        x, y = _numbers(results[name])
        (axis.loglog if logarithmic else axis.semilogx)(x, y, "o-", color="#d1495b")
        axis.set(xlabel=label, ylabel=unit)
        if not logarithmic:
            axis.set_ylim(0, 1.5 * max(y))
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _numbers(measured: dict[Any, float]) -> tuple[list[float], list[float]]:
    """JSON makes strings of the keys."""
    return [float(key) for key in measured], list(measured.values())


def _slope(x: list[float], y: list[float]) -> str:
    """The exponent of growth: 1 is linear, 0 flat."""
    if len(x) < 2:
        return "one point"
    power = round(float(np.polyfit(np.log(x), np.log(y), 1)[0]), 2)
    return f"grows with the power {power + 0.0:.2f}"  # 0.0: no minus before a zero


def _listed(x: list[float], y: list[float], unit: str) -> str:
    return ", ".join(f"{a:,.0f}: {b:.3g}" for a, b in zip(x, y, strict=True)) + f" {unit}"


def _with_table(weights: Weights, count: int) -> float:
    """With as many styles as that, the known ones over and over, in a blend of the first and the last."""
    known = list(weights.styles.values())
    names = [f"style_{number}" for number in range(count)]
    table = {name: replace(known[number % len(known)], name=name) for number, name in enumerate(names)}
    engine = load_engine(replace(weights, styles=table))
    mix = names[0] if count == 1 else f"{names[0]}:0.5,{names[-1]}:0.5"
    return time_frame(engine, _VGA, mix)


def _on_cores(count: int) -> float:
    command = [sys.executable, "-c", _LIMITED, str(count)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _cores() -> int:
    """How many cores can be given to a process of its own; none where the system cannot limit them."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0


def _clips(lengths: tuple[int, ...]) -> dict[int, float]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "painted.mp4"
        clips = {count: make_clip(Path(folder) / f"{count}.mp4", _VGA, count) for count in lengths}
        return {count: paint_clip(clip, out).seconds for count, clip in clips.items()}


def _median(call: Callable[[], object]) -> float:
    for _ in range(2):
        call()
    times: list[float] = []
    end = time.perf_counter() + _SECONDS
    while len(times) < 3 or time.perf_counter() < end:
        began = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)
