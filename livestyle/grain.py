"""Something to make strokes from where a picture is even.

The network has no noise of its own: whatever it paints follows from what it sees, so a clear sky becomes one
flat colour. A little grain, always the same one, gives it strokes there too (Ulyanov et al. 2016, "Texture
Networks", feed theirs with noise for the same reason). What has texture is left alone.
"""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from livestyle.frame import Image, strips

_WIDTH = 2.5
"""Standard deviation in pixels of the blur that makes noise a grain about as coarse as strokes are."""
_SAMPLE = 4
"""Evenness is judged by one pixel in this many, along each side,"""
_AROUND = (3, 3)
"""and by so many of these around each."""
_SIZES_KEPT = 4

_Plane = NDArray[np.uint8]


def with_grain(image: Image, levels: float) -> Image:
    """The image (H, W, 3) with grain of a standard deviation of `levels`, of 255, where it is perfectly even.

    The grain fades with the mean deviation from the surroundings, and where that is `levels` there is none.
    """
    height, width, _ = image.shape
    even = cv2.resize(_evenness(image, levels), (width, height), interpolation=cv2.INTER_LINEAR)
    planes = _grain(height, width, levels)
    grained = image.copy()
    for rows in strips(image):
        if cv2.countNonZero(even[rows]):
            lighter, darker = (
                cv2.cvtColor(cv2.multiply(grain[rows], even[rows], scale=1 / 255), cv2.COLOR_GRAY2RGB)
                for grain in planes
            )
            cv2.subtract(cv2.add(image[rows], lighter), darker, dst=grained[rows])
    return grained


def _evenness(image: Image, levels: float) -> _Plane:
    """How even the image is around one pixel in `_SAMPLE`, 0 to 255."""
    gray = cv2.cvtColor(np.ascontiguousarray(image[::_SAMPLE, ::_SAMPLE]), cv2.COLOR_RGB2GRAY)
    rough = cv2.blur(cv2.absdiff(gray, cv2.blur(gray, _AROUND)), _AROUND)
    fading = np.clip(255 - 255 / levels * np.arange(256), 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(rough, fading), np.uint8)


@lru_cache(_SIZES_KEPT)
def _grain(height: int, width: int, levels: float) -> tuple[_Plane, _Plane]:
    """By how much pixels become lighter, and by how much darker, both (H, W)."""
    noise = np.random.default_rng(0).standard_normal((height, width), np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), _WIDTH)
    wanted = np.rint(smooth * np.float32(levels / smooth.std()))
    return np.clip(wanted, 0, 255).astype(np.uint8), np.clip(-wanted, 0, 255).astype(np.uint8)
