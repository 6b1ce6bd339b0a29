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
from livestyle.steady import Held, hold, settle
from livestyle.timeline import distance

if TYPE_CHECKING:
    from livestyle.engine import Engine
    from livestyle.frame import Image
    from livestyle.styles import StyleMix

_FULL_CONTRAST = 8.0
"""Below this standard deviation, in levels of 255, the original shows through.

Instance norm stretches any contrast to the same: without this a fade to black would end in a grey flash.
"""
_CUT = 0.2
"""Where the style of a frame is further than this from the last one's, it is a cut and no fade."""


@dataclass(frozen=True, slots=True)
class Painter:
    """Paints images in one way. Call it with an image (H, W, 3); it gives one of the same size."""

    engine: Engine
    style: StyleMix
    strength: float = 1.0
    """How much of the painting is seen: 0 is the original, 1 the painting alone."""
    keep_colors: bool = False
    """Whether the painting lends its luminance only, and the colours stay the original's."""

    def __call__(self, image: Image) -> Image:
        """Paints an image by itself. Raises SourceError where it is smaller than the network can paint."""
        return image if self.strength == 0 else self._finish(image, self._start(image, self.style)())

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
        begun: deque[tuple[Frame, Held, Callable[[], Image]]] = deque()
        held: Held | None = None
        style = self.style
        shown: Image | None = None

        def finish() -> Frame:
            nonlocal shown
            frame, given, fetch = begun.popleft()
            shown = settle(fetch(), given, shown, steadiness)
            return Frame(self._finish(frame.image, shown), frame.pts)

        if self.strength == 0:
            yield from frames
            return
        try:
            for frame in frames:
                before, style = style, self.style if style_at is None else style_at(frame.pts)
                # what stands still keeps most of its last painting, which must not outlive a change of style
                held = hold(frame.image, None if distance(before, style) > _CUT else held, steadiness)
                begun.append((frame, held, self._start(held.image, style)))
                if len(begun) == self.engine.in_flight:
                    yield finish()
            while begun:
                yield finish()
        finally:
            for _, _, fetch in begun:  # on the way out the engine may still read the frames
                fetch()

    def _start(self, image: Image, style: StyleMix) -> Callable[[], Image]:
        height, width, _ = image.shape
        if min(height, width) < MIN_SIDE:
            raise SourceError(
                f"cannot paint {width}x{height}: the smallest is {MIN_SIDE}x{MIN_SIDE}; enlarge it"
            )
        return self.engine.start(image, style)

    def _finish(self, image: Image, painted: Image) -> Image:
        if self.keep_colors:
            painted = with_colors_of(image, painted)
        share = self.strength * min(1.0, contrast(image) / _FULL_CONTRAST)
        return painted if share == 1 else blend(image, painted, share)


def contrast(image: Image) -> float:
    """The standard deviation of an image's values in levels of 255, over one pixel in 64."""
    return float(image[::8, ::8].std())


def blend(image: Image, painted: Image, strength: float) -> Image:
    """The weighted mean of two images of one size; `strength` is the share of the second."""
    return np.asarray(cv2.addWeighted(painted, strength, image, 1 - strength, 0), np.uint8)


def with_colors_of(image: Image, painted: Image) -> Image:
    """The luminance of `painted` with the chrominance of `image`, of one size (Gatys et al. 2016, colour)."""
    mixed = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)
    mixed[..., 0] = cv2.cvtColor(painted, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.cvtColor(mixed, cv2.COLOR_YCrCb2RGB), np.uint8)
