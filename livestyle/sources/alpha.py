"""Transparent pixels, which a network cannot paint."""

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from livestyle.frame import Image

Alpha: TypeAlias = NDArray[np.uint8]
"""How opaque each pixel is, (H, W), 0 to 255."""


def over_black(image: Image, alpha: Alpha) -> Image:
    """The image (H, W, 3), whose colours are not multiplied by its alpha, on a black ground."""
    return np.asarray(cv2.multiply(image, cv2.merge([alpha] * 3), scale=1 / 255), np.uint8)
