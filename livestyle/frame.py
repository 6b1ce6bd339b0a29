"""The value that travels from a source through the engine to a sink."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[np.uint8]
"""RGB, shape (H, W, 3), C-contiguous. BGR exists only inside the OpenCV adapters."""

_STRIP = 200_000
"""Bytes of an image that stay in a processor's cache from one step to the next."""


def as_image(array: object) -> Image:
    """The array as an Image, copied only where it is not C-contiguous, or read-only, which backends refuse.

    Raises ValueError where it is none.
    """
    if not isinstance(array, np.ndarray) or array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3:
        found = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
        raise ValueError(f"an image is RGB, uint8, of shape (height, width, 3); this is {found}")
    return np.require(array, requirements=["C", "W"])


def require_size(image: Image, size: tuple[int, int]) -> None:
    """Raises ValueError where the image is not of that size (width, height)."""
    height, width = image.shape[:2]
    if (width, height) != size:
        raise ValueError(f"a frame of {width}x{height}, where all are of {size[0]}x{size[1]}")


def counted(frames: int) -> str:
    """How many frames, in words: `1 frame`, `2 frames`."""
    return f"{frames} frame" if frames == 1 else f"{frames} frames"


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A video frame and the moment it belongs to."""

    image: Image
    pts: float
    """Presentation time in seconds from the start of the stream."""


def strips(image: Image) -> Iterator[slice]:
    """The rows of an image, a multiple of 8 at a time, so few that they stay in the cache."""
    height, width, channels = image.shape
    rows = max(1, _STRIP // (8 * width * channels)) * 8
    return (slice(top, top + rows) for top in range(0, height, rows))
