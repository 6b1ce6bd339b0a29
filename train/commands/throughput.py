"""python -m train throughput."""

import json
from pathlib import Path

import click

from livestyle.architecture import CONFIGS
from livestyle.bench import machine
from train.commands.options import (
    DEFAULT,
    FILE,
    FOLDER,
    as_given,
    cached,
    check_output,
    loss_network_options,
    write_json,
)
from train.config import FitConfig
from train.distributed import team
from train.loss_network import load_loss_network
from train.losses import LossConfig
from train.photos import find_photos, held_out
from train.pictures import read_gallery
from train.throughput import throughput


@click.command("throughput")
@click.argument("gallery", type=FILE)
@click.option("--pictures", type=FOLDER, required=True, help="Folder of the pictures that GALLERY names.")
@click.option("--photos", type=FOLDER, required=True, help="Folder of photos, searched recursively.")
@loss_network_options()
@click.option("--size", type=click.Choice(list(CONFIGS)), default=DEFAULT.size)
@click.option("--steps", type=click.IntRange(min=3), default=12, help="Steps of each kind.")
@click.option("--batch", type=click.IntRange(min=1), default=DEFAULT.batch)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
def throughput_command(
    gallery: Path,
    pictures: Path,
    photos: Path,
    loss_network: str,
    loss_weights: Path | None,
    average_pooling: bool,
    size: str,
    steps: int,
    batch: int,
    output: Path,
) -> None:
    """Measure how fast this machine trains, into a JSON file."""
    check_output(output)
    styles = read_gallery(gallery, pictures)
    config = FitConfig(size, steps, batch, loss=LossConfig(loss_network, average_pooling))
    trained, judged = held_out(find_photos(photos))  # none at all is told before weights are fetched
    network = load_loss_network(loss_network, loss_weights, average_pooling=average_pooling)
    with team() as alone:
        found = throughput(config, styles, cached(trained), judged[:1], network, alone)
    result = {"machine": machine(), "command": as_given(), **found}
    write_json(output, result)
    click.echo(json.dumps(found))
