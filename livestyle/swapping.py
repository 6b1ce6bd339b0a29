"""An engine that gives way to a better one while the video runs, between two frames."""

import logging
from collections.abc import Callable
from typing import Protocol

from livestyle.engine import Engine
from livestyle.frame import Image
from livestyle.styles import StyleMix

logger = logging.getLogger(__name__)


class Upgrades(Protocol):
    """Where better engines come from."""

    def ready(self, height: int, width: int) -> Engine | None:
        """The better engine for that size, once it is there.

        Asked before each frame: it must not wait for one that is being built. Loading one takes a moment.
        """
        ...


class SwappingEngine:
    """Paints with `serving` until `upgrades` has something better for that size of frame.

    Paintings that were begun before the swap are fetched from where they were begun.
    """

    def __init__(self, serving: Engine, upgrades: Upgrades) -> None:
        self._serving = serving
        self._upgrades = upgrades
        self._better: dict[tuple[int, int], Engine] = {}
        self._current = serving

    @property
    def backend(self) -> str:
        """The backend that painted last."""
        return self._current.backend

    @property
    def in_flight(self) -> int:
        """That of the engine that painted last."""
        return self._current.in_flight

    def start(self, image: Image, style: StyleMix) -> Callable[[], Image]:
        """Begins to paint, with the best that is there."""
        self._current = self._engine(*image.shape[:2])
        return self._current.start(image, style)

    def stylize(self, image: Image, style: StyleMix) -> Image:
        """Paints an image, and waits for it."""
        return self.start(image, style)()

    def _engine(self, height: int, width: int) -> Engine:
        size = height, width
        if size in self._better:
            return self._better[size]
        better = self._upgrades.ready(height, width)
        if better is None:
            return self._serving
        logger.info("backend %s paints %dx%d from here on", better.backend, width, height)
        self._better = {size: better}  # one at a time: an engine holds much of the GPU's memory
        return better
