"""python -m benchmarks: what livestyle takes, reaches and looks like, and the reports of that."""

import json
from pathlib import Path
from typing import Any

import click

from benchmarks.compare import compare
from benchmarks.files import measure, measure_memory
from benchmarks.picture import draw as draw_picture
from benchmarks.picture import draw_fade, draw_gallery
from benchmarks.quality import report
from benchmarks.readme import fill
from livestyle.architecture import CONFIGS
from livestyle.cli.options import FrameSize
from livestyle.weights import read_manifest

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
_FILE = click.Path(path_type=Path)


@click.group(context_settings={"show_default": True})
def main() -> None:
    """Measure livestyle, and make README's numbers and pictures."""


@main.command("compare")
@click.option("--rounds", type=click.IntRange(min=1), default=3, help="Turns that each one takes.")
@click.option("-o", "--output", type=_FILE, default=RESULTS / "cpu.json", help="JSON file to write.")
def compare_command(rounds: int, output: Path) -> None:
    """Measure livestyle against the reference loop on this machine."""
    _write(compare(rounds), output)


@main.command("peers")
@click.option("--rounds", type=click.IntRange(min=1), default=3, help="Turns that each one takes.")
@click.option(
    "--size", "sizes", type=FrameSize(), multiple=True, help="Of the frames; three if none is given."
)
@click.option("-o", "--output", type=_FILE, default=RESULTS / "peers.json", help="JSON file to write.")
def peers_command(rounds: int, sizes: tuple[tuple[int, int], ...], output: Path) -> None:
    """Measure other people's networks and runtimes beside ours."""
    from benchmarks.peers.compare import SIZES, compare, contenders, table

    command = " ".join(["python -m benchmarks peers", *(f"--size {w}x{h}" for w, h in sizes)])
    results = compare(list(contenders()), sizes or SIZES, rounds) | {"command": command}
    _write(results, output)
    for line in table(results):
        click.echo(line)


@main.command("roofline")
@click.option("-o", "--output", type=_FILE, default=RESULTS / "roofline.json", help="JSON file to write.")
def roofline_command(output: Path) -> None:
    """Measure each layer against what this processor can do."""
    from benchmarks.roofline import draw, lines, roofline

    results = roofline()
    _write(results, output)
    draw(results, output.with_suffix(".png"))
    for line in lines(results):
        click.echo(line)


@main.command("scaling")
@click.option("-o", "--output", type=_FILE, default=RESULTS / "scaling.json", help="JSON file to write.")
def scaling_command(output: Path) -> None:
    """Measure how time grows with pixels, cores, styles and length."""
    from benchmarks.scaling import draw, lines, scaling

    results = scaling()
    _write(results, output)
    draw(results, output.with_suffix(".png"))
    for line in lines(results):
        click.echo(line)


@main.command("precision")
@click.option("--model", type=click.Choice(tuple(CONFIGS)), default="small", help="Size of the network.")
@click.option("-o", "--output", type=_FILE, help="JSON file to write.  [default: precision_MODEL.json]")
def precision_command(model: str, output: Path | None) -> None:
    """Measure how far paintings in fewer bits are from those in float32."""
    from benchmarks.precision import lines, precision

    results = precision(model)
    _write(results, output or RESULTS / f"precision_{model}.json")
    for line in lines(results):
        click.echo(line)


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
    _write(measure(rounds), output)


@main.command("memory")
@click.option("--suffix", type=click.Choice([".mp4", ".mkv"]), default=".mp4", help="Of input and output.")
@click.option("--seconds", type=click.IntRange(min=120), default=3600, help="Length of the long clip.")
@click.option("--strength", type=click.FloatRange(0, 1), default=0.0, help="With 1, the network runs: slow.")
@click.option("-o", "--output", type=_FILE, default=RESULTS / "memory.json", help="JSON file to write.")
def memory_command(suffix: str, seconds: int, strength: float, output: Path) -> None:
    """Measure the peak memory for a clip of a minute and for a long one."""
    result = measure_memory(suffix, long_seconds=seconds, strength=strength)
    _write(result, output)


@main.command("readme")
@click.option("--check", is_flag=True, help="Change nothing; fail where README is out of date.")
def readme_command(check: bool) -> None:
    """Put the measured numbers into README.md, and all of them into benchmarks/SPEED.md."""
    from benchmarks.peers.plot import draw as draw_speed
    from benchmarks.speed import speed

    readme, whole = ROOT / "README.md", RESULTS.parent / "SPEED.md"
    texts = {readme: fill(readme.read_text(encoding="utf-8"), RESULTS), whole: speed(RESULTS, draw=not check)}
    for path, text in texts.items():
        if check and (not path.exists() or path.read_text(encoding="utf-8") != text):
            raise click.ClickException(f"{path.name} is out of date: run python -m benchmarks readme")
        path.write_text(text, encoding="utf-8")
    if not check:
        draw_speed(json.loads((RESULTS / "peers.json").read_text(encoding="utf-8")), ROOT / "docs/speed.png")


@main.command("pictures")
@click.option("-o", "--output", type=_FILE, default=ROOT / "docs", help="Folder to write to.")
def pictures_command(output: Path) -> None:
    """Draw README's pictures of the sample clip: styles beside the originals, all styles, a fade."""
    draw_picture(output / "painted.jpg")
    draw_gallery(output / "gallery.jpg")
    if "large" in read_manifest():
        draw_gallery(output / "gallery_large.jpg", "large")
    draw_fade(output / "fade.webp")


@main.command("quality")
def quality_command() -> None:
    """Write benchmarks/README.md, with its plots, from what train evaluate measured."""
    folder = RESULTS.parent
    (folder / "README.md").write_text(report(RESULTS, folder), encoding="utf-8")


def _write(results: dict[str, Any], path: Path) -> None:
    path.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
