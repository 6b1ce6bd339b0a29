"""Options of the commands that paint whole files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from livestyle import encoding
from livestyle.cli.options import FiniteRange, FrameRate, chosen_model, make_painter, steady_option, together

if TYPE_CHECKING:
    from livestyle.painter import Painter

FORMS = ("mp4", "mov", "mkv", "webm", "avi", "ts", "gif", "webp")
"""What --format takes."""
FILE_STREAMS = 2
"""Frames of a file that are painted at a time: two keep two cores busy, decoding and encoding in the gaps."""


class Moment(click.ParamType[float]):
    """A time in seconds, or as 1:02.5 or 1:01:02.5."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The seconds. Fails as usage errors do."""
        from livestyle.timeline import parse_seconds

        try:
            return value if isinstance(value, float) else parse_seconds(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a time: write 12.5 or 1:02.5.", param, ctx)


file_options = together(
    steady_option,
    click.option(
        "--fps",
        type=FrameRate(min=0.001, max=1000),
        metavar="FRAMES",
        help="Force a constant frame rate, 25 or 30000/1001; of pictures, how many a second.",
    ),
    click.option(
        "--codec",
        type=click.Choice(encoding.CODECS),
        help="How the video is encoded; by default what such files usually hold.",
    ),
    click.option(
        "--crf",
        type=FiniteRange(min=0, max=100),
        metavar="NUMBER",
        help="Quality on the codec's own scale, 0 is best; by default one cannot tell it from the original.",
    ),
    click.option(
        "--preset",
        type=click.Choice(encoding.PRESETS),
        default=encoding.Encoding().preset,
        help="Slower ones make smaller files.",
    ),
    click.option(
        "--hwaccel",
        type=click.Choice(encoding.HWACCELS),
        default="auto",
        help="auto: decode and encode on an NVIDIA GPU that can. all: encode on one of any maker, too.",
    ),
    click.option("--overwrite", is_flag=True, help="Replace the output where it exists."),
)
"""Adds the options that `job_settings` takes."""


def job_settings(
    *,
    steady: float,
    fps: float | None,
    codec: str | None,
    crf: float | None,
    preset: str,
    hwaccel: str,
    overwrite: bool,
) -> dict[str, Any]:
    """What these options say, as `livestyle.job.Job` takes it."""
    return {
        "steady": steady,
        "fps": fps,
        "encoding": encoding.Encoding(codec, crf, preset, hwaccel),
        "overwrite": overwrite,
    }


def make_file_painter(style: str, *, strength: float, **painting: Any) -> Painter:
    """The painter for whole files; with a strength of 0, which no key can change, it needs no network."""
    if strength:
        return make_painter(style, strength=strength, streams=FILE_STREAMS, for_files=True, **painting)
    from livestyle.backends.untouched import UntouchedEngine
    from livestyle.painter import Painter
    from livestyle.timeline import Timeline
    from livestyle.weights import check_mix, load_weights

    model = chosen_model(painting["model"], painting["backend"], painting["precision"])
    mixes, weights = Timeline.parse(style).mixes, load_weights(model)
    for mix in mixes:
        check_mix(mix, weights)  # an unknown style is told all the same
    return Painter(UntouchedEngine(), mixes[0], strength)
