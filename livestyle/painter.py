"""From a frame to what is shown of it: the network's painting, blended with the original."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from livestyle import defaults
from livestyle.architecture import MIN_SIDE
from livestyle.errors import SourceError
from livestyle.frame import Frame
from livestyle.grain import with_grain
from livestyle.steady import Held, hold, settle

if TYPE_CHECKING:
    from livestyle.engine import Engine
    from livestyle.frame import Image
    from livestyle.styles import StyleMix

_FULL_CONTRAST = 8.0
"""Below this standard deviation, in levels of 255, the original shows through.

Instance norm stretches any contrast to the same: without this a fade to black would end in a grey flash.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Painted:
    """What painting the next frame of a video needs of this one."""

    held: Held
    image: Image
    """The painting as it was shown, at the network's working size."""
    style: StyleMix


@dataclass(frozen=True, slots=True)
class Painter:
    """Paints images in one way. Call it with an image (H, W, 3); it gives one of the same size."""

    engine: Engine
    style: StyleMix
    strength: float = 1.0
    """How much of the painting is seen: 0 is the original, 1 the painting alone."""
    keep_colors: bool = False
    """Whether the painting lends its luminance only, and the colours stay the original's."""
    stroke_size: float = 1.0
    """How large strokes are: at 2 the network paints a frame of half the sides, which is enlarged."""
    working_scale: float = 1.0
    """Sides of what the network is given, as a share of the frame's, to save time: at most 1.

    What the original has of finer detail than that is laid over the painting.
    """

    grain: float = 0.0
    """How much grain the network is given where the image is even: `livestyle.grain` says why."""

    def __call__(self, image: Image) -> Image:
        """Paints an image by itself. Raises SourceError where it is smaller than the network can paint."""
        if self.strength == 0:
            return image
        return self._finish(image, self._start(self._reduced(image), self.style)())

    def follow(
        self,
        frames: Iterable[Frame],
        steadiness: float = defaults.STEADY,
        style_at: Callable[[float], StyleMix] | None = None,
    ) -> Iterator[Frame]:
        """Paints the frames of a video, in order, without flicker: `livestyle.steady` says what 0 to 1 means.

        As many frames are begun ahead as keep the engine busy. `style_at` tells the style of each moment,
        where it changes. Raises SourceError as for an image.
        """
        begun: deque[tuple[Frame, Held, StyleMix, Callable[[], Image]]] = deque()
        held: Held | None = None
        last: Painted | None = None

        def finish() -> Frame:
            nonlocal last
            frame, given, style, fetch = begun.popleft()
            last = _settled(fetch(), given, style, last, steadiness)
            return Frame(self._finish(frame.image, last.image), frame.pts)

        if self.strength == 0:
            yield from frames
            return
        try:
            for frame in frames:
                held = hold(self._reduced(frame.image), held, steadiness)
                style = self.style if style_at is None else style_at(frame.pts)
                begun.append((frame, held, style, self._start(held.image, style)))
                if len(begun) == self.engine.in_flight:
                    yield finish()
            while begun:
                yield finish()
        finally:
            for *_, fetch in begun:  # on the way out the engine may still read the frames
                fetch()

    def paint_next(
        self, image: Image, last: Painted | None, steadiness: float = defaults.STEADY
    ) -> tuple[Image, Painted | None]:
        """Paints one frame of a live video at once; `last` is what the call before gave, at first None.

        From call to call the painter may be another one. Raises SourceError as for an image.
        """
        if self.strength == 0:
            return image, None
        held = hold(self._reduced(image), last.held if last else None, steadiness)
        now = _settled(self._start(held.image, self.style)(), held, self.style, last, steadiness)
        return self._finish(image, now.image), now

    def _reduced(self, image: Image) -> Image:
        """The image at the size the network works at, never smaller than it can paint."""
        height, width, _ = image.shape
        scale = max(self.working_scale / self.stroke_size, MIN_SIDE / min(height, width))
        if scale == 1 or min(height, width) < MIN_SIDE:
            return image
        return resized(image, (round(width * scale), round(height * scale)))

    def _start(self, image: Image, style: StyleMix) -> Callable[[], Image]:
        require_paintable((image.shape[1], image.shape[0]))
        return self.engine.start(with_grain(image, self.grain) if self.grain else image, style)

    def _finish(self, image: Image, painted: Image) -> Image:
        if painted.shape != image.shape:
            painted = resized(painted, (image.shape[1], image.shape[0]))
            if self.working_scale < 1:
                painted = with_detail_of(image, painted, self.working_scale)
        if self.keep_colors:
            painted = with_colors_of(image, painted)
        share = self.strength * min(1.0, contrast(image) / _FULL_CONTRAST)
        return painted if share == 1 else blend(image, painted, share)


def require_paintable(size: tuple[int, int]) -> None:
    """Raises SourceError where frames of that size (width, height) are smaller than the network can paint."""
    if min(size) < MIN_SIDE:
        raise SourceError(
            f"cannot paint {size[0]}x{size[1]}: the smallest is {MIN_SIDE}x{MIN_SIDE}; enlarge it"
        )


def _settled(
    painting: Image, held: Held, style: StyleMix, last: Painted | None, steadiness: float
) -> Painted:
    """What stands still keeps most of its last painting, but not into another style: fades stay in time."""
    before = last.image if last is not None and last.style == style else None
    return Painted(held, settle(painting, held, before, steadiness), style)


def resized(image: Image, size: tuple[int, int]) -> Image:
    """The image at another size (width, height): averaged where it shrinks, interpolated where it grows."""
    smaller = size[0] < image.shape[1]
    return np.asarray(
        cv2.resize(image, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC), np.uint8
    )


def with_detail_of(image: Image, painted: Image, scale: float) -> Image:
    """`painted` with what the luminance of `image` loses on the way to that scale and back.

    The finest level of a Laplacian pyramid (Burt, Adelson 1983): what the network was not shown.
    """
    height, width, _ = image.shape
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(gray, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    brighter, darker = cv2.subtract(gray, coarse), cv2.subtract(coarse, gray)  # each cut off at 0
    detailed = cv2.add(painted, cv2.merge([brighter] * 3))
    return np.asarray(cv2.subtract(detailed, cv2.merge([darker] * 3)), np.uint8)


def contrast(image: Image) -> float:
    """The standard deviation of an image's liveliest channel in levels of 255, over one pixel in 64."""
    return float(np.max(cv2.meanStdDev(np.ascontiguousarray(image[::8, ::8]))[1]))


def blend(image: Image, painted: Image, strength: float) -> Image:
    """The weighted mean of two images of one size; `strength` is the share of the second."""
    return np.asarray(cv2.addWeighted(painted, strength, image, 1 - strength, 0), np.uint8)


def with_colors_of(image: Image, painted: Image) -> Image:
    """The luminance of `painted` with the chrominance of `image`, of one size (Gatys et al. 2016, colour)."""
    mixed = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)
    mixed[..., 0] = cv2.cvtColor(painted, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.cvtColor(mixed, cv2.COLOR_YCrCb2RGB), np.uint8)
