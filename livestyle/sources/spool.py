"""What comes through a pipe, kept, so that several readers can each go to and fro in it."""

import io
import os
import select
import tempfile
import threading
import time
from typing import IO

from livestyle.errors import SourceError, reason_of

_CHUNK = 1 << 18
_STEP_SECONDS = 0.2


class Spool:
    """The bytes of the descriptor `fd`, read as they are needed and kept in a temporary file.

    Raises SourceError in whoever reads when nothing comes for `patience_seconds`; for others it ends there.
    Safe to read from several threads.
    """

    def __init__(self, fd: int, name: str, patience_seconds: float, *, owned: bool = True) -> None:
        self.name = name
        self._fd = fd
        self._owned = owned
        self._patience_seconds = patience_seconds
        try:
            self._kept: IO[bytes] = tempfile.TemporaryFile(prefix="livestyle-", buffering=0)  # noqa: SIM115
        except OSError as error:
            raise self._cannot_keep(error) from error
        self._size = 0
        self._ended = False
        self.interrupted = False
        """Whether Ctrl-C came while somebody waited, or `stop` was called."""
        self._lock = threading.Lock()

    def read_at(self, position: int, count: int) -> bytes:
        """Up to `count` bytes from there; none at the end. Waits for those that have not come yet."""
        with self._lock:
            while self._size <= position and not self._ended:
                self._pull()
            self._kept.seek(position)
            return self._kept.read(min(count, max(0, self._size - position)))

    @property
    def size(self) -> int:
        """How many bytes have come."""
        return self._size

    def view(self) -> "View":
        """A reader with a position of its own."""
        return View(self)

    def stop(self) -> None:
        """End here for whoever reads, also on another thread; what comes later is left."""
        self.interrupted = True

    def close(self) -> None:
        """Forget what was kept, and close the descriptor where it is `owned`; safe to call twice."""
        if not self._kept.closed:
            self._kept.close()
            if self._owned:
                os.close(self._fd)

    def _pull(self) -> None:
        if not self._wait():
            self._ended = True
            return
        try:
            data = os.read(self._fd, _CHUNK)
        except BlockingIOError:  # somebody else was faster
            return
        self._ended = not data
        try:
            self._kept.seek(self._size)
            while data:
                written = self._kept.write(data)
                self._size += written
                data = data[written:]
        except OSError as error:
            self._ended = True  # PyAV prints what is raised a second time
            raise self._cannot_keep(error) from error

    def _cannot_keep(self, error: OSError) -> SourceError:
        return SourceError(
            f"cannot keep what {self.name} brings: {reason_of(error)}; name a folder with more room in TMPDIR"
        )

    def _wait(self) -> bool:
        """Wait until something comes; False where somebody stopped that."""
        patience = time.monotonic() + self._patience_seconds
        while time.monotonic() < patience:
            try:
                if select.select([self._fd], [], [], _STEP_SECONDS)[0]:
                    return True
            except KeyboardInterrupt:  # FFmpeg would lose it: whoever opens looks at `interrupted`
                self.stop()
            except OSError:  # Windows, where only sockets can be waited for
                return True
            if self.interrupted:
                return False
        self._ended = True  # PyAV prints what is raised a second time
        raise SourceError(
            f"cannot read {self.name}: nothing came for {self._patience_seconds:g} s; does it still run?"
        )


class Positioned(io.RawIOBase):
    """Bytes that FFmpeg reads from `_position` on, wherever it puts that."""

    def __init__(self) -> None:
        super().__init__()
        self._position = 0

    def tell(self) -> int:
        """The position of the next byte."""
        return self._position

    def seekable(self) -> bool:
        """True."""
        return True

    def readable(self) -> bool:
        """True."""
        return True


class View(Positioned):
    """A file as FFmpeg reads it. Its length is unknown: the pipe may never end."""

    def __init__(self, spool: Spool) -> None:
        super().__init__()
        self.name = spool.name
        self._spool = spool

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; none at the end."""
        data = self._spool.read_at(self._position, size if size >= 0 else _CHUNK)
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to `offset` from the beginning or from here; -1 for the end, which may never come.

        FFmpeg takes that for an answer, where an exception would come out of it later.
        """
        if whence == os.SEEK_END:
            return -1
        self._position = offset + (self._position if whence == os.SEEK_CUR else 0)
        return self._position
