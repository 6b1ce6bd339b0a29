"""From an image to what an encoder takes: luma and chroma, or a palette."""

from collections.abc import Callable
from fractions import Fraction
from typing import TypeAlias

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter
from PIL import Image as Pillow

from livestyle.colors import Colors
from livestyle.frame import Image

_EXACT = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP
"""Without these swscale rounds down."""
_SAMPLE = 4
"""A palette is chosen from one pixel in this many, along each side."""

Converter: TypeAlias = Callable[[Image, int], VideoFrame]
"""Makes the frame for an encoder out of an image and its time in ticks."""


def converter_to(pix_fmt: str, colors: Colors, time_base: Fraction) -> Converter:
    """The converter for an encoder that takes such pixels."""
    return Palettes(time_base) if pix_fmt == "pal8" else Planes(pix_fmt, colors, time_base)


class Planes:
    """Frames of limited-range YUV, or of RGB."""

    def __init__(self, pix_fmt: str, colors: Colors, time_base: Fraction) -> None:
        self._pix_fmt, self._colors, self._time_base = pix_fmt, colors, time_base
        self._reformatter = VideoReformatter()

    def __call__(self, image: Image, ticks: int) -> VideoFrame:
        """The frame of this image."""
        height, width = image.shape[:2]
        if self._pix_fmt == "yuv420p" and height % 2 == 0 and width % 2 == 0:
            frame = VideoFrame.from_ndarray(to_i420(image, self._colors), format="yuv420p")
        else:
            frame = self._reformat(VideoFrame.from_ndarray(image, format="rgb24"))
        frame.pts, frame.time_base = ticks, self._time_base
        return frame

    def _reformat(self, frame: VideoFrame) -> VideoFrame:
        return self._reformatter.reformat(
            frame,
            format=self._pix_fmt,
            dst_colorspace=self._colors.matrix,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.JPEG if self._pix_fmt == "bgra" else ColorRange.MPEG,
            interpolation=_EXACT,
        )


class Palettes:
    """Frames of 256 colours, chosen anew for each from some of its pixels, and dithered."""

    def __init__(self, time_base: Fraction) -> None:
        self._time_base = time_base

    def __call__(self, image: Image, ticks: int) -> VideoFrame:
        """The frame of this image."""
        some = Pillow.fromarray(image[::_SAMPLE, ::_SAMPLE]).quantize(256, Pillow.Quantize.MEDIANCUT)
        reduced = Pillow.fromarray(image).quantize(palette=some, dither=Pillow.Dither.FLOYDSTEINBERG)
        colours = np.zeros((256, 4), np.uint8)
        colours[:, 0] = 255  # opaque
        found = np.array(some.getpalette("RGB"), np.uint8).reshape(-1, 3)
        colours[: len(found), 1:] = found
        frame = VideoFrame.from_ndarray((np.asarray(reduced), colours), format="pal8")  # type: ignore[arg-type]
        frame.pts, frame.time_base = ticks, self._time_base
        return frame


def to_i420(image: Image, colors: Colors) -> Image:
    """Limited-range YUV 4:2:0, shape (H * 3 / 2, W) with H and W even: a third of swscale's time."""
    height, width = image.shape[:2]
    planes = np.empty((height * 3 // 2, width), np.uint8)
    luma, chroma = planes[:height], np.empty((2, height, width), np.uint8)
    cv2.split(cv2.transform(image, colors.from_rgb), [luma, *chroma])
    for whole, reduced in zip(chroma, planes[height:].reshape(2, height // 2, width // 2), strict=True):
        cv2.resize(whole, (width // 2, height // 2), dst=reduced, interpolation=cv2.INTER_AREA)
    return planes


def to_even(image: Image) -> Image:
    """The image with an odd side grown by one pixel, which repeats its edge."""
    height, width = image.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return image
    grown = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    return np.asarray(grown, np.uint8)
