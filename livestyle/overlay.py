"""What is written over the picture on the screen: numbers, notices, the keys. Never over what is recorded."""

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TypeAlias

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from livestyle.frame import Image

_LINES_A_SCREEN = 30
"""Text is as large as so many lines fill the height..."""
_USUAL, _SMALLEST = 13, 8
"""...but never smaller than the first, in pixels, unless it does not fit; never than the second."""
_MOST_COLUMNS = 3
_NARROWEST = 14
"""How wide a column must be for its texts to be worth shortening, in multiples of their size."""
_MORE = ("…", "more in a larger window")
_BACKGROUND = 0.4
"""The share of the picture that shines through behind text."""
_RED = (255, 60, 50)


_Rows: TypeAlias = tuple[tuple[str, str], ...]


def write_top_left(image: Image, lines: Sequence[str], *, dot: bool = False) -> None:
    """Writes lines on the image (H, W, 3), in place; `dot` puts a recording's red dot before them."""
    if lines:
        _put(image, _fitting_panel(tuple(lines), dot, *image.shape[:2]), left=0, top=0)


def write_bottom(image: Image, line: str) -> None:
    """Writes one line at the bottom of the image, in place; it is broken where it is too long."""
    panel = _fitting_panel((line,), False, *image.shape[:2])
    _put(image, panel, left=(image.shape[1] - panel.shape[1]) // 2, top=image.shape[0] - panel.shape[0])


def write_table(image: Image, rows: Sequence[tuple[str, str]]) -> None:
    """Writes rows of two texts in the middle of the image, in place, as large as they fit.

    A small picture has the last ones only, and says so.
    """
    panel = _fitting_table(tuple(rows), *image.shape[:2])
    top, left = ((room - side) // 2 for room, side in zip(image.shape, panel.shape[:2], strict=False))
    _put(image, panel, left=left, top=top)


def _sizes(height: int) -> range:
    """The sizes of text to try on a picture of that height, the largest first."""
    return range(max(_USUAL, round(height / _LINES_A_SCREEN * 0.75)), _SMALLEST - 1, -1)


def _put(image: Image, panel: Image, left: int, top: int) -> None:
    left, top = max(left, 0), max(top, 0)
    place = image[top : top + panel.shape[0], left : left + panel.shape[1]]
    panel = panel[: place.shape[0], : place.shape[1]]
    place[:] = cv2.add(cv2.convertScaleAbs(place, alpha=_BACKGROUND), panel)


@lru_cache(maxsize=8)
def _fitting_panel(lines: tuple[str, ...], dot: bool, height: int, width: int) -> Image:
    """The lines, broken to fit the width, as large as they fit in half the height."""
    for size in _sizes(height):
        room = width - size * (2 if dot else 1)
        broken = tuple(part for line in lines for part in _broken(line, size, room))
        if _height(len(broken), size) <= height / 2:
            break
    return _panel(broken, size, dot)


@lru_cache(maxsize=8)
def _panel(lines: tuple[str, ...], size: int, dot: bool) -> Image:
    """White text on black, (H, W, 3), to be added to a darkened picture."""
    font = _font(size)
    indent = size if dot else 0
    width = max(math.ceil(font.getlength(line)) for line in lines) + indent
    canvas, draw = _canvas(width + size, _height(len(lines), size))
    for i, line in enumerate(lines):
        offset = indent if i == 0 else 0
        draw.text((size / 2 + offset, size * (0.25 + 1.35 * i)), line, font=font, fill="white")
    if dot:
        draw.ellipse((0.45 * size, 0.45 * size, 1.15 * size, 1.15 * size), fill=_RED)
    return np.asarray(canvas, np.uint8)


def _height(lines: int, size: int) -> int:
    return round(1.35 * size * lines + 0.7 * size)


@lru_cache(maxsize=2)
def _fitting_table(rows: _Rows, height: int, width: int) -> Image:
    """All rows in as few columns as fit, or with texts shortened; else the last rows."""
    for size in _sizes(height):
        for columns in range(1, _MOST_COLUMNS + 1):
            if _fits(_parts(rows, columns), size, height, width):  # drawing all of them takes too long
                return _table(rows, size, columns)
    for columns in range(1, min(_MOST_COLUMNS, width // (_NARROWEST * size)) + 1):
        panel = _table(rows, size, columns, width)
        if panel.shape[0] <= height:
            return panel
    fitting = max(1, math.floor((height / size - 1) / 1.35) - 1)
    return _table((_MORE, *rows[-fitting:]), size, 1, width)


def _fits(parts: list[_Rows], size: int, height: int, width: int) -> bool:
    """Whether columns of these rows fit, with their texts as they are."""
    if _column_height(len(parts[0]), size) > height:
        return False
    return sum(_widest(part, i, size) for part in parts for i in (0, 1)) + 3 * size * len(parts) <= width


def _parts(rows: _Rows, columns: int) -> list[_Rows]:
    length = math.ceil(len(rows) / columns)
    return [rows[start : start + length] for start in range(0, len(rows), length)]


def _table(rows: _Rows, size: int, columns: int, most: float = math.inf) -> Image:
    """The rows in columns of one height, together at most so wide."""
    parts = [_column(part, size, most / columns) for part in _parts(rows, columns)]
    filled = [np.pad(part, ((0, parts[0].shape[0] - part.shape[0]), (0, 0), (0, 0))) for part in parts]
    return np.asarray(np.hstack(filled), np.uint8)


def _column(rows: _Rows, size: int, most: float) -> Image:
    font, first = _font(size), _widest(rows, 0, size)
    rows = tuple((key, _shortened(text, size, most - first - 3 * size)) for key, text in rows)
    canvas, draw = _canvas(first + _widest(rows, 1, size) + 3 * size, _column_height(len(rows), size))
    for i, (key, text) in enumerate(rows):
        y = size * (0.4 + 1.35 * i)
        draw.text((size, y), key, font=font, fill=(255, 210, 120))
        draw.text((2 * size + first, y), text, font=font, fill="white")
    return np.asarray(canvas, np.uint8)


def _widest(rows: _Rows, place: int, size: int) -> int:
    return max(math.ceil(_font(size).getlength(row[place])) for row in rows)


def _column_height(rows: int, size: int) -> int:
    return math.floor(1.35 * size * rows + size)


def _broken(line: str, size: int, width: float) -> Iterator[str]:
    """The line in parts of at most that width, broken between words where there are any."""
    while (most := _that_fit(line, size, width)) < len(line):
        space = line.rfind(" ", 1, most + 1)
        end = space if space > 0 else max(most, 1)
        yield line[:end]
        line = line[end:].lstrip()
    yield line


def _shortened(text: str, size: int, width: float) -> str:
    if _that_fit(text, size, width) == len(text):
        return text
    return text[: _that_fit(text, size, width - _font(size).getlength("…"))].rstrip() + "…"


def _that_fit(line: str, size: int, width: float) -> int:
    """How many characters of the line, from its first on, are at most so wide together."""
    font = _font(size)
    if font.getlength(line) <= width:
        return len(line)
    return bisect_right(range(1, len(line)), width, key=lambda count: font.getlength(line[:count]))


def _canvas(width: int, height: int) -> tuple[Pillow.Image, ImageDraw.ImageDraw]:
    canvas = Pillow.new("RGB", (width, height))
    return canvas, ImageDraw.Draw(canvas)


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)  # Pillow's own, so that it looks the same on every system
