"""livestyle bench."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing, redirect_stdout
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from livestyle import defaults
from livestyle.cli.bench_others import check_peers, measure_backends, measure_peers
from livestyle.cli.bench_report import expectation, report
from livestyle.cli.file_options import FILE_STREAMS
from livestyle.cli.options import (
    FILE,
    FiniteRange,
    FrameSize,
    make_painter,
    model_option,
    style_option,
    together,
)
from livestyle.cli.stopping import stoppable
from livestyle.engine import BACKENDS, PRECISIONS

if TYPE_CHECKING:
    from livestyle.bench_run import Run
    from livestyle.painter import Painter
    from livestyle.sinks import Sink
    from livestyle.sources import FrameSource

_SIZES = ((640, 480), (1280, 720), (1920, 1080))

_bench_options = together(
    click.option(
        "--size",
        "sizes",
        type=FrameSize(),
        multiple=True,
        metavar="WxH",
        help="Size of the frames, may be given several times.  [default: 640x480, 1280x720, 1920x1080]",
    ),
    click.option("--frames", type=click.IntRange(min=3), default=150, help="Frames of each run."),
    style_option("Style."),
    model_option,
    click.option(
        "--backend",
        type=click.Choice(["auto", *BACKENDS]),
        default=defaults.BACKEND,
        help="What runs the network.",
    ),
    click.option(
        "--precision",
        type=click.Choice(PRECISIONS),
        default=defaults.PRECISION,
        help="What it computes in.",
    ),
    click.option("--steady", type=FiniteRange(0, 1), default=defaults.STEADY, help="As for cam."),
    click.option(
        "--camera",
        metavar="NUMBER|NAME|URL|screen|pattern",
        help="Measure with a camera, from frame to frame.",
    ),
    click.option("--input", "clip", type=FILE, metavar="FILE", help="Measure with a video, and encode it."),
    click.option(
        "--latency",
        type=FiniteRange(3, 86_400),
        metavar="SECONDS",
        help="Measure from the camera (the pattern, or --camera) to a window, for so long.",
    ),
    click.option("--backends", is_flag=True, help="Time every backend too, or say why it does not run."),
    click.option("--compare", is_flag=True, help="Measure other networks too, in turns with ours."),
    click.option(
        "--json", "json_path", type=FILE, metavar="FILE", help="Write the numbers here too; - is stdout."
    ),
    click.option("--plot", "plot_path", type=FILE, metavar="FILE", help="Draw them."),
    click.option(
        "--overwrite", is_flag=True, help="Replace the files of --json and --plot where they exist."
    ),
)


@click.command()
@_bench_options
def bench(json_path: Path | None, plot_path: Path | None, overwrite: bool, **how: Any) -> None:
    """Measure how fast this machine paints, stage by stage, and say what to expect of it.

    Frames come out of memory unless --camera or --input names others.
    """
    how["sizes"] = tuple(dict.fromkeys(how["sizes"]))
    _check(json_path, plot_path, how)
    with stoppable() as stop:
        try:
            with ExitStack() as files:  # what cannot be written is told before anything slow begins
                write = _writer(files, json_path, overwrite)
                plot = _plotter(files, plot_path, overwrite)
                content, runs = _measured(how)
                write(content)
                plot(runs)
        except KeyboardInterrupt:
            click.echo("stopped: nothing was written", err=True)
            sys.exit(stop.status)


def _measured(how: dict[str, Any]) -> tuple[dict[str, Any], list[Run]]:
    """Measures and prints what the options ask for; gives it for --json and --plot."""
    from livestyle.bench import machine
    from livestyle.bench_machine import power

    sizes = how["sizes"]
    facts = machine() | {"power": power()}
    click.echo(", ".join(f"{name} {value}" for name, value in facts.items()))
    content: dict[str, Any] = {"machine": facts, "options": _as_called(how)}
    painter = _painter(how)
    if how["latency"]:
        return content | _latencies(painter, sizes, how), []
    runs = [report(_measure(painter, size, how)) for size in _runs(sizes, how)]
    content["peak_mib"] = _peak_memory()  # before the other networks and backends take theirs
    content["runs"] = [asdict(run) for run in runs]
    content["compare"] = measure_peers(sizes or _SIZES[:1], how) if how["compare"] else {}
    content["backends"] = measure_backends(sizes, how) if how["backends"] else []
    if not how["camera"] and not how["clip"]:
        click.echo("expect " + expectation(runs))
    return content, runs


def _as_called(how: dict[str, Any]) -> dict[str, Any]:
    """The options by the names that users give them, for JSON."""
    clip = how["clip"] and str(how["clip"])
    rest = {name: value for name, value in how.items() if name not in ("sizes", "clip")}
    return {"size": how["sizes"], "input": clip} | rest


def _check(json_path: Path | None, plot_path: Path | None, how: dict[str, Any]) -> None:
    """Fails where options do not go together, or cannot be heeded here."""
    if json_path and plot_path and os.path.realpath(json_path) == os.path.realpath(plot_path):
        raise click.UsageError("--json and --plot name one file: give them different names")
    if how["clip"] and (how["camera"] or how["latency"]):
        raise click.UsageError("choose either --camera, --latency or --input")
    if how["latency"]:
        _refuse_beside_latency("frames", "backends", "compare", "plot_path")
    if how["clip"] and how["sizes"]:
        raise click.UsageError("a video is measured at its own size: leave --size out")
    if how["compare"]:
        check_peers(how["sizes"])


def _refuse_beside_latency(*names: str) -> None:
    """Fails where one of these options was given: --latency would not heed it."""
    context = click.get_current_context()
    for name in names:
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            option = name.removesuffix("_path")
            raise click.UsageError(f"--latency measures something else: leave --{option} out")


def _latencies(painter: Painter, sizes: tuple[tuple[int, int], ...], how: dict[str, Any]) -> dict[str, Any]:
    from livestyle.cli.bench_latency import measure_latency

    camera, steady = how["camera"] or "pattern", how["steady"]
    measured = [
        measure_latency(how["latency"], painter, camera, size, steady) for size in sizes or _SIZES[:1]
    ]
    return {"latency": measured}


def _runs(sizes: tuple[tuple[int, int], ...], how: dict[str, Any]) -> tuple[tuple[int, int] | None, ...]:
    if sizes:
        return sizes
    return (None,) if how["camera"] or how["clip"] else _SIZES


def _measure(painter: Painter, size: tuple[int, int] | None, how: dict[str, Any]) -> Run:
    from livestyle.bench_run import WARM_UP_FRAMES, MovingPicture, measure_run
    from livestyle.errors import SourceError
    from livestyle.sinks.null import NullSink

    with ExitStack() as stack:
        source: FrameSource
        sink: Sink = NullSink()
        if how["camera"] is not None:
            source = _open_camera(how["camera"], size)
        elif how["clip"] is not None:
            source, sink = _open_clip(how["clip"], stack)
        else:
            source = MovingPicture(size or _SIZES[0], how["frames"] + WARM_UP_FRAMES)
        stack.enter_context(closing(source))
        try:
            return measure_run(source, painter, sink, frames=how["frames"], steadiness=how["steady"])
        except ValueError as error:
            raise SourceError(f"cannot measure: {error}; choose a longer clip") from error


def _peak_memory() -> float | None:
    from livestyle.bench_machine import peak_memory_mib

    peak = peak_memory_mib()
    click.echo(f"\npeak memory {peak:.0f} MiB" if peak else "\npeak memory: not told by this system")
    return peak


def _painter(how: dict[str, Any]) -> Painter:
    """The painter that video and cam would have: files are painted two frames at a time."""
    chosen = {name: how[name] for name in ("style", "model", "backend", "precision")}
    streams = FILE_STREAMS if how["clip"] else 1
    grain = 0.0 if how["clip"] else None  # as each of them has it by itself
    return make_painter(**chosen, grain=grain, streams=streams)


def _open_camera(spec: str, size: tuple[int, int] | None) -> FrameSource:
    from livestyle.sources.camera import open_camera

    return open_camera(spec, size=size)


def _open_clip(clip: Path, stack: ExitStack) -> tuple[FrameSource, Sink]:
    """The clip, and a file that is thrown away afterwards."""
    from livestyle.sinks.file import FileSink
    from livestyle.sources import open_source

    source = open_source(clip)
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="livestyle-bench-")))
    sink = FileSink(folder / "painted.mp4", source.size, rate=source.fps, audio_from=clip)
    return source, stack.enter_context(sink)  # which an error discards, and does not hide


def _writer(files: ExitStack, path: Path | None, overwrite: bool) -> Callable[[dict[str, Any]], None]:
    if path is None:
        return lambda _: None
    if str(path) == "-":
        stdout = sys.stdout
        files.enter_context(redirect_stdout(sys.stderr))  # all else is for people
        return lambda content: click.echo(json.dumps(content, indent=2), file=stdout)
    from livestyle.sinks.partial import PartialFile

    file = PartialFile(path, overwrite=overwrite)
    files.callback(file.discard)

    def write(content: dict[str, Any]) -> None:
        file.write(json.dumps(content, indent=2) + "\n")
        file.commit()

    return write


def _plotter(files: ExitStack, path: Path | None, overwrite: bool) -> Callable[[list[Run]], None]:
    if path is None:
        return lambda _: None
    from livestyle.bench_plot import Plot

    plot = Plot(path, overwrite=overwrite)
    files.callback(plot.discard)
    return plot.draw
