"""Frames that come at their times by the wall clock, as a camera's do."""

import time
from collections.abc import Callable, Generator
from typing import Any

_SLICE_SECONDS = 0.05  # how soon a pause notices that it is over


class Pace:
    """Holds each frame back until its time. `stop` may be called from any thread."""

    def __init__(self) -> None:
        self.epoch = time.perf_counter()
        """`time.perf_counter()` at pts 0: now. A source that is read later begins at a later pts."""
        self.stopped = False
        self._behind = 0.0

    def stop(self) -> None:
        """End the pause that is under way, and every later one."""
        self.stopped = True

    def end(self, frames: Generator[Any, None, None], release: Callable[[], None]) -> None:
        """Stop, end `frames`, which are read at this pace, and release what they come from.

        Where they run on another thread they end there within a frame, and release it themselves.
        """
        self.stop()
        try:
            frames.close()
        except ValueError:
            return
        release()

    def wait(self, pts: float, tolerance_seconds: float) -> float:
        """Pause until `pts`; return the pts that the frame has now.

        That is `pts`, later only by what the source has lagged behind so far: a frame that is late by more
        than the tolerance sets the clock back, so that those after it come at their pace, not in a burst.
        """
        lag = time.perf_counter() - self.epoch - (pts + self._behind)
        if lag > tolerance_seconds:
            self._behind += lag
        self.pause(pts + self._behind - (time.perf_counter() - self.epoch))
        return pts + self._behind

    def pause(self, seconds: float) -> None:
        """Sleep, unless stopped."""
        until = time.perf_counter() + seconds
        while not self.stopped and (left := until - time.perf_counter()) > 0:
            time.sleep(min(left, _SLICE_SECONDS))
