"""One measured run of the whole path: frames are read, painted and written as in use.

Times are taken around each stage, on the thread that does it; the stages overlap, so that the frame rate is
not the inverse of their sum. Engine latency is the network's alone, end-to-end latency a frame's whole way.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np

from livestyle.bench import frame as picture
from livestyle.bench_machine import busy_seconds
from livestyle.engine import Engine
from livestyle.frame import Frame, Image
from livestyle.painter import Painter
from livestyle.pipeline import Report, Stage, run
from livestyle.sinks import Sink
from livestyle.sources import FrameSource
from livestyle.styles import StyleMix

WARM_UP_FRAMES = 10
"""Left out of every number but the warm-up's own: the network is compiled, memory is touched first."""

_LEAST_FRAMES = 30
"""Fewer say little of the frame rate: some of them wait already while the others warm up."""

_DRIFT = 0.1
"""From what share on a slow-down between the first and the last third is worth a word."""

_DRIFT_FRAMES, _DRIFT_SECONDS = 30, 1.0
"""How long a run must be at least for that: less says nothing of heat."""

_STEP = 3
"""How many rows a moving picture moves from one frame to the next."""

_OTHERS_SECONDS = 0.5
"""How long a run must be for the work of other programs to be told: the system counts it in hundredths."""


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Milliseconds that half, 95 % and 99 % of the frames stay below."""

    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, milliseconds: list[float]) -> "Percentiles":
        """Those of at least one time."""
        return cls(*(float(np.percentile(milliseconds, share)) for share in (50, 95, 99)))


@dataclass(frozen=True, slots=True)
class Run:
    """What was measured, warm-up excluded."""

    backend: str
    size: tuple[int, int]
    """(width, height)"""
    frames: int
    fps: float
    dropped: int
    """Frames of a live source that newer ones replaced."""
    stages: dict[str, Percentiles]
    """read (decoding and conversion, or the wait for a camera), steady (before and after the network),
    network (upload and download included: engine latency), write (conversion and encoding)."""
    end_to_end: Percentiles | None
    """From the frame read to the frame written; of a live source only: a file's frames wait by design."""
    cores_used: float
    """Processor time over wall-clock time."""
    others_cores_used: float | None
    """The same of all other programs, which no measurement should have beside it.

    None where the system does not tell, or the run was too short for it."""
    warm_up_seconds: float
    drift: float
    """How much longer a frame took in the last third than in the first: 0.2 is 20 %."""
    painted_milliseconds: list[float] = field(repr=False)
    """Between one painted frame and the next, in order."""

    @property
    def drifted(self) -> bool:
        """Whether `drift` is worth a word."""
        long = self.frames >= _DRIFT_FRAMES and self.frames / self.fps >= _DRIFT_SECONDS
        return long and abs(self.drift) > _DRIFT


def measure_run(
    source: FrameSource,
    painter: Painter,
    sink: Sink,
    *,
    frames: int,
    steadiness: float,
    warm_up: int = WARM_UP_FRAMES,
) -> Run:
    """Paints `frames` frames after `warm_up` others, or as many as there are.

    Source and sink are the caller's to close. Raises ValueError where the source ends before as many, and
    before 30.
    """
    clocks = _Clocks(warm_up, live=source.live)
    timed = replace(painter, engine=_TimedEngine(painter.engine, clocks))
    began = time.perf_counter()
    report = run(
        source,
        lambda read: timed.follow(islice(read, warm_up + frames), steadiness),
        sink,
        on_frame=clocks.count_drops,
        on_stage=clocks.note,
    )
    if len(clocks.moments) <= min(frames, _LEAST_FRAMES):
        raise ValueError(f"the source ended after {report.frames} frames, {warm_up} of them to warm up")
    return clocks.summary(painter.engine.backend, report.dropped - clocks.dropped_before, began)


class _Clocks:
    """What the threads of one run write down: each list is written by one of them."""

    def __init__(self, warm_up: int, *, live: bool) -> None:
        self.warm_up, self.live = warm_up, live
        self.times: dict[str, list[float]] = {"read": [], "steady": [], "network": [], "write": []}
        self.moments: list[float] = []
        self.size = (0, 0)
        self.counted_from = self.processor_seconds = 0.0
        self.busy_seconds: float | None = None
        self.waited_for_engine = 0.0
        """Since the last frame was painted."""
        self.dropped_before = 0
        """Frames that were dropped in the warm-up."""
        self._arrivals: dict[float, float] = {}
        """When each frame was read, by its pts; of two with the same one, the later."""
        self._ways: list[float] = []
        self._count = 0

    def note(self, stage: Stage, frame: Frame, seconds: float) -> None:
        """Write down that a frame was read, painted or written, in so many seconds."""
        {"decode": self._read, "paint": self._painted, "encode": self._written}[stage](frame, seconds)

    def count_drops(self, report: Report) -> None:
        """Write down how many were dropped by the end of the warm-up."""
        if report.frames == self.warm_up:
            self.dropped_before = report.dropped

    def _read(self, frame: Frame, seconds: float) -> None:
        self.times["read"].append(1000 * seconds)
        if self.live:
            self._arrivals[frame.pts] = time.perf_counter()

    def _painted(self, frame: Frame, seconds: float) -> None:
        self.times["steady"].append(1000 * (seconds - self.waited_for_engine))  # all beside the network
        self.waited_for_engine = 0.0
        self.size = (frame.image.shape[1], frame.image.shape[0])
        self._count += 1
        if self._count == self.warm_up:
            self.processor_seconds, self.busy_seconds = time.process_time(), busy_seconds()
            self.counted_from = time.perf_counter()
        if self._count >= self.warm_up:
            self.moments.append(time.perf_counter())

    def _written(self, frame: Frame, seconds: float) -> None:
        self.times["write"].append(1000 * seconds)
        if self.live:
            self._ways.append(1000 * (time.perf_counter() - self._arrivals[frame.pts]))

    def summary(self, backend: str, dropped: int, began: float) -> Run:
        between = [1000 * float(gap) for gap in np.diff(self.moments)]
        seconds = self.moments[-1] - self.moments[0]
        third = max(1, len(between) // 3)
        own, busy = time.process_time() - self.processor_seconds, busy_seconds()
        counted = time.perf_counter() - self.counted_from  # longer than `seconds`: the last frame is written
        others = None
        if busy is not None and self.busy_seconds is not None and counted >= _OTHERS_SECONDS:
            others = max(0.0, busy - self.busy_seconds - own)
        return Run(
            backend=backend,
            size=self.size,
            frames=len(between),
            fps=len(between) / seconds,
            dropped=dropped,
            stages={name: Percentiles.of(times[self._cut(times) :]) for name, times in self.times.items()},
            end_to_end=Percentiles.of(self._ways[self._cut(self._ways) :]) if self.live else None,
            cores_used=own / counted,
            others_cores_used=None if others is None else others / counted,
            warm_up_seconds=self.moments[0] - began,
            drift=sum(between[-third:]) / sum(between[:third]) - 1,
            painted_milliseconds=between,
        )

    def _cut(self, times: list[float]) -> int:
        return min(self.warm_up, len(times) - 1)


class _TimedEngine:
    """An engine that writes down how long each painting takes, and how long its caller waits for it."""

    def __init__(self, engine: Engine, clocks: _Clocks) -> None:
        self._engine = engine
        self._clocks = clocks

    @property
    def backend(self) -> str:
        return self._engine.backend

    @property
    def in_flight(self) -> int:
        return self._engine.in_flight

    def start(self, image: Image, style: StyleMix) -> Callable[[], Image]:
        began = time.perf_counter()
        fetch = self._engine.start(image, style)
        self._clocks.waited_for_engine += time.perf_counter() - began

        def fetched() -> Image:
            asked = time.perf_counter()
            painted = fetch()
            done = time.perf_counter()
            self._clocks.waited_for_engine += done - asked
            self._clocks.times["network"].append(1000 * (done - began))
            return painted

        return fetched

    def stylize(self, image: Image, style: StyleMix) -> Image:
        return self.start(image, style)()


class MovingPicture:
    """`count` frames of one size (width, height) out of memory, each a little below the last.

    They cost nothing to read and nothing of them stands still, so that what is measured is the painting. All
    are windows of one picture, so that its memory is that of the painting too.
    """

    live = False

    def __init__(self, size: tuple[int, int], count: int) -> None:
        width, height = size
        whole = picture((width, height + 7 * _STEP))
        self._images = [whole[_STEP * step : _STEP * step + height] for step in range(8)]
        self._count = count

    def __iter__(self) -> Iterator[Frame]:
        """Yield them, 30 to a second of pts."""
        for number in range(self._count):
            yield Frame(self._images[number % len(self._images)], number / 30)

    def close(self) -> None:
        """Do nothing: there is nothing to release."""
