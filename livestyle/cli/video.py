"""livestyle video."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from livestyle.cli.file_options import FORMS, Moment, file_options, job_settings, make_file_painter
from livestyle.cli.options import FILE, PAINTING, painting_options
from livestyle.cli.stopping import stoppable

if TYPE_CHECKING:
    from livestyle.job import Job, Outcome
    from livestyle.painter import Painter
    from livestyle.pipeline import Report
    from livestyle.timeline import Timeline


@click.command()
@click.argument("source", metavar="IN", type=FILE)
@click.argument("target", metavar="OUT", type=FILE)
@painting_options
@file_options
@click.option(
    "--start",
    type=Moment(),
    default=0.0,
    metavar="TIME",
    help="Paint from here on: 12.5 or 1:02.5. Times in --style count from here.",
)
@click.option("--end", type=Moment(), metavar="TIME", help="Paint up to here.")
@click.option("--format", "form", type=click.Choice(FORMS), help="The kind of file, whatever its name.")
def video(
    source: Path, target: Path, start: float, end: float | None, form: str | None, style: str, **options: Any
) -> None:
    """Paint the video IN into OUT, with its sound, subtitles and all else that it has.

    Either is a file, - for a pipe, or numbered pictures like frames/%05d.png. OUT may be .mp4, .mov, .mkv,
    .webm, .avi, .ts, .gif or .webp. The style may change: mosaic@0,great_wave@12.5~2 becomes great_wave at
    12.5 s after --start, within 2 s; long ones go into a .toml file.

    Ctrl-C ends the clip early; what is painted by then can be played. The exit code is 1 where IN is damaged:
    what can be decoded of it is painted.
    """
    from livestyle.job import Job
    from livestyle.timeline import Timeline

    if end is not None and end <= start:
        raise click.UsageError(f"--end {end:g} is not after --start {start:g}.")
    painting = {name: options.pop(name) for name in PAINTING if name != "style"}
    untouched = not painting["strength"]
    job = Job(source, target, start, end, form=form, untouched=untouched, **job_settings(**options))
    timeline = Timeline.parse(style)
    _run(job, partial(make_file_painter, style, **painting), timeline)


def _run(job: Job, make_painter: Callable[[], Painter], timeline: Timeline) -> None:
    from livestyle.job import Outcome, paint_file

    outcome, painters = Outcome(), []

    def painter() -> Painter:
        painters.append(make_painter())
        return painters[-1]

    try:
        with stoppable() as stop:
            paint_file(job, painter, timeline, show=_progress, outcome=outcome)
    except KeyboardInterrupt:
        kept = f"{job.target} holds what was painted" if outcome.complete else "nothing was painted yet"
        click.echo(f"stopped: {kept}", err=True)
        sys.exit(stop.status)
    _tell(job, outcome, painters[-1].engine.backend)  # TensorRT may have taken over meanwhile


def _tell(job: Job, outcome: Outcome, backend: str) -> None:
    from livestyle.frame import counted

    report = outcome.report
    assert report is not None
    click.echo(
        f"{job.target}: {counted(report.frames)} in {report.seconds:.1f} s, {report.fps:.1f} fps ({backend})",
        err=str(job.target) == "-",  # stdout is the video then
    )
    for fault in outcome.faults:
        click.echo(f"{fault}; the rest is painted", err=True)
    if outcome.faults:
        sys.exit(1)


@contextmanager
def _progress(frames: int | None) -> Iterator[Callable[[Report], None] | None]:
    """A progress bar on stderr, with the rate and the time left, where stderr is a terminal."""
    if not (sys.stderr and sys.stderr.isatty()):
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
