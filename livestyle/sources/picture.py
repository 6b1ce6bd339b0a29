"""Still pictures, read by OpenCV."""

from pathlib import Path

import cv2
import numpy as np

from livestyle.errors import SourceError
from livestyle.frame import Image


def read_picture(path: Path | str) -> Image:
    """Read the picture at `path` upright, in 8 bits: grey becomes RGB, alpha is dropped, EXIF orientation is
    applied.

    Raises `SourceError`.
    """
    try:
        encoded = np.fromfile(
            path, dtype=np.uint8
        )  # cv2.imread logs to stderr, and fails on some names on Windows
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SourceError(f"cannot open {path}: {reason}; check the name") from error
    try:
        bgr = cv2.imdecode(encoded, cv2.IMREAD_COLOR) if encoded.size else None
    except cv2.error as error:  # for instance more pixels than OpenCV allows
        raise SourceError(
            f"cannot read {path}: opencv refuses it ({error.err}); save it as jpeg or png"
        ) from error
    if bgr is None:
        raise SourceError(
            f"cannot read {path}: a damaged picture, or none that opencv knows; videos go to livestyle video"
        )
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)
