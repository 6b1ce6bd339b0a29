"""A constant frame rate out of a varying one: frames are left out, or shown again."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from math import ceil

from livestyle.frame import Frame

_TOLERANCE = Fraction(1, 1000)
"""In seconds: some files count in milliseconds, which must not make a frame miss its turn."""


def thin_out(frames: Iterable[Frame], rate: Fraction, last_seconds: float) -> Iterator[Frame]:
    """The frames that are seen at `rate` frames a second, each at the first of its turns.

    A frame is seen at a turn when it is the last one by then; the last of all for `last_seconds`. What is
    left out need not be painted.
    """
    waiting: Frame | None = None
    turn = 0
    for frame in frames:
        next_turn = max(0, ceil((Fraction(frame.pts) - _TOLERANCE) * rate))
        if waiting is None:
            turn = next_turn
        elif next_turn > turn:
            yield Frame(waiting.image, float(turn / rate))
            turn = next_turn
        waiting = frame
    if waiting is not None and (turn == 0 or turn / rate < waiting.pts + last_seconds - _TOLERANCE):
        yield Frame(waiting.image, float(turn / rate))


def fill_up(frames: Iterable[Frame], rate: Fraction, last_seconds: float) -> Iterator[Frame]:
    """The frames, each shown again at every turn until the next one comes.

    `last_seconds` is how long the last one is seen. Frames are at whole turns, as `thin_out` gives them.
    """
    waiting: Frame | None = None
    for frame in frames:
        if waiting is not None:
            yield from _shown(waiting, round((frame.pts - waiting.pts) * rate), rate)
        waiting = frame
    if waiting is not None:
        yield from _shown(waiting, max(1, round(last_seconds * rate)), rate)


def _shown(frame: Frame, turns: int, rate: Fraction) -> Iterator[Frame]:
    first = round(frame.pts * rate)
    for turn in range(first, first + turns):
        yield Frame(frame.image, float(turn / rate))
