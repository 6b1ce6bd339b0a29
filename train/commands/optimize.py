"""python -m train optimize."""

from pathlib import Path
from typing import Any

import click
import torch

from livestyle.cli.options import FiniteRange
from livestyle.errors import SinkError
from livestyle.sinks.picture import check_target, write_picture
from train.commands.options import FILE, loss_network_options, progress
from train.loss_network import CHOICES, load_loss_network
from train.losses import PerceptualLoss
from train.metrics import check_finite
from train.optimize import OptimizeConfig, optimize
from train.photos import to_image
from train.pictures import StylePicture
from train.plots import plot_losses

_DEFAULT = OptimizeConfig()


@click.command("optimize")
@click.argument("photo", type=FILE)
@click.argument("picture", type=FILE)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
@loss_network_options()
@click.option(
    "--size", type=click.IntRange(64, 4096), default=512, help="Short side of the result in pixels."
)
@click.option("--steps", type=click.IntRange(min=1), default=_DEFAULT.steps)
@click.option("--optimiser", type=click.Choice(["lbfgs", "adam"]), default=_DEFAULT.optimiser)
@click.option("--start", type=click.Choice(["photo", "noise"]), default=_DEFAULT.start)
@click.option(
    "--learning-rate", type=FiniteRange(0, min_open=True), help="[default: 1 for lbfgs, 0.02 for adam]"
)
@click.option("--decay", type=FiniteRange(0, 1, min_open=True), default=_DEFAULT.decay)
@click.option("--content-weight", type=FiniteRange(min=0), default=_DEFAULT.weights["content"])
@click.option("--style-weight", type=FiniteRange(min=0), default=_DEFAULT.weights["style"])
@click.option("--tv-weight", type=FiniteRange(min=0), default=_DEFAULT.weights["tv"])
@click.option("--seed", type=click.IntRange(min=0), default=_DEFAULT.seed)
@click.option("--overwrite", is_flag=True, help="Replace the result and its plot where they exist.")
def optimize_command(
    photo: Path,
    picture: Path,
    output: Path,
    loss_network: str,
    loss_weights: Path | None,
    average_pooling: bool,
    size: int,
    overwrite: bool,
    **options: Any,
) -> None:
    """Paint PHOTO like PICTURE by optimising its pixels: slow, and as good as it gets.

    Shows before a training what a style will look like. A plot of the loss is written beside the result.
    """
    plot = output.with_suffix(".loss.png")
    for target in (output, plot):
        if any(target.exists() and target.samefile(given) for given in (photo, picture)):
            raise SinkError(f"cannot write {target}: it is an input; choose another name")
        check_target(target, overwrite=overwrite)
    network = load_loss_network(
        loss_network, loss_weights, average_pooling=average_pooling, dtype=torch.float32
    )
    x, style = (StylePicture(path.stem, path).load(size) for path in (photo, picture))
    config = _config(options)
    rows: list[dict[str, float]] = []
    loss = PerceptualLoss(network, CHOICES[loss_network], [style])
    with progress("optimize", config.steps) as show:

        def note(step: int, terms: dict[str, float]) -> None:
            check_finite(step, terms)
            rows.append({"step": step, **terms})
            show(step, terms)

        painted = optimize(x, loss, config, note)
    write_picture(output, to_image(painted))
    plot_losses(plot, f"{photo.name} like {picture.name}", rows, ["content", "style", "tv"])
    click.echo(output)


def _config(options: dict[str, Any]) -> OptimizeConfig:
    """Options named `..._weight` are weights, the others fields."""
    weights = {term: options.pop(f"{term}_weight") for term in _DEFAULT.weights}
    rate = options.pop("learning_rate")
    if rate is None:
        rate = 1.0 if options["optimiser"] == "lbfgs" else 0.02
    return OptimizeConfig(learning_rate=rate, weights=weights, **options)
