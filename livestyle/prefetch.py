"""Overlap by threads: frames read ahead, frames written behind. The only module that starts a thread."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, Self, TypeVar

from livestyle.frame import Frame
from livestyle.sinks import Sink
from livestyle.sources import FrameSource

logger = logging.getLogger(__name__)

_Result = TypeVar("_Result")
_HELD_SECONDS = 8.0
"""How long a live source may hold its reader on leaving: connecting and a first picture take less."""


class Background:
    """Does one thing after the other on a thread of its own; leaving the `with` waits for all of them."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="livestyle-background")

    def do(self, job: Callable[[], _Result]) -> "Future[_Result]":
        """Begin a job, or queue it; the future gives its result, or raises what it raised."""
        return self._pool.submit(job)

    def __enter__(self) -> Self:
        """Return itself; the thread starts with the first job."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for what was begun."""
        self._pool.shutdown(wait=True)


class Prefetch:
    """Reads `source` on a thread of its own, up to `depth` frames ahead, between entering and leaving the
    `with`.

    A file waits for the consumer and loses nothing. A live source never waits: its newest frame replaces the
    waiting one, and `dropped` counts that. The reader's exception is raised in the consumer after the frames
    read before it, or on leaving. Leaving stops the reader at its next frame and joins it. A live source,
    whose next frame may never come, is closed for that, and one that holds its reader all the same is left
    behind with a warning; otherwise the source is its opener's to close.
    """

    def __init__(self, source: FrameSource, depth: int = 4) -> None:
        if depth < 1:
            raise ValueError(f"depth must be at least 1, not {depth}")
        self.dropped = 0
        self._source = source
        self._depth = depth
        self._waiting: deque[Frame] = deque()
        self._changed = threading.Condition()
        self._stopped = False
        self._done = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._read, name="livestyle-prefetch", daemon=True)

    def __enter__(self) -> Self:
        """Start reading."""
        self._thread.start()
        return self

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames in order, on the consumer's thread."""
        while (frame := self.newest()) is not None:
            yield frame

    def newest(self, timeout: float | None = None) -> Frame | None:
        """The next frame, which of a live source is the newest; None after the last one, or when none comes
        within `timeout` seconds.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._done, timeout)
            if self._waiting:
                self._changed.notify_all()
                return self._waiting.popleft()
        self._raise_error()
        return None

    @property
    def ended(self) -> bool:
        """Whether no frame will come any more."""
        with self._changed:
            return self._done and not self._waiting

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, wake and join the reader; raise its exception unless another one is on its way."""
        with self._changed:
            self._stopped = True
            self._waiting.clear()
            self._changed.notify_all()
        if self._source.live:
            self._source.close()
        self._thread.join(_HELD_SECONDS if self._source.live else None)
        if self._thread.is_alive():
            logger.warning("the camera does not answer and is left behind; replug it if it stays busy")
        if kind is None:
            self._raise_error()

    def _raise_error(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _read(self) -> None:
        try:
            for frame in self._source:
                if not self._put(frame):
                    break
        except BaseException as error:  # a thread boundary: whatever it is, the consumer has to see it
            if not (self._stopped and self._source.live):  # which may raise when it is closed meanwhile
                self._error = error
        finally:
            with self._changed:
                self._done = True
                self._changed.notify_all()

    def _put(self, frame: Frame) -> bool:
        with self._changed:
            if self._source.live:
                self.dropped += len(self._waiting)
                self._waiting.clear()
            else:
                self._changed.wait_for(lambda: len(self._waiting) < self._depth or self._stopped)
            self._waiting.append(frame)
            self._changed.notify_all()
            return not self._stopped


class WriteBehind:
    """A sink whose frames are written to `sink` on a thread of its own, up to `depth` frames behind.

    Only for sinks that do not mind which thread writes, as files do and windows do not. Leaving the `with`
    normally or by Ctrl-C first writes what waits; on any other exception that is thrown away. An error of the
    sink is raised at the next `write`, or else by `close` or on leaving. `sink` itself stays open: it is its
    opener's to close.
    """

    def __init__(self, sink: Sink, depth: int = 4) -> None:
        if depth < 1:
            raise ValueError(f"depth must be at least 1, not {depth}")
        self._sink = sink
        self._depth = depth
        self._waiting: deque[Frame] = deque()
        self._changed = threading.Condition()
        self._stopped = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._drain, name="livestyle-write-behind", daemon=True)

    def __enter__(self) -> Self:
        """Start writing."""
        self._thread.start()
        return self

    def write(self, frame: Frame) -> None:
        """Hand over one frame; wait while `depth` of them are waiting. Raises what the sink raised before."""
        with self._changed:
            if self._stopped and self._error is None:
                raise ValueError("write to a closed sink")
            self._changed.wait_for(lambda: len(self._waiting) < self._depth or self._error is not None)
            if self._error is None:
                self._waiting.append(frame)
                self._changed.notify_all()
        self._raise_error()

    def offer(self, frame: Frame) -> bool:
        """Hand over one frame if fewer than `depth` are waiting, and say whether it was: for a live source,
        which must not wait. Raises what the sink raised before.
        """
        with self._changed:
            room = len(self._waiting) < self._depth and self._error is None and not self._stopped
            if room:
                self._waiting.append(frame)
                self._changed.notify_all()
        self._raise_error()
        return room

    def close(self) -> None:
        """Write what waits, stop and join the thread; raise what the sink raised. Safe to call twice."""
        self._stop()
        self._raise_error()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop and join the thread; raise what the sink raised unless another exception is on its way."""
        if kind is not None and not issubclass(kind, KeyboardInterrupt):
            with self._changed:
                self._waiting.clear()
        self._stop()
        if kind is None:
            self._raise_error()

    def _stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join()

    def _raise_error(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            self._stopped = True  # the thread has ended: later writes are a mistake, not a wait without end
            raise error

    def _drain(self) -> None:
        try:
            while (frame := self._next()) is not None:
                self._sink.write(frame)
        except BaseException as error:  # a thread boundary: whatever it is, the writer has to see it
            with self._changed:
                self._error = error
                self._waiting.clear()
                self._changed.notify_all()

    def _next(self) -> Frame | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopped)
            self._changed.notify_all()
            return self._waiting.popleft() if self._waiting else None


_Item = TypeVar("_Item")


class Collector(Generic[_Item]):
    """Reads `source`, which comes at its own pace, on a thread of its own, and keeps what nobody has taken.

    For small things that must not be lost while nobody looks, as sound; at most `most` of them, then the
    oldest goes. Leaving the `with` waits half a second for the reader, which a dead device may hold for ever:
    `ended` says whether the source is free to be closed.
    """

    def __init__(self, source: Iterable[_Item], most: int = 2000) -> None:
        self._source = source
        self._kept: deque[_Item] = deque(maxlen=most)
        self._stopped = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._read, name="livestyle-collector", daemon=True)

    def __enter__(self) -> Self:
        """Start reading."""
        self._thread.start()
        return self

    @property
    def ended(self) -> bool:
        """Whether nothing reads the source any more."""
        return not self._thread.is_alive()

    def take(self) -> list[_Item]:
        """Return what has come since the last time, without waiting; raise what the source raised."""
        taken = [self._kept.popleft() for _ in range(len(self._kept))]
        if not taken and self._error is not None:
            error, self._error = self._error, None
            raise error
        return taken

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the reader at its next item."""
        self._stopped = True
        self._thread.join(timeout=0.5)

    def _read(self) -> None:
        try:
            for item in self._source:
                if self._stopped:
                    break
                self._kept.append(item)
        except BaseException as error:  # a thread boundary: whatever it is, whoever takes has to see it
            self._error = error
