"""What is written over the picture on the screen: numbers, notices, the keys. Never over what is recorded."""

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from livestyle.frame import Image

_LINES_A_SCREEN = 30
"""Text is as large as so many lines fill the height..."""
_SMALLEST = 13
"""...but never smaller, in pixels."""
_BACKGROUND = 0.4
"""The share of the picture that shines through behind text."""
_RED = (255, 60, 50)


def write_top_left(image: Image, lines: Sequence[str], *, dot: bool = False) -> None:
    """Writes lines on the image (H, W, 3), in place; `dot` puts a recording's red dot before them."""
    if lines:
        _put(image, _panel(tuple(lines), _text_size(image), dot), left=0, top=0)


def write_bottom(image: Image, line: str) -> None:
    """Writes one line at the bottom of the image, in place."""
    panel = _panel((line,), _text_size(image), False)
    _put(image, panel, left=(image.shape[1] - panel.shape[1]) // 2, top=image.shape[0] - panel.shape[0])


def write_table(image: Image, rows: Sequence[tuple[str, str]]) -> None:
    """Writes rows of two columns in the middle of the image, in place, as large as they fit."""
    panel = _fitting_table(tuple(rows), _text_size(image), *image.shape[:2])
    top, left = ((room - side) // 2 for room, side in zip(image.shape, panel.shape[:2], strict=False))
    _put(image, panel, left=left, top=top)


def _text_size(image: Image) -> int:
    height: int = image.shape[0]
    return max(_SMALLEST, round(height / _LINES_A_SCREEN * 0.75))


def _put(image: Image, panel: Image, left: int, top: int) -> None:
    left, top = max(left, 0), max(top, 0)
    place = image[top : top + panel.shape[0], left : left + panel.shape[1]]
    panel = panel[: place.shape[0], : place.shape[1]]
    place[:] = cv2.add(cv2.convertScaleAbs(place, alpha=_BACKGROUND), panel)


@lru_cache(maxsize=8)
def _panel(lines: tuple[str, ...], size: int, dot: bool) -> Image:
    """White text on black, (H, W, 3), to be added to a darkened picture."""
    font = _font(size)
    indent = size if dot else 0
    width = max(round(font.getlength(line)) for line in lines) + indent
    canvas, draw = _canvas(width + size, round(1.35 * size * len(lines) + 0.7 * size))
    for i, line in enumerate(lines):
        offset = indent if i == 0 else 0
        draw.text((size / 2 + offset, size * (0.25 + 1.35 * i)), line, font=font, fill="white")
    if dot:
        draw.ellipse((0.45 * size, 0.45 * size, 1.15 * size, 1.15 * size), fill=_RED)
    return np.asarray(canvas, np.uint8)


@lru_cache(maxsize=2)
def _fitting_table(rows: tuple[tuple[str, str], ...], size: int, height: int, width: int) -> Image:
    panel = _table(rows, size)
    while size > 6 and (panel.shape[0] > height or panel.shape[1] > width):
        size -= 1
        panel = _table(rows, size)
    return panel


def _table(rows: tuple[tuple[str, str], ...], size: int) -> Image:
    font = _font(size)
    first, second = (max(round(font.getlength(row[i])) for row in rows) for i in range(2))
    canvas, draw = _canvas(first + second + 3 * size, round(1.35 * size * len(rows) + size))
    for i, row in enumerate(rows):
        y = size * (0.4 + 1.35 * i)
        draw.text((size, y), row[0], font=font, fill=(255, 210, 120))
        draw.text((2 * size + first, y), row[1], font=font, fill="white")
    return np.asarray(canvas, np.uint8)


def _canvas(width: int, height: int) -> tuple[Pillow.Image, ImageDraw.ImageDraw]:
    canvas = Pillow.new("RGB", (width, height))
    return canvas, ImageDraw.Draw(canvas)


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)  # Pillow's own, so that it looks the same on every system
