"""Ctrl-C while a network trains: the step is finished first, so that what is kept is whole."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from train.metrics import OnStep


@contextmanager
def between_steps(on_step: OnStep) -> Iterator[OnStep]:
    """What is to hear of each step: after a Ctrl-C it raises KeyboardInterrupt; a second one does at once."""
    asked = False

    def ask(*_: int | FrameType | None) -> None:
        nonlocal asked
        asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def hear(step: int, terms: dict[str, float]) -> None:
        on_step(step, terms)
        if asked:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield hear
    finally:
        signal.signal(signal.SIGINT, before)
