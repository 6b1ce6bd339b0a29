"""The numeric gate: nothing paints on a GPU that does not paint what float32 eager paints.

Half precision, compilers and engine builders go wrong silently now and then. So what runs the network on a
GPU is first made to paint a natural picture, and is refused where the painting differs.
"""

from pathlib import Path

import numpy as np

from livestyle.errors import EngineError
from livestyle.frame import Image

MIN_PSNR_DB = 45.0
"""Least peak signal to noise ratio that passes: an RMS error of 1.4 levels of 255.

Sound half precision is far above it, and a wrong kernel, a swapped channel or a shifted pixel far below.
"""
_PICTURE = Path(__file__).parent / "media" / "frame.jpg"


class RefusedError(EngineError):
    """A way of running the network paints something else than the network."""


def psnr_db(painted: Image, reference: Image) -> float:
    """Peak signal to noise ratio between two images of one size, in dB; 99 where they are equal."""
    error = np.square(painted.astype(np.float32) - reference).mean()
    return 99.0 if error == 0 else float(10 * np.log10(255**2 / error))


def check(name: str, painted: Image, reference: Image) -> float:
    """The PSNR of `painted`, in dB. Raises RefusedError below `MIN_PSNR_DB`; `name` says what painted it."""
    found = psnr_db(painted, reference)
    if not found >= MIN_PSNR_DB:
        raise RefusedError(
            f"{name} paints something else than float32 eager: "
            f"{found:.1f} dB, and {MIN_PSNR_DB:.0f} are needed; choose another --backend"
        )
    return found


def natural_frame(height: int, width: int) -> Image:
    """A photograph of that size, (height, width, 3): mirrored at its edges where it is too small."""
    from livestyle.sources.picture import read_picture  # loads OpenCV, which the rest here does without

    picture = read_picture(_PICTURE)
    rows, columns = picture.shape[:2]
    more = ((0, max(0, height - rows)), (0, max(0, width - columns)), (0, 0))
    return np.ascontiguousarray(np.pad(picture, more, mode="symmetric")[:height, :width])
