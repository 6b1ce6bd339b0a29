"""livestyle image."""

from __future__ import annotations

import sys
from functools import cache, partial
from pathlib import Path
from typing import Any

import click

from livestyle.cli.options import FILE, make_painter, painting_options


@click.command()
@click.argument("sources", metavar="IN...", type=FILE, nargs=-1, required=True)
@click.argument("target", metavar="OUT", type=FILE)
@click.option("--overwrite", is_flag=True, help="Replace OUT where it exists.")
@painting_options
def image(sources: tuple[Path, ...], target: Path, overwrite: bool, **painting: Any) -> None:
    """Paint the picture IN into OUT (.png, .jpg and others); of an animation, the first one.

    Several pictures, a folder of them or a pattern like 'photos/*.jpg' go into the folder OUT. One that fails
    does not stop the others; the exit code is 1 then.
    """
    from livestyle.errors import LivestyleError
    from livestyle.pictures import paint_pictures, plan

    pairs = plan(sources, target)
    painter = cache(partial(make_painter, **painting))
    painted = 0
    for (source, into), made in zip(pairs, paint_pictures(pairs, painter, overwrite=overwrite), strict=True):
        if isinstance(made, LivestyleError):
            click.echo(f"Error: {_named(source, made)}" if len(pairs) > 1 else f"Error: {made}", err=True)
        else:
            painted += 1
            click.echo(f"{into}: {made[0]}x{made[1]} ({painter().engine.backend})")
    if len(pairs) > 1:
        click.echo(f"{painted} of {len(pairs)} pictures painted")
    sys.exit(painted < len(pairs))


def _named(source: Path, error: Exception) -> str:
    """What went wrong, with the name of the picture, which not every error tells."""
    return str(error) if str(source) in str(error) else f"{source}: {error}"
