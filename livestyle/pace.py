"""A constant frame rate out of a varying one: frames are left out, or shown again."""

import logging
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from math import ceil

from livestyle.frame import Frame

logger = logging.getLogger(__name__)

_TOLERANCE = Fraction(1, 1000)
"""In seconds: some files count in milliseconds, which must not make a frame miss its turn. Less where turns
are closer together."""
_LONGEST_SECONDS = 3600.0
"""Of a gap that is filled: what states a longer one is damaged."""


def at_rate(
    frames: Iterable[Frame],
    paint: Callable[[Iterable[Frame]], Iterable[Frame]],
    rate: Fraction,
    last_seconds: float,
    reason: str = "",
) -> Iterator[Frame]:
    """The frames at `rate` frames a second, each painted once however often it is shown.

    `last_seconds` is how long the last one is seen. A `reason` is logged, with the numbers of frames, where
    they are not the same.
    """
    came = shown = 0

    def counted() -> Iterator[Frame]:
        nonlocal came
        for frame in frames:
            came += 1
            yield frame

    for frame in fill_up(paint(thin_out(counted(), rate, last_seconds)), rate, last_seconds):
        shown += 1
        yield frame
    if reason and came != shown:
        logger.warning("%s: %d frames became %d", reason, came, shown)


def thin_out(frames: Iterable[Frame], rate: Fraction, last_seconds: float) -> Iterator[Frame]:
    """The frames that are seen at `rate` frames a second, each at the first of its turns.

    A frame is seen at a turn when it is the last one by then; the last of all for `last_seconds`. What is
    left out need not be painted.
    """
    tolerance = min(_TOLERANCE, 1 / (2 * rate))
    waiting: Frame | None = None
    turn = 0
    for frame in frames:
        next_turn = max(0, ceil((Fraction(frame.pts) - tolerance) * rate))
        if waiting is None:
            turn = next_turn
        elif next_turn > turn:
            yield Frame(waiting.image, float(turn / rate))
            turn = next_turn
        waiting = frame
    if waiting is not None and (turn == 0 or turn / rate < waiting.pts + last_seconds - tolerance):
        yield Frame(waiting.image, float(turn / rate))


def fill_up(frames: Iterable[Frame], rate: Fraction, last_seconds: float) -> Iterator[Frame]:
    """The frames, each shown again at every turn until the next one comes.

    `last_seconds` is how long the last one is seen. Frames are at whole turns, as `thin_out` gives them. A
    gap of more than an hour is not filled.
    """
    waiting: Frame | None = None
    for frame in frames:
        if waiting is not None:
            gap = frame.pts - waiting.pts
            yield from _shown(waiting, round(gap * rate) if gap < _LONGEST_SECONDS else 1, rate)
        waiting = frame
    if waiting is not None:
        yield from _shown(waiting, max(1, round(last_seconds * rate)), rate)


def _shown(frame: Frame, turns: int, rate: Fraction) -> Iterator[Frame]:
    first = round(frame.pts * rate)
    for turn in range(first, first + turns):
        yield Frame(frame.image, float(turn / rate))
