"""Latency truly measured: a camera that shows numbers, and a screen on which they are looked for.

Each frame carries its number in black and white fields. When a picture is on the screen its number is read
from it, painted as it is, which tells when that frame was grabbed.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import numpy as np

from livestyle.archive import Archive, Recording
from livestyle.controls import Settings
from livestyle.errors import EngineError, SinkError
from livestyle.frame import Frame, Image
from livestyle.live import Plan, Screen, Show
from livestyle.notice import Notice
from livestyle.outputs import Outputs
from livestyle.painter import Painter
from livestyle.prefetch import Background, Prefetch
from livestyle.sources import LiveSource

_BITS = 12
_CHECK_BITS = 4
_WARM_UP_SECONDS = 1.0
_MARGIN = 0.25
"""The share of a field, at each edge, that is not looked at: strokes run over edges."""

_Field: TypeAlias = tuple[slice, slice]
"""Its rows and its columns."""


class NumberedCamera:
    """A camera on whose frames a number is written, one higher each time; it knows when each was grabbed."""

    live = True

    def __init__(self, camera: LiveSource) -> None:
        self._camera = camera
        self.grabbed: dict[int, float] = {}
        """`time.perf_counter()` of each frame of the last minutes, by its number."""
        self.frames = 0

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of every frame."""
        return self._camera.size

    @property
    def fps(self) -> float:
        """The nominal frame rate."""
        return self._camera.fps

    @property
    def name(self) -> str:
        """What to call the camera in a message."""
        return self._camera.name

    @property
    def notice(self) -> str | None:
        """What is wrong at the moment."""
        return self._camera.notice

    @property
    def epoch(self) -> float:
        """`time.perf_counter()` at pts 0."""
        return self._camera.epoch

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._camera:
            number = self.frames % (1 << _BITS)
            self.frames += 1
            numbered = Frame(write_number(frame.image, number), frame.pts)
            self.grabbed[number] = self._camera.epoch + frame.pts
            yield numbered

    def close(self) -> None:
        """Close the camera."""
        self._camera.close()


class WatchedScreen:
    """A screen whose pictures are looked at: which frame it was that came on, and how old it was."""

    def __init__(self, screen: Screen, camera: NumberedCamera) -> None:
        self._screen, self._camera = screen, camera
        self.latencies: list[float] = []
        """Seconds from grabbing a frame to its being on the screen, in order; not those of the first
        second, in which everything is opened and compiled."""
        self.dropped = 0
        """Frames between two that came on, which did not."""
        self.unread = 0
        """Pictures on which no number could be read."""
        self._shown: Image | None = None
        self._last: int | None = None
        self._begins = time.perf_counter() + _WARM_UP_SECONDS

    @property
    def closed(self) -> bool:
        """Whether somebody closed it."""
        return self._screen.closed

    def area(self) -> tuple[int, int]:
        """The size (width, height) in pixels that there is room for."""
        return self._screen.area()

    def full_screen(self, on: bool) -> None:
        """Fill the screen, or not."""
        self._screen.full_screen(on)

    def drag(self) -> float | None:
        """Where the mouse was dragged to since the last call."""
        return self._screen.drag()

    def show(self, image: Image) -> None:
        """Show an image."""
        self._shown = image
        self._screen.show(image)

    def pressed(self) -> Iterable[int]:
        """Let the screen draw, then look at it."""
        keys = list(self._screen.pressed())
        now = time.perf_counter()
        if self._shown is not None:
            self._look(self._shown, now)
            self._shown = None
        return keys

    def _look(self, image: Image, now: float) -> None:
        number = read_number(image)
        grabbed = None if number is None else self._camera.grabbed.get(number)
        if number is None or grabbed is None:
            self.unread += 1
        elif number != self._last:
            if self._last is not None and now > self._begins:
                self.dropped += (number - self._last - 1) % (1 << _BITS)
                self.latencies.append(now - grabbed)
            self._last = number


@dataclass(frozen=True, slots=True)
class Latency:
    """What a show took from the camera to the screen."""

    seconds: float
    """How long it was measured."""
    frames: int
    """Frames that came on the screen."""
    dropped: int
    """Frames of the camera that did not."""
    unread: int
    percentiles: dict[str, float] = field(default_factory=dict)
    """Milliseconds by `p50`, `p95`, `p99`, and `p50_first_third`, `p50_last_third`."""


def measure(
    painter: Painter, camera: LiveSource, screen: Screen, seconds: float, *, settings: Settings, plan: Plan
) -> Latency:
    """Runs a show of `camera` on `screen` for so long, or until somebody quits it, on the main thread.

    Camera and screen are the caller's to close. Raises EngineError where nothing could be measured.
    """
    numbered = NumberedCamera(camera)
    watched = WatchedScreen(screen, numbered)
    outputs = Outputs(_no_output)
    with TemporaryDirectory() as folder, Background() as background, Prefetch(numbered) as frames:
        archive = Archive(Path(folder), _refuse, outputs, background, Notice())
        show = Show(numbered, painter, settings, replace(plan, duration=seconds), archive, watched)
        began = time.perf_counter()
        show.run(frames)
        ran = time.perf_counter() - began
    if watched.unread > len(watched.latencies):
        total = watched.unread + len(watched.latencies)
        raise EngineError(
            f"{watched.unread} of {total} numbers could not be read from the screen: "
            "choose a larger size, or another style"
        )
    if not watched.latencies:
        raise EngineError(f"no number could be read from the screen in {ran:.1f} s: measure for longer")
    return _summarize(watched, ran)


def _no_output(name: str, why: str) -> None:
    raise ValueError(f"there is no output {name} that could fail: {why}")


def _refuse(path: Path) -> Recording:
    raise SinkError(f"cannot record to {path}: a measurement keeps nothing")


def _summarize(watched: WatchedScreen, seconds: float) -> Latency:
    milliseconds = 1000 * np.array(watched.latencies)
    third = max(1, len(milliseconds) // 3)
    told = {f"p{p}": float(np.percentile(milliseconds, p)) for p in (50, 95, 99)}
    told["p50_first_third"] = float(np.median(milliseconds[:third]))
    told["p50_last_third"] = float(np.median(milliseconds[-third:]))
    return Latency(seconds, len(milliseconds), watched.dropped, watched.unread, told)


def write_number(image: Image, number: int) -> Image:
    """A copy of the image (H, W, 3) with a number of 12 bits along its lower edge, and its check sum.

    Each bit is a pair of fields, one above the other: white over black is 1, black over white 0.
    """
    numbered = image.copy()
    for place, (top, bottom) in enumerate(_fields(image)):
        bit = _coded(number) >> place & 1
        numbered[top] = 235 * bit
        numbered[bottom] = 235 * (1 - bit)
    return numbered


def read_number(image: Image) -> int | None:
    """The number on an image, painted or not; None where it cannot be read."""
    code = 0
    for place, pair in enumerate(_fields(image, _MARGIN)):
        above, below = (float(image[part].mean()) for part in pair)
        code |= (above > below) << place
    number = code & ((1 << _BITS) - 1)
    return number if _coded(number) == code else None


def _coded(number: int) -> int:
    check = sum((number >> shift) for shift in range(0, _BITS, _CHECK_BITS)) * 7 + 5
    return number | (check % (1 << _CHECK_BITS)) << _BITS


def _fields(image: Image, margin: float = 0.0) -> Iterator[tuple[_Field, _Field]]:
    """The upper and the lower field of each bit, squares along the lower edge, less a margin all around.

    They reach from side to side, but for frames too low for that.
    """
    height, width, _ = image.shape
    count = _BITS + _CHECK_BITS
    side = min(width / count, height / 2)
    for place in range(count):
        columns = _inner(place * side, side, margin)
        upper, lower = (_inner(height - rows * side, side, margin) for rows in (2, 1))
        yield (upper, columns), (lower, columns)


def _inner(start: float, length: float, margin: float) -> slice:
    return slice(round(start + margin * length), round(start + (1 - margin) * length))
