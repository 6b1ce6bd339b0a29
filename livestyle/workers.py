"""Processes that paint files: one that dies takes no other down."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Literal

from livestyle.errors import EngineError, LivestyleError
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
    state: str = ""
    """The size of that file and when it was written; empty where nobody has looked."""


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


@dataclass(frozen=True, slots=True)
class _Last:
    """A result, after which the process that sends it ends."""

    result: Result


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
            try:
                self.connection.send(job)
            except OSError:  # it has died, or ends
                self.end(time.monotonic() + _STOP_SECONDS)
                self._start()
                with suppress(OSError):  # so has this one: `receive` tells it
                    self.connection.send(job)
        return job is not None

    def receive(self) -> Progress | Result:
        """What the process says next; a result that says so where it has died."""
        try:
            return self._heard()
        except (EOFError, OSError):
            self.connection.close()
            self._process.join()
            return self._failed(f"the process that painted it died (exit code {self._process.exitcode})")

    def ask_to_stop(self) -> None:
        """Let it keep what is complete, and end."""
        with suppress(OSError):  # it has ended already
            self.connection.send(None)
        if self._job is not None:
            self._process.terminate()

    def last_results(self, deadline: float) -> Iterator[Result]:
        """What it still says of its job until it ends, or until `deadline` on the monotonic clock."""
        with suppress(EOFError, OSError):
            while self.connection.poll(max(0.0, deadline - time.monotonic())):
                if isinstance(message := self._heard(), Result):
                    yield message

    def end(self, deadline: float) -> None:
        """Wait for its end until `deadline`, and no longer."""
        self.connection.close()
        self._process.join(max(0.0, deadline - time.monotonic()))
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def _heard(self) -> Progress | Result:
        message: Progress | Result | _Last = self.connection.recv()
        if isinstance(message, _Last):
            self.connection.close()  # so that `begin` starts another process
            return message.result
        return message

    def _start(self) -> None:
        self.connection, theirs = self._context.Pipe()
        self._process = self._context.Process(target=_work, args=(theirs, self._recipe), daemon=True)
        with _no_interrupt():
            self._process.start()
        theirs.close()

    def _failed(self, why: str) -> Result:
        assert self._job is not None
        return Result(str(self._job.source), str(self._job.target), "failed", said=[why])


@contextmanager
def workers(recipe: Recipe, count: int, keep: Callable[[Result], None]) -> Iterator[list[Worker]]:
    """So many processes, which are stopped on leaving; `keep` takes what they have completed by then."""
    started: list[Worker] = []
    try:
        started.extend(Worker(recipe) for _ in range(count))
        yield started
    finally:
        deadline = time.monotonic() + _STOP_SECONDS
        for worker in started:
            worker.ask_to_stop()
        try:
            for worker in started:
                for result in worker.last_results(deadline):
                    keep(result)
        finally:
            for worker in started:
                worker.end(deadline)


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """Put Ctrl-C off, which a process that starts meanwhile never sees: it would show where it was."""
    if sys.platform == "win32":  # which has no masks of signals
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Stop:
    """A signal that asks to stop: it ends a painting by SystemExit, and nothing between two of them.

    So what is said of a painting is said to its end.
    """

    def __init__(self) -> None:
        self._asked = self._painting = False
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the first process tells the others
        signal.signal(signal.SIGTERM, self._ask)

    @contextmanager
    def while_painting(self) -> Iterator[None]:
        self._painting = True
        try:
            if self._asked:
                raise SystemExit
            yield
        finally:
            self._painting = False

    def _ask(self, *_: object) -> None:
        self._asked = True
        if self._painting:
            self._painting = False
            raise SystemExit


def _work(connection: Connection, recipe: Recipe) -> None:
    """In a process of its own: paint what comes, until None comes or a signal says to stop."""
    stop = _Stop()
    painters: list[Painter] = []

    def painter() -> Painter:
        if not painters:
            painters.append(recipe.make_painter())
        return painters[0]

    with suppress(SystemExit):
        while (job := _next_job(connection)) is not None:
            result, engine_failed = _paint(job, painter, recipe.timeline, connection, stop)
            if engine_failed and painters:  # a GPU that was lost stays lost to this process
                _say(connection, _Last(result))
                return
            _say(connection, result)


def _next_job(connection: Connection) -> Job | None:
    try:
        job: Job | None = connection.recv()
    except (EOFError, OSError):  # nobody is there any more
        return None
    return job


def _say(connection: Connection, message: Progress | Result | _Last) -> None:
    """Tell the first process. Raises SystemExit where that has gone."""
    try:
        connection.send(message)
    except OSError:
        raise SystemExit from None


def _paint(
    job: Job, painter: Callable[[], Painter], timeline: Timeline, connection: Connection, stop: _Stop
) -> tuple[Result, bool]:
    """What became of a job, and whether the engine failed."""
    started = time.perf_counter()
    names = str(job.source), str(job.target)

    @contextmanager
    def show(total: int | None) -> Iterator[Callable[[Report], None]]:
        last = 0.0

        def tell(report: Report) -> None:
            nonlocal last
            if report.seconds - last > _PROGRESS_SECONDS:
                last = report.seconds
                frames = outcome.earlier_frames + report.frames
                _say(connection, Progress(names[0], frames, total, report.recent_fps))

        yield tell

    outcome = Outcome()
    notices = _Notices()
    logging.getLogger("livestyle").handlers = [notices]
    try:
        with stop.while_painting():
            paint_file(job, painter, timeline, show=show, outcome=outcome)
    except LivestyleError as error:
        failed = Result(*names, "failed", said=[str(error)], notices=notices.lines)
        return failed, isinstance(error, EngineError)
    except SystemExit:
        if not outcome.complete:
            raise
    seconds = time.perf_counter() - started
    status: Status = "damaged" if outcome.faults else "painted"
    said, frames = notices.lines, outcome.frames
    return Result(*names, status, frames, seconds, outcome.faults, said, job.fingerprint), False


class _Notices(logging.Handler):
    """Keeps what is logged, which many processes at once would mix up on a terminal."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if (line := record.getMessage()) not in self.lines:  # each segment of a video may say the same
            self.lines.append(line)
