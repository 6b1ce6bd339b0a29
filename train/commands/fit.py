"""python -m train fit."""

import re
import signal
import sys
from pathlib import Path

import click

from livestyle.architecture import CONFIGS
from livestyle.cli.options import FiniteRange
from livestyle.errors import SinkError, reason_of
from train.checkpoint import Checkpoint
from train.commands.options import (
    DEFAULT,
    FILE,
    FOLDER,
    as_given,
    cached,
    check_output,
    loss_network_options,
    progress,
)
from train.commands.stopping import between_steps
from train.config import FitConfig, as_json
from train.distributed import team, team_size
from train.loop import fit
from train.loss_network import load_loss_network
from train.losses import LossConfig
from train.photos import find_photos, held_out
from train.pictures import StylePicture, check_styles, read_gallery


@click.command("fit")
@click.argument("gallery", type=FILE, required=False)
@click.option("--pictures", type=FOLDER, default=".", help="Folder of the pictures that GALLERY names.")
@click.option(
    "--style", type=FILE, multiple=True, help="A picture to learn, in place of GALLERY; repeatable."
)
@click.option("--photos", type=FOLDER, required=True, help="Folder of photos to paint, searched recursively.")
@loss_network_options()
@click.option(
    "-o",
    "--output",
    "run",  # an option named --run would be taken by torchrun for one of its own
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder to write.",
)
@click.option(
    "--start-from", type=FILE, help="Checkpoint of another run, or exported weights, to start from."
)
@click.option("--size", type=click.Choice(list(CONFIGS)), default=DEFAULT.size)
@click.option("--steps", type=click.IntRange(min=1), default=DEFAULT.steps)
@click.option("--batch", type=click.IntRange(min=1), default=DEFAULT.batch)
@click.option(
    "--learning-rate",
    type=FiniteRange(0, min_open=True),
    default=DEFAULT.learning_rate,
    help="The peak of the one cycle; a quarter of it does to refine what is trained.",
)
@click.option("--seed", type=click.IntRange(min=0), default=DEFAULT.seed)
@click.option("--style-weight", type=FiniteRange(min=0), default=DEFAULT.loss.weights["style"])
@click.option("--stability-weight", type=FiniteRange(min=0), default=DEFAULT.loss.weights["stability"])
@click.option("--tv-weight", type=FiniteRange(min=0), default=DEFAULT.loss.weights["tv"])
@click.option(
    "--stability-from",
    type=FiniteRange(0, 1),
    default=DEFAULT.loss.stability_from,
    help="Share of the steps before stability begins to count.",
)
@click.option("--dry-run", is_flag=True, help="Print the configuration as JSON, and do nothing.")
def fit_command(
    gallery: Path | None,
    pictures: Path,
    style: tuple[Path, ...],
    photos: Path,
    loss_network: str,
    loss_weights: Path | None,
    average_pooling: bool,
    run: Path,
    start_from: Path | None,
    size: str,
    steps: int,
    batch: int,
    learning_rate: float,
    seed: int,
    style_weight: float,
    stability_weight: float,
    tv_weight: float,
    stability_from: float,
    dry_run: bool,
) -> None:
    """Train one network on the styles of GALLERY, a TOML file, or of pictures.

    Resumes where the folder of the run left off. Several GPUs: torchrun --nproc-per-node N -m train fit ...
    """
    weights = DEFAULT.loss.weights | {"style": style_weight, "stability": stability_weight, "tv": tv_weight}
    loss = LossConfig(loss_network, average_pooling, weights, stability_from)
    config = FitConfig(size=size, steps=steps, batch=batch, learning_rate=learning_rate, seed=seed, loss=loss)
    if gallery and style:
        raise click.UsageError("choose either a GALLERY, or pictures with --style")
    entries = read_gallery(gallery, pictures) if gallery else _from_pictures(style)
    if batch % team_size():
        raise click.UsageError(
            f"a batch of {batch} cannot be divided among {team_size()} processes: "
            f"choose a --batch that is a multiple of {team_size()}"
        )
    if dry_run:
        click.echo(as_json(config, entries))
        return
    _check(run, entries, config)
    trained, judged = held_out(find_photos(photos))  # none at all is told before weights are fetched
    network = load_loss_network(loss_network, loss_weights, average_pooling=average_pooling)
    try:
        with team() as members, progress("fit", steps, shown=members.leads) as show:
            kept = members.one_by_one(lambda: cached(trained))
            finished = _steps_done(run) >= steps
            with between_steps(show) as on_step:
                checkpoint = fit(
                    config,
                    entries,
                    kept,
                    judged,
                    network,
                    run,
                    members,
                    command=as_given(),
                    start_from=start_from,
                    on_step=on_step,
                )
            show(steps, {})  # those of an earlier command are done too
    except KeyboardInterrupt:
        click.echo("stopped: the same command goes on from the last checkpoint", err=True)
        sys.exit(128 + signal.SIGINT)
    if members.leads:
        done = f"{steps} of {steps} steps" + (", all of them before" if finished else "")
        click.echo(f"{checkpoint}: {done}; to paint with it: python -m train export {checkpoint}")


def _steps_done(run: Path) -> int:
    path = run / "checkpoint.pt"
    return Checkpoint.load(path).step if path.is_file() else 0


def _check(run: Path, styles: list[StylePicture], config: FitConfig) -> None:
    """Raises, before the photos are read, SinkError where no run can be kept there, and as pictures do."""
    try:
        run.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(
            f"cannot make the folder {run}: {reason_of(error)}; choose another --output"
        ) from error
    check_output(run / "checkpoint.pt")
    for style in styles:
        style.load(config.style_side)


def _from_pictures(paths: tuple[Path, ...]) -> list[StylePicture]:
    if not paths:
        raise click.UsageError("name a GALLERY, or pictures with --style")
    styles = [StylePicture(re.sub(r"\W+", "_", path.stem), path) for path in paths]
    check_styles(styles)
    return styles
