"""livestyle cam."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, closing, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from livestyle import defaults
from livestyle.cli.options import (
    FILE,
    PAINTING,
    FiniteRange,
    FrameRate,
    FrameSize,
    chosen_model,
    make_painter,
    painting_options,
    steady_option,
    together,
)
from livestyle.cli.stopping import stoppable
from livestyle.errors import LivestyleError

if TYPE_CHECKING:
    from concurrent.futures import Future

    from livestyle.archive import Archive
    from livestyle.controls import Settings
    from livestyle.hud import Meters
    from livestyle.live import Plan, Screen, Show
    from livestyle.painter import Painter
    from livestyle.prefetch import Background
    from livestyle.sinks import Sink
    from livestyle.sources import LiveSource

_live_options = together(
    click.option(
        "--camera",
        default="0",
        metavar="NUMBER|NAME|URL|FILE|screen|pattern",
        help="A camera, a stream, a clip that stands in for one, over and over, the screen (or screen:2, the "
        "second; screen:100,50,1280x720, a part), or a moving test pattern.",
    ),
    click.option("--size", type=FrameSize(), metavar="WxH", help="Size to ask the camera for."),
    click.option("--fps", type=FrameRate(1, 240), metavar="HZ", help="Frame rate to ask the camera for."),
    steady_option,
    click.option(
        "--fade",
        type=FiniteRange(0, 60),
        default=defaults.FADE_SECONDS,
        metavar="SECONDS",
        help="How long a style takes to become the next one.",
    ),
    click.option(
        "--tour",
        type=FiniteRange(0.5),
        metavar="SECONDS",
        help="Begin with a tour: the next style every so many seconds. Without it, t tours every "
        f"{defaults.TOUR_SECONDS:g} s.",
    ),
    click.option(
        "--target-fps",
        type=FiniteRange(0, 240),
        metavar="HZ",
        help="Frame rate to hold by painting at a smaller size where it must be; 0 never does. "
        "[default: the camera's]",
    ),
    click.option(
        "--mirror/--no-mirror",
        default=None,
        help="Show the window as a mirror does; recordings and outputs never are. [default: for a camera]",
    ),
    click.option("--split", is_flag=True, help="Show the original on the left half."),
    click.option("--full-screen", is_flag=True, help="Fill the screen."),
    click.option("--hud", is_flag=True, help="Show frame rate, latency and style in the window."),
    click.option("--window/--no-window", default=True, help="Show a window."),
    click.option("--record", is_flag=True, help="Begin to record at once."),
    click.option("--sound", is_flag=True, help="Record the default microphone too."),
    click.option(
        "--folder",
        type=FILE,
        default=Path(),
        show_default="here",
        help="Where recordings and snapshots go.",
    ),
    click.option(
        "-o",
        "--output",
        "outputs",
        multiple=True,
        metavar="FILE|URL|-",
        help="Write to a file, to a stream (rtmp://...), or raw to stdout; may be given several times.",
    ),
    click.option("--overwrite", is_flag=True, help="Replace outputs that exist."),
    click.option("--virtual-camera", is_flag=True, help="Offer the painting as a camera to other programs."),
    click.option(
        "--duration",
        type=FiniteRange(0, min_open=True),
        metavar="SECONDS",
        help="End by itself after so long.",
    ),
)


@click.command()
@painting_options
@_live_options
def cam(**options: Any) -> None:
    """Paint a camera, live, in a window.

    The key h shows the other keys: styles, blends, strength, recording and more. Ctrl-C keeps what was
    recorded, with the exit code 130. The exit code is 1 where an output or a recording failed; without a
    window the command ends with the last of them.
    """
    if not (options["window"] or options["outputs"] or options["virtual_camera"] or options["record"]):
        raise click.UsageError(
            "nobody would see it: with --no-window, give --output, --virtual-camera or --record"
        )
    options["outputs"] = _named(options["outputs"])
    _refuse_the_camera(options["outputs"], options["camera"])
    from livestyle.prefetch import Prefetch

    show, status = None, 0
    with ExitStack() as stack:
        stop = stack.enter_context(stoppable())
        try:
            show, source = _set_up(stack, options)
            show.run(stack.enter_context(Prefetch(source)))
        except KeyboardInterrupt:
            click.echo("stopped", err=True)
            status = stop.status
    if show is not None:
        _summarize(show.meters)
        status = status or int(show.failed)
    sys.exit(status)


def _named(outputs: tuple[str, ...]) -> dict[str, str]:
    """The outputs by what to call them: a URL by its part without a password. Each may be given once."""
    named, places = {}, set()
    for spec in outputs:
        if not spec:
            raise click.UsageError("--output is empty: name a file, a URL, or - for stdout")
        name = place = spec
        if "://" in spec:
            from livestyle.sources.url import without_password

            name = place = without_password(spec)
        elif spec != "-":
            place = os.path.realpath(spec)
        if place in places:
            raise click.UsageError(f"--output {name} is given twice")
        places.add(place)
        named[name] = spec
    return named


def _refuse_the_camera(outputs: dict[str, str], camera: str) -> None:
    """Raises SinkError where an output would replace the clip that stands in for a camera."""
    from livestyle.sinks import refuse_same_file

    for spec in outputs.values():
        refuse_same_file(spec, camera.removeprefix("file:"))


def _set_up(stack: ExitStack, options: dict[str, Any]) -> tuple[Show, LiveSource]:
    """Open everything, the camera while the network is loaded; the stack closes it."""
    from livestyle.live import Show
    from livestyle.painter import require_paintable
    from livestyle.prefetch import Background
    from livestyle.sinks.display import require_display
    from livestyle.sources.camera import open_camera

    if options["window"]:
        require_display()
    background = stack.enter_context(Background())
    opening = background.do(partial(open_camera, options["camera"], size=options["size"], fps=options["fps"]))
    stack.callback(_close_opened, opening)
    options["model"] = chosen_model(options["model"], options["backend"], options["precision"])
    painter = make_painter(**{name: options[name] for name in PAINTING})
    source = opening.result()
    require_paintable(source.size)
    archive = _archive(stack, source, background, options)
    screen = _screen(stack, source, options)
    return Show(source, painter, _settings(painter, options), _plan(source, options), archive, screen), source


def _close_opened(opening: Future[LiveSource]) -> None:
    if opening.exception() is None:
        opening.result().close()


def _forget(sink: Sink) -> None:
    """Close one that was given no frame, which it would complain of."""
    with suppress(LivestyleError):
        sink.close()


def _archive(
    stack: ExitStack, source: LiveSource, background: Background, options: dict[str, Any]
) -> Archive:
    from livestyle.archive import Archive
    from livestyle.notice import Notice
    from livestyle.outputs import Outputs
    from livestyle.sinks.live import open_live_sink, open_recorder

    notice = Notice()
    outputs = stack.enter_context(closing(Outputs(lambda name, why: notice.say(f"{name}: {why}"))))
    live = {"size": source.size, "rate": source.fps, "sound": options["sound"], "epoch": source.epoch}
    sinks: dict[str, Sink] = {}
    with ExitStack() as unused:
        for name, spec in options["outputs"].items():
            sinks[name] = open_live_sink(spec, **live, overwrite=options["overwrite"])
            unused.callback(_forget, sinks[name])
        if options["virtual_camera"]:
            from livestyle.sinks.virtual_camera import VirtualCamera

            sinks["virtual camera"] = VirtualCamera(source.size, rate=source.fps)
        unused.pop_all()  # all are open
    for name, sink in sinks.items():
        outputs.add(name, sink)
    recorder = partial(open_recorder, **live, overwrite=False)
    return Archive(options["folder"], recorder, outputs, background, notice)


def _screen(stack: ExitStack, source: LiveSource, options: dict[str, Any]) -> Screen | None:
    if not options["window"]:
        return None
    from livestyle.sinks.window import Window

    return stack.enter_context(closing(Window(source.size)))


def _plan(source: LiveSource, options: dict[str, Any]) -> Plan:
    from livestyle.live import Plan

    return Plan(
        target_fps=source.fps if options["target_fps"] is None else options["target_fps"],
        fade_seconds=options["fade"],
        tour_seconds=options["tour"] or defaults.TOUR_SECONDS,
        duration=options["duration"] or float("inf"),
    )


def _settings(painter: Painter, options: dict[str, Any]) -> Settings:
    from livestyle.controls import Settings
    from livestyle.styles import StyleMix
    from livestyle.weights import load_weights

    mirror = options["mirror"]
    first, *others = (StyleMix.of({name: 1}) for name, _ in painter.style.parts)
    return Settings(
        names=tuple(load_weights(options["model"]).styles),
        style=painter.style if len(others) > 1 else first,
        second=others[0] if len(others) == 1 else None,
        blend=painter.style.parts[1][1] if len(others) == 1 else 0.0,
        strength=painter.strength,
        steady=options["steady"],
        stroke_size=painter.stroke_size,
        keep_colors=painter.keep_colors,
        mirror=_is_device(options["camera"]) if mirror is None else mirror,
        split=options["split"],
        full_screen=options["full_screen"],
        recording=options["record"],
        touring=options["tour"] is not None,
        hud=options["hud"],
    )


def _is_device(spec: str) -> bool:
    """Whether a camera of this machine is meant, in which people see themselves as in a mirror."""
    from livestyle.sources.camera import is_screen

    return not (spec == "pattern" or "://" in spec or is_screen(spec) or os.path.isfile(spec))  # noqa: PTH113


def _summarize(meters: Meters) -> None:
    from livestyle.frame import counted

    p50, p95 = (meters.latency.percentile_milliseconds(p) for p in (50, 95))
    click.echo(
        f"{counted(meters.frames)} painted, {meters.dropped} dropped, "
        f"{meters.painted_fps:.1f} fps at the end, "
        f"latency {p50:.0f} ms, 95 % below {p95:.0f} ms ({meters.backend})",
        err=True,
    )
