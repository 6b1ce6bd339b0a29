"""livestyle image."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import click

from livestyle.cli.options import FILE, make_painter, painting_options

logger = logging.getLogger(__name__)


@click.command()
@click.argument("source", metavar="IN", type=FILE)
@click.argument("target", metavar="OUT", type=FILE)
@click.option("--overwrite", is_flag=True, help="Replace OUT where it exists.")
@painting_options
def image(source: Path, target: Path, overwrite: bool, **painting: Any) -> None:
    """Paint the picture IN into OUT (.png, .jpg and others); of an animation, the first one."""
    from livestyle.sinks import refuse_same_file
    from livestyle.sinks.picture import fill_picture, keeps_alpha, open_picture
    from livestyle.sources.alpha import over_black
    from livestyle.sources.picture import read_with_alpha, tell_of_more

    picture, alpha = read_with_alpha(source)
    tell_of_more(source)
    refuse_same_file(target, source)
    with open_picture(target, overwrite=overwrite) as partial:
        painter = make_painter(**painting)
        if alpha is not None and not keeps_alpha(target):
            logger.warning("%s has transparent parts: they are painted as black; a .png keeps them", source)
            picture, alpha = over_black(picture, alpha), None
        fill_picture(partial, painter(picture), alpha)
    click.echo(f"{target}: {picture.shape[1]}x{picture.shape[0]} ({painter.engine.backend})")
