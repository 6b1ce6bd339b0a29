"""Being told to stop, in whatever way, as Ctrl-C: what was painted by then is kept."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType


@dataclass
class Stop:
    """Which signal came."""

    number: int = signal.SIGINT

    @property
    def status(self) -> int:
        """The exit status that shells give a command which that signal stopped."""
        return 128 + self.number


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Makes the signals that ask a program to end raise KeyboardInterrupt, as Ctrl-C does."""
    stop = Stop()

    def interrupt(number: int, _: FrameType | None) -> None:
        stop.number = number
        raise KeyboardInterrupt

    asking = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, interrupt) for number in asking}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
