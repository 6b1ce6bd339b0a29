"""source -> paint -> sink, the three at the same time."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from livestyle.frame import Frame, Image
from livestyle.prefetch import Prefetch, WriteBehind
from livestyle.sinks import Sink
from livestyle.sources import FrameSource
from livestyle.timing import Clock, Rate

logger = logging.getLogger(__name__)


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
) -> Report:
    """Paint every frame of `source` into `sink` while the next ones are decoded and the last ones encoded.

    `paint` turns frames into painted ones, in order; it may read a few ahead. It and `on_frame` run on the
    caller's thread, source and sink each on one of their own. At most `depth` frames wait on either side of
    `paint`. Source and sink stay open: they are the caller's to close; only a live source is closed at the
    end, as `Prefetch` does. Exceptions of any stage come out here once the threads have stopped. After
    KeyboardInterrupt every painted frame is in the sink: the caller can finish it.
    """
    meter = _Meter()
    with ExitStack() as stack:
        behind = stack.enter_context(WriteBehind(_TimedSink(sink, meter.encode), depth))
        frames = stack.enter_context(Prefetch(_TimedSource(source, meter.decode), depth))
        for frame in meter.painting(paint, frames):
            if meter.paint.count == 1:
                logger.debug("first frame painted")
            behind.write(frame)
            meter.rate.tick()
            if on_frame is not None:
                on_frame(meter.report(frames.dropped))
    return meter.report(frames.dropped)


class _Meter:
    """The clocks of one run; each is written by one thread."""

    def __init__(self) -> None:
        self.decode, self.paint, self.encode = Clock(), Clock(), Clock()
        self.rate = Rate()
        self.started = time.perf_counter()

    def painting(
        self, paint: Callable[[Iterable[Frame]], Iterable[Frame]], frames: Iterable[Frame]
    ) -> Iterator[Frame]:
        """Time `paint`, less what it waits for frames."""
        waiting = Clock()
        painted = iter(paint(_timed(frames, waiting)))
        while True:
            started, waited = time.perf_counter(), waiting.total_seconds
            frame = next(painted, None)
            if frame is None:
                return
            self.paint.add(time.perf_counter() - started - (waiting.total_seconds - waited))
            yield frame

    def report(self, dropped: int) -> Report:
        stages = {"decode": self.decode, "paint": self.paint, "encode": self.encode}
        return Report(
            frames=self.paint.count,
            seconds=time.perf_counter() - self.started,
            recent_fps=self.rate.fps,
            milliseconds={name: clock.mean_milliseconds for name, clock in stages.items()},
            dropped=dropped,
        )


class _TimedSource:
    def __init__(self, source: FrameSource, clock: Clock) -> None:
        self._source, self._clock = source, clock

    @property
    def live(self) -> bool:
        return self._source.live

    def __iter__(self) -> Iterator[Frame]:
        return _timed(self._source, self._clock)

    def close(self) -> None:
        self._source.close()


class _TimedSink:
    def __init__(self, sink: Sink, clock: Clock) -> None:
        self._sink, self._clock = sink, clock

    def write(self, frame: Frame) -> None:
        with self._clock.running():
            self._sink.write(frame)

    def close(self) -> None:
        self._sink.close()


def _timed(frames: Iterable[Frame], clock: Clock) -> Iterator[Frame]:
    """The same frames; the clock measures the wait for each."""
    waiting = iter(frames)
    while True:
        try:
            with clock.running():
                frame = next(waiting)
        except StopIteration:
            return
        yield frame


def each(paint: Callable[[Image], Image]) -> Callable[[Iterable[Frame]], Iterator[Frame]]:
    """What `run` takes, from a function that paints one image without regard to the others."""
    return lambda frames: (Frame(paint(frame.image), frame.pts) for frame in frames)
