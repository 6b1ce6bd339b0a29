"""From a frame to what is shown of it: the network's painting, blended with the original."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from livestyle import defaults
from livestyle.architecture import MIN_SIDE
from livestyle.errors import SourceError
from livestyle.steady import SteadyState, steady

if TYPE_CHECKING:
    from livestyle.engine import Engine
    from livestyle.frame import Image
    from livestyle.styles import StyleMix


@dataclass(frozen=True, slots=True)
class Painter:
    """Paints images in one way. Call it with an image (H, W, 3); it gives one of the same size."""

    engine: Engine
    style: StyleMix
    strength: float = 1.0
    """How much of the painting is seen: 0 is the original, 1 the painting alone."""
    keep_colors: bool = False
    """Whether the painting lends its luminance only, and the colours stay the original's."""

    def __call__(self, image: Image) -> Image:
        """Paints an image by itself. Raises SourceError where it is smaller than the network can paint."""
        return image if self.strength == 0 else self._blend(image, self._stylize(image))

    def follow(
        self, image: Image, state: SteadyState | None, amount: float
    ) -> tuple[Image, SteadyState | None]:
        """Paints the next frame of a video steadily: `livestyle.steady` says what state and amount are."""
        if self.strength == 0:
            return image, None
        painted, state = steady(image, self._stylize, state, amount)
        return self._blend(image, painted), state

    def _stylize(self, image: Image) -> Image:
        height, width, _ = image.shape
        if min(height, width) < MIN_SIDE:
            raise SourceError(
                f"cannot paint {width}x{height}: the smallest is {MIN_SIDE}x{MIN_SIDE}; enlarge it"
            )
        return self.engine.stylize(image, self.style)

    def _blend(self, image: Image, painted: Image) -> Image:
        if self.keep_colors:
            painted = with_colors_of(image, painted)
        return painted if self.strength == 1 else blend(image, painted, self.strength)


class VideoPainter:
    """Paints the frames of one video, one after the other, without flicker."""

    def __init__(self, painter: Painter, amount: float = defaults.STEADY) -> None:
        """`amount` is how steady the painting is kept, 0 to 1."""
        self._painter = painter
        self._amount = amount
        self._state: SteadyState | None = None

    def __call__(self, image: Image) -> Image:
        """Paints the next frame."""
        painted, self._state = self._painter.follow(image, self._state, self._amount)
        return painted


def blend(image: Image, painted: Image, strength: float) -> Image:
    """The weighted mean of two images of one size; `strength` is the share of the second."""
    return np.asarray(cv2.addWeighted(painted, strength, image, 1 - strength, 0), np.uint8)


def with_colors_of(image: Image, painted: Image) -> Image:
    """The luminance of `painted` with the chrominance of `image`, of one size (Gatys et al. 2016, colour)."""
    mixed = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)
    mixed[..., 0] = cv2.cvtColor(painted, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.cvtColor(mixed, cv2.COLOR_YCrCb2RGB), np.uint8)
