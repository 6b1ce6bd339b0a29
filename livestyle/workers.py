"""Processes that paint files: one that dies takes no other down."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Literal

from livestyle.errors import LivestyleError
from livestyle.job import Job, Outcome, paint_file

if TYPE_CHECKING:
    from livestyle.painter import Painter
    from livestyle.pipeline import Report
    from livestyle.timeline import Timeline

Status = Literal["painted", "damaged", "skipped", "failed"]
"""`damaged`: painted, but for what could not be decoded. `skipped`: painted in an earlier run."""

_PROGRESS_SECONDS = 0.2
_STOP_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one file."""

    source: str
    target: str
    status: Status
    frames: int = 0
    seconds: float = 0.0
    said: list[str] = field(default_factory=list)
    """Why it failed, or what was damaged."""
    notices: list[str] = field(default_factory=list)
    """What could not be kept as it was."""
    fingerprint: str = ""
    """What the file that is there now was painted from, and how; empty where no run has made it."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one file is."""

    source: str
    frames: int
    total: int | None
    fps: float


@dataclass(frozen=True, slots=True)
class Recipe:
    """How every file is painted. It goes to other processes: `make_painter` must be importable there."""

    make_painter: Callable[[], Painter]
    timeline: Timeline
    options: str
    """All that the output depends on besides the input, in words."""


class Worker:
    """One process, and the job it has."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._context = multiprocessing.get_context("spawn")  # a fork would copy locks of other threads
        self._job: Job | None = None
        self._start()

    def begin(self, job: Job | None) -> bool:
        """Hand it a job; what it says of it comes from `receive`. False where there is none."""
        self._job = job
        if job is not None:
            self.connection.send(job)
        return job is not None

    def receive(self) -> Progress | Result:
        """What the process says next; a result that says so where it has died."""
        try:
            message: Progress | Result = self.connection.recv()
        except (EOFError, OSError):
            self._process.join()
            died = self._failed(f"the process that painted it died (exit code {self._process.exitcode})")
            self._start()
            return died
        return message

    def stop(self) -> None:
        """Let it keep what is complete, and wait for its end."""
        self.connection.close()
        if self._job is None:  # it has nothing to keep, and ends by itself
            self._process.join(_STOP_SECONDS)
        if self._process.is_alive():
            self._process.terminate()
        self._process.join(_STOP_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def _start(self) -> None:
        self.connection, theirs = self._context.Pipe()
        self._process = self._context.Process(target=_work, args=(theirs, self._recipe), daemon=True)
        self._process.start()
        theirs.close()

    def _failed(self, why: str) -> Result:
        assert self._job is not None
        return Result(str(self._job.source), str(self._job.target), "failed", said=[why])


@contextmanager
def workers(recipe: Recipe, count: int) -> Iterator[list[Worker]]:
    """So many processes, which are stopped on leaving."""
    started: list[Worker] = []
    try:
        started.extend(Worker(recipe) for _ in range(count))
        yield started
    finally:
        for worker in started:
            worker.stop()


def _work(connection: Connection, recipe: Recipe) -> None:
    """In a process of its own: paint what comes, until the connection closes or a signal says to stop."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches all processes; the first one tells the others
    signal.signal(signal.SIGTERM, _interrupt)
    painters: list[Painter] = []

    def painter() -> Painter:
        if not painters:
            painters.append(recipe.make_painter())
        return painters[0]

    try:
        while True:
            job = connection.recv()
            connection.send(_paint(job, painter, recipe.timeline, connection))
    except (EOFError, OSError, KeyboardInterrupt):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it ends already


def _paint(job: Job, painter: Callable[[], Painter], timeline: Timeline, connection: Connection) -> Result:
    started = time.perf_counter()
    names = str(job.source), str(job.target)

    @contextmanager
    def show(total: int | None) -> Iterator[Callable[[Report], None]]:
        last = 0.0

        def tell(report: Report) -> None:
            nonlocal last
            if report.seconds - last > _PROGRESS_SECONDS:
                last = report.seconds
                connection.send(
                    Progress(names[0], outcome.earlier_frames + report.frames, total, report.recent_fps)
                )

        yield tell

    outcome = Outcome()
    notices = _Notices()
    logging.getLogger("livestyle").handlers = [notices]
    try:
        paint_file(job, painter, timeline, show=show, outcome=outcome)
    except LivestyleError as error:
        return Result(*names, "failed", said=[str(error)], notices=notices.lines)
    seconds = time.perf_counter() - started
    status: Status = "damaged" if outcome.faults else "painted"
    return Result(*names, status, outcome.frames, seconds, outcome.faults, notices.lines, job.fingerprint)


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


class _Notices(logging.Handler):
    """Keeps what is logged, which many processes at once would mix up on a terminal."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
