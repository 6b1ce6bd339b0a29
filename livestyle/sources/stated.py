"""What a video file says of itself, as far as it can be believed."""

import re
from collections.abc import Mapping
from fractions import Fraction

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

_USUAL_RATE = Fraction(30)
_HIGHEST_RATE = 1000
"""Frames a second; files that state more count something else."""
_WITHOUT_TIMES = {"h264", "hevc", "vvc", "m4v", "mpegvideo", "obu"}
"""Raw streams, for whose average rate FFmpeg takes 25; its guess is from what they state."""
_LAST_FRAMES = Fraction(3, 2)
"""By so many the last one may be longer or shorter than the others of a constant rate."""

_COUNT = re.compile(r"[0-9]{1,18}")
_CLOCK = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")


def rate_of(container: InputContainer, stream: VideoStream) -> Fraction:
    """The average frame rate; the constant one where only the length of the last frame is another."""
    stated = [stream.average_rate, stream.guessed_rate]
    if container.format.name in _WITHOUT_TIMES or _is_constant(stream):
        stated.reverse()
    return next((rate for rate in stated if rate and rate <= _HIGHEST_RATE), _USUAL_RATE)


def _is_constant(stream: VideoStream) -> bool:
    average, guess = stream.average_rate, stream.guessed_rate
    if not (stream.frames and average and guess):
        return False
    return abs(stream.frames * (guess / average - 1)) <= _LAST_FRAMES


def stated_seconds(container: InputContainer, stream: VideoStream) -> float | None:
    """The length of the video; None where nothing tells."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return None if container.duration is None else container.duration / av.time_base


def video_end(
    container: InputContainer, stream: VideoStream, begin: Fraction = Fraction(0)
) -> Fraction | None:
    """When the video, which begins at that moment, ends by its own clock; None where nothing says that of the
    video alone."""
    if container.format.name.startswith("mov") and stream.duration and stream.time_base:
        return ((stream.start_time or 0) + stream.duration) * stream.time_base
    if not container.format.name.startswith("matroska"):
        return None
    stated = _seconds(stream.metadata.get("DURATION", ""))
    writer = next((value for name, value in container.metadata.items() if name.lower() == "encoder"), "")
    # there FFmpeg writes the end, mkvmerge the length; each copies what the other one calls itself
    if stated is None or (writer.startswith("Lavf") and not _is_in_statistics(stated, stream.metadata)):
        return stated
    return begin + stated


def _is_in_statistics(length: Fraction, metadata: Mapping[str, str]) -> bool:
    """Whether mkvmerge's statistics, also as `BPS-eng`, are of a track of that length in seconds."""
    tags = {name.partition("-")[0]: value for name, value in metadata.items()}
    rate, size = (_COUNT.fullmatch(tags.get(name, "")) for name in ("BPS", "NUMBER_OF_BYTES"))
    if not rate or not size:
        return False
    return abs(int(rate[0]) * length - 8 * int(size[0])) <= length  # bits a second are whole ones


def _seconds(text: str) -> Fraction | None:
    """The seconds of 00:01:02.500000000."""
    stated = _CLOCK.fullmatch(text.strip())
    return Fraction(stated[3]) + 60 * int(stated[2]) + 3600 * int(stated[1]) if stated else None


def pixel_aspect_of(stream: VideoStream, frame: VideoFrame) -> Fraction:
    """How much wider than high a pixel is, once the frame is upright."""
    aspect = stream.sample_aspect_ratio or Fraction(1)
    return 1 / aspect if round(frame.rotation / 90) % 2 else aspect
