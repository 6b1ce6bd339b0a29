"""What FFmpeg has decoded, as images."""

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from livestyle.frame import Image

_UNTAGGED = {0, 2, 3}  # AVCOL_SPC_RGB, _UNSPECIFIED, _RESERVED: nothing that tells which matrix made the YUV


def to_image(decoded: av.VideoFrame, reformatter: VideoReformatter) -> Image:
    """The frame upright, in 8-bit RGB, by the matrix and the range it is tagged with.

    The reformatter is kept by the caller, one for each stream: it remembers how it converted the last frame.
    """
    rgb = reformatter.reformat(
        decoded,
        format="rgb24",
        src_colorspace=_matrix(decoded),
        src_color_range=_range(decoded),
        dst_color_range=ColorRange.JPEG,
    )
    quarter_turns = round(decoded.rotation / 90)  # counterclockwise, like np.rot90
    return np.ascontiguousarray(np.rot90(rgb.to_ndarray(), quarter_turns), dtype=np.uint8)


def _matrix(decoded: av.VideoFrame) -> int:
    """The YUV matrix the frame is tagged with; untagged, the one players assume from its size."""
    if decoded.colorspace not in _UNTAGGED:
        return decoded.colorspace
    return Colorspace.ITU709 if decoded.width >= 1280 or decoded.height > 576 else Colorspace.ITU601


def _range(decoded: av.VideoFrame) -> int:
    if decoded.color_range in (ColorRange.MPEG, ColorRange.JPEG):
        return decoded.color_range
    return ColorRange.JPEG if decoded.format.name.startswith("yuvj") else ColorRange.MPEG
