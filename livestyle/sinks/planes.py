"""From an image to what an encoder takes: luma and chroma, or a palette."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Protocol

import av
import av.filter
import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

from livestyle.colors import Colors
from livestyle.frame import Image

_EXACT = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP
"""Without these swscale rounds down."""


class Converter(Protocol):
    """Makes frames for an encoder out of images, in order."""

    def feed(self, image: Image, ticks: int) -> Iterator[VideoFrame]:
        """Take an image and its time; yield what is ready."""
        ...

    def rest(self) -> Iterator[VideoFrame]:
        """Yield what is left at the end."""
        ...


def converter_to(pix_fmt: str, colors: Colors, time_base: Fraction) -> Converter:
    """The converter for an encoder that takes such pixels."""
    return Palettes(time_base) if pix_fmt == "pal8" else Planes(pix_fmt, colors, time_base)


class Planes:
    """Frames of limited-range YUV, or of RGB."""

    def __init__(self, pix_fmt: str, colors: Colors, time_base: Fraction) -> None:
        self._pix_fmt, self._colors, self._time_base = pix_fmt, colors, time_base
        self._reformatter = VideoReformatter()

    def feed(self, image: Image, ticks: int) -> Iterator[VideoFrame]:
        """Yield the frame of this image."""
        height, width = image.shape[:2]
        if self._pix_fmt == "yuv420p" and height % 2 == 0 and width % 2 == 0:
            frame = VideoFrame.from_ndarray(to_i420(image, self._colors), format="yuv420p")
        else:
            frame = self._reformat(VideoFrame.from_ndarray(image, format="rgb24"))
        frame.pts, frame.time_base = ticks, self._time_base
        yield frame

    def rest(self) -> Iterator[VideoFrame]:
        """Nothing is held back."""
        yield from ()

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
    """Frames of 256 colours, chosen anew for each."""

    def __init__(self, time_base: Fraction) -> None:
        self._time_base = time_base
        self._graph: av.filter.Graph | None = None

    def feed(self, image: Image, ticks: int) -> Iterator[VideoFrame]:
        """Yield the frames whose palette is ready."""
        frame = VideoFrame.from_ndarray(image, format="rgb24")
        frame.pts, frame.time_base = ticks, self._time_base
        if self._graph is None:
            self._graph = _palette_graph(frame, self._time_base)
        self._graph.vpush(frame)
        yield from ready(self._graph)

    def rest(self) -> Iterator[VideoFrame]:
        """Yield what the filter still holds."""
        if self._graph is not None:
            self._graph.vpush(None)
            yield from ready(self._graph)


def ready(graph: av.filter.Graph) -> Iterator[VideoFrame]:
    """The frames that have come out of a graph of filters."""
    while True:
        try:
            yield graph.vpull()
        except (av.BlockingIOError, EOFError):
            return


def to_i420(image: Image, colors: Colors) -> Image:
    """Limited-range YUV 4:2:0, shape (H * 3 / 2, W) with H and W even: a third of swscale's time."""
    height, width = image.shape[:2]
    yuv = cv2.transform(image, colors.from_rgb)
    chroma = cv2.resize(yuv, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    planes = np.empty((height * 3 // 2, width), np.uint8)
    planes[:height] = yuv[..., 0]
    planes[height:].reshape(2, height // 2, width // 2)[:] = chroma[..., 1:].transpose(2, 0, 1)
    return planes


def to_even(image: Image) -> Image:
    """The image with an odd side grown by one pixel, which repeats its edge."""
    height, width = image.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return image
    grown = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    return np.asarray(grown, np.uint8)


def _palette_graph(frame: VideoFrame, time_base: Fraction) -> av.filter.Graph:
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=time_base
    )
    split, palette = graph.add("split"), graph.add("palettegen", "stats_mode=single:reserve_transparent=0")
    use = graph.add("paletteuse", "new=1:dither=bayer:bayer_scale=4")
    source.link_to(split)
    split.link_to(use, 0, 0)
    split.link_to(palette, 1, 0)
    palette.link_to(use, 0, 1)
    use.link_to(graph.add("buffersink"))
    graph.configure()
    return graph
