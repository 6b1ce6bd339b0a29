"""livestyle export."""

from __future__ import annotations

from pathlib import Path

import click

from livestyle.cli.options import FILE, FrameSize, model_option


@click.command()
@click.argument("target", metavar="OUT", type=FILE)
@click.option(
    "--format",
    "form",
    type=click.Choice(["onnx", "torchscript", "openvino"]),
    help="What to write: .onnx, .pt, or .xml with .bin; by default what OUT's suffix says.",
)
@click.option(
    "--size", type=FrameSize(), default="1280x720", metavar="WxH", help="Size of the frames, in pixels."
)
@click.option(
    "--precision",
    type=click.Choice(["f32", "f16"]),
    default="f32",
    help="Of the ONNX graph; the statistics of its norms stay float32.",
)
@model_option
@click.option("--overwrite", is_flag=True, help="Replace OUT, and what is beside it, where they exist.")
def export(
    target: Path, form: str | None, size: tuple[int, int], precision: str, model: str, overwrite: bool
) -> None:
    """Write the network to OUT for other programs, and the styles beside it.

    Its inputs are `frame` (H, W, 3), RGB uint8, and `affine`, a row of OUT.styles.json; its output is like
    `frame`.
    """
    from livestyle.export import FORMATS
    from livestyle.export import export as write
    from livestyle.weights import load_weights

    by_suffix = {suffix: name for name, suffix in FORMATS.items()}
    form = form or by_suffix.get(target.suffix.lower(), "onnx")
    styles = write(load_weights(model), target, form, size, precision, overwrite=overwrite)
    click.echo(f"{target}: {model}, {size[0]}x{size[1]}; styles: {styles}")
