"""Whole files: their stages side by side and together, and whether memory grows with their length."""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import av

from benchmarks.clips import count_frames, make_clip
from benchmarks.compare import paint_clip
from livestyle.bench import machine
from livestyle.colors import Colors
from livestyle.engine import load_engine
from livestyle.frame import Frame
from livestyle.painter import Painter
from livestyle.pipeline import Report, run
from livestyle.sinks.file import FileSink
from livestyle.sinks.null import NullSink
from livestyle.sinks.planes import to_i420
from livestyle.sources import open_source
from livestyle.sources.rgb import ToRgb
from livestyle.styles import StyleMix
from livestyle.weights import load_weights

_VGA, _HD = (640, 480), (1280, 720)
_STREAMS = 2
_STAGES = ("decode", "paint", "encode")


def measure(rounds: int = 2, frames: int = 200) -> dict[str, Any]:
    """Speeds of the stages at both sizes, for `benchmarks/results`."""
    with tempfile.TemporaryDirectory() as folder:
        sizes = {"vga": _VGA, "hd": _HD}
        return {
            "machine": machine(),
            "frames": frames,
            "stages": {
                name: _stages(make_clip(Path(folder) / f"{name}.mp4", size, frames), Path(folder), rounds)
                for name, size in sizes.items()
            },
        }


def measure_memory(
    suffix: str, short_seconds: int = 60, long_seconds: int = 3600, strength: float = 0.0
) -> dict[str, Any]:
    """Peak memory in MiB for a short clip and for a long one, which repeats its packets."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seed = make_clip(folder / "seed.mp4", _VGA, 600)
        peaks = {}
        for seconds in (short_seconds, long_seconds):
            clip = loop_packets(seed, folder / f"{seconds}{suffix}", seconds)
            painted = paint_clip(clip, folder / f"out{suffix}", "--strength", str(strength))
            peaks[seconds] = painted.peak_mib
            clip.unlink()
        short, long = peaks.values()
        return {
            "machine": machine(),
            "suffix": suffix,
            "strength": strength,
            "peak_mib": {str(seconds): peak for seconds, peak in peaks.items()},
            "growth_mib": long - short,
        }


def loop_packets(seed: Path, path: Path, seconds: float) -> Path:
    """`seed` again and again, its packets copied, up to about so many seconds."""
    with av.open(str(path), "w") as output, av.open(str(seed)) as first:
        tracks = {
            stream.index: output.add_stream_from_template(stream, opaque=True) for stream in first.streams
        }
        length = Fraction(first.duration or 0, av.time_base)
        for turn in range(round(seconds / length)):
            with av.open(str(seed)) as container:
                for packet in container.demux():
                    if packet.pts is None or packet.dts is None:
                        continue
                    shift = round(turn * length / packet.time_base)
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    packet.stream = tracks[packet.stream_index]
                    output.mux_one(packet)
    return path


class _Taken(NamedTuple):
    """What a task took, medians."""

    seconds: float
    processor: float
    """Seconds of all cores together."""


def _stages(clip: Path, folder: Path, rounds: int) -> dict[str, Any]:
    """Frames a second of each stage by itself and of all together; medians of rounds that take turns."""
    with closing(open_source(clip)) as source:
        rate, count = source.fps, count_frames(clip)
        images = [frame.image for frame in islice(source, 60)]  # few: they stay in memory
    some = [Frame(images[i % len(images)], i / rate) for i in range(count)]
    engine = load_engine(load_weights("small"), streams=_STREAMS)
    painter = Painter(engine, StyleMix.parse("mosaic"))
    painted = [frame.image for frame in painter.follow(some[: len(images)])]
    ours = [Frame(painted[i % len(painted)], i / rate) for i in range(count)]

    target, reports = folder / "out.mp4", list[Report]()
    tasks: dict[str, Callable[[], object]] = {
        "decode": lambda: _drain(open_source(clip)),
        "paint": lambda: _drain(painter.follow(some)),
        "encode": lambda: _encode(ours, target, rate),
        "all_but_the_network": lambda: _through(clip, replace(painter, strength=0.0), target),
        "all": lambda: reports.append(_through(clip, painter, target)),
        "paint_in_the_pipeline": lambda: run(_Given(some), painter.follow, NullSink()),
    }
    return _summary(_in_turns(tasks, rounds), count, reports, _conversion_seconds(clip))


def _through(clip: Path, painter: Painter, target: Path) -> Report:
    """Paints a clip as `livestyle video` does, without its sound."""
    with closing(open_source(clip)) as frames, FileSink(target, frames.size, rate=frames.fps) as sink:
        return run(frames, painter.follow, sink)


def _encode(frames: list[Frame], target: Path, rate: float) -> None:
    height, width, _ = frames[0].image.shape
    with FileSink(target, (width, height), rate=rate) as sink:
        for frame in frames:
            sink.write(frame)


def _summary(
    taken: dict[str, _Taken], count: int, reports: list[Report], conversion_seconds: float
) -> dict[str, Any]:
    """What follows from the time that tasks of `count` frames took, and that the colours of a frame take."""
    fps = {name: count / seconds for name, (seconds, _) in taken.items()}
    work = sum(taken[stage].processor for stage in _STAGES)
    cores = int(machine()["cores"])
    return {
        "fps": fps,
        "times_faster_without_the_network": fps["all_but_the_network"] / fps["all"],
        "share_of_the_slowest_stage": fps["all"] / min(fps[stage] for stage in _STAGES),
        "share_of_the_slowest_stage_beside_the_others": statistics.median(map(_share, reports)),
        "fps_if_no_core_ever_waited": count * cores / work,
        "cores_busy": taken["all"].processor / taken["all"].seconds / cores,
        "conversion_share_of_the_time": conversion_seconds / taken["all"].seconds * count,
    }


def _share(report: Report) -> float:
    """How much of the rate of its slowest stage, by that stage's own clock in the same run, a run reached."""
    return report.fps * max(report.milliseconds.values()) / 1000


def _in_turns(tasks: dict[str, Callable[[], object]], rounds: int) -> dict[str, _Taken]:
    found: dict[str, list[_Taken]] = {name: [] for name in tasks}
    for _ in range(rounds):
        for name, task in tasks.items():
            began, used = time.perf_counter(), time.process_time()
            task()
            found[name].append(_Taken(time.perf_counter() - began, time.process_time() - used))
    return {
        name: _Taken(*(statistics.median(values) for values in zip(*runs, strict=True)))
        for name, runs in found.items()
    }


class _Given:
    """Frames that are there already, as a source."""

    live = False

    def __init__(self, frames: list[Frame]) -> None:
        self._frames = frames

    def __iter__(self) -> Iterator[Frame]:
        return iter(self._frames)

    def close(self) -> None:
        pass


def _drain(frames: Any) -> None:
    for _ in frames:
        pass


def _conversion_seconds(clip: Path) -> float:
    """The time that a frame takes from YUV to RGB and back, on one core."""
    with av.open(str(clip)) as container:
        decoded = list(islice(container.decode(video=0), 30))
    to_rgb, colors = ToRgb("clip"), Colors()
    began = time.perf_counter()
    for frame in decoded:
        to_i420(to_rgb(frame), colors)
    return (time.perf_counter() - began) / len(decoded)
