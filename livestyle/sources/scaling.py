"""Images brought to the one size that a live source has."""

import cv2
import numpy as np

from livestyle.frame import Image


def scaled(image: Image, size: tuple[int, int]) -> Image:
    """The image at `size` (width, height), stretched where the proportions differ; itself where it fits."""
    height, width = image.shape[:2]
    if (width, height) == size:
        return image
    method = cv2.INTER_AREA if width > size[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=method), np.uint8)
