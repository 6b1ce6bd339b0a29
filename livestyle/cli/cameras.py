"""livestyle cameras."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from livestyle.sources.devices import Camera


@click.command()
def cameras() -> None:
    """List the cameras of this machine, with the sizes and rates that each can give."""
    from livestyle.errors import SourceError
    from livestyle.sources.devices import find_cameras

    found = find_cameras()
    if not found:
        raise SourceError("no camera found: plug one in, or try livestyle cam --camera pattern")
    for camera in found:
        _show(camera)


def _show(camera: Camera) -> None:
    path = f"  {camera.path}" if camera.path else ""
    click.echo(f"{camera.number}  {camera.name}{path}")
    if camera.problem:
        click.echo(f"   {camera.problem}")
    sizes = dict.fromkeys(mode.size for mode in camera.modes)
    for size in sorted(sizes):
        ways = [mode for mode in camera.modes if mode.size == size]
        rates = "; ".join(
            f"{mode.encoding} {', '.join(f'{rate:g}' for rate in mode.fps)} fps"
            if mode.fps
            else mode.encoding
            for mode in ways
        )
        click.echo(f"   {size[0]}x{size[1]}".ljust(14) + rates)
