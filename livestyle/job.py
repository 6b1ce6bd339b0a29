"""A whole file painted into another: what `livestyle video` does once and `livestyle batch` many times."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, nullcontext, suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import dropwhile
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from livestyle import defaults
from livestyle.encoding import Encoding
from livestyle.errors import SourceError
from livestyle.frame import Frame
from livestyle.numbered import is_numbered
from livestyle.pace import at_most, at_rate, exact_rate
from livestyle.pipeline import Report, run
from livestyle.sinks import open_sink, refuse_same_file
from livestyle.sinks.segment_folder import Past
from livestyle.sources import open_source

if TYPE_CHECKING:
    from livestyle.painter import Painter
    from livestyle.sinks.file import FileSink
    from livestyle.sinks.segments import SegmentedFile
    from livestyle.sinks.sequence import SequenceSink
    from livestyle.sources.file import FileSource
    from livestyle.timeline import Timeline

logger = logging.getLogger(__name__)

Show = Callable[[int | None], AbstractContextManager[Callable[[Report], None] | None]]
"""Opens something that shows progress, for about so many frames."""

_WARM_UP_SECONDS = 1.0
"""Painted again before the moment where an interrupted job goes on, for its first frames to be steady."""
_DEPTH = 4
"""Frames that may wait before and behind the painter, each,"""
_WAITING_BYTES = 128 << 20
"""unless they are so large that they would take more than this."""


@dataclass(frozen=True, slots=True)
class Job:
    """One file to paint, and how."""

    source: Path
    target: Path
    start_seconds: float = 0.0
    end_seconds: float | None = None
    fps: float | None = None
    """Frames a second of the output, all equally far apart; None: as they are in the input."""
    steady: float = defaults.STEADY
    encoding: Encoding = field(default_factory=Encoding)
    form: str | None = None
    overwrite: bool = False
    untouched: bool = False
    """Whether the frames stay as they are, which may then be smaller than the network can paint."""
    fingerprint: str = ""
    """What the output follows from. Where it is given, an interrupted job goes on where it was."""


@dataclass
class Outcome:
    """What became of a job."""

    report: Report | None = None
    """Of this run; None where earlier ones had painted all frames."""
    earlier_frames: int = 0
    """How many were painted before it began."""
    complete: bool = False
    """Whether the output is in its place, be it with less than everything."""
    faults: list[str] = field(default_factory=list)
    """What was wrong with the input, one line each."""

    @property
    def frames(self) -> int:
        """How many frames are painted, in all runs."""
        return self.earlier_frames + (self.report.frames if self.report else 0)


@dataclass(frozen=True, slots=True)
class _Pace:
    """How the frames of the output follow one another: by default as those of the input do."""

    rate: Fraction | None = None
    """Frames a second, all equally far apart; None: at their own times,"""
    most: Fraction | None = None
    """but no closer together than at so many."""
    reason: str = ""
    """Why that is not what the input has."""

    def of(self, fps: float) -> float:
        """Frames a second of the output, about, where the input has so many."""
        return float(self.rate or min(fps, self.most or fps))


def paint_file(
    job: Job,
    make_painter: Callable[[], Painter],
    timeline: Timeline,
    *,
    show: Show = lambda _: nullcontext(),
    outcome: Outcome | None = None,
) -> Outcome:
    """Paint a file. Raises what source, sink and painter raise.

    `make_painter` is called when input and output are known to be good. After KeyboardInterrupt, `outcome`
    says whether there is something to keep.
    """
    from livestyle.painter import require_paintable

    outcome = outcome or Outcome()
    with ExitStack() as opened:
        frames = opened.enter_context(closing(_open(job, job.start_seconds)))
        if not job.untouched:
            require_paintable(frames.size)
        pace = _pace(job, frames)
        sink = _sink(job, frames, pace, lambda: frames)  # that of the rest, once it is open
        past = getattr(sink, "past", Past())
        outcome.earlier_frames = past.frames
        try:
            with sink, show(_estimate(frames, pace.of(frames.fps))) as on_frame:
                if past.ended:
                    return outcome
                if past.seconds and (left := _open_rest(job, pace, past.seconds)) is not None:
                    frames = opened.enter_context(closing(left))
                paint = _paint(job, make_painter(), timeline, frames, pace, past.seconds)
                rest = _Rest(frames) if past.seconds else frames
                began = time.perf_counter()
                report = run(rest, paint, sink, on_frame=on_frame, depth=_depth(frames.size))
            # encoders give out their last frames when they are closed
            outcome.report = replace(report, seconds=time.perf_counter() - began)
        finally:
            outcome.complete = sink.complete
            outcome.faults = list(dict.fromkeys(past.faults + frames.faults + sink.faults))
    return outcome


class _Rest:
    """The frames of a part of a video, whose pts count from the video's first frame."""

    live = False

    def __init__(self, part: FileSource) -> None:
        self._part = part

    def __iter__(self) -> Iterator[Frame]:
        return (Frame(frame.image, frame.pts + self._part.skipped_seconds) for frame in self._part)

    def close(self) -> None:
        self._part.close()


def _open(job: Job, start_seconds: float) -> FileSource:
    return open_source(
        job.source,
        start_seconds=start_seconds,
        end_seconds=job.end_seconds,
        rate=job.fps,
        hwaccel=job.encoding.hwaccel,
    )


def _open_rest(job: Job, pace: _Pace, done: float) -> FileSource | None:
    """What is left of the input, from about a second before that; None where that is all of it.

    At a constant rate from the frame on that is seen then, which may have come long before.
    """
    seconds = _WARM_UP_SECONDS
    while seconds < done:
        with suppress(SourceError):  # no frame comes so late
            rest = _open(job, done - seconds)
            if pace.rate is None or rest.skipped_seconds <= done:
                return rest
            rest.close()
        seconds *= 4
    return None


def _sink(
    job: Job, frames: FileSource, pace: _Pace, current: Callable[[], FileSource]
) -> FileSink | SequenceSink | SegmentedFile:
    settings: dict[str, Any] = {
        "rate": pace.of(frames.fps),
        "encoding": job.encoding,
        "pixel_aspect": frames.pixel_aspect,
        "colors": frames.colors,
        "last_seconds": lambda: current().last_seconds if pace.rate is None else None,
    }
    if job.fingerprint:
        from livestyle.sinks.segments import SegmentedFile, is_segmentable

        if is_segmentable(job.target, job.encoding.codec):
            refuse_same_file(job.target, job.source)
            settings |= {"overwrite": job.overwrite, "faults": lambda: current().faults}
            return SegmentedFile(job.target, frames.size, frames.excerpt, job.fingerprint, **settings)
    sink = open_sink(
        job.target,
        frames.size,
        made_from=frames.excerpt,
        form=job.form,
        overwrite=job.overwrite,
        **settings,
    )
    if is_numbered(job.target) and (others := frames.others):
        told = "pictures have no place for the %s of %s: left out"
        logger.warning(told, ", ".join(others), frames.media.name)
    return sink


def _paint(
    job: Job, painter: Painter, timeline: Timeline, source: FileSource, pace: _Pace, done: float
) -> Callable[[Iterable[Frame]], Iterator[Frame]]:
    def follow(frames: Iterable[Frame]) -> Iterator[Frame]:
        return painter.follow(frames, job.steady, timeline.at)

    usual = 1 / source.fps
    least = min(usual, 1 / pace.of(source.fps))  # at a low rate the last frame would not be seen at all

    def last_seconds() -> float:
        return max(source.last_seconds or usual, least)

    def paint(frames: Iterable[Frame]) -> Iterator[Frame]:
        if pace.rate is not None:
            until = inf if job.end_seconds is None else job.end_seconds - source.skipped_seconds
            painted = at_rate(frames, follow, pace.rate, last_seconds, pace.reason, until_seconds=until)
        elif pace.most is not None:
            painted = at_most(frames, follow, pace.most, last_seconds, pace.reason)
        else:
            painted = follow(frames)
        try:
            yield from dropwhile(lambda frame: frame.pts < done - 1e-6, painted)
        except KeyboardInterrupt:
            source.media.stop()  # the thread that reads may wait for a pipe that brings nothing
            raise

    return paint


def _pace(job: Job, frames: FileSource) -> _Pace:
    """The rate asked for, or one that the kind of output needs."""
    from livestyle.sinks.containers import container_of

    rate = None if job.fps is None else exact_rate(job.fps)
    if is_numbered(job.target):
        return _Pace(rate)
    container = container_of(job.target, job.form)
    most = None if container.highest_rate is None else exact_rate(container.highest_rate)
    if most is not None and (rate is None or rate > most):
        reason = f"{container.muxer} files show {float(most):g} frames a second at most"
        return _Pace(rate and most, most, reason)  # one that was asked for stays constant
    if rate is None and container.constant_rate:
        reason = f"{container.muxer} files have a constant frame rate"
        return _Pace(exact_rate(frames.fps), reason=reason)
    return _Pace(rate)


def _depth(size: tuple[int, int]) -> int:
    """How many frames may wait before and behind the painter: fewer of very large ones."""
    return max(1, min(_DEPTH, _WAITING_BYTES // (3 * size[0] * size[1])))


def _estimate(frames: FileSource, rate: float) -> int | None:
    if rate == frames.fps or frames.duration_seconds is None:
        return frames.frame_estimate
    return max(1, round(frames.duration_seconds * rate))
