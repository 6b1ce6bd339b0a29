"""livestyle build."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from livestyle import defaults
from livestyle.cli.options import FiniteRange, FrameSize, model_option

if TYPE_CHECKING:
    from livestyle.engine_cache import EngineCache, Entry


@click.command()
@click.option("--size", type=FrameSize(), metavar="WxH", help="Size of the frames, in pixels.")
@model_option
@click.option(
    "--backend",
    type=click.Choice(["auto", "tensorrt", "cuda"]),
    default="auto",
    help="What to build for; auto takes tensorrt where it is installed.",
)
@click.option("--list", "list_them", is_flag=True, help="List the engines that are kept.")
@click.option("--clear", is_flag=True, help="Forget all engines that are kept.")
@click.option(
    "--limit",
    type=FiniteRange(min=0),
    default=defaults.ENGINES_GB,
    metavar="GB",
    help="Room for engines; those not used for the longest go first.",
)
def build(
    size: tuple[int, int] | None, model: str, backend: str, list_them: bool, clear: bool, limit: float
) -> None:
    """Prepare this GPU ahead for frames of a size, so that the first frame comes from the fastest engine.

    With tensorrt an engine is built and kept. With cuda every way of running the network is tried, those
    that have to be compiled included, and the fastest sound one is remembered.
    """
    from livestyle.engine_cache import EngineCache

    cache = EngineCache(limit_gb=limit)
    if clear:
        click.echo(f"{cache.clear()} engines removed from {cache.folder}")
    if list_them:
        entries = cache.entries()
        for entry in entries:
            click.echo(_describe(entry))
        if not entries:
            click.echo(f"no engines are kept in {cache.folder}")
    if size is not None:
        _build(size, model, backend, cache)
    elif not (clear or list_them):
        raise click.UsageError("say which --size WxH to build for, or --list, or --clear")


def _build(size: tuple[int, int], model: str, backend: str, cache: EngineCache) -> None:
    from livestyle.prepare import prepare
    from livestyle.weights import load_weights

    weights = load_weights(model)
    with _waiting(f"preparing {model} for {size[0]}x{size[1]}"):
        said = prepare(weights, size, backend, cache)
    click.echo(said)


@contextmanager
def _waiting(what: str) -> Iterator[None]:
    """A line with the time that has passed, on stderr, where that is a terminal."""
    if not (sys.stderr and sys.stderr.isatty()):
        click.echo(f"{what} ...", err=True)
        yield
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        progress.add_task(f"{what}: seconds to minutes", total=None)
        yield


def _describe(entry: Entry) -> str:
    facts, found = entry.note.get("key", {}), entry.note.get("found", {})
    width, height = facts.get("size", ("?", "?"))
    used = time.strftime("%Y-%m-%d", time.localtime(entry.used))
    what = f"{facts.get('model', 'damaged'):<6} {f'{width}x{height}':<10}"
    by = f"{facts.get('flavour', '?')} {facts.get('flavour_version', '?')} on {facts.get('device', '?')}"
    figures = f"{found.get('psnr_db', 0):.1f} dB, {found.get('milliseconds', 0):.2f} ms a frame"
    return f"{what} {by}: {figures}, {entry.size_bytes / 1e6:.0f} MB, last used {used}"
