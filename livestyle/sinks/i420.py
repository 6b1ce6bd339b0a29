"""Images as YUV 4:2:0, which is what encoders and raw video take."""

import cv2
import numpy as np
from numpy.typing import NDArray

from livestyle.frame import Image


def _limited_from_rgb(red: float, blue: float) -> NDArray[np.float64]:
    """Full-range RGB to limited-range YCbCr, by the luma weights of red and blue: ITU-R BT.601 and BT.709."""
    green = 1 - red - blue
    rows = (
        (red * 219, green * 219, blue * 219, 16 * 255),
        (-red / (2 - 2 * blue) * 224, -green / (2 - 2 * blue) * 224, 0.5 * 224, 128 * 255),
        (0.5 * 224, -green / (2 - 2 * red) * 224, -blue / (2 - 2 * red) * 224, 128 * 255),
    )
    return np.array(rows) / 255


BT601 = _limited_from_rgb(0.299, 0.114)
BT709 = _limited_from_rgb(0.2126, 0.0722)


def to_i420(image: Image, matrix: NDArray[np.float64] = BT709) -> Image:
    """Limited-range planes, shape (H * 3 / 2, W), with H and W even: an odd side grows by its edge."""
    height, width = image.shape[:2]
    if height % 2 or width % 2:
        image = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE).astype(np.uint8)
        height, width = image.shape[:2]
    yuv = cv2.transform(image, matrix)
    chroma = cv2.resize(yuv, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    planes = np.empty((height * 3 // 2, width), np.uint8)
    planes[:height] = yuv[..., 0]
    planes[height:].reshape(2, height // 2, width // 2)[:] = chroma[..., 1:].transpose(2, 0, 1)
    return planes


def even(size: tuple[int, int]) -> tuple[int, int]:
    """The size (width, height) that `to_i420` makes of one."""
    return size[0] + size[0] % 2, size[1] + size[1] % 2
