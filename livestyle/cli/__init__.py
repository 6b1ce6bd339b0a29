"""The command line: parses options, calls the library, prints its errors; nothing else."""

from __future__ import annotations

import atexit
import gc
import logging
import sys

import click

from livestyle import __version__
from livestyle.cli.batch import batch
from livestyle.cli.bench import bench
from livestyle.cli.build import build
from livestyle.cli.cam import cam
from livestyle.cli.cameras import cameras
from livestyle.cli.doctor import doctor
from livestyle.cli.export import export
from livestyle.cli.group import Group
from livestyle.cli.image import image
from livestyle.cli.styles import styles
from livestyle.cli.video import video


@click.group(cls=Group, context_settings={"show_default": True, "help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="livestyle")
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
def main(verbose: bool) -> None:
    """Paint video as it happens."""
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    logging.getLogger("livestyle").setLevel(logging.DEBUG if verbose else logging.INFO)


def _leave_garbage() -> None:
    """Spare the last look for garbage, in memory that goes back anyhow: 60 ms of a command.

    Not beside Triton, whose binding tells of every object that was not collected.
    """
    if "triton" not in sys.modules:
        gc.freeze()


for command in (cam, video, batch, image, styles, cameras, bench, build, export, doctor):
    main.add_command(command)
atexit.register(_leave_garbage)
