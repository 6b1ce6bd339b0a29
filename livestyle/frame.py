"""The value that travels from a source through the engine to a sink."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[np.uint8]
"""RGB, shape (H, W, 3), C-contiguous. BGR exists only inside the OpenCV adapters."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A video frame and the moment it belongs to."""

    image: Image
    pts: float
    """Presentation time in seconds from the start of the stream."""
