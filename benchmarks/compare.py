"""livestyle against the reference, in one run: the two take turns, so that what slows one slows the other."""

import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.clips import count_frames, make_clip
from livestyle.bench import machine

_VGA, _HD, _FULL_HD = (640, 480), (1280, 720), (1920, 1080)
_LONG = 1000
RUNS = {
    "vga": (_VGA, 300),
    "vga_long": (_VGA, 3000),
    "hd": (_HD, 300),
    "hd_longer": (_HD, 600),
    "full_hd": (_FULL_HD, 150),
    "full_hd_longer": (_FULL_HD, 300),
}
"""Size and frames of the videos that are painted; a long one only once."""
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
    backend: str
    """What painted, with its precision; empty where it does not tell."""


def compare(rounds: int = 3, reference_frames: int = 30) -> dict[str, Any]:
    """All measurements, for `benchmarks/results`."""
    with tempfile.TemporaryDirectory() as folder:
        return {
            "machine": machine(),
            "video": _videos(Path(folder), rounds, reference_frames),
        }


def _videos(folder: Path, rounds: int, reference_frames: int) -> dict[str, Any]:
    """livestyle as a whole process, from the command to its end, against the reference's loop alone."""
    clips = {name: make_clip(folder / f"{name}.mp4", size, frames) for name, (size, frames) in RUNS.items()}
    ours: dict[str, list[Process]] = {name: [] for name in RUNS}
    reference = []
    for turn in range(rounds):
        reference.append(_reference(clips["vga"], folder / "reference.mp4", reference_frames))
        for name, (_, frames) in RUNS.items():
            if turn == 0 or frames < _LONG:
                ours[name].append(paint_clip(clips[name], folder / "painted.mp4"))
    result: dict[str, Any] = {"reference": {"fps": statistics.median(reference), "frames": reference_frames}}
    for name, runs in ours.items():
        size, frames = RUNS[name]
        result[name] = {
            "size": f"{size[0]}x{size[1]}",
            "backend": runs[0].backend,
            "frames": count_frames(clips[name]),
            "fps": frames / statistics.median(run.seconds for run in runs),
            "peak_mib": max(run.peak_mib for run in runs),
            "first_painted_seconds": statistics.median(run.first_painted_seconds for run in runs),
        }
    fps = [RUNS["vga"][1] / run.seconds for run in ours["vga"]]
    result["vga"]["times_faster"] = statistics.median(f / r for f, r in zip(fps, reference, strict=True))
    return result


def paint_clip(clip: Path, target: Path, *options: str) -> Process:
    """Paints a clip; its first frame is painted when the log says so."""
    paint = ["--verbose", "video", str(clip), str(target), "--overwrite", *options]
    command = [sys.executable, "-c", _WATCHED, *paint]
    began, first, peak, backend = time.perf_counter(), float("nan"), float("nan"), ""
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "first frame painted" in line:
                first = time.perf_counter() - began
            elif line.startswith("backend "):
                backend = line.removeprefix("backend ").partition(":")[0]
            elif line.startswith("VmHWM"):
                peak = int(line.split()[1]) / 1024
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Process(time.perf_counter() - began, peak, first, backend)


def _reference(clip: Path, target: Path, frames: int) -> float:
    """Frames per second of the reference's loop alone, without its start."""
    command = [sys.executable, "-m", "benchmarks.reference", str(clip), str(target), str(frames)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-2])
