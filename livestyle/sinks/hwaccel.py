"""Encoding on the GPU where it has NVENC, which data-centre GPUs have not; else x264 on the processor."""

import logging
from fractions import Fraction
from functools import cache

import av
from av.codec.hwaccel import hwdevices_available

from livestyle.errors import UnavailableError
from livestyle.gpu import find_driver

logger = logging.getLogger(__name__)

NVENC, X264 = "h264_nvenc", "libx264"
_PROBE_SIDE = 256  # NVENC refuses much smaller ones


def pick_encoder(hwaccel: str) -> str:
    """FFmpeg's name of the H.264 encoder to use: NVENC's where `hwaccel` is `auto` and it works."""
    if hwaccel == "none":
        return X264
    reason = nvenc_problem()
    if reason is not None:
        logger.debug("encoding on the processor: %s", reason)
        return X264
    return NVENC


def nvenc_options(crf: int) -> dict[str, str]:
    """NVENC's options for about the quality that x264 gives at that crf."""
    return {"preset": "p4", "rc": "vbr", "cq": str(crf), "b": "0"}


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
        return str(error) or type(error).__name__
    return None if packets else "NVENC gave nothing"
