"""How video is encoded: codecs, their encoders in software and hardware, quality and speed."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, cast

import av
from av.codec.codec import UnknownCodecError
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext

from livestyle.encoding import PRESETS, Encoding
from livestyle.errors import SinkError
from livestyle.sinks.hwaccel import nvenc_problem

logger = logging.getLogger(__name__)

os.environ.setdefault("SVT_LOG", "0")  # SVT-AV1 prints its settings and errors otherwise; read when it starts

Options = dict[str, str]

_LONGEST_REORDERING_SECONDS = 3600
_MOST_REORDERED = 32
"""A frame is decoded at most so long before it is shown, or as long as so many frames are."""


@dataclass(frozen=True, slots=True)
class Codec:
    """One way of encoding video."""

    software: str
    """FFmpeg's encoder that runs on any CPU."""
    options: Callable[[float | None, int], Options]
    """The software encoder's, from quality and speed: the place of a preset in `PRESETS`."""
    pix_fmt: str = "yuv420p"
    crf: float | None = None
    """Where one cannot tell the encoded picture from the original, at a glance; None: the codec has no such
    number."""
    worst_crf: float = 51
    hardware: tuple[str, ...] = ()
    """FFmpeg's encoders that need a graphics processor, the fastest first."""
    even: bool = False
    """Whether the sides must be even."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """By muxer, the four letters by which players know the codec, where FFmpeg writes others."""


def _x264(crf: float | None, speed: int) -> Options:
    # ultrafast would leave the deblocking filter out, which costs little and is what one sees in flat colours
    return {"preset": PRESETS[speed], "crf": f"{crf:g}", "x264-params": "deblock=0,0"}


def _x265(crf: float | None, speed: int) -> Options:
    return {"preset": PRESETS[speed], "crf": f"{crf:g}", "x265-params": "log-level=none"}


def _svt_av1(crf: float | None, speed: int) -> Options:
    return {"preset": str(10 - speed), "crf": f"{crf:g}"}


def _vp9(crf: float | None, speed: int) -> Options:
    deadline = "realtime" if speed < 3 else "good"
    cpu_used = 8 - speed if speed < 3 else max(0, 8 - speed)
    return {
        "crf": f"{crf:g}",
        "b": "0",
        "row-mt": "1",
        "deadline": deadline,
        "cpu-used": str(min(cpu_used, 8 if speed < 3 else 5)),
    }


def _prores(_crf: float | None, _speed: int) -> Options:
    return {"profile": "3", "vendor": "apl0"}  # ProRes 422 HQ, as Apple's programs expect it


def _gif(_crf: float | None, _speed: int) -> Options:
    return {}


def _webp(crf: float | None, speed: int) -> Options:
    return {"quality": f"{100 - (crf or 0):g}", "compression_level": str(min(6, speed))}


def _hardware(family: str) -> tuple[str, ...]:
    return tuple(f"{family}_{maker}" for maker in ("nvenc", "videotoolbox", "qsv", "amf"))


CODECS = {
    "h264": Codec("libx264", _x264, crf=18, hardware=_hardware("h264"), even=True),
    "hevc": Codec(
        "libx265",
        _x265,
        crf=18,
        hardware=_hardware("hevc"),
        even=True,
        tags={"mp4": "hvc1", "mov": "hvc1"},  # Apple's players know no other
    ),
    "av1": Codec("libsvtav1", _svt_av1, crf=24, worst_crf=63, hardware=_hardware("av1")),
    "vp9": Codec("libvpx-vp9", _vp9, crf=24, worst_crf=63, hardware=_hardware("vp9")),
    "prores": Codec("prores_ks", _prores, "yuv422p10le", even=True),
    "gif": Codec("gif", _gif, "pal8"),
    "webp": Codec("libwebp_anim", _webp, "bgra", crf=10, worst_crf=100),
}


def quality(name: str, encoding: Encoding) -> float | None:
    """The crf to encode with. Raises SinkError where the codec has no such number."""
    codec = CODECS[name]
    if encoding.crf is None:
        return codec.crf
    if codec.crf is None:
        raise SinkError(f"codec {name!r} has no crf: leave --crf {encoding.crf:g} out")
    if not 0 <= encoding.crf <= codec.worst_crf:
        raise SinkError(f"{name} takes a crf from 0 to {codec.worst_crf:g}, not {encoding.crf:g}")
    return encoding.crf


def encoder_of(name: str, encoding: Encoding) -> tuple[str, Options]:
    """FFmpeg's encoder for the codec, and its options. Raises SinkError where there is none.

    With `hwaccel` `all`, the first one in hardware that works here; where none does, the software encoder,
    with a notice. With `auto`, NVENC's where it works.
    """
    codec, crf = CODECS[name], quality(name, encoding)
    speed = PRESETS.index(encoding.preset)
    if encoding.hwaccel == "all":
        for encoder in codec.hardware:
            if works(encoder):
                return encoder, _for_hardware(encoder, crf)
        logger.warning("no hardware encodes %s here: %s does it", name, codec.software)
    elif encoding.hwaccel == "auto" and nvenc_problem() is None:
        for encoder in codec.hardware:
            if encoder.endswith("_nvenc") and works(encoder):
                return encoder, _for_hardware(encoder, crf)
    if not exists(codec.software):
        raise SinkError(
            f"codec {name!r} needs {codec.software}, which this PyAV lacks: pip install --force-reinstall av"
        )
    return codec.software, codec.options(crf, speed)


def exists(encoder: str) -> bool:
    """Whether FFmpeg was built with this encoder."""
    try:
        av.Codec(encoder, "w")
    except UnknownCodecError:
        return False
    return True


def works(encoder: str) -> bool:
    """Whether the encoder is there and opens, which a hardware one does only where there is such hardware."""
    try:
        context = cast(VideoCodecContext, av.CodecContext.create(encoder, "w"))
        context.width, context.height, context.pix_fmt = 640, 480, hardware_pix_fmt(encoder)
        context.time_base = Fraction(1, 30)
        context.framerate = Fraction(30)
        context.open()
    except (av.FFmpegError, OSError, UnknownCodecError, ValueError) as error:
        logger.debug("encoder %s does not work here: %s", encoder, error)
        return False
    return True


def hardware_pix_fmt(encoder: str) -> str:
    """The pixels that a hardware encoder takes from main memory."""
    return "nv12" if encoder.endswith(("_qsv", "_amf")) else "yuv420p"


def _for_hardware(encoder: str, crf: float | None) -> Options:
    level = f"{crf:g}"
    if encoder.endswith("_nvenc"):
        return {"preset": "p4", "rc": "vbr", "cq": level, "b": "0"}
    if encoder.endswith("_qsv"):
        return {"global_quality": level}
    if encoder.endswith("_amf"):
        return {"rc": "cqp", "qp_i": level, "qp_p": level}
    return {"q": f"{100 - 1.5 * (crf or 0):g}"}  # videotoolbox counts from 100, the best, down


def mend_dts(packet: Packet[Any], longest: int = 0) -> None:
    """A time of decoding that cannot be becomes that of presentation.

    Of a clip with fewer frames than it reorders, x265 gives what its memory happened to hold. `longest` is
    how many ticks of its clock are between two frames, at most.
    """
    if packet.pts is None or packet.dts is None:
        return
    earliest = packet.pts - max(
        round(_LONGEST_REORDERING_SECONDS / packet.time_base), _MOST_REORDERED * longest
    )
    if not earliest <= packet.dts <= packet.pts:
        packet.dts = packet.pts
