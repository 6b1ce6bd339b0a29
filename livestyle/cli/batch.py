"""livestyle batch."""

from __future__ import annotations

import hashlib
import io
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from livestyle.cli.file_options import FILE_STREAMS, FORMS, file_options, job_settings, make_file_painter
from livestyle.cli.options import FILE, PAINTING, chosen_model, painting_options
from livestyle.cli.stopping import stoppable

if TYPE_CHECKING:
    from livestyle.workers import Progress, Recipe, Result

Follow = tuple[Callable[["Progress"], None], Callable[["Result"], None]]


@click.command()
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True)
@click.option("-o", "--output", type=FILE, required=True, metavar="FOLDER", help="Where the paintings go.")
@painting_options
@file_options
@click.option("--format", "form", type=click.Choice(FORMS), default="mp4", help="The kind of the new files.")
@click.option(
    "--jobs", type=click.IntRange(min=1), metavar="N", help="Files at a time; one for every two cores."
)
@click.option(
    "--resume",
    is_flag=True,
    help="Skip what is done, go on with what was interrupted, paint again what changed.",
)
@click.option("--report", type=FILE, metavar="FILE", help="JSON file of results; in the folder by default.")
def batch(
    inputs: tuple[str, ...],
    output: Path,
    form: str,
    jobs: int | None,
    resume: bool,
    report: Path | None,
    style: str,
    **options: Any,
) -> None:
    """Paint every INPUT: files, folders, patterns like 'clips/*.mov', or - for a list of them on stdin.

    A list has one in a line, or zeros between as find -print0 writes them. One that fails does
    not stop the others; the exit code is 1 then.
    """
    from livestyle.batch import run_batch
    from livestyle.clips import collect, targets
    from livestyle.folder_lock import alone_in
    from livestyle.job import Job

    painting = {name: options.pop(name) for name in PAINTING if name != "style"}
    settings = job_settings(**options) | {"untouched": not painting["strength"]}
    recipe = _recipe(style, painting)
    sources = collect(_listed(inputs), output)
    _make_folder(output)
    plan = [
        Job(source, target, **settings)
        for source, target in zip(sources, targets(sources, output, lambda _: f".{form}"), strict=True)
    ]
    try:
        with stoppable() as stop, alone_in(output), _followed(len(plan)) as (on_progress, on_result):
            results = run_batch(
                plan,
                recipe,
                report or output / "livestyle-batch.json",
                at_once=jobs or max(1, (os.cpu_count() or 1) // FILE_STREAMS),
                resume=resume,
                on_progress=on_progress,
                on_result=on_result,
            )
    except KeyboardInterrupt:
        click.echo("stopped: what is complete is kept; add --resume to go on", err=True)
        sys.exit(stop.status)
    _summarise(results)
    sys.exit(any(result.status in ("failed", "damaged") for result in results))


def _recipe(style: str, painting: dict[str, Any]) -> Recipe:
    from livestyle.timeline import Timeline
    from livestyle.weights import check_mix, load_weights
    from livestyle.workers import Recipe

    timeline = Timeline.parse(style)
    weights = load_weights(chosen_model(painting["model"], painting["backend"], painting["precision"]))
    content = hashlib.sha256(weights.network.encode())
    for mix in timeline.mixes:
        check_mix(mix, weights)  # an unknown style is told here, once
        content.update(mix.row(weights.styles).tobytes())
    make_painter = partial(make_file_painter, style, **painting)
    return Recipe(make_painter, timeline, f"{timeline} {painting} {content.hexdigest()}")


def _listed(inputs: Sequence[str]) -> Iterator[str]:
    for name in inputs:
        if name == "-":
            if isinstance(sys.stdin, io.TextIOWrapper):
                sys.stdin.reconfigure(errors="surrogateescape")  # names of files need not be text
            text = sys.stdin.read() if sys.stdin else ""
            text = text.removeprefix("\ufeff")  # as editors on Windows begin
            names = (
                text.split("\0") if "\0" in text else [line.removesuffix("\r") for line in text.split("\n")]
            )
            yield from (name for name in names if name.strip())
        else:
            yield name


def _make_folder(folder: Path) -> None:
    from livestyle.errors import SinkError, reason_of

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(f"cannot write to {folder}: {reason_of(error)}; choose another folder") from error


def _summarise(results: Sequence[Result]) -> None:
    rows = [("file", "status", "frames", "seconds", "")]
    for result in results:
        said = result.said[0] if result.said else result.target
        rows.append((result.source, result.status, str(result.frames), f"{result.seconds:.1f}", said))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, status, frames, seconds, said in rows:
        click.echo(
            f"{name.ljust(widths[0])}  {status.ljust(widths[1])}  {frames.rjust(widths[2])}  "
            f"{seconds.rjust(widths[3])}  {said}".rstrip()
        )
    counts = Counter(result.status for result in results)
    before = f", {counts['skipped']} of them before" if counts["skipped"] else ""
    partly = f", {counts['damaged']} of them in part" if counts["damaged"] else ""
    click.echo(f"{len(results) - counts['failed']} of {len(results)} files painted{before}{partly}")


@contextmanager
def _followed(count: int) -> Iterator[Follow]:
    """What could not be kept of each file; a bar for each that is painted and one for all on a terminal."""
    if not (sys.stderr and sys.stderr.isatty()):
        yield (lambda _: None), (lambda result: _tell(result, partial(click.echo, err=True)))
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskID, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed} of {task.total}"),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        everything = bars.add_task("files", total=count)
        files: dict[str, TaskID] = {}

        def on_progress(progress: Progress) -> None:
            if progress.source not in files:
                files[progress.source] = bars.add_task(Path(progress.source).name, total=progress.total)
            bars.update(files[progress.source], completed=progress.frames)

        def on_result(result: Result) -> None:
            if result.source in files:
                bars.remove_task(files.pop(result.source))
            bars.advance(everything)
            _tell(result, partial(bars.console.print, markup=False, highlight=False, soft_wrap=True))

        yield on_progress, on_result


def _tell(result: Result, show: Callable[[str], None]) -> None:
    """Show what `_summarise` has no room for; not again what an earlier run said."""
    if result.status != "skipped":
        for line in [*result.notices, *result.said[1:]]:
            show(line if result.source in line else f"{result.source}: {line}")
