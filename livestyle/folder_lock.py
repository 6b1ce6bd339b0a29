"""A folder that one process works in at a time."""

import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from livestyle.errors import SinkError

logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.2


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold a folder until this ends, or its process does, however it ends. Raises SinkError where it is held.

    Where the system cannot tell, as on some network drives, it is not held.
    """
    with _lock(folder) as ours:
        if not ours:
            raise SinkError(
                f"another livestyle batch works in {folder}: wait for it, or choose another folder"
            )
        yield


@contextmanager
def in_turn(folder: Path, what: str) -> Iterator[None]:
    """As `alone_in`, but waits for those who hold the folder, and says so: `what` is what they do there."""
    told = False
    while True:
        with _lock(folder) as ours:
            if ours:
                yield
                return
        if not told:
            logger.info("another livestyle %s: waiting for it", what)
            told = True
        time.sleep(_POLL_SECONDS)


if sys.platform == "win32":
    import msvcrt

    @contextmanager
    def _lock(folder: Path) -> Iterator[bool]:
        path, held, ours = folder / ".livestyle.lock", -1, True
        try:
            held = os.open(path, os.O_RDWR | os.O_CREAT)
            msvcrt.locking(held, msvcrt.LK_NBLCK, 1)
        except OSError:
            ours = held < 0  # nobody may write there, which is told when something is written
        try:
            yield ours
        finally:
            if held >= 0:
                os.close(held)
            with suppress(OSError):  # while another process has it open, it stays
                path.unlink()

else:
    import fcntl

    @contextmanager
    def _lock(folder: Path) -> Iterator[bool]:
        ours, held = True, -1
        try:
            held = os.open(folder, os.O_RDONLY)
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            ours = False
        except OSError:  # nobody may read the folder, or its file system has no locks
            pass
        try:
            yield ours
        finally:
            if held >= 0:
                os.close(held)
