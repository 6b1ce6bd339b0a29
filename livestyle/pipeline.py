"""source -> paint -> sink, the three at the same time."""

import logging
import time
from collections import deque
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
    latency_p50_milliseconds: float
    """Median over recent frames of the time from the end of decoding to the end of `Sink.write`."""
    latency_p95_milliseconds: float
    """95th percentile of the same."""
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
    write_behind: bool = True,
) -> Report:
    """Paint every frame of `source` into `sink` while the next ones are decoded and the last ones encoded.

    `paint` turns frames into painted ones, in order; it may read a few ahead. It and `on_frame` run on the
    caller's thread. `write_behind=False` keeps `sink` there too, as a window needs. At most `depth` frames
    wait on either side of `paint`. Source and sink stay open: they are the caller's to close; only a live
    source is closed at the end, as `Prefetch` does. Exceptions of any stage come out here once the threads
    have stopped. After KeyboardInterrupt every painted frame is in the sink: the caller can finish it.
    """
    meter = _Meter()
    with ExitStack() as stack:
        timed: Sink = _TimedSink(sink, meter)
        if write_behind:
            timed = stack.enter_context(WriteBehind(timed, depth))
        frames = stack.enter_context(Prefetch(_TimedSource(source, meter), depth))
        for frame in meter.painting(paint, frames):
            if meter.paint.count == 1:
                logger.debug("first frame painted")
            timed.write(frame)
            meter.rate.tick()
            if on_frame is not None:
                on_frame(meter.report(frames.dropped))
    return meter.report(frames.dropped)


class _Meter:
    """The clocks of one run; each is written by one thread."""

    def __init__(self) -> None:
        self.decode, self.paint, self.encode, self.latency = Clock(), Clock(), Clock(), Clock()
        self.rate = Rate()
        self.started = time.perf_counter()
        self._arrivals: deque[tuple[float, float]] = deque()

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

    def arrived(self, pts: float) -> None:
        self._arrivals.append((pts, time.perf_counter()))

    def left(self, pts: float) -> None:
        """Take the latency of the frame with this pts, and forget dropped ones before it."""
        while self._arrivals and self._arrivals[0][0] <= pts:
            arrival_pts, arrival = self._arrivals.popleft()
            if arrival_pts == pts:
                self.latency.add(time.perf_counter() - arrival)

    def report(self, dropped: int) -> Report:
        stages = {"decode": self.decode, "paint": self.paint, "encode": self.encode}
        return Report(
            frames=self.paint.count,
            seconds=time.perf_counter() - self.started,
            recent_fps=self.rate.fps,
            milliseconds={name: clock.mean_milliseconds for name, clock in stages.items()},
            latency_p50_milliseconds=self.latency.percentile_milliseconds(50),
            latency_p95_milliseconds=self.latency.percentile_milliseconds(95),
            dropped=dropped,
        )


class _TimedSource:
    def __init__(self, source: FrameSource, meter: _Meter) -> None:
        self._source, self._meter = source, meter

    @property
    def live(self) -> bool:
        return self._source.live

    def __iter__(self) -> Iterator[Frame]:
        for frame in _timed(self._source, self._meter.decode):
            self._meter.arrived(frame.pts)
            yield frame

    def close(self) -> None:
        self._source.close()


class _TimedSink:
    def __init__(self, sink: Sink, meter: _Meter) -> None:
        self._sink, self._meter = sink, meter

    def write(self, frame: Frame) -> None:
        with self._meter.encode.running():
            self._sink.write(frame)
        self._meter.left(frame.pts)

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
