"""python -m train export."""

from pathlib import Path

import click

from livestyle.styles import engine_dir
from train.commands.options import FILE, FOLDER
from train.export import export


@click.command("export")
@click.argument("checkpoint", type=FILE)
@click.option("-o", "--output", type=FOLDER, default=engine_dir(), help="Folder of weights and manifest.")
@click.option("--half", is_flag=True, help="Store kernels in float16: half the size of the file.")
@click.option("--overwrite", is_flag=True, help="Replace the weights of this size that are there.")
def export_command(checkpoint: Path, output: Path, half: bool, overwrite: bool) -> None:
    """Turn a run's CHECKPOINT into weights that livestyle loads, with an entry in the manifest."""
    click.echo(export(checkpoint, output, half=half, overwrite=overwrite))
