"""The live show: a camera's frames painted as they come, keys obeyed, any number of outputs fed."""

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from livestyle import defaults
from livestyle.archive import Archive
from livestyle.controls import Settings, next_style, press
from livestyle.fade import Fade
from livestyle.frame import Frame, Image
from livestyle.hud import Meters, decorate
from livestyle.painter import Painted, Painter
from livestyle.prefetch import Prefetch
from livestyle.sinks.window import across, fit
from livestyle.sources import LiveSource
from livestyle.working_size import WorkingSize, adapt

logger = logging.getLogger(__name__)

_PATIENCE = 0.008
"""Seconds to wait for a frame before keys are listened for: a window keeps only the last one that came."""
_REDRAWN_AFTER = 0.05
"""Seconds without a frame after which the picture is shown again, with what there is to tell."""


class Screen(Protocol):
    """What shows the video and hears the keys; for the main thread."""

    @property
    def closed(self) -> bool:
        """Whether somebody closed it."""
        ...

    def drag(self) -> float | None:
        """Where the mouse was dragged to since the last call, as a share of the area's width; None if it was
        not.
        """
        ...

    def area(self) -> tuple[int, int]:
        """The size (width, height) in pixels that there is room for."""
        ...

    def full_screen(self, on: bool) -> None:
        """Fill the screen, or not."""
        ...

    def show(self, image: Image) -> None:
        """Show an image."""
        ...

    def pressed(self) -> Iterable[int]:
        """Draw, listen, and give the codes of the keys that were pressed."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What a show keeps to from its beginning to its end."""

    target_fps: float
    """The rate that automatic quality holds; 0 leaves the quality as it is."""
    fade_seconds: float = defaults.FADE_SECONDS
    """How long a style takes to become the next one."""
    tour_seconds: float = defaults.TOUR_SECONDS
    """How long a style stays on a tour."""
    duration: float = float("inf")
    """Seconds after which the show ends by itself."""


class Show:
    """One show: what is on the screen now, and how it goes on. Its parts are its maker's to close."""

    def __init__(
        self,
        source: LiveSource,
        painter: Painter,
        settings: Settings,
        plan: Plan,
        archive: Archive,
        screen: Screen | None,
    ) -> None:
        self.settings = settings
        self.meters = Meters(source.size, painter.engine.backend)
        self._source, self._painter, self._plan = source, painter, plan
        self._archive, self._screen = archive, screen
        self._fade = Fade.still(settings.mix)
        self._last: Painted | None = None
        self._quality = WorkingSize()
        self._composed: Image | None = None
        self._toured = self._drawn = time.perf_counter()

    def run(self, frames: Prefetch) -> None:
        """Paint until somebody quits, closes the window, the time is over or the camera ends.

        Without a screen only as long as there is an output.
        """
        self._begin()
        until = time.perf_counter() + self._plan.duration
        while self._is_wanted and not frames.ended and time.perf_counter() <= until:
            frame = frames.newest(_PATIENCE)
            began = time.perf_counter()
            if frame is not None:
                self._paint(frame, began)
            if frame is not None or began - self._drawn > _REDRAWN_AFTER:
                self._display()
            self._listen()
            if frame is not None:
                self._measure(frame, began, frames.dropped)

    @property
    def failed(self) -> bool:
        """Whether an output or a recording failed; known when all are closed."""
        return self._archive.outputs.failed

    @property
    def _is_wanted(self) -> bool:
        """Whether somebody sees what is painted, and wants to."""
        return not self.settings.quit and (self._screen is not None or len(self._archive.outputs) > 0)

    def _begin(self) -> None:
        if self._screen is not None:
            self._screen.full_screen(self.settings.full_screen)
        if self.settings.recording:
            self._archive.record(True)

    def _paint(self, frame: Frame, now: float) -> None:
        if self.settings.frozen and self._composed is not None:
            self._archive.outputs.offer(Frame(self._composed, frame.pts))
            return
        if self.settings.original:
            painted, self._last = frame.image, None
        else:
            painter = self._painter_at(now)
            painted, self._last = painter.paint_next(frame.image, self._last, self.settings.steady)
        self._composed = _split(frame.image, painted, self.settings)
        self._archive.outputs.offer(Frame(self._composed, frame.pts))

    def _painter_at(self, now: float) -> Painter:
        settings = self.settings
        # a frame earlier, so that the first frame after the key is the first one that has changed
        self._fade = self._fade.to(settings.mix, now - 1 / self._source.fps, self._plan.fade_seconds)
        return replace(
            self._painter,
            style=self._fade.at(now),
            strength=settings.strength,
            keep_colors=settings.keep_colors,
            stroke_size=settings.stroke_size,
            working_scale=self._quality.scale,
        )

    def _display(self) -> None:
        """Show what there is."""
        self._drawn = time.perf_counter()
        if self._screen is not None and self._composed is not None:
            picture = self._composed[:, ::-1] if self.settings.mirror else self._composed
            picture = fit(np.ascontiguousarray(picture), self._screen.area())
            notice = self._source.notice or self._archive.notice.text
            self._screen.show(decorate(picture, self.settings, self.meters, notice))

    def _listen(self) -> None:
        """Obey keys, the mouse, whoever closes the window, and the clock of a tour."""
        recording = self._archive.recording  # a full disk may have ended it
        self.settings = replace(self.settings, recording=recording)
        if self._screen is not None:
            for code in self._screen.pressed():
                self._change(press(self.settings, code))
            dragged = self._screen.drag()
            if dragged is not None:
                at = across(dragged, self._source.size, self._screen.area())
                self.settings = replace(self.settings, split_at=1 - at if self.settings.mirror else at)
            if self._screen.closed:
                self.settings = replace(self.settings, quit=True)
        now = time.perf_counter()
        if not self.settings.touring:
            self._toured = now
        elif now - self._toured >= self._plan.tour_seconds:
            self._toured = now
            self._change(next_style(self.settings))

    def _change(self, new: Settings) -> None:
        """Do what a difference between the old and the new settings asks for."""
        old, self.settings = self.settings, new
        if new.snapshots != old.snapshots and self._composed is not None:
            self._archive.snapshot(self._composed, str(new.mix))
        if new.recording != old.recording:
            self._archive.record(new.recording)
        if new.full_screen != old.full_screen and self._screen is not None:
            self._screen.full_screen(new.full_screen)

    def _measure(self, frame: Frame, began: float, dropped: int) -> None:
        now = time.perf_counter()
        self.meters.frame(now - (self._source.epoch + frame.pts), dropped)
        self.meters.backend = self._painter.engine.backend  # TensorRT may have taken over
        if self._plan.target_fps and not self.settings.original and not self.settings.frozen:
            before = self._quality.scale
            self._quality = adapt(self._quality, now - began, 1 / self._plan.target_fps, now)
            if self._quality.scale != before:
                self.meters.working_scale = self._quality.scale
                logger.info("working size: %s", self.meters.working_size)


def _split(image: Image, painted: Image, settings: Settings) -> Image:
    """The original on the left of the line, as the settings say, and the painting on the right."""
    if not settings.split:
        return painted
    column = round(settings.split_at * image.shape[1])
    composed = painted.copy()
    composed[:, :column] = image[:, :column]
    composed[:, max(column - 1, 0) : column + 1] = 255
    return composed
