"""python -m train compare."""

import json
from pathlib import Path

import click
import torch

from livestyle.bench import machine
from train.commands.options import FILE, FOLDER, as_given, check_output, loss_network_options, write_json
from train.compare import check_comparable, judge_run, ratios, read_run
from train.evaluate import sintel_pairs
from train.judge import Judges, check_pictures, photos_of
from train.loss_network import load_loss_network
from train.photos import find_photos, held_out
from train.pictures import read_gallery

_SIDE = 256


@click.command("compare")
@click.argument("gallery", type=FILE)
@click.argument("first", type=FILE)
@click.argument("others", type=FILE, nargs=-1, required=True)
@click.option("--pictures", type=FOLDER, required=True, help="Folder of the pictures that GALLERY names.")
@click.option("--photos", type=FOLDER, required=True, help="The photos of the training: one in fifty judges.")
@click.option("--sintel", type=FOLDER, help="Folder of pairs of frames with their flow (MPI-Sintel).")
@click.option(
    "--gatys", is_flag=True, help="Count Gatys iterations too, on one photo: minutes for each style."
)
@click.option("--title", required=True, help="What the comparison is to tell, for the table.")
@loss_network_options()
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
def compare_command(
    gallery: Path,
    first: Path,
    others: tuple[Path, ...],
    pictures: Path,
    photos: Path,
    sintel: Path | None,
    gatys: bool,
    title: str,
    loss_network: str,
    loss_weights: Path | None,
    average_pooling: bool,
    output: Path,
) -> None:
    """Judge the checkpoint FIRST and the OTHERS, in styles of GALLERY, into a JSON file."""
    check_output(output)
    if sintel is not None:
        sintel_pairs(sintel)
    entries = read_gallery(gallery, pictures)
    runs = [read_run(checkpoint) for checkpoint in (first, *others)]
    check_comparable(runs[0], runs[1:], entries)
    check_pictures([entry for entry in entries if any(entry.name in run.styles for run in runs)])
    judged = photos_of(held_out(find_photos(photos))[1], _SIDE)
    fast, exact = (
        load_loss_network(loss_network, loss_weights, average_pooling=average_pooling, dtype=dtype)
        for dtype in (torch.bfloat16, torch.float32)
    )
    judges = Judges(judged, loss_network, fast, exact if gatys else None, sintel)
    rows = [judge_run(run, entries, judges) for run in runs]
    result = {
        "machine": machine(),
        "command": as_given(),
        "title": title,
        "loss_network": loss_network,
        "photos": len(judged),
        "side": _SIDE,
        "runs": rows,
        "ratios": ratios(rows[0], rows[1:]),
    }
    write_json(output, result)
    click.echo(f"{title}: {json.dumps(result['ratios'])}")
