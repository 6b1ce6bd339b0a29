"""Options and the progress bar that several commands share."""

import json
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from livestyle.cli.options import together
from livestyle.sinks.partial import PartialFile
from train.config import FitConfig
from train.loss_network import CHOICES
from train.metrics import OnStep
from train.photos import PhotoCache, cache_photos

Command = TypeVar("Command", bound=Callable[..., Any])

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
DEFAULT = FitConfig()


def loss_network_options(default: str = DEFAULT.loss.network) -> Callable[[Command], Command]:
    """Adds the options that choose a loss network."""
    return together(
        click.option("--loss-network", type=click.Choice(list(CHOICES)), default=default),
        click.option("--loss-weights", type=FILE, help="Its weights as safetensors; fetched if not given."),
        click.option(
            "--average-pooling", is_flag=True, help="Average instead of max pooling in the loss network."
        ),
    )


def as_given() -> str:
    """The command as it was given, its paths named rather than placed."""
    words = (
        Path(word).name if Path(word).is_absolute() or Path(word).exists() else word for word in sys.argv[1:]
    )
    return shlex.join(["python", "-m", "train", *words])


def check_output(path: Path) -> None:
    """Raises SinkError where a file cannot be written, before time is spent on what it is to hold."""
    PartialFile(path).discard()


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Writes a result, whole or not at all. Raises SinkError."""
    with PartialFile(path) as file:
        file.write(json.dumps(content, indent=2) + "\n")


def cached(paths: list[Path]) -> PhotoCache:
    """The photos in the cache, with a progress bar on stderr while they are decoded for the first time."""
    with progress("photos", len(paths)) as show:
        cache = cache_photos(paths, lambda number: show(number, {}))
        show(len(paths), {})  # those that were there before are done too
    return cache


@contextmanager
def progress(name: str, steps: int, *, shown: bool = True) -> Iterator[OnStep]:
    """A progress bar with the time left and the terms of the loss, on stderr."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[terms]}"),
    )
    with Progress(*columns, console=Console(stderr=True), disable=not shown) as bar:
        task = bar.add_task(name, total=steps, terms="")

        def show(step: int, terms: dict[str, float]) -> None:
            told = [f"{term} {terms[term]:.4f}" for term in DEFAULT.loss.weights if term in terms]
            bar.update(task, completed=step)
            if told:
                bar.update(task, terms="  ".join(told))

        yield show
