"""Where between the pixels the samples of chroma are taken to be."""

import av
import av.filter
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation

from livestyle.colors import BT709
from livestyle.frame import Image
from livestyle.sources.filtering import Shape, filter_graph, shape_of

_SLOPE = 16
"""Pixels each way."""
_STATE_THEIR_SITE = {"h264", "hevc", "mjpeg", "mpeg1video"}
"""Codecs whose decoders always say where chroma is; swscale takes it for centred where others say nothing."""
_CENTRED = ("setparams", {"chroma_location": "center"})
_EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


class Centring:
    """Gives frames as they are, with their chroma taken to be in the middle of its pixels.

    swscale would put it where it is, half a pixel away in nearly all video. What is written has the mean of
    its pixels, and the tag of what came: only taken for the same does it stay where it was.
    """

    def __init__(self) -> None:
        self._graph: av.filter.Graph | None = None
        self._shape: Shape | None = None

    def __call__(self, frame: VideoFrame) -> VideoFrame:
        """The frame, or one with the same planes."""
        if not _is_subsampled(frame):
            return frame
        shape = shape_of(frame)
        if self._graph is None or shape != self._shape:
            self._graph, self._shape = filter_graph(frame, _CENTRED), shape
        self._graph.vpush(frame)
        return self._graph.vpull()


def site_of(frame: VideoFrame, decoder: VideoCodecContext) -> str:
    """Where the samples of 4:2:0 chroma are, as FFmpeg calls it; empty where at the left, or not known.

    PyAV does not tell: it is seen from what swscale makes of a slope of chroma. Where each pixel has its own,
    the mean of four is in their middle.
    """
    name = frame.format.name
    if not _is_subsampled(frame):
        return "center"
    if not name.startswith(("yuv420p", "yuvj420p")) or name.endswith("be"):
        return ""
    if min(frame.width, frame.height) < _SLOPE:
        return ""
    slope = _slope(frame)
    seen = _rgb(slope)
    if np.array_equal(seen, _rgb(_through(slope, "setparams", chroma_location="topleft"))):
        return "topleft"
    centred = np.array_equal(seen, _rgb(_through(slope, "setparams", chroma_location="center")))
    return "center" if centred and decoder.codec.canonical_name in _STATE_THEIR_SITE else ""


def _slope(frame: VideoFrame) -> VideoFrame:
    """A small frame of the same kind, even but for blue, which rises to the right, and red, downwards."""
    slope = _through(frame, "crop", w=str(_SLOPE), h=str(_SLOPE), x="0", y="0")
    slope.make_writable()
    bits = frame.format.components[0].bits
    kind = np.dtype(np.uint8 if bits == 8 else np.uint16)
    for plane, (down, right) in zip(slope.planes, ((0, 0), (0, 4), (4, 0)), strict=True):
        y, x = np.mgrid[: plane.height, : plane.line_size // kind.itemsize]
        plane.update(((112 + down * y + right * x) << (bits - 8)).astype(kind).tobytes())
    return slope


def _rgb(frame: VideoFrame) -> Image:
    shown = frame.reformat(format="rgb24", src_colorspace=BT709, interpolation=_EXACT)
    return np.asarray(shown.to_ndarray(), np.uint8)


def _is_subsampled(frame: VideoFrame) -> bool:
    return any(component.width < frame.width for component in frame.format.components)


def _through(frame: VideoFrame, name: str, **options: str) -> VideoFrame:
    graph = filter_graph(frame, (name, options))
    graph.vpush(frame)
    return graph.vpull()
