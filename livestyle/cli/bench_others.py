"""livestyle bench --backends and --compare: what is measured beside the painting itself."""

from __future__ import annotations

import importlib
from dataclasses import asdict
from typing import Any

import click


def measure_backends(sizes: tuple[tuple[int, int], ...], how: dict[str, Any]) -> list[dict[str, Any]]:
    """Prints how fast the network alone is with each backend; gives the times."""
    from livestyle.bench import SIZES, Skipped, measure
    from livestyle.weights import load_weights

    click.echo("\nthe network alone, with each backend:")
    rows = []
    asked = {"sizes": sizes or SIZES, "seconds": 1.0, "precision": how["precision"]}
    for result in measure(load_weights(how["model"]), **asked):
        if isinstance(result, Skipped):
            click.echo(f"  {result.backend:<18} skipped: {result.reason}")
            continue
        size = f"{result.size[0]}x{result.size[1]}"
        click.echo(f"  {result.backend:<18} {size:<10} {result.milliseconds:8.2f} ms  {result.fps:7.1f} fps")
        rows.append(asdict(result))
    return rows


def check_peers(sizes: tuple[tuple[int, int], ...]) -> None:
    """Raises LivestyleError where other networks cannot be measured at these sizes, or are not here at all.

    They are in livestyle's source only. They are not loaded, for our own memory is measured first.
    """
    _benchmarks("benchmarks.peers.names").check_sizes(sizes)


def measure_peers(sizes: tuple[tuple[int, int], ...], how: dict[str, Any]) -> dict[str, Any]:
    """Prints how fast other networks are, in turns with ours; gives the numbers."""
    measured: dict[str, Any] = _benchmarks("benchmarks.peers.compare").compare_and_print(
        click.echo, sizes, how
    )
    return measured


def _benchmarks(name: str) -> Any:
    from livestyle.errors import LivestyleError

    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise LivestyleError(
            f"--compare needs the folder benchmarks of livestyle's source ({error}): run it there"
        ) from error
