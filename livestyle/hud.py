"""What a show tells about itself: its numbers and its keys."""

import time
from collections import deque

from livestyle import defaults, overlay
from livestyle.controls import KEYS, Settings
from livestyle.frame import Image
from livestyle.timing import Clock, Rate

_REFRESH_SECONDS = 0.25
"""How often the numbers change: faster cannot be read."""


class Meters:
    """The rates and times of a show. For one thread."""

    def __init__(self, size: tuple[int, int], backend: str = "") -> None:
        self.size = size
        self.backend = backend
        self.working_scale = 1.0
        self.frames = 0
        """Frames painted."""
        self.dropped = 0
        """Frames of the camera that newer ones replaced."""
        self.latency = Clock()
        """From grabbing a frame to its painting on the screen."""
        self._painted = Rate()
        self._captured: deque[tuple[float, int]] = deque(maxlen=120)
        self._lines: tuple[float, list[str]] = (0.0, [])

    def frame(self, latency: float, dropped: int) -> None:
        """Take note of one frame that was shown `latency` seconds after it was grabbed."""
        self.frames += 1
        self.dropped = dropped
        self.latency.add(latency)
        self._painted.tick()
        self._captured.append((time.perf_counter(), self.frames + dropped))

    @property
    def painted_fps(self) -> float:
        """Frames painted per second, over the last seconds."""
        return self._painted.fps

    @property
    def captured_fps(self) -> float:
        """Frames the camera gave per second, over the last seconds."""
        if len(self._captured) < 2:
            return 0.0
        (then, before), (now, after) = self._captured[0], self._captured[-1]
        return (after - before) / (now - then) if now > then else 0.0

    @property
    def working_size(self) -> str:
        """What the network is given: `640x480`."""
        width, height = (round(side * self.working_scale) for side in self.size)
        return f"{width}x{height}"

    def lines(self, settings: Settings) -> list[str]:
        """The numbers in words, renewed a few times a second."""
        now = time.perf_counter()
        if now - self._lines[0] > _REFRESH_SECONDS:
            self._lines = now, self._describe(settings)
        return self._lines[1]

    def _describe(self, settings: Settings) -> list[str]:
        p50, p95 = (self.latency.percentile_milliseconds(p) for p in (50, 95))
        size = f"{self.size[0]}x{self.size[1]}"
        working = "" if self.working_scale == 1 else f", painted at {self.working_size}"
        return [
            in_words(settings),
            f"{self.painted_fps:.1f} fps painted, {self.captured_fps:.1f} captured, {self.dropped} dropped",
            f"latency {p50:.0f} ms, 95 % below {p95:.0f} ms",
            f"{size}{working}, {self.backend}",
        ]


def in_words(settings: Settings) -> str:
    """The style, and what of it differs from the ordinary."""
    mix = settings.mix
    style = " + ".join(
        name if len(mix.parts) == 1 else f"{name} {100 * weight:.0f} %" for name, weight in mix.parts
    )
    extras = [
        f"strength {100 * settings.strength:.0f} %" if settings.strength < 1 else "",
        f"steady {100 * settings.steady:.0f} %" if settings.steady != defaults.STEADY else "",
        f"strokes x{settings.stroke_size:.2g}" if settings.stroke_size != 1 else "",
        "own colours" if settings.keep_colors else "",
        "original" if settings.original else "",
        "frozen" if settings.frozen else "",
        "tour" if settings.touring else "",
    ]
    return ", ".join([style, *(extra for extra in extras if extra)])


def decorate(picture: Image, settings: Settings, meters: Meters, notice: str) -> Image:
    """The picture with what is to be written over it; the picture itself where that is nothing."""
    lines = meters.lines(settings) if settings.hud else []
    if settings.recording and not lines:
        lines = ["REC"]
    if not (lines or settings.help or notice):
        return picture
    picture = picture.copy()
    overlay.write_top_left(picture, lines, dot=settings.recording)
    if settings.help:
        overlay.write_table(picture, key_table(settings.names))
    if notice:
        overlay.write_bottom(picture, notice)
    return picture


def key_table(names: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """Every key with what it does; the number keys with the names of their styles."""
    rows = []
    for key in KEYS:
        place = (int(key.name) - 1) % 10 if key.name.isdigit() else None
        if place is None or not names:
            rows.append((key.name, key.does))
        elif place < len(names):
            rows.append((key.name, names[place]))
    return rows
