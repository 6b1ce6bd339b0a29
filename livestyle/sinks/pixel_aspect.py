"""How much wider than high pixels are shown, which PyAV cannot tell FFmpeg's muxers of Matroska and WebM.

They write what they are told of a turn, in as many bytes as the size to show needs: that is put in its place
when the file is complete.
"""

import logging
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path

from av.container import OutputContainer

from livestyle.sinks.containers import Container

logger = logging.getLogger(__name__)

_TURN_DEGREES = 0.001
"""The least that the muxers write, which nobody would see if it stayed."""
_TURN = bytes.fromhex("76708b767588")
"""How a Projection begins that holds a ProjectionPoseRoll alone, of 8 bytes. RFC 9559, 5.1.4.1.28.41."""
_DISPLAY_WIDTH, _DISPLAY_HEIGHT = bytes.fromhex("54b084"), bytes.fromhex("54ba84")
"""Each with a length of 4 bytes."""
_UNKNOWN_UNIT, _RATIO = bytes.fromhex("54b28104"), bytes.fromhex("54b28103")
"""What DisplayUnit says; WebM has none, and means pixels."""
_MOST = 0xFFFF_FFFF
_HEADER_BYTES = 1 << 16
_SELF_TOLD = ("h264", "hevc")
"""Codecs whose streams state it themselves."""


def keep_aspect(
    output: OutputContainer, container: Container, aspect: Fraction, *, seekable: bool = True
) -> Callable[[Path], None]:
    """Have it kept in a file whose header is not written yet, with a notice where that cannot be.

    Returns what has to be done with the file when it is complete, which raises OSError.
    """
    video = output.streams.video[0]
    video.codec_context.sample_aspect_ratio = aspect
    if aspect == 1:
        return _nothing
    if container.muxer in ("matroska", "webm"):
        if seekable:
            video.set_display_rotation(_TURN_DEGREES)
            output.container_options["write_crc32"] = "0"  # a checksum would be wrong then
            return partial(_write, size=(video.width, video.height), aspect=aspect)
        kept = video.codec_context.codec.canonical_name in _SELF_TOLD
    else:
        kept = container.muxer not in ("gif", "webp")
    if not kept:
        _tell(aspect)
    return _nothing


def _nothing(_: Path) -> None:
    """What has to be done where the muxer does it all."""


def _write(path: Path, size: tuple[int, int], aspect: Fraction) -> None:
    """As FFmpeg's own programs do: exactly, as a ratio, but in WebM, which has whole pixels."""
    with path.open("r+b") as file:
        header = file.read(_HEADER_BYTES)
        place = header.find(_TURN)
        if place < 0:
            _tell(aspect)
            return
        unit = header.rfind(_UNKNOWN_UNIT, 0, place)
        shown = (round(size[0] * aspect), size[1])
        if unit >= 0:
            shown = (Fraction(*size) * aspect).limit_denominator(1 << 20).as_integer_ratio()
            file.seek(unit)
            file.write(_RATIO)
        width, height = (min(max(1, side), _MOST).to_bytes(4, "big") for side in shown)
        file.seek(place)
        file.write(_DISPLAY_WIDTH + width + _DISPLAY_HEIGHT + height)


def _tell(aspect: Fraction) -> None:
    ratio = f"{aspect.numerator}:{aspect.denominator}"
    logger.warning("pixels of %s are shown as squares here: .mp4 keeps their shape", ratio)
