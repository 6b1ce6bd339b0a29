"""python -m train add."""

from dataclasses import replace
from pathlib import Path

import click

from livestyle import defaults
from livestyle.architecture import CONFIGS
from livestyle.cli.options import FiniteRange
from livestyle.errors import SinkError, StyleError, reason_of
from livestyle.shared_styles import SUFFIX, read_style, style_folder, write_style
from livestyle.weights import Weights, load_weights
from train.add import learn_row, quick
from train.commands.options import FILE, FOLDER, cached, check_output, loss_network_options, progress
from train.distributed import team
from train.loss_network import load_loss_network
from train.losses import LossConfig
from train.photos import find_photos
from train.pictures import Crop, StylePicture, check_styles

_QUICK = quick()
_PART = FiniteRange(0, 1)


@click.command("add")
@click.argument("picture", type=FILE)
@click.option("--name", required=True, help="What --style will call it: letters, digits and _.")
@click.option("--photos", type=FOLDER, required=True, help="Folder of photos to paint, searched recursively.")
@loss_network_options("vgg19-shallow")  # as the shipped networks were trained
@click.option("--model", type=click.Choice(list(CONFIGS)), default=defaults.MODEL)
@click.option(
    "--crop",
    type=(_PART, _PART, _PART, _PART),
    default=(0.0, 0.0, 1.0, 1.0),
    metavar="LEFT TOP RIGHT BOTTOM",
    help="The part of PICTURE to learn, as fractions: leave frames and signatures out.",
)
@click.option(
    "--stroke-size",
    type=click.IntRange(64, 2048),
    default=_QUICK.style_side,
    metavar="PIXELS",
    help="Short side to which PICTURE is scaled: larger gives larger strokes.",
)
@click.option(
    "--strength",
    type=FiniteRange(min=0, min_open=True),
    default=1.0,
    help="How much more than usual the style counts against the photo.",
)
@click.option("--steps", type=click.IntRange(min=1), default=_QUICK.steps)
@click.option("--title", default="", help="Of the picture, for livestyle styles.")
@click.option("--artist", default="unknown")
@click.option("--year", default="")
@click.option("--licence", default="unknown")
@click.option("--overwrite", is_flag=True, help="Replace the style of your own that has this NAME.")
def add_command(
    picture: Path,
    name: str,
    photos: Path,
    loss_network: str,
    loss_weights: Path | None,
    average_pooling: bool,
    model: str,
    crop: Crop,
    stroke_size: int,
    strength: float,
    steps: int,
    overwrite: bool,
    **provenance: str,
) -> None:
    """Learn the style of PICTURE for a network that is trained already.

    Writes NAME.style.safetensors into the user's style folder; --style NAME then works at once, with the
    --model that it was learnt for.
    """
    weights = load_weights(model)
    source = replace(StylePicture(name, picture, crop=crop), **provenance)  # type: ignore[arg-type]  # all are text
    check_styles([source])
    path = _place(name, weights, overwrite=overwrite)
    source.load(stroke_size)  # a broken picture is told before the photos are read
    balance = _QUICK.loss.weights | {"style": strength * _QUICK.loss.weights["style"]}
    loss = LossConfig(loss_network, average_pooling, balance, _QUICK.loss.stability_from)
    config = replace(_QUICK, steps=steps, style_side=stroke_size, loss=loss)
    found = find_photos(photos)  # none at all is told before weights are fetched
    network = load_loss_network(loss_network, loss_weights, average_pooling=average_pooling)
    cache = cached(found)
    with team() as alone, progress("add", steps) as show:
        style = learn_row(source, weights, cache, network, config, alone, show)
    write_style(path, style, weights.network)
    click.echo(f"{path}: try it with --style {name} --model {model}")


def _place(name: str, weights: Weights, *, overwrite: bool) -> Path:
    """The file for a style: in the style folder, or in one of its model there where another has that name.

    Names that differ in case alone are one: so are their files on macOS and Windows. Raises StyleError where
    a style of that name must stay, SinkError where none can be written.
    """
    shipped = [style.name for style in weights.styles.values() if not style.own]
    files = [path for path in sorted(style_folder().rglob(f"*{SUFFIX}")) if _alike(_name_of(path), name)]
    ours = [path for path in files if _network_of(path) in (weights.network, None)]
    for other in [*shipped, *map(_name_of, ours)]:
        if _alike(other, name) and (other != name or other in shipped):
            raise StyleError(f"there is a style {other!r} already: choose another --name")
    if ours and not overwrite:
        raise StyleError(f"there is a style {name!r} already: choose another --name, or add --overwrite")
    taken = [path.parent for path in files]
    folders = [folder for folder in (style_folder(), style_folder() / weights.model) if folder not in taken]
    if not ours and not folders:
        raise SinkError(f"{files[0]} is of another network: choose another --name, or remove that file")
    path = ours[0] if ours else folders[0] / f"{name}{SUFFIX}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(f"cannot make the style folder {path.parent}: {reason_of(error)}") from error
    check_output(path)
    return path


def _alike(name: str, other: str) -> bool:
    return name.casefold() == other.casefold()


def _name_of(path: Path) -> str:
    return path.name.removesuffix(SUFFIX)


def _network_of(path: Path) -> str | None:
    """The network of a style; None where the file is damaged, which may be replaced."""
    try:
        return read_style(path)[1]
    except StyleError:
        return None
