"""A window on the screen: OpenCV's, which Qt draws on Linux."""

from collections.abc import Iterator

import cv2
import numpy as np

from livestyle.errors import SinkError
from livestyle.frame import Image
from livestyle.sinks.display import require_display

_LARGEST = (1600, 900)
"""A window opens at the size of the frame, or smaller, so that it fits on usual screens."""
_MOST_KEYS = 16


class Window:
    """Shows frames in a window that can be resized, each stretched over all of it: `fit` keeps the ratio.

    For the main thread alone. Opening raises SinkError where there is no display.
    """

    def __init__(self, size: tuple[int, int], title: str = "livestyle") -> None:
        require_display()
        self.closed = False
        """Whether somebody closed it."""
        self._dragged: float | None = None
        self._title = title
        self._full_screen = False
        self._width = size[0]
        flags = cv2.WINDOW_NORMAL | cv2.WINDOW_GUI_NORMAL | cv2.WINDOW_FREERATIO
        try:
            cv2.namedWindow(title, flags)
            cv2.resizeWindow(title, *_opening_size(size))
            cv2.setMouseCallback(title, self._on_mouse)
        except cv2.error as error:
            raise SinkError(f"cannot open a window: {error.err}; reinstall opencv-python") from error

    def area(self) -> tuple[int, int]:
        """The size (width, height) in pixels of what the window has room for."""
        try:
            _, _, width, height = cv2.getWindowImageRect(self._title)
        except cv2.error:  # it is closed
            return 1, 1
        return max(width, 1), max(height, 1)

    def full_screen(self, on: bool) -> None:
        """Fill the screen, or be a window again."""
        if on != self._full_screen and not self.closed:
            self._full_screen = on
            mode = cv2.WINDOW_FULLSCREEN if on else cv2.WINDOW_NORMAL
            cv2.setWindowProperty(self._title, cv2.WND_PROP_FULLSCREEN, mode)

    def show(self, image: Image) -> None:
        """Show an image, at once; the keys that come meanwhile wait for `pressed`."""
        if self.closed:
            return
        self._width = image.shape[1]
        cv2.imshow(self._title, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))

    def pressed(self) -> Iterator[int]:
        """Let the window draw and listen; the codes of the keys that were pressed, in order."""
        for _ in range(_MOST_KEYS):
            code = -1 if self.closed else cv2.waitKeyEx(1)
            self.closed = self.closed or not self._visible()
            if code == -1:
                return
            yield code

    def drag(self) -> float | None:
        """Where the mouse was dragged to since the last call, as a share of the image's width, if it was."""
        dragged, self._dragged = self._dragged, None
        return dragged

    def close(self) -> None:
        """Take the window off the screen; safe to call twice."""
        if not self.closed:
            self.closed = True
            cv2.destroyWindow(self._title)
            cv2.waitKeyEx(1)

    def _visible(self) -> bool:
        try:
            return cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) > 0
        except cv2.error:  # Qt has nothing left to ask when the only window is closed
            return False

    def _on_mouse(self, event: int, x: int, _y: int, flags: int, _given: object) -> None:
        pressed = event == cv2.EVENT_LBUTTONDOWN
        moved = event == cv2.EVENT_MOUSEMOVE and flags & cv2.EVENT_FLAG_LBUTTON
        if pressed or moved:
            self._dragged = min(max(x / self._width, 0.0), 1.0)


def _opening_size(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, *(most / side for most, side in zip(_LARGEST, size, strict=True)))
    return round(size[0] * scale), round(size[1] * scale)


def _place(size: tuple[int, int], area: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, width and height of a picture of `size` that is as large as fits into an area."""
    scale = min(room / side for room, side in zip(area, size, strict=True))
    width, height = (max(1, round(side * scale)) for side in size)
    return (area[0] - width) // 2, (area[1] - height) // 2, width, height


def across(share: float, size: tuple[int, int], area: tuple[int, int]) -> float:
    """Where a share of the area's width is, as a share of the picture's, which `fit` puts into it; 0 to 1."""
    left, _, width, _ = _place(size, area)
    return min(max((share * area[0] - left) / width, 0.0), 1.0)


def fit(image: Image, area: tuple[int, int]) -> Image:
    """The image as large as fits into an area (width, height), on black where its sides' ratio differs."""
    height, width, _ = image.shape
    left, top, *placed = _place((width, height), area)
    scaled = image
    if placed != [width, height]:
        kind = cv2.INTER_AREA if placed[0] < width else cv2.INTER_LINEAR
        scaled = np.asarray(cv2.resize(image, placed, interpolation=kind), np.uint8)
    right, bottom = area[0] - left - placed[0], area[1] - top - placed[1]
    if not (left or top or right or bottom):
        return scaled
    fitted = cv2.copyMakeBorder(scaled, top, bottom, left, right, cv2.BORDER_CONSTANT)
    return np.asarray(fitted, np.uint8)
