"""From a frame to what is shown of it: the network's painting, blended with the original."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from livestyle.architecture import MIN_SIDE
from livestyle.errors import SourceError

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
        """Paints an image. Raises SourceError where it is smaller than the network can paint."""
        height, width, _ = image.shape
        if min(height, width) < MIN_SIDE:
            raise SourceError(
                f"cannot paint {width}x{height}: the smallest is {MIN_SIDE}x{MIN_SIDE}; enlarge it"
            )
        if self.strength == 0:
            return image
        painted = self.engine.stylize(image, self.style)
        if self.keep_colors:
            painted = with_colors_of(image, painted)
        return painted if self.strength == 1 else blend(image, painted, self.strength)


def blend(image: Image, painted: Image, strength: float) -> Image:
    """The weighted mean of two images of one size; `strength` is the share of the second."""
    return np.asarray(cv2.addWeighted(painted, strength, image, 1 - strength, 0), np.uint8)


def with_colors_of(image: Image, painted: Image) -> Image:
    """The luminance of `painted` with the chrominance of `image`, of one size (Gatys et al. 2016, colour)."""
    mixed = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)
    mixed[..., 0] = cv2.cvtColor(painted, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.cvtColor(mixed, cv2.COLOR_YCrCb2RGB), np.uint8)
