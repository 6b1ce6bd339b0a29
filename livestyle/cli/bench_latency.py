"""livestyle bench --latency: from the camera to the screen."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from livestyle.latency import Latency
    from livestyle.painter import Painter


def measure_latency(
    seconds: float, painter: Painter, camera: str, size: tuple[int, int] | None, steady: float
) -> dict[str, Any]:
    """Paints a camera on whose frames numbers are written, in a window, and prints how old they are there."""
    from livestyle.bench_machine import peak_memory_mib
    from livestyle.controls import Settings
    from livestyle.latency import measure
    from livestyle.live import Plan
    from livestyle.sinks.display import require_display
    from livestyle.sinks.window import Window
    from livestyle.sources.camera import open_camera

    require_display("--latency needs one: run it on a desktop, or as xvfb-run livestyle bench --latency")
    names = tuple(name for name, _ in painter.style.parts)
    settings = Settings(names, painter.style, steady=steady, hud=True)
    with closing(open_camera(camera, size=size)) as source, closing(Window(source.size)) as screen:
        found = measure(painter, source, screen, seconds, settings=settings, plan=Plan(target_fps=0.0))
        (width, height), fps = source.size, source.fps
    _report(found, f"{width}x{height}", painter.engine.backend)
    return (
        asdict(found)
        | {"size": [width, height], "fps": fps, "backend": painter.engine.backend}
        | {"peak_mib": peak_memory_mib()}
    )


def _report(found: Latency, size: str, backend: str) -> None:
    from livestyle.frame import counted

    told = found.percentiles
    click.echo(
        f"{size}, {backend}, from the camera to the screen: p50 {told['p50']:.1f} ms, p95 {told['p95']:.1f}, "
        f"p99 {told['p99']:.1f}; {counted(found.frames)} in {found.seconds:.0f} s, {found.dropped} dropped, "
        f"{found.unread} not recognised"
    )
    click.echo(
        f"p50 of the first third {told['p50_first_third']:.1f} ms, of the last {told['p50_last_third']:.1f}"
    )
