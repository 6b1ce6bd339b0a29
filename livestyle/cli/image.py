"""livestyle image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from livestyle.cli.options import FILE, make_painter, painting_options


@click.command()
@click.argument("source", metavar="IN", type=FILE)
@click.argument("target", metavar="OUT", type=FILE)
@click.option("--overwrite", is_flag=True, help="Replace OUT where it exists.")
@painting_options
def image(source: Path, target: Path, overwrite: bool, **painting: Any) -> None:
    """Paint the picture IN into OUT (.png, .jpg and others)."""
    from livestyle.sinks import refuse_same_file
    from livestyle.sinks.picture import check_target, write_picture
    from livestyle.sources.picture import read_picture

    picture = read_picture(source)
    refuse_same_file(target, source)
    check_target(target, overwrite=overwrite)
    painter = make_painter(**painting)
    write_picture(target, painter(picture))
    click.echo(f"{target}: {picture.shape[1]}x{picture.shape[0]} ({painter.engine.backend})")
