"""Where a part of a video begins: with the frame that is seen then."""

from collections.abc import Callable
from fractions import Fraction
from typing import cast

from av.container import InputContainer
from av.format import Flags
from av.video.frame import VideoFrame

TOLERANCE = Fraction(1, 1000)
"""In seconds: some files count in milliseconds."""
UNSEEN = Fraction(1, 20)
"""Seconds: as long as nobody sees whether a picture stands."""


def moment_of(frame: VideoFrame) -> Fraction | None:
    """When it is shown, in seconds by the clock of its video; None where nothing tells."""
    return None if frame.pts is None or frame.time_base is None else frame.pts * frame.time_base


def is_before(moment: Fraction, frame: VideoFrame) -> bool:
    """Whether the frame is known to be shown later than that."""
    own = moment_of(frame)
    return own is not None and moment < own


def seeks_exactly(container: InputContainer) -> bool:
    """Whether one can tell where seeking led: not where clocks may begin anew, nor in AVI, without times."""
    return container.format.name != "avi" and not container.format.flags & cast(int, Flags.ts_discont.value)


def is_seen(
    frame: VideoFrame,
    following: VideoFrame | None,
    begin: Fraction,
    end: Fraction | None,
    end_of_last: Callable[[Fraction], Fraction],
) -> bool:
    """Whether the last frame before a part belongs to it, as what is on the screen when it begins.

    At usual rates it does not, and the part has their pace from its first frame on: only where nothing new
    would be seen for long, or, with no other frame before `end`, at all. `end_of_last` says until when the
    last frame of the video is shown, which begins at that moment.
    """
    moment = moment_of(frame if following is None else following)
    if moment is None:
        return False
    if following is None:
        return end_of_last(moment) > begin + TOLERANCE
    return moment > begin + UNSEEN or (end is not None and moment >= end - TOLERANCE)
