"""livestyle bench."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from livestyle.cli.options import FILE, model_option


@click.command()
@model_option
@click.option("--seconds", type=click.FloatRange(min=0.1), default=3.0, help="Time for each measurement.")
@click.option("--json", "json_path", type=FILE, metavar="FILE", help="Write the numbers here too.")
def bench(model: str, seconds: float, json_path: Path | None) -> None:
    """Measure how fast this machine paints with each backend."""
    from livestyle.bench import Skipped, machine, measure
    from livestyle.weights import load_weights

    facts = machine()
    click.echo(", ".join(f"{name} {value}" for name, value in facts.items()))
    rows = []
    for result in measure(load_weights(model), seconds=seconds):
        if isinstance(result, Skipped):
            click.echo(f"{result.backend:<18} skipped: {result.reason}")
            continue
        width, height = result.size
        click.echo(
            f"{result.backend:<18} {f'{width}x{height}':<10} {result.milliseconds:7.1f} ms a frame "
            f"(95 %: {result.slowest_milliseconds:.1f})  {result.fps:6.1f} fps"
        )
        rows.append(asdict(result) | {"fps": result.fps})
    if json_path is not None:
        _write(json_path, {"machine": facts, "model": model, "timings": rows})


def _write(path: Path, content: dict[str, object]) -> None:
    from livestyle.errors import SinkError

    try:
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise SinkError(f"cannot write {path}: {error.strerror}; choose another name") from error
