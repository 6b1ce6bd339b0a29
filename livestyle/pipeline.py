"""source -> paint -> sink, the three at the same time."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal, TypeAlias

from livestyle.frame import Frame, Image
from livestyle.prefetch import Prefetch, WriteBehind
from livestyle.sinks import Sink
from livestyle.sources import FrameSource
from livestyle.timing import Clock, Rate

logger = logging.getLogger(__name__)

Stage: TypeAlias = Literal["decode", "paint", "encode"]
"""What is done with a frame, one after the other."""

_Tell: TypeAlias = Callable[[Frame, float], None]
"""Takes a frame, and the seconds it took."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a run has done so far."""

    frames: int
    """Frames painted."""
    seconds: float
    """Wall-clock time since the run began."""
    recent_fps: float
    """Frames painted per second over the last few seconds."""
    milliseconds: dict[str, float]
    """Mean time per frame of each stage: decode, paint, encode. They overlap, so fps is not their sum."""
    dropped: int
    """Frames of a live source that newer ones replaced."""

    @property
    def fps(self) -> float:
        """Frames painted per second over the whole run."""
        return self.frames / self.seconds if self.seconds else 0.0


def run(
    source: FrameSource,
    paint: Callable[[Iterable[Frame]], Iterable[Frame]],
    sink: Sink,
    *,
    on_frame: Callable[[Report], None] | None = None,
    depth: int = 4,
    on_stage: Callable[[Stage, Frame, float], None] | None = None,
) -> Report:
    """Paint every frame of `source` into `sink` while the next ones are decoded and the last ones encoded.

    `paint` turns frames into painted ones, in order; it may read a few ahead. It and `on_frame` run on the
    caller's thread, source and sink each on one of their own. At most `depth` frames wait on either side of
    `paint`. Source and sink stay open: they are the caller's to close; only a live source is closed at the
    end, as `Prefetch` does. `on_stage` is told, on the thread of each stage, of each frame and the seconds
    that it took there; painting without the wait for frames. Exceptions of any stage come out here once the
    threads have stopped. After KeyboardInterrupt every painted frame is in the sink: the caller can finish
    it.
    """
    meter = _Meter(on_stage)
    with ExitStack() as stack:
        behind = stack.enter_context(WriteBehind(_TimedSink(sink, meter.tell("encode")), depth))
        frames = stack.enter_context(Prefetch(_TimedSource(source, meter.tell("decode")), depth))
        for frame in _painting(paint, frames, meter.tell("paint")):
            if meter.clocks["paint"].count == 1:
                logger.debug("first frame painted")
            behind.write(frame)
            meter.rate.tick()
            if on_frame is not None:
                on_frame(meter.report(frames.dropped))
    return meter.report(frames.dropped)


class _Meter:
    """The clocks of one run; each is written by one thread."""

    def __init__(self, on_stage: Callable[[Stage, Frame, float], None] | None) -> None:
        self.clocks: dict[Stage, Clock] = {"decode": Clock(), "paint": Clock(), "encode": Clock()}
        self.rate = Rate()
        self.started = time.perf_counter()
        self._on_stage = on_stage

    def tell(self, stage: Stage) -> _Tell:
        """What the frames of a stage, and their times, are told to."""

        def told(frame: Frame, seconds: float) -> None:
            self.clocks[stage].add(seconds)
            if self._on_stage is not None:
                self._on_stage(stage, frame, seconds)

        return told

    def report(self, dropped: int) -> Report:
        return Report(
            frames=self.clocks["paint"].count,
            seconds=time.perf_counter() - self.started,
            recent_fps=self.rate.fps,
            milliseconds={stage: clock.mean_milliseconds for stage, clock in self.clocks.items()},
            dropped=dropped,
        )


class _TimedSource:
    def __init__(self, source: FrameSource, tell: _Tell) -> None:
        self._source, self._tell = source, tell

    @property
    def live(self) -> bool:
        return self._source.live

    def __iter__(self) -> Iterator[Frame]:
        return _timed(self._source, self._tell)

    def close(self) -> None:
        self._source.close()


class _TimedSink:
    def __init__(self, sink: Sink, tell: _Tell) -> None:
        self._sink, self._tell = sink, tell

    def write(self, frame: Frame) -> None:
        began = time.perf_counter()
        self._sink.write(frame)
        self._tell(frame, time.perf_counter() - began)

    def close(self) -> None:
        self._sink.close()


def _painting(
    paint: Callable[[Iterable[Frame]], Iterable[Frame]], frames: Iterable[Frame], tell: _Tell
) -> Iterator[Frame]:
    """The painted frames; `tell` is told how long each took, less the wait for those to paint."""
    waited = 0.0

    def wait(_: Frame, seconds: float) -> None:
        nonlocal waited
        waited += seconds

    def less_the_wait(frame: Frame, seconds: float) -> None:
        nonlocal waited
        tell(frame, seconds - waited)
        waited = 0.0

    return _timed(paint(_timed(frames, wait)), less_the_wait)


def _timed(frames: Iterable[Frame], tell: _Tell) -> Iterator[Frame]:
    """The same frames; `tell` is told how long each was waited for."""
    waiting = iter(frames)
    while True:
        began = time.perf_counter()
        frame = next(waiting, None)
        if frame is None:
            return
        tell(frame, time.perf_counter() - began)
        yield frame


def each(paint: Callable[[Image], Image]) -> Callable[[Iterable[Frame]], Iterator[Frame]]:
    """What `run` takes, from a function that paints one image without regard to the others."""
    return lambda frames: (Frame(paint(frame.image), frame.pts) for frame in frames)
