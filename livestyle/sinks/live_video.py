"""Live frames as H.264 in a container, each at its own time."""

from fractions import Fraction

import av
from av.container import OutputContainer
from av.video.reformatter import ColorRange

from livestyle.colors import Colors
from livestyle.errors import SinkError
from livestyle.frame import Frame, Image, require_size
from livestyle.sinks.planes import to_even, to_i420

_TIME_BASE = Fraction(1, 90_000)
_COLORS = Colors()
_KEYFRAME_SECONDS = 2
"""How far a player that joins late, or seeks, may have to wait for a picture."""


class LiveVideo:
    """The video track of `container`, for frames of `size` (width, height) that come at about `rate`.

    The first frame is at 0, and `start` tells which pts that is. Frames that do not come leave the picture
    standing for as long. `low_delay` encodes every frame at once, for a little more data. Foreign errors
    are the caller's to translate.
    """

    def __init__(
        self, container: OutputContainer, size: tuple[int, int], rate: float, *, low_delay: bool = False
    ) -> None:
        self.size = size
        self.start: float | None = None
        self._container = container
        self._frame_ticks = round(1 / rate / _TIME_BASE)
        self._ticks = self._key_ticks = -1
        try:
            self._stream = container.add_stream("libx264", rate=round(rate) or 1, options=_options(low_delay))
        except av.codec.codec.UnknownCodecError as error:
            raise SinkError(
                "cannot encode video: this PyAV has no libx264; pip install --force-reinstall av"
            ) from error
        self._stream.width, self._stream.height = (side + side % 2 for side in size)
        self._stream.pix_fmt = "yuv420p"
        self._stream.thread_type = "SLICE" if low_delay else "FRAME"
        context = self._stream.codec_context
        context.time_base = _TIME_BASE
        context.gop_size = 100_000  # keyframes come by the clock, not by the count
        context.color_range, context.colorspace = ColorRange.MPEG, _COLORS.matrix
        context.color_primaries, context.color_trc = _COLORS.primaries, _COLORS.transfer

    def write(self, frame: Frame) -> None:
        """Encode a frame."""
        require_size(frame.image, self.size)
        self.write_planes(planes_of(frame), frame.pts)

    def write_planes(self, planes: Image, pts: float) -> None:
        """Encode what `planes_of` has made of a frame."""
        self.start = pts if self.start is None else self.start
        self._ticks = max(round((pts - self.start) / _TIME_BASE), self._ticks + 1)  # x264: rising times
        picture = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        picture.pts, picture.time_base = self._ticks, _TIME_BASE
        if self._key_ticks < 0 or (self._ticks - self._key_ticks) * _TIME_BASE >= _KEYFRAME_SECONDS:
            picture.pict_type, self._key_ticks = av.video.frame.PictureType.I, self._ticks
        self._mux(picture)

    def finish(self) -> None:
        """Encode what is still held back."""
        self._mux(None)

    def _mux(self, picture: av.VideoFrame | None) -> None:
        for packet in self._stream.encode(picture):
            packet.duration = packet.duration or self._frame_ticks
            self._container.mux_one(packet)


def planes_of(frame: Frame) -> Image:
    """A frame as the encoder takes it, shape (H * 3 / 2, W) with H and W even."""
    return to_i420(to_even(frame.image), _COLORS)


def _options(low_delay: bool) -> dict[str, str]:
    # ultrafast would leave the deblocking filter out, which costs little and is what one sees in flat colours
    options = {"preset": "ultrafast", "crf": "20", "forced-idr": "1", "x264-params": "deblock=0,0"}
    return options | ({"tune": "zerolatency", "crf": "23"} if low_delay else {})
