"""python -m train evaluate."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click
import torch

from livestyle import defaults
from livestyle.architecture import CONFIGS
from livestyle.bench import machine
from livestyle.cli.options import FiniteRange
from livestyle.engine import Engine, load_engine
from livestyle.painter import Painter
from livestyle.styles import StyleMix
from livestyle.weights import Weights, check_mix, load_weights
from train.commands.options import FILE, FOLDER, as_given, check_output, loss_network_options, write_json
from train.evaluate import WEBCAM, Follow, flicker, sintel_errors, sintel_pairs, webcam_clips
from train.judge import Judges, check_pictures, photos_of
from train.loss_network import load_loss_network
from train.photos import find_photos, held_out
from train.pictures import read_gallery

_SIDE = 256


@click.command("evaluate")
@click.argument("gallery", type=FILE)
@click.option("--pictures", type=FOLDER, required=True, help="Folder of the pictures that GALLERY names.")
@click.option("--photos", type=FOLDER, required=True, help="The photos of the training: one in fifty judges.")
@click.option("--sintel", type=FOLDER, help="Folder of pairs of frames with their flow (MPI-Sintel).")
@click.option("--clips", type=FOLDER, help=f"Folder of clips of a still room, named {WEBCAM}.")
@loss_network_options()
@click.option("--model", type=click.Choice(list(CONFIGS)), default=defaults.MODEL)
@click.option(
    "--gatys-styles",
    type=click.IntRange(min=0),
    default=3,
    help="For how many styles Gatys iterations are counted, on one photo: minutes for each.",
)
@click.option(
    "--grain",
    type=FiniteRange(0, 20),
    default=0.0,
    metavar="LEVELS",
    help=f"As in livestyle; what image and cam take by themselves is {defaults.GRAIN:g}.",
)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
def evaluate_command(
    gallery: Path,
    pictures: Path,
    photos: Path,
    sintel: Path | None,
    clips: Path | None,
    loss_network: str,
    loss_weights: Path | None,
    average_pooling: bool,
    model: str,
    gatys_styles: int,
    grain: float,
    output: Path,
) -> None:
    """Measure how good and how steady the styles of GALLERY are, into a JSON file."""
    check_output(output)
    if sintel is not None:
        sintel_pairs(sintel)
    rooms = webcam_clips(clips) if clips is not None else []
    entries = read_gallery(gallery, pictures)
    weights = load_weights(model)
    for entry in entries:
        check_mix(StyleMix.parse(entry.name), weights)
    check_pictures(entries)
    judged = photos_of(held_out(find_photos(photos))[1], _SIDE)
    engine = load_engine(weights)
    fast, exact = (
        load_loss_network(loss_network, loss_weights, average_pooling=average_pooling, dtype=dtype)
        for dtype in (torch.bfloat16, torch.float32)
    )
    judges = Judges(judged, loss_network, fast, exact, sintel)
    rows: dict[str, dict[str, Any]] = {}
    for picture in entries:
        painter = Painter(engine, StyleMix.parse(picture.name), grain=grain)
        counting = judges if len(rows) < gatys_styles else replace(judges, exact=None)
        rows[picture.name] = row = counting.judge(picture, painter)
        if rooms:
            row |= _steadiness(painter, rooms)
        click.echo(f"{picture.name}: {json.dumps(row)}")
    facts = _record(weights, engine, loss_network, len(judged))
    result: dict[str, Any] = facts | {"grain": grain, "styles": rows}
    if sintel is not None:
        result["sintel_input"] = sintel_errors(sintel, lambda image: image)
    write_json(output, result)


def _record(weights: Weights, engine: Engine, loss_network: str, photos: int) -> dict[str, Any]:
    facts = {"machine": machine(), "command": as_given(), "model": weights.model, "network": weights.network}
    return facts | {"backend": engine.backend, "loss_network": loss_network, "photos": photos, "side": _SIDE}


def _steadiness(painter: Painter, clips: list[Path]) -> dict[str, Any]:
    ways: dict[str, Follow] = {
        "each_frame": partial(painter.follow, steadiness=0),
        "steady": partial(painter.follow, steadiness=defaults.STEADY),
    }
    return {name: flicker(clips, follow) for name, follow in ways.items()}
