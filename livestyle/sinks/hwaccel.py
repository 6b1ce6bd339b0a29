"""Whether an NVIDIA GPU encodes video here: data-centre ones have no NVENC."""

from fractions import Fraction
from functools import cache

import av
from av.codec.hwaccel import hwdevices_available

from livestyle.errors import UnavailableError, in_one_line
from livestyle.gpu import find_driver

NVENC, X264 = "h264_nvenc", "libx264"
_PROBE_SIDE = 256  # NVENC refuses much smaller ones


def codecs() -> tuple[set[str], list[str]]:
    """The codecs of this PyAV's FFmpeg, and the kinds of hardware that it was built for."""
    return set(av.codecs_available), hwdevices_available()


@cache
def nvenc_problem() -> str | None:
    """Why NVENC does not work here; None where it does, which one frame has shown."""
    try:
        find_driver()
        encoder = av.CodecContext.create(NVENC, "w")
        assert isinstance(encoder, av.VideoCodecContext)
        encoder.width = encoder.height = _PROBE_SIDE
        encoder.pix_fmt = "yuv420p"
        encoder.framerate = Fraction(30)
        encoder.open()
        frame = av.VideoFrame(_PROBE_SIDE, _PROBE_SIDE, "yuv420p")
        frame.pts = 0
        packets = [*encoder.encode(frame), *encoder.encode(None)]
    except (UnavailableError, av.FFmpegError, ValueError, OSError) as error:
        return in_one_line(error)
    return None if packets else "NVENC gave nothing"
