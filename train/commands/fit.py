"""python -m train fit."""

from pathlib import Path

import click

from livestyle.architecture import CONFIGS
from train.commands.options import DEFAULT, FILE, FOLDER, as_given, loss_network_options, progress
from train.config import FitConfig
from train.loop import fit
from train.loss_network import load_loss_network
from train.losses import LossConfig
from train.pictures import read_gallery


@click.command("fit")
@click.argument("gallery", type=FILE)
@click.option("--pictures", type=FOLDER, required=True, help="Folder of the pictures that GALLERY names.")
@click.option("--photos", type=FOLDER, required=True, help="Folder of photos to paint, searched recursively.")
@loss_network_options
@click.option(
    "--run", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to write."
)
@click.option("--start-from", type=FILE, help="Checkpoint of another run to start from.")
@click.option("--size", type=click.Choice(list(CONFIGS)), default=DEFAULT.size)
@click.option("--steps", type=click.IntRange(min=1), default=DEFAULT.steps)
@click.option("--batch", type=click.IntRange(min=1), default=DEFAULT.batch)
@click.option("--seed", type=int, default=DEFAULT.seed)
@click.option("--style-weight", type=click.FloatRange(min=0), default=DEFAULT.loss.weights["style"])
@click.option("--stability-weight", type=click.FloatRange(min=0), default=DEFAULT.loss.weights["stability"])
@click.option("--tv-weight", type=click.FloatRange(min=0), default=DEFAULT.loss.weights["tv"])
@click.option(
    "--stability-from",
    type=click.FloatRange(0, 1),
    default=DEFAULT.loss.stability_from,
    help="Share of the steps before stability begins to count.",
)
def fit_command(
    gallery: Path,
    pictures: Path,
    photos: Path,
    loss_network: str,
    loss_weights: Path | None,
    average_pooling: bool,
    run: Path,
    start_from: Path | None,
    size: str,
    steps: int,
    batch: int,
    seed: int,
    style_weight: float,
    stability_weight: float,
    tv_weight: float,
    stability_from: float,
) -> None:
    """Train one network on the styles of GALLERY, a TOML file; resumes where the folder RUN left off."""
    run.mkdir(parents=True, exist_ok=True)
    weights = DEFAULT.loss.weights | {"style": style_weight, "stability": stability_weight, "tv": tv_weight}
    loss = LossConfig(loss_network, average_pooling, weights, stability_from)
    with progress("fit", steps) as show:
        fit(
            FitConfig(size=size, steps=steps, batch=batch, seed=seed, loss=loss),
            read_gallery(gallery, pictures),
            photos,
            load_loss_network(loss_network, loss_weights, average_pooling=average_pooling),
            run,
            command=as_given(),
            start_from=start_from,
            on_step=show,
        )
