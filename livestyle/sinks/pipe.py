"""Writing to another program that may read slowly, not at all, or be gone."""

import os
import select
import stat
import sys
import time
from contextlib import suppress

_ATOMIC_BYTES = 4096  # PIPE_BUF on Linux: what a pipe that is ready takes without blocking
_PIPE_BYTES = 1 << 20


class Pipe:
    """The file descriptor `target`, most often a pipe, which stays its opener's to close.

    Where the system can tell whether a pipe is full, `send` gives up after `patience_seconds`; on Windows it
    waits for as long as the reader likes.
    """

    def __init__(self, target: int, patience_seconds: float = 10.0) -> None:
        self._target = target
        self.patience_seconds = patience_seconds
        self._is_pipe = os.name == "posix" and stat.S_ISFIFO(os.fstat(target).st_mode)
        if self._is_pipe:
            _enlarge(target)

    @property
    def is_free(self) -> bool:
        """Whether something can be sent without waiting for the reader, as far as the system tells."""
        return not self._is_pipe or bool(select.select([], [self._target], [], 0)[1])

    def send(self, data: bytes) -> None:
        """Write all of it. Raises BrokenPipeError without a reader, TimeoutError when it reads nothing."""
        left = memoryview(data)
        while left:
            left = left[os.write(self._target, self._piece(left)) :]

    def _piece(self, data: memoryview) -> memoryview:
        """As much as can be written at once; of a pipe that may be full, what it takes without blocking."""
        if not self._is_pipe:
            return data
        until = time.perf_counter() + self.patience_seconds
        while not select.select([], [self._target], [], 0.1)[1]:
            if time.perf_counter() > until:
                raise TimeoutError
        return data[:_ATOMIC_BYTES]


def _enlarge(pipe: int) -> None:
    """Let a pipe hold some frames, where that can be had: Linux's default is a tenth of one."""
    if sys.platform == "linux":
        import fcntl

        with suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
