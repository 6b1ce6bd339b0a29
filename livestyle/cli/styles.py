"""livestyle styles."""

from __future__ import annotations

import click

from livestyle.cli.options import model_option


@click.command()
@model_option
def styles(model: str) -> None:
    """List the styles, with the painting each was learnt from, its artist and its year."""
    from livestyle.weights import load_weights

    rows = [(s.name, s.title, s.artist, s.year) for s in load_weights(model).styles.values()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
