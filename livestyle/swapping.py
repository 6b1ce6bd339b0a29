"""An engine that gives way to a better one while the video runs, between two frames."""

import logging
from collections.abc import Callable
from typing import Protocol

from livestyle.engine import Engine
from livestyle.errors import NoMemoryError
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

    def give_up(self) -> bool:
        """Frees the memory of better engines; False where there is none to free."""
        ...


class SwappingEngine:
    """Paints with `serving` until `upgrades` has something better for that size of frame.

    Paintings that were begun before the swap are fetched from where they were begun.
    """

    def __init__(self, serving: Engine, upgrades: Upgrades) -> None:
        self._serving = serving
        self._upgrades = upgrades
        self._told: set[tuple[int, int]] = set()
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
        """Begins to paint, with the best that is there and has the memory for it."""
        self._current = self._serving  # while another is loaded, nothing here keeps the one before
        better = self._upgrades.ready(*image.shape[:2])
        if better is not None:
            self._tell(better, *image.shape[:2])
            self._current = better
            return better.start(image, style)
        try:
            return self._serving.start(image, style)
        except NoMemoryError:
            if not self._upgrades.give_up():
                raise
        return self._serving.start(image, style)

    def stylize(self, image: Image, style: StyleMix) -> Image:
        """Paints an image, and waits for it."""
        return self.start(image, style)()

    def _tell(self, better: Engine, height: int, width: int) -> None:
        if (height, width) not in self._told:
            self._told.add((height, width))
            logger.info("backend %s paints %dx%d from here on", better.backend, width, height)
