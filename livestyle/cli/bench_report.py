"""What livestyle bench prints of its runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from livestyle.bench_run import Run

_LIVE_FPS = 30.0
_OTHERS = 0.1
"""From how many cores on other programs are worth a word."""


def expectation(runs: list[Run]) -> str:
    """What live painting will be like: `640x480 live: 30 of 30 fps; 1280x720: 27`."""
    parts: list[str] = []
    for run in runs:
        size = f"{run.size[0]}x{run.size[1]}"
        fps = int(min(_LIVE_FPS, run.fps))
        parts.append(f"{size}: {fps}" if parts else f"{size} live: {fps} of {_LIVE_FPS:.0f} fps")
    return "; ".join(parts)


def report(run: Run) -> Run:
    """Prints a run."""
    click.echo(
        f"\n{run.size[0]}x{run.size[1]}, {run.backend}: {run.fps:.1f} fps over {run.frames} frames, "
        f"{run.cores_used:.1f} cores used, warm-up {run.warm_up_seconds:.1f} s"
        + (f", {run.dropped} dropped" if run.end_to_end else "")
    )
    rows = [("read" if run.end_to_end is None else "wait, read", "read"), ("steady", "steady")]
    rows += [("network (engine latency)", "network"), ("write", "write")]
    click.echo(f"  {'ms':<26}{'p50':>8}{'p95':>8}{'p99':>8}")
    for label, name in rows:
        click.echo(_row(label, run.stages[name]))
    if run.end_to_end is not None:
        click.echo(_row("end to end", run.end_to_end))
    if (run.others_cores_used or 0) > _OTHERS:
        click.echo(f"  other programs used {run.others_cores_used:.1f} cores meanwhile: alone it is faster")
    if run.drifted:
        word, cause = ("slower", "heat, or other programs") if run.drift > 0 else ("faster", "other programs")
        click.echo(f"  {abs(run.drift):.0%} {word} in the last third than in the first: {cause}")
    return run


def _row(label: str, times: Any) -> str:
    return f"  {label:<26}{times.p50:8.2f}{times.p95:8.2f}{times.p99:8.2f}"
