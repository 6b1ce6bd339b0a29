"""A live source that comes back by itself after the camera was gone."""

import logging
import time
from collections.abc import Callable, Generator, Iterator
from itertools import chain, repeat
from typing import Protocol

from livestyle.errors import SourceError
from livestyle.frame import Frame, Image
from livestyle.sources.pacing import Pace
from livestyle.sources.scaling import scaled

logger = logging.getLogger(__name__)

_STALL_SECONDS = 2.0
_OPENING_SECONDS = 5.0
"""For the first frame: some cameras adjust their exposure before they give one."""
_PAUSES = (0.25, 0.5, 1.0)
"""Between attempts, the last one for ever: with the time to connect, a camera is back within two seconds."""


class Connection(Protocol):
    """A camera as long as it is there, used by one thread."""

    @property
    def fps(self) -> float:
        """The nominal frame rate."""
        ...

    def grab(self) -> tuple[Image, float] | None:
        """Return the next image and the `time.perf_counter()` at which it was grabbed.

        None where none came within a moment: the shorter that is, the sooner `Reconnecting.close` works.
        Raises `SourceError` when the camera is gone.
        """
        ...

    def close(self) -> None:
        """Release the camera; safe to call twice."""
        ...


class Reconnecting:
    """The frames of what `connect` connects to, which it does again whenever that breaks or stalls.

    Opens at once, and waits for a first frame to know the true size; raises `SourceError` where none comes.
    Later frames of another size are scaled to the first one's, or to `size`. pts 0 is the first frame of
    all. A connection stays with the thread that iterates: `close` from another one ends that within one
    `grab`, or one `connect`.
    """

    live = True

    def __init__(
        self, name: str, connect: Callable[[], Connection], *, size: tuple[int, int] | None = None
    ) -> None:
        self.name = name
        self.notice: str | None = None
        self._connect = connect
        self._pace = Pace()
        self._connection = connect()
        try:
            image, self.epoch = self._first()
        except BaseException:
            self._connection.close()
            raise
        self.fps = self._connection.fps
        self.size = size or (image.shape[1], image.shape[0])
        self._pts = 0.0
        self._frames = self._read()

    def __iter__(self) -> Iterator[Frame]:
        """Yield frames until closed."""
        return self._frames

    def close(self) -> None:
        """End the iteration and release the camera; safe to call twice, and from any thread."""
        self._pace.end(self._frames, self._connection.close)

    def _first(self) -> tuple[Image, float]:
        until = time.perf_counter() + _OPENING_SECONDS
        while time.perf_counter() < until:
            if (grabbed := self._connection.grab()) is not None:
                return grabbed
        raise SourceError(f"cannot read {self.name}: no picture came for {_OPENING_SECONDS:g} s; replug it")

    def _read(self) -> Generator[Frame, None, None]:
        try:
            while not self._pace.stopped:
                try:
                    yield from self._connected()
                except SourceError as error:
                    self._reconnect(error)
        finally:
            self._connection.close()

    def _connected(self) -> Iterator[Frame]:
        """The frames of this connection; raises `SourceError` at its end."""
        last = time.perf_counter()
        while not self._pace.stopped:
            grabbed = self._connection.grab()
            if grabbed is None:
                if time.perf_counter() - last > _STALL_SECONDS:
                    raise SourceError(f"no picture for {_STALL_SECONDS:g} s")
                continue
            last = time.perf_counter()
            self._all_is_well()
            yield self._frame(*grabbed)

    def _frame(self, image: Image, moment: float) -> Frame:
        self._pts = max(moment - self.epoch, self._pts + 1e-6)  # clocks of drivers are not all steady
        return Frame(scaled(image, self.size), self._pts)

    def _reconnect(self, error: SourceError) -> None:
        logger.info("%s is gone (%s)", self.name, error)
        self._connection.close()
        for pause in chain(_PAUSES, repeat(_PAUSES[-1])):
            self.notice = f"{self.name} is gone: trying again in {pause:g} s"
            self._pace.pause(pause)
            if self._pace.stopped:
                return
            try:
                self._connection = self._connect()
            except SourceError as again:
                logger.debug("%s", again)
            else:
                return

    def _all_is_well(self) -> None:
        if self.notice is not None:
            self.notice = None
            logger.info("%s is back", self.name)
