"""The sound of one file, carried into another while that one's video is made."""

from __future__ import annotations  # PyAV's Packet takes its parameter only in annotations

import logging
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet

from livestyle.errors import SinkError

logger = logging.getLogger(__name__)

# What players really play in each container, which is less than what the muxers accept; None: whatever comes.
_COPIED: dict[str, set[str] | None] = {
    "mp4": {"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"},
    "mov": {"aac", "mp3", "ac3", "eac3", "alac", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be"},
    "matroska": None,
}
_AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_LAYOUTS = ("mono", "stereo", "2.1", "4.0", "5.0", "5.1", "6.1", "7.1")
_BITS_PER_CHANNEL = 96_000  # per second


class Soundtrack:
    """The first audio track of `origin`, copied packet for packet into `output`, in time with the video.

    A codec that players do not know in that container is encoded again as AAC, with a logged notice. Times
    are kept: whichever of sound and video starts first is at 0, and `video_start_seconds` says where that
    puts the video.
    """

    def __init__(self, origin: Path, output: OutputContainer) -> None:
        self.video_start_seconds = Fraction(0)
        self._output = output
        self._encoder: AudioStream | None = None
        self._input = _open(origin)
        self._packets: Iterator[Packet[AudioStream]] = iter(())
        self._waiting: Packet[AudioStream] | None = None
        if self._input.streams.audio:
            self._add(origin, self._input.streams.audio[0])

    def copy(self, until_seconds: float = float("inf")) -> None:
        """Carry over what sounds before `until_seconds` of the output; all the rest by default."""
        while self._waiting is not None and self._seconds(self._waiting) < until_seconds:
            self._carry(self._waiting)
            self._waiting = next(self._packets, None)

    def finish(self) -> None:
        """Carry over what an encoder still holds back."""
        if self._encoder is not None:
            self._mux(self._encoder.encode(None))

    def close(self) -> None:
        """Close the file the sound comes from; safe to call twice."""
        self._input.close()

    def _add(self, origin: Path, track: AudioStream) -> None:
        sound_start = (track.start_time or 0) * (track.time_base or Fraction(0))
        video_start = _first_frame_seconds(origin)
        self._origin = sound_start if video_start is None else min(sound_start, video_start)
        self.video_start_seconds = Fraction(0) if video_start is None else video_start - self._origin
        if _copies(self._output.format.name, track.codec_context.name):
            self._track = self._add_copy(track)
        else:
            self._track = self._encoder = self._encode_as_aac(track)
        self._packets = (packet for packet in self._input.demux(track) if packet.pts is not None)
        self._waiting = next(self._packets, None)
        if len(self._input.streams.audio) > 1:
            logger.warning("only the first of %d audio tracks is kept", len(self._input.streams.audio))

    def _add_copy(self, track: AudioStream) -> AudioStream:
        try:
            return self._output.add_stream_from_template(track, opaque=True)
        except ValueError as error:  # the muxer has no place for this codec
            raise SinkError(f"cannot write the sound: {error}; leave the sound out") from error

    def _encode_as_aac(self, track: AudioStream) -> AudioStream:
        names = track.codec_context.name, self._output.format.name
        logger.warning("%s sound does not play in %s files: it is encoded again, as aac", *names)
        rate = track.codec_context.sample_rate
        encoder = self._output.add_stream("aac", rate=rate if rate in _AAC_RATES else _AAC_RATES[-1])
        channels = track.codec_context.layout.nb_channels
        # raw samples often come without a layout, which AAC needs to know
        encoder.codec_context.layout = _LAYOUTS[min(channels, len(_LAYOUTS)) - 1]
        encoder.codec_context.bit_rate = _BITS_PER_CHANNEL * encoder.codec_context.layout.nb_channels
        return encoder

    def _seconds(self, packet: Packet[AudioStream]) -> float:
        return float((packet.pts or 0) * packet.time_base - self._origin)

    def _carry(self, packet: Packet[AudioStream]) -> None:
        if self._encoder is None:
            self._mux([packet])
            return
        for frame in packet.decode():
            self._mux(self._encoder.encode(frame))

    def _mux(self, packets: list[Packet[AudioStream]]) -> None:
        for packet in packets:
            shift = round(self._origin / packet.time_base)
            packet.pts = None if packet.pts is None else packet.pts - shift
            packet.dts = None if packet.dts is None else packet.dts - shift
            packet.stream = self._track
            self._output.mux_one(packet)


def _open(origin: Path) -> InputContainer:
    try:
        return av.open(f"file:{origin}")
    except (av.FFmpegError, OSError) as error:
        raise SinkError(
            f"cannot read the sound of {origin}: {error.strerror}; leave the sound out"
        ) from error


def _first_frame_seconds(origin: Path) -> Fraction | None:
    """When the first frame of `origin` is shown, by its own clock; Matroska states it nowhere else."""
    with _open(origin) as container:
        video = container.streams.video[:1]
        frame = next(container.decode(*video), None) if video else None
    return frame.pts * frame.time_base if frame and frame.pts is not None and frame.time_base else None


def _copies(container: str, codec: str) -> bool:
    copied = _COPIED[container]
    return copied is None or codec.removesuffix("float") in copied  # FFmpeg's mp3 decoder is called mp3float
