"""livestyle styles."""

from __future__ import annotations

import click

from livestyle.architecture import CONFIGS


@click.command()
@click.option("--model", type=click.Choice(list(CONFIGS)), help="Only those of this size of network.")
def styles(model: str | None) -> None:
    """List the styles, with the painting each was learnt from, its artist and its year.

    What only one size of network has comes with the --model that it needs. Styles of your own that were made
    for a network that is not here come last.
    """
    from livestyle.shared_styles import home_of, read_own
    from livestyle.styles import Style
    from livestyle.weights import load_weights, read_manifest

    models = [model] if model else list(read_manifest())
    found: dict[str, Style] = {}
    having: dict[str, list[str]] = {}
    for each in models:
        for style in load_weights(each).styles.values():
            found.setdefault(style.name, style)
            having.setdefault(style.name, []).append(each)
    rows = [
        (
            s.name,
            s.title,
            s.artist,
            s.year,
            "" if having[s.name] == models else f"--model {having[s.name][0]}",
        )
        for s in found.values()
    ]
    if not model:
        rows += [
            (s.name, s.title, s.artist, s.year, f"unusable: made for {home_of(s, network)}")
            for _, s, network in read_own()
            if s.name not in found
        ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
