"""Options that several commands share."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from livestyle import defaults
from livestyle.architecture import CONFIGS, MIN_SIDE
from livestyle.defaults import LARGEST_SIZE, STROKE_SIZES
from livestyle.engine import BACKENDS, PRECISIONS

if TYPE_CHECKING:
    from livestyle.painter import Painter

_Command = TypeVar("_Command", bound=Callable[..., Any])


def together(*options: Callable[[Any], Any]) -> Callable[[_Command], _Command]:
    """One decorator that adds all of these, in the order in which help shows them."""

    def decorate(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


class FiniteRange(click.FloatRange):
    """A finite number in a range: click takes nan to be in every one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number. Fails as usage errors do."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number


class FrameRate(FiniteRange):
    """Frames per second, also as a fraction: 30000/1001."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The rate. Fails as usage errors do."""
        over, slash, under = str(value).partition("/")
        if slash:
            try:
                value = float(over) / float(under)
            except (ValueError, ZeroDivisionError):
                self.fail(f"{value!r} is not a rate: write 29.97 or 30000/1001.", param, ctx)
        return super().convert(value, param, ctx)


class FrameSize(click.ParamType["tuple[int, int]"]):
    """A width and a height in pixels, as 640x480, that the network can paint and memory holds."""

    name = "WxH"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """The width and the height. Fails as usage errors do."""
        if isinstance(value, tuple):
            return value
        sides = re.fullmatch(r"(\d{1,9})x(\d{1,9})", str(value).lower())
        if sides is None:
            self.fail(f"{value!r} is not a size such as 640x480.", param, ctx)
        width, height = int(sides[1]), int(sides[2])
        if min(width, height) < MIN_SIDE:
            self.fail(f"{value!r} is below the smallest size, {MIN_SIDE}x{MIN_SIDE}.", param, ctx)
        if width * height > math.prod(LARGEST_SIZE):
            self.fail("{!r} is above the largest size, {}x{}.".format(value, *LARGEST_SIZE), param, ctx)
        return width, height


class File(click.Path):
    """The path of a file, not a URL, of which it would lose a slash."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path. Fails as usage errors do."""
        if "://" in str(value) and not os.path.exists(value):  # noqa: PTH110 - Path's may raise
            self.fail("URLs are for livestyle cam --camera URL, or its --output URL.", param, ctx)
        return super().convert(value, param, ctx)


FILE = File(path_type=Path, readable=False)
"""A path whose faults the library explains."""

model_option = click.option(
    "--model", type=click.Choice(list(CONFIGS)), default=defaults.MODEL, help="Size of the network."
)

_painting_model_option = click.option(
    "--model",
    type=click.Choice(["auto", *CONFIGS]),
    default="auto",
    help="Size of the network; auto takes large where a GPU is fast enough for it.",
)

steady_option = click.option(
    "--steady",
    type=FiniteRange(0, 1),
    default=defaults.STEADY,
    metavar="0..1",
    help="How much flicker is taken away; 0 paints each frame by itself.",
)


def _naming_style(command: _Command) -> _Command:
    """Gives a command without --style the default one of the network that it paints with."""

    @wraps(command)
    def named(*, style: str | None, **options: Any) -> Any:
        if style is None:
            style = _default_style(*(options[name] for name in ("model", "backend", "precision")))
        return command(style=style, **options)

    return cast("_Command", named)


def _default_style(model: str, backend: str, precision: str) -> str:
    from livestyle.weights import read_manifest

    names = {each: [style["name"] for style in entry["styles"]] for each, entry in read_manifest().items()}
    if all(defaults.STYLE in each for each in names.values()):
        return defaults.STYLE  # whatever --model auto is, which can take seconds to find out
    there = names.get(chosen_model(model, backend, precision), [])
    return defaults.STYLE if defaults.STYLE in there or not there else there[0]


def style_option(text: str) -> Callable[[_Command], _Command]:
    """Adds --style to a command that has --model, --backend and --precision; `text` is its help."""
    shown = f"{text}  [default: {defaults.STYLE}]"
    return together(click.option("-s", "--style", metavar="NAME[:WEIGHT],...", help=shown), _naming_style)


painting_options = together(
    style_option("Style, or a blend like mosaic:0.7,great_wave:0.3."),
    _painting_model_option,
    click.option(
        "--backend",
        type=click.Choice(["auto", *BACKENDS]),
        default=defaults.BACKEND,
        help="What runs the network; auto takes the fastest that this machine has.",
    ),
    click.option(
        "--precision",
        type=click.Choice(PRECISIONS),
        default=defaults.PRECISION,
        help="What it computes in; auto is the fastest that paints nearly what f32 does.",
    ),
    click.option(
        "--strength",
        type=FiniteRange(0, 1),
        default=1.0,
        metavar="0..1",
        help="How much of the painting is seen; 0 is the original.",
    ),
    click.option("--keep-colors", is_flag=True, help="Paint in the hues of the original."),
    click.option(
        "--stroke-size",
        type=FiniteRange(*STROKE_SIZES),
        default=1.0,
        metavar="FACTOR",
        help="How large the strokes are; large pictures may want 2.",
    ),
    click.option(
        "--grain",
        type=FiniteRange(0, 20),
        metavar="LEVELS",
        help="Strokes where the original is even, as a sky: 0 is none. "
        f"[default: {defaults.GRAIN:g} for image and cam, 0 for video files]",
    ),
)
"""Adds the options that `make_painter` takes."""

PAINTING = ("style", "model", "backend", "precision", "strength", "keep_colors", "stroke_size", "grain")
"""The names of what `painting_options` adds."""


def make_painter(
    style: str,
    model: str,
    backend: str,
    precision: str,
    strength: float = 1.0,
    keep_colors: bool = False,
    stroke_size: float = 1.0,
    grain: float | None = None,
    *,
    streams: int = 1,
    for_files: bool = False,
) -> Painter:
    """The painter of these options; one `for_files` can change its style, and has no grain unasked."""
    from livestyle.engine import load_engine
    from livestyle.errors import StyleError
    from livestyle.painter import Painter
    from livestyle.timeline import Timeline
    from livestyle.weights import check_mix, load_weights

    weights = load_weights(chosen_model(model, backend, precision))
    timeline = Timeline.parse(style)
    for mix in timeline.mixes:
        check_mix(mix, weights)  # an unknown style is told before anything slow begins
    if len(timeline.mixes) > 1 and not for_files:
        raise StyleError(f"{style} changes with time, as only livestyle video and batch can: name one style")
    engine = load_engine(weights, backend, streams=streams, precision=precision)
    if grain is None:
        grain = 0.0 if for_files else defaults.GRAIN
    return Painter(engine, timeline.at(0), strength, keep_colors, stroke_size, grain=grain)


def chosen_model(model: str, backend: str, precision: str) -> str:
    """The model that --model means: auto is measured once on a GPU, and small elsewhere."""
    from livestyle.model_choice import choose_model

    return choose_model(backend, precision) if model == "auto" else model
