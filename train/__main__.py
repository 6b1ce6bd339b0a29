"""python -m train: fit, export, tesserae."""

import shlex
import sys
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from livestyle.architecture import CONFIGS
from livestyle.errors import LivestyleError
from livestyle.styles import engine_dir
from train.config import FitConfig
from train.export import export
from train.loop import fit
from train.loss_network import CHOICES, load_loss_network
from train.losses import LossConfig
from train.pictures import read_gallery
from train.tesserae import tesserae

_DEFAULT = FitConfig()
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class _Group(click.Group):
    """A group whose errors are one line each."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except LivestyleError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Group, context_settings={"show_default": True})
def main() -> None:
    """Train livestyle's networks."""


main.add_command(tesserae)


@main.command("fit")
@click.argument("gallery", type=_FILE)
@click.option("--pictures", type=_FOLDER, required=True, help="Folder of the pictures that GALLERY names.")
@click.option(
    "--photos", type=_FOLDER, required=True, help="Folder of photos to paint, searched recursively."
)
@click.option("--loss-network", type=click.Choice(list(CHOICES)), default=_DEFAULT.loss.network)
@click.option("--loss-weights", type=_FILE, help="Its weights as safetensors; fetched if not given.")
@click.option("--average-pooling", is_flag=True, help="Average instead of max pooling in the loss network.")
@click.option(
    "--run", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to write."
)
@click.option("--start-from", type=_FILE, help="Checkpoint of another run to start from.")
@click.option("--size", type=click.Choice(list(CONFIGS)), default=_DEFAULT.size)
@click.option("--steps", type=click.IntRange(min=1), default=_DEFAULT.steps)
@click.option("--batch", type=click.IntRange(min=1), default=_DEFAULT.batch)
@click.option("--seed", type=int, default=_DEFAULT.seed)
@click.option("--style-weight", type=click.FloatRange(min=0), default=_DEFAULT.loss.weights["style"])
@click.option("--stability-weight", type=click.FloatRange(min=0), default=_DEFAULT.loss.weights["stability"])
@click.option(
    "--stability-from",
    type=click.FloatRange(0, 1),
    default=_DEFAULT.loss.stability_from,
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
    stability_from: float,
) -> None:
    """Train one network on the styles of GALLERY, a TOML file; resumes where the folder RUN left off."""
    run.mkdir(parents=True, exist_ok=True)
    weights = _DEFAULT.loss.weights | {"style": style_weight, "stability": stability_weight}
    loss = LossConfig(loss_network, average_pooling, weights, stability_from)
    config = FitConfig(size=size, steps=steps, batch=batch, seed=seed, loss=loss)
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.fields[terms]}"))
    with Progress(*columns) as progress:
        task = progress.add_task("fit", total=steps, terms="")

        def show(step: int, terms: dict[str, float]) -> None:
            text = f"content {terms['content']:.3f}  style {terms['style']:.4f}"
            progress.update(task, completed=step, terms=text)

        fit(
            config,
            read_gallery(gallery, pictures),
            photos,
            load_loss_network(loss_network, loss_weights, average_pooling=average_pooling),
            run,
            command=_command(),
            start_from=start_from,
            on_step=show,
        )


def _command() -> str:
    """The command as it was given, its paths named rather than placed."""
    words = (Path(word).name if Path(word).exists() else word for word in sys.argv[1:])
    return shlex.join(["python", "-m", "train", *words])


@main.command("export")
@click.argument("checkpoint", type=_FILE)
@click.option("-o", "--output", type=_FOLDER, default=engine_dir(), help="Folder of weights and manifest.")
def export_command(checkpoint: Path, output: Path) -> None:
    """Turn a run's CHECKPOINT into weights that livestyle loads, with a line in the manifest."""
    click.echo(export(checkpoint, output))


if __name__ == "__main__":
    main()
