"""livestyle video."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from livestyle import defaults
from livestyle.cli.options import FILE, Share, make_painter, painting_options
from livestyle.cli.stopping import stoppable

if TYPE_CHECKING:
    from livestyle.frame import Frame
    from livestyle.pipeline import Report
    from livestyle.sinks import Sink
    from livestyle.sources.file import FileSource

_STREAMS = 2
"""Frames that are painted at a time: two keep two cores busy, with decoding and encoding in the gaps."""


@click.command()
@click.argument("source", metavar="IN", type=FILE)
@click.argument("target", metavar="OUT", type=FILE)
@painting_options
@click.option(
    "--steady",
    type=Share(),
    default=defaults.STEADY,
    metavar="0..1",
    help="How much flicker is taken away; 0 paints each frame by itself.",
)
@click.option(
    "--hwaccel",
    type=click.Choice(["auto", "none"]),
    default="auto",
    help="Decode and encode on a GPU that can, or never.",
)
def video(source: Path, target: Path, steady: float, hwaccel: str, **painting: Any) -> None:
    """Paint the video IN into OUT (.mp4, .mov, .mkv), with its sound.

    Ctrl-C ends the clip early; what is painted by then can be played.
    """
    from livestyle.sinks import open_sink
    from livestyle.sources import open_source

    with closing(open_source(source, hwaccel=hwaccel)) as frames:
        sink = open_sink(target, frames.size, rate=frames.fps, made_from=source, hwaccel=hwaccel)
        try:
            with stoppable() as stop, sink:
                painter = make_painter(**painting, streams=_STREAMS)
                report = _paint(frames, partial(painter.follow, steadiness=steady), sink)
        except KeyboardInterrupt:
            kept = f"{target} holds what was painted" if sink.complete else "nothing was painted yet"
            click.echo(f"stopped: {kept}", err=True)
            sys.exit(stop.status)
    click.echo(
        f"{target}: {report.frames} frames in {report.seconds:.1f} s, {report.fps:.1f} fps "
        f"({painter.engine.backend})"
    )


def _paint(frames: FileSource, paint: Callable[[Iterable[Frame]], Iterable[Frame]], sink: Sink) -> Report:
    from livestyle.pipeline import run

    with _progress(frames.frame_estimate) as show:
        return run(frames, paint, sink, on_frame=show)


@contextmanager
def _progress(frames: int | None) -> Iterator[Callable[[Report], None] | None]:
    """A progress bar on stderr, with the rate and the time left, where stderr is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        BarColumn(),
        TextColumn("{task.completed} frames"),
        TextColumn("{task.fields[fps]:.0f} fps"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("painting", total=frames, fps=0.0)
        yield lambda report: progress.update(task, completed=report.frames, fps=report.recent_fps)
