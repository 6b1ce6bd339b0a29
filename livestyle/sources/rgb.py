"""From a decoded frame to an image: RGB, upright, opaque, in 8 bits, of one size."""

import logging
import struct
from typing import TypeAlias, cast

import cv2
import numpy as np
from av.sidedata.sidedata import SideDataContainer
from av.sidedata.sidedata import Type as SideDataType
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

from livestyle import colors
from livestyle.colors import Colors
from livestyle.frame import Image
from livestyle.sources.alpha import over_black
from livestyle.sources.siting import Centring
from livestyle.sources.tonemap import ToneMapper

logger = logging.getLogger(__name__)

_EXACT = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
"""Without these swscale is a whole level too dark."""
_CONSTANT_LUMINANCE = 10
_PLANAR = ("yuv420p", "yuvj420p")

_DisplayMatrix: TypeAlias = tuple[int, int, int, int]
"""a, b, c, d: a pixel at x, y is shown at a x + c y, b x + d y."""


class ToRgb:
    """Converts the frames of one video, all to the upright size of the first one.

    What cannot be kept is told once, in the log.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._reformatter = VideoReformatter()
        self._tone_mapper = ToneMapper()
        self._centred = Centring()
        self._size: tuple[int, int] | None = None
        self._rotation: int | None = None
        self._display_matrix: _DisplayMatrix | None = None
        self._told: set[str] = set()

    def __call__(self, frame: VideoFrame) -> Image:
        """The image that players show for the frame. Raises as FFmpeg does."""
        image = _turned(self._convert(frame), self._matrix_of(frame))
        size = image.shape[1], image.shape[0]
        self._size = self._size or size
        if size != self._size:
            self.tell("changes its size to %dx%d: it is scaled to the first one", *size)
            image = cv2.resize(image, self._size, interpolation=cv2.INTER_AREA).astype(np.uint8)
        return image

    def _matrix_of(self, frame: VideoFrame) -> _DisplayMatrix | None:
        """The frame's display matrix, read where its angle is another: PyAV keeps alive what was asked."""
        if frame.rotation != self._rotation:
            self._rotation, self._display_matrix = frame.rotation, _display_matrix(frame)
        return self._display_matrix

    def _convert(self, frame: VideoFrame) -> Image:
        if is_hdr(frame):
            self.tell("has a high dynamic range: it is painted with the tones of an ordinary screen")
            return np.ascontiguousarray(
                self._tone_mapper(self._centred(frame), _is_full(frame)).to_ndarray(), np.uint8
            )
        if any(component.is_alpha for component in frame.format.components):
            return self._opaque(frame)
        even = frame.width % 2 == 0 and frame.height % 2 == 0
        if frame.format.name in _PLANAR and even and colors.knows(_matrix(frame)):
            return _from_planes(frame)
        return self._reformat(frame, "rgb24")

    def _opaque(self, frame: VideoFrame) -> Image:
        rgba = self._reformat(frame, "rgba")
        alpha = rgba[..., 3]
        if alpha.min() == 255:
            return np.ascontiguousarray(rgba[..., :3])
        self.tell("has transparent parts: they are painted as black")
        return over_black(rgba[..., :3], alpha)

    def _reformat(self, frame: VideoFrame, form: str) -> Image:
        centred = self._centred(frame)
        centred.colorspace = _matrix(frame)  # swscale refuses a tag that it has no matrix for
        converted = self._reformatter.reformat(
            centred,
            format=form,
            src_color_range=ColorRange.JPEG if _is_full(frame) else ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
            interpolation=_EXACT,
        )
        return np.ascontiguousarray(converted.to_ndarray(), np.uint8)

    def tell(self, what: str, *values: object) -> None:
        """Log something about the video, unless it was told before."""
        if what not in self._told:
            self._told.add(what)
            logger.warning(f"%s {what}", self._name, *values)


def is_hdr(frame: VideoFrame) -> bool:
    """Whether the frame is to be shown brighter than ordinary screens are."""
    return frame.color_trc in (colors.PQ, colors.HLG)


def colors_of(frame: VideoFrame) -> Colors:
    """The tags for what is made of the frame: its own, where they can be kept; else BT.709.

    An untagged one keeps the matrix that is assumed: luma and chroma stay what they were.
    """
    if is_hdr(frame) or frame.format.is_rgb:
        return Colors()
    matrix = _matrix(frame)
    if matrix == colors.BT709 and not colors.knows(frame.colorspace):
        return Colors()
    return Colors(matrix, frame.color_primaries, frame.color_trc)


def _display_matrix(frame: VideoFrame) -> _DisplayMatrix | None:
    try:
        side_data = cast(SideDataContainer, frame.side_data).get(SideDataType.DISPLAYMATRIX)
    except ValueError:  # EXIF or another kind that PyAV has no name for is beside it: only the angle is known
        return _rotated(frame.rotation)
    if side_data is None:
        return None
    a, b, _, c, d = struct.unpack("<5i", bytes(side_data)[:20])
    return a, b, c, d


def _rotated(degrees: int) -> _DisplayMatrix:
    """The matrix that turns by so many degrees against the clock, to the nearest quarter."""
    cosine, sine = ((1, 0), (0, 1), (-1, 0), (0, -1))[round(degrees / 90) % 4]
    return cosine, -sine, sine, cosine


def _turned(image: Image, matrix: _DisplayMatrix | None) -> Image:
    """The image turned, and mirrored, as a display matrix says."""
    if matrix is None:
        return image
    a, b, c, d = matrix
    if abs(b) > abs(a):
        image, a, d = image.transpose(1, 0, 2), c, b
    return np.ascontiguousarray(image[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1])


def _from_planes(frame: VideoFrame) -> Image:
    """YUV 4:2:0 to RGB, each chroma sample over its four pixels: without swscale's rounding down."""
    width, height = frame.width, frame.height
    planes = frame.to_ndarray()
    chroma = planes[height:].reshape(2, height // 2, width // 2)
    # beside themselves, then below: a fifth of the time of cv2.resize
    enlarged = [cv2.merge([c, c]).reshape(height // 2, width).repeat(2, axis=0) for c in chroma]
    yuv = cv2.merge([planes[:height], *enlarged])
    return cv2.transform(yuv, colors.to_rgb(_matrix(frame), _is_full(frame))).astype(np.uint8, copy=False)


def _matrix(frame: VideoFrame) -> int:
    """The YUV matrix the frame is tagged with; untagged, the one players assume from its size."""
    if frame.colorspace == _CONSTANT_LUMINANCE:
        return colors.BT2020
    if colors.knows(frame.colorspace):
        return frame.colorspace
    if frame.width >= 1280 or frame.height > 576:
        return colors.BT709
    return colors.BT470BG if frame.height == 576 else colors.SMPTE170M


def _is_full(frame: VideoFrame) -> bool:
    if frame.color_range in (ColorRange.MPEG, ColorRange.JPEG):
        return frame.color_range == ColorRange.JPEG
    return frame.format.name.startswith("yuvj")
