"""What is on the screen: a camera for games, calls and everything else that somebody looks at."""

import os
import re
import sys
from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import count

import cv2
import mss
import numpy as np

from livestyle.errors import SourceError, in_one_line
from livestyle.frame import Frame, Image
from livestyle.sources.pacing import Pace
from livestyle.sources.scaling import scaled

_SPEC = re.compile(r"screen(?::(?P<number>\d{1,3})|:(?P<region>-?\d{1,6},-?\d{1,6},\d{1,6}x\d{1,6}))?")

_Area = dict[str, int]
"""Left, top, width and height in the pixels of all monitors together."""
_ADVICE = {
    "linux": "log in to an X11 session, for Wayland shows its screen to no program",
    "darwin": "allow it in the system's settings, privacy, screen recording",
}


class ScreenSource:
    """The screen at `fps` by the wall clock, scaled to `size` (width, height), or as large as it is.

    `spec` is `screen`, the main monitor; `screen:2`, the second; or `screen:100,50,1280x720`, so many pixels
    from the left and from the top, and how large. Raises `SourceError`.
    """

    live = True
    notice: str | None = None

    def __init__(
        self, spec: str = "screen", *, size: tuple[int, int] | None = None, fps: float | None = None
    ) -> None:
        self.name = spec
        self.fps = fps or 30.0
        try:
            with closing(mss.MSS()) as screen:
                self._area = _area(spec, screen)
                image = _grab(screen, self._area)
        except mss.ScreenShotError as error:
            raise SourceError(f"cannot see the screen: {_why(error)}") from error
        if os.environ.get("WAYLAND_DISPLAY") and not image.any():
            raise SourceError(f"cannot see the screen: it is all black; {_ADVICE['linux']}")
        self.size = size or (image.shape[1], image.shape[0])  # on a Mac more pixels than the system says
        self._pace = Pace()
        self.epoch = self._pace.epoch
        self._frames = self._look()

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames, each when it is due."""
        return self._frames

    def close(self) -> None:
        """End the iteration; safe to call twice, and from any thread."""
        self._pace.end(self._frames, lambda: None)

    def _look(self) -> Generator[Frame, None, None]:
        try:
            with closing(mss.MSS()) as screen:  # on Windows it belongs to the thread that opened it
                for index in count():
                    pts = self._pace.wait(index / self.fps, 1 / self.fps)
                    if self._pace.stopped:
                        return
                    yield Frame(scaled(_grab(screen, self._area), self.size), pts)
        except mss.ScreenShotError as error:
            raise SourceError(f"cannot see the screen any more: {_why(error)}") from error


def _area(spec: str, screen: mss.MSS) -> _Area:
    """Where on the screen to look. Raises SourceError where there is no such place."""
    asked = _SPEC.fullmatch(spec)
    if asked is None:
        raise SourceError(f"cannot see {spec!r}: write screen, screen:2 or screen:100,50,1280x720")
    everything, *monitors = screen.monitors
    if asked["number"]:
        number = int(asked["number"])
        if not 1 <= number <= len(monitors):
            sizes = ", ".join(f"{i} ({_told(monitor)})" for i, monitor in enumerate(monitors, 1))
            raise SourceError(f"cannot see {spec}: there is {sizes}; name one of these by number")
        return _place(monitors[number - 1])
    if asked["region"] is None:
        return _place(screen.primary_monitor)
    left, top, width, height = map(int, re.findall(r"-?\d+", asked["region"]))
    area = {"left": left, "top": top, "width": width, "height": height}
    if min(width, height) < 1 or not _lies_in(area, _place(everything)):
        raise SourceError(f"cannot see {spec}: there is {_told(everything)}; choose a part of that")
    return area


def _place(monitor: dict[str, int]) -> _Area:
    return {name: int(monitor[name]) for name in ("left", "top", "width", "height")}


def _lies_in(area: _Area, outer: _Area) -> bool:
    return all(
        outer[start] <= area[start] and area[start] + area[length] <= outer[start] + outer[length]
        for start, length in (("left", "width"), ("top", "height"))
    )


def _told(monitor: dict[str, int]) -> str:
    return "{left},{top},{width}x{height}".format(**monitor)


def _grab(screen: mss.MSS, area: _Area) -> Image:
    shot = screen.grab(area)
    bgra = np.frombuffer(shot.raw, np.uint8).reshape(shot.height, shot.width, 4)
    return np.asarray(cv2.cvtColor(bgra, cv2.COLOR_BGRA2RGB), np.uint8)


def _why(error: Exception) -> str:
    advice = _ADVICE.get(sys.platform, "try a monitor by number, as screen:1")
    return f"{in_one_line(error).lower()}; {advice}"
