"""Another frame rate than the one that came: frames are left out, or shown again."""

import logging
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from math import ceil, floor, inf

from livestyle.frame import Frame

logger = logging.getLogger(__name__)

_TOLERANCE = Fraction(1, 1000)
"""In seconds: some files count in milliseconds, which must not make a frame miss its turn. Less where turns
are closer together."""
_LONGEST_SECONDS = 3600.0
"""Of a gap that is filled: what states a longer one is damaged."""


def exact_rate(fps: float | Fraction) -> Fraction:
    """What is meant by frames a second that were rounded: 30000/1001 by 29.97, 1/3600 by one an hour."""
    exact = Fraction(fps)
    return exact.limit_denominator(1001) if exact >= 1 else 1 / (1 / exact).limit_denominator(1001)


def at_rate(
    frames: Iterable[Frame],
    paint: Callable[[Iterable[Frame]], Iterable[Frame]],
    rate: Fraction,
    last_seconds: Callable[[], float],
    reason: str = "",
    *,
    until_seconds: float = inf,
) -> Iterator[Frame]:
    """The frames at `rate` frames a second, each painted once however often it is shown.

    `last_seconds` tells, once all have come, how long the last one is seen, but none is after the pts
    `until_seconds`: it is shown again where that is nearer to it. A `reason` is logged, with the numbers of
    frames, where they are not the same.
    """
    came = shown = 0
    last = 0.0

    def counted() -> Iterator[Frame]:
        nonlocal came, last
        for frame in frames:
            came += 1
            last = frame.pts
            yield frame

    def end() -> float:
        return _end_turn(last, min(last + last_seconds(), until_seconds), rate) / float(rate)

    for frame in fill_up(paint(thin_out(counted(), rate, end)), rate, end):
        shown += 1
        yield frame
    _tell(reason, came, shown)


def at_most(
    frames: Iterable[Frame],
    paint: Callable[[Iterable[Frame]], Iterable[Frame]],
    rate: Fraction,
    last_seconds: Callable[[], float],
    reason: str = "",
) -> Iterator[Frame]:
    """The frames at their own times, but never closer together than at `rate`; each is painted once.

    `last_seconds` and `reason` are those of `at_rate`.
    """
    came = shown = 0
    last = 0.0

    def counted() -> Iterator[Frame]:
        nonlocal came, last
        for frame in frames:
            came += 1
            last = frame.pts
            yield frame

    for frame in paint(keep_apart(counted(), float(1 / rate), lambda: last + last_seconds())):
        shown += 1
        yield frame
    _tell(reason, came, shown)


def keep_apart(frames: Iterable[Frame], seconds: float, end: Callable[[], float]) -> Iterator[Frame]:
    """The frames at least `seconds` apart.

    One that comes sooner is shown later; where the next one has come by then, that is shown in its place. Of
    the last one `end` tells, once all have come, up to which pts it is seen: it is left out where that is not
    half of `seconds`.
    """
    shown = -inf
    late: Frame | None = None
    for frame in frames:
        if late is not None and frame.pts > late.pts:
            yield late
            shown, late = late.pts, None
        if frame.pts >= shown + seconds:
            yield frame
            shown, late = frame.pts, None
        else:
            late = Frame(frame.image, max(frame.pts, shown + seconds))
    if late is not None and late.pts + seconds / 2 <= end():
        yield late


def thin_out(frames: Iterable[Frame], rate: Fraction, end: Callable[[], float]) -> Iterator[Frame]:
    """The frames that are seen at `rate` frames a second, each at the first of its turns.

    A frame is seen at a turn when it is the last one by then; `end` tells, once all have come, the pts up to
    which the last one is seen. What is left out need not be painted.
    """
    waiting: Frame | None = None
    turn = 0
    for frame in frames:
        next_turn = _turn(frame.pts, rate)
        if waiting is None:
            turn = next_turn
        elif next_turn > turn:
            yield Frame(waiting.image, float(turn / rate))
            turn = next_turn
        waiting = frame
    if waiting is not None and (turn == 0 or turn < _turn(end(), rate)):
        yield Frame(waiting.image, float(turn / rate))


def fill_up(frames: Iterable[Frame], rate: Fraction, end: Callable[[], float]) -> Iterator[Frame]:
    """The frames, each shown again at every turn until the next one comes, the last one until `end`.

    Frames are at whole turns, as `thin_out` gives them. A gap of more than an hour is not filled.
    """
    waiting: Frame | None = None
    for frame in frames:
        if waiting is not None:
            yield from _shown(waiting, round(frame.pts * rate), rate)
        waiting = frame
    if waiting is not None:
        yield from _shown(waiting, _turn(end(), rate), rate)


def _tell(reason: str, came: int, shown: int) -> None:
    if reason and came != shown:
        logger.warning("%s: %d frames became %d", reason, came, shown)


def _turn(pts: float, rate: Fraction) -> int:
    """The first turn from that moment on."""
    tolerance = min(_TOLERANCE, 1 / (2 * rate))
    return max(0, ceil((Fraction(pts) - tolerance) * rate))


def _end_turn(pts: float, end: float, rate: Fraction) -> int:
    """The turn up to which a last frame is shown: those after its first one are half seen at least."""
    first = min(_turn(pts, rate) + 1, _turn(end, rate))
    return max(first, floor(Fraction(end) * rate + Fraction(1, 2)))


def _shown(frame: Frame, until: int, rate: Fraction) -> Iterator[Frame]:
    """The frame at its turn, and at those after it before the turn `until`."""
    first = round(frame.pts * rate)
    turns = until - first if (until - first) / rate < _LONGEST_SECONDS else 1
    for turn in range(first, first + max(1, turns)):
        yield Frame(frame.image, float(turn / rate))
