"""What a video file says of itself, as far as it can be believed."""

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


def rate_of(container: InputContainer, stream: VideoStream) -> Fraction:
    """The average frame rate."""
    stated = [stream.average_rate, stream.guessed_rate]
    if container.format.name in _WITHOUT_TIMES:
        stated.reverse()
    return next((rate for rate in stated if rate and rate <= _HIGHEST_RATE), _USUAL_RATE)


def stated_seconds(container: InputContainer, stream: VideoStream) -> float | None:
    """The length of the video; None where nothing tells."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return None if container.duration is None else container.duration / av.time_base


def pixel_aspect_of(stream: VideoStream, frame: VideoFrame) -> Fraction:
    """How much wider than high a pixel is, once the frame is upright."""
    aspect = stream.sample_aspect_ratio or Fraction(1)
    return 1 / aspect if round(frame.rotation / 90) % 2 else aspect
