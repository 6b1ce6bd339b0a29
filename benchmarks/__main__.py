"""python -m benchmarks: what livestyle takes, reaches and looks like, and the reports of that."""

import json
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from livestyle.architecture import CONFIGS
from livestyle.cli.group import Group
from livestyle.cli.options import FrameSize
from livestyle.sinks.partial import PartialFile

if missing := [name for name in ("matplotlib", "onnx", "onnxruntime") if find_spec(name) is None]:
    raise SystemExit(f"the benchmarks need {' and '.join(missing)}: pip install -e '.[bench]'")

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
_FILE = click.Path(path_type=Path)

Results = dict[str, Any]


@click.group(cls=Group, context_settings={"show_default": True})
def main() -> None:
    """Measure livestyle, and make README's numbers and pictures."""


@main.command("compare")
@click.option("--rounds", type=click.IntRange(min=1), default=3, help="Turns that each one takes.")
@click.option("-o", "--output", type=_FILE, default=RESULTS / "cpu.json", help="JSON file to write.")
def compare_command(rounds: int, output: Path) -> None:
    """Measure livestyle against the reference loop on this machine."""
    from benchmarks.compare import compare

    _measure(lambda: compare(rounds), output)


@main.command("peers")
@click.option("--rounds", type=click.IntRange(min=1), default=3, help="Turns that each one takes.")
@click.option(
    "--size", "sizes", type=FrameSize(), multiple=True, help="Of the frames; three if none is given."
)
@click.option("-o", "--output", type=_FILE, default=RESULTS / "peers.json", help="JSON file to write.")
def peers_command(rounds: int, sizes: tuple[tuple[int, int], ...], output: Path) -> None:
    """Measure other people's networks and runtimes beside ours."""
    from benchmarks.peers.compare import SIZES, compare, contenders, table
    from benchmarks.peers.names import check_sizes

    check_sizes(sizes)
    _measure(lambda: compare(list(contenders()), sizes or SIZES, rounds), output, table)


@main.command("roofline")
@click.option("-o", "--output", type=_FILE, default=RESULTS / "roofline.json", help="JSON file to write.")
def roofline_command(output: Path) -> None:
    """Measure each layer against what this processor can do."""
    from benchmarks.roofline import draw, lines, roofline

    _measure(roofline, output, lines, draw)


@main.command("scaling")
@click.option("-o", "--output", type=_FILE, default=RESULTS / "scaling.json", help="JSON file to write.")
def scaling_command(output: Path) -> None:
    """Measure how time grows with pixels, cores, styles and length."""
    from benchmarks.scaling import draw, lines, scaling

    _measure(scaling, output, lines, draw)


@main.command("precision")
@click.option("--model", type=click.Choice(tuple(CONFIGS)), default="small", help="Size of the network.")
@click.option("-o", "--output", type=_FILE, help="JSON file to write.  [default: precision_MODEL.json]")
def precision_command(model: str, output: Path | None) -> None:
    """Measure how far paintings in fewer bits are from those in float32."""
    from benchmarks.precision import lines, precision

    _measure(lambda: precision(model), output or RESULTS / f"precision_{model}.json", lines)


@main.command("guard")
def guard_command() -> None:
    """Fail where ours is far from as many times the reference as it was: for CI."""
    from benchmarks.guard import guard

    verdicts = guard()
    for one in verdicts:
        click.echo(f"{one.backend}: {one.ratio:.0f} times the reference, at least {one.least:.0f} expected")
    if not all(one.passed for one in verdicts):
        raise click.ClickException("slower than it was: profile it, or see whether this machine is busy")


@main.command("files")
@click.option("--rounds", type=click.IntRange(min=1), default=2, help="Turns that each stage takes.")
@click.option("-o", "--output", type=_FILE, default=RESULTS / "files.json", help="JSON file to write.")
def files_command(rounds: int, output: Path) -> None:
    """Measure decoding, painting and encoding by themselves and together."""
    from benchmarks.files import measure

    _measure(lambda: measure(rounds), output)


@main.command("memory")
@click.option("--suffix", type=click.Choice([".mp4", ".mkv"]), default=".mp4", help="Of input and output.")
@click.option("--seconds", type=click.IntRange(min=120), default=3600, help="Length of the long clip.")
@click.option("--strength", type=click.FloatRange(0, 1), default=0.0, help="With 1, the network runs: slow.")
@click.option(
    "-o", "--output", type=_FILE, help="JSON file to write.  [default: memory.json, or memory_mkv.json]"
)
def memory_command(suffix: str, seconds: int, strength: float, output: Path | None) -> None:
    """Measure the peak memory for a clip of a minute and for a long one."""
    from benchmarks.files import measure_memory

    name = "memory.json" if suffix == ".mp4" else f"memory_{suffix[1:]}.json"
    measure = partial(measure_memory, suffix, long_seconds=seconds, strength=strength)
    _measure(measure, output or RESULTS / name)


@main.command("readme")
@click.option("--check", is_flag=True, help="Change nothing; fail where README is out of date.")
def readme_command(check: bool) -> None:
    """Put the measured numbers into README.md, and all of them into benchmarks/SPEED.md."""
    from benchmarks.peers.plot import draw as draw_speed
    from benchmarks.readme import fill
    from benchmarks.speed import speed

    readme, whole = ROOT / "README.md", RESULTS.parent / "SPEED.md"
    texts = {readme: fill(readme.read_text(encoding="utf-8"), RESULTS), whole: speed(RESULTS, draw=not check)}
    for path, text in texts.items():
        if not check:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            raise click.ClickException(f"{path.name} is out of date: run python -m benchmarks readme")
    if not check:
        draw_speed(json.loads((RESULTS / "peers.json").read_text(encoding="utf-8")), ROOT / "docs/speed.png")


@main.command("pictures")
@click.option("-o", "--output", type=_FILE, default=ROOT / "docs", help="Folder to write to.")
def pictures_command(output: Path) -> None:
    """Draw README's pictures of the sample clip: styles beside the originals, all styles, a fade."""
    from benchmarks.picture import draw, draw_fade, draw_gallery

    pictures: dict[str, Callable[[Path], None]] = {
        "painted.jpg": draw,
        "gallery.jpg": draw_gallery,
        "gallery_large.jpg": partial(draw_gallery, model="large"),
        "fade.webp": draw_fade,
    }
    for name in pictures:
        _check(output / name)
    for name, draw_it in pictures.items():
        draw_it(output / name)


@main.command("quality")
def quality_command() -> None:
    """Write benchmarks/README.md, with its plots, from what train evaluate measured."""
    from benchmarks.quality import report

    folder = RESULTS.parent
    (folder / "README.md").write_text(report(RESULTS, folder), encoding="utf-8")


def _measure(
    measure: Callable[[], Results],
    path: Path,
    lines: Callable[[Results], list[str]] | None = None,
    draw: Callable[[Results, Path], None] | None = None,
) -> None:
    """Measures, writes the results with the command, draws them beside that file, prints their lines.

    Raises SinkError before it measures where a file cannot be written.
    """
    plot = path.with_suffix(".png")
    for output in (path, plot) if draw else (path,):
        _check(output)
    results = measure() | {"command": _as_given()}
    with PartialFile(path) as file:
        file.write(json.dumps(results, indent=2) + "\n")
    if draw:
        draw(results, plot)
    for line in lines(results) if lines else ():
        click.echo(line)


def _check(path: Path) -> None:
    """Raises SinkError where a file cannot be written."""
    PartialFile(path).discard()


def _as_given() -> str:
    """The command with the options that were given, but for its output."""
    context = click.get_current_context()
    words = ["python -m benchmarks", str(context.info_name)]
    for option in context.command.params:
        if option.name != "output" and context.get_parameter_source(option.name) != ParameterSource.DEFAULT:
            values = context.params[option.name] if option.multiple else [context.params[option.name]]
            words += [f"{option.opts[0]} {_word(value)}" for value in values]
    return " ".join(words)


def _word(value: Any) -> str:
    """A value as it is written on the command line: a size as 640x480."""
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)


if __name__ == "__main__":
    main()
