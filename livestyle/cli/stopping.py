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

    before = {number: signal.signal(number, interrupt) for number in _asking("SIGTERM", "SIGHUP")}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def unstoppable() -> Iterator[None]:
    """Puts off Ctrl-C, and what else asks a program to end, until the block is done: on the main thread.

    For libraries that call Python back and do not pass its exceptions on.
    """
    came: list[int] = []
    asking = _asking("SIGINT", "SIGTERM", "SIGHUP")
    before = {number: signal.signal(number, lambda told, _: came.append(told)) for number in asking}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        signal.raise_signal(came[0])


def _asking(*names: str) -> list[signal.Signals]:
    """Those of these signals that the system has."""
    return [getattr(signal, name) for name in names if hasattr(signal, name)]
