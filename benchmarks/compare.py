"""livestyle against the reference, in one run: the two take turns, so that what slows one slows the other."""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.clips import count_frames, make_clip
from benchmarks.reference import JohnsonNet
from livestyle.bench import frame, machine
from livestyle.engine import load_engine
from livestyle.styles import StyleMix
from livestyle.weights import load_weights

_VGA, _HD = (640, 480), (1280, 720)
_WATCHED = """
import atexit, sys
def tell():
    sys.stderr.write(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")))
atexit.register(tell)
from livestyle.cli import main
main()
"""
"""livestyle, telling its peak memory at its end: wait4 would tell that of its parent where that is more."""


@dataclass(frozen=True, slots=True)
class Process:
    """What one run of a command took."""

    seconds: float
    peak_mib: float
    first_painted_seconds: float
    """From the command to the end of its first painted frame; nan where it does not tell."""


def compare(rounds: int = 5, reference_frames: int = 30) -> dict[str, Any]:
    """All measurements, for `benchmarks/results`."""
    with tempfile.TemporaryDirectory() as folder:
        return {
            "machine": machine(),
            "command": "python -m benchmarks compare",
            "networks": _networks(rounds),
            "video": _videos(Path(folder), rounds, reference_frames),
        }


def _networks(rounds: int) -> dict[str, Any]:
    """Milliseconds of a 640x480 frame, the median over rounds; ratios are medians of each round's ratio."""
    weights, image = load_weights("small"), frame(_VGA)
    reference = JohnsonNet().eval()
    engines = [load_engine(weights, backend) for backend in ("openvino", "torchscript")]
    mix = StyleMix.parse("mosaic")
    times: dict[str, list[float]] = {name: [] for name in ("reference", *(e.backend for e in engines))}
    for turn in range(rounds + 1):
        taken = {"reference": _time(partial(reference.stylize, image), 3)}
        for engine in engines:
            taken[engine.backend] = _time(partial(engine.stylize, image, mix), 30)
        if turn:  # the first round warms up
            for name, milliseconds in taken.items():
                times[name].append(milliseconds)
    return {
        name: {
            "milliseconds": statistics.median(values),
            "times_faster": statistics.median(r / v for r, v in zip(times["reference"], values, strict=True)),
        }
        for name, values in times.items()
    }


def _time(call: Callable[[], object], repeats: int) -> float:
    """The median milliseconds of a call."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)


def _videos(folder: Path, rounds: int, reference_frames: int) -> dict[str, Any]:
    """livestyle as a whole process, from the command to its end, against the reference's loop alone."""
    clips = {
        "vga": make_clip(folder / "vga.mp4", _VGA, 300),
        "vga_long": make_clip(folder / "vga_long.mp4", _VGA, 3000),
        "hd": make_clip(folder / "hd.mp4", _HD, 300),
    }
    ours: dict[str, list[Process]] = {name: [] for name in clips}
    reference = []
    for _ in range(rounds):
        reference.append(_reference(clips["vga"], folder / "reference.mp4", reference_frames))
        for name in ("vga", "hd"):
            ours[name].append(_livestyle(clips[name], folder / "painted.mp4"))
    ours["vga_long"].append(_livestyle(clips["vga_long"], folder / "painted.mp4"))
    result: dict[str, Any] = {"reference": {"fps": statistics.median(reference), "frames": reference_frames}}
    for name, runs in ours.items():
        frames = count_frames(clips[name])
        result[name] = {
            "frames": frames,
            "fps": frames / statistics.median(run.seconds for run in runs),
            "peak_mib": max(run.peak_mib for run in runs),
            "first_painted_seconds": statistics.median(run.first_painted_seconds for run in runs),
        }
    fps = [count_frames(clips["vga"]) / run.seconds for run in ours["vga"]]
    result["vga"]["times_faster"] = statistics.median(f / r for f, r in zip(fps, reference, strict=True))
    return result


def _livestyle(clip: Path, target: Path) -> Process:
    """Paints a clip; its first frame is painted when the log says so."""
    command = [sys.executable, "-c", _WATCHED, "--verbose", "video", str(clip), str(target), "--overwrite"]
    began, first, peak = time.perf_counter(), float("nan"), float("nan")
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "first frame painted" in line:
                first = time.perf_counter() - began
            elif line.startswith("VmHWM"):
                peak = int(line.split()[1]) / 1024
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Process(time.perf_counter() - began, peak, first)


def _reference(clip: Path, target: Path, frames: int) -> float:
    """Frames per second of the reference's loop alone, without its start."""
    command = [sys.executable, "-m", "benchmarks.reference", str(clip), str(target), str(frames)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-2])
