"""How the sound of a file gets into another: packet by packet, or encoded again, in step with the picture."""

from __future__ import annotations  # PyAV's Packet takes its parameter only in annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import cast

import av
from av.audio.frame import AudioFrame
from av.audio.layout import AudioLayout
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream

from livestyle.sinks.containers import Container
from livestyle.sinks.copied_sound import TOLERANCE, CopiedSound, is_adts, left_out

_AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
_RATES = {
    "aac": _AAC_RATES,
    "ac3": (32000, 44100, 48000),
    "libopus": _OPUS_RATES,
    "libmp3lame": _AAC_RATES[4:],
}
_LAYOUTS = {
    "aac": ("mono", "stereo", "2.1", "3.0", "4.0", "5.0", "5.1", "6.1", "7.1"),
    "ac3": ("mono", "stereo", "3.0", "2.1", "4.0", "quad", "3.1", "5.0", "4.1", "5.1"),
    "libopus": ("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1"),
    "libmp3lame": ("mono", "stereo"),
}
"""Of those with as many channels the first is usual."""
_LOWEST_MP3_IN_MP4 = 16000
"""In Hz: MPEG-4 knows MPEG-1 and MPEG-2 audio, not the lower rates that are called MPEG-2.5."""
_BITS_PER_CHANNEL = 96_000  # per second
_LONGEST_SILENCE = 3600
"""In seconds: what states a longer gap is damaged."""
_WITH_HEADERS = ("matroska", "mp4", "mov")
_WITH_EDITS = ("mp4", "mov")
"""Muxers that can say of packets that they are not to be heard."""
_CHUNK = 4096
"""Samples of silence at a time."""


def sound_carrier(
    track: AudioStream, output: OutputContainer, container: Container, origin: Fraction
) -> tuple[CopiedSound | EncodedSound | None, str]:
    """The way of a track into the output, and a notice where it does not come through as it was.

    `origin` is what of the clock of `track` will be 0 in the output.
    """
    codec = track.codec_context.codec.canonical_name if track.codec_context is not None else ""
    if not codec:
        return None, "is left out: FFmpeg does not know its codec"
    if not track.codec_context.sample_rate:
        return None, "is left out: it begins too late for anything to be known of it"
    if not container.audio_encoder:
        return None, f"is left out: {container.muxer} files are silent"
    start = None if container.late_sound else origin
    if container.audio is not None and _has_an_order_of_its_own(track, codec):
        return None, "is left out: its many channels cannot be decoded; .mkv keeps them"
    if codec.startswith("pcm_") and codec in container.steady_sound:
        return EncodedSound(output, track, codec, start), ""  # the same samples, and silence in the gaps
    trouble = _trouble(codec, track, output, container, start)
    if not trouble:
        gaps, hides = codec not in container.steady_sound, container.muxer in _WITH_EDITS
        return CopiedSound(output, track, start, gaps=gaps, hides=hides), ""
    if track.layout.nb_channels > 8 and track.layout.name.endswith(" channels"):
        return None, f"is left out: nothing says where its {track.layout.nb_channels} channels belong"
    carrier = EncodedSound(output, track, container.audio_encoder, start)
    name = av.Codec(container.audio_encoder, "w").canonical_name
    fewer = f", in {carrier.layout}" if carrier.channels < track.layout.nb_channels else ""
    return carrier, f"{trouble}: it is encoded again, as {name}{fewer}"


def _has_an_order_of_its_own(track: AudioStream, codec: str) -> bool:
    """Whether it is PCM of mov or mp4 with 6.1 or 7.1 channels, each with a label.

    PyAV must not be asked for their layout, nor decode them: it frees memory twice.
    """
    bits = re.match(r"pcm_[a-z](\d+)", codec)
    context = track.codec_context
    if bits is None or not context.sample_rate or "mov" not in track.container.format.name:
        return False
    return (context.bit_rate or 0) / (context.sample_rate * int(bits[1])) in (7, 8)


def _trouble(
    codec: str, track: AudioStream, output: OutputContainer, container: Container, start: Fraction | None
) -> str:
    """Why it cannot be copied, in words; empty where it can."""
    if container.header_first and container.muxer in _WITH_HEADERS and is_adts(track):
        return f"has its header in its packets, which {container.muxer} in a pipe cannot hold"
    holds = output.supported_codecs if container.audio is None else container.audio
    if codec not in holds and track.codec_context.codec.name not in holds:
        if container.audio is None:  # Matroska holds any sound of Windows, but PyAV writes no such track
            return f"is {codec} sound, which livestyle cannot copy into {container.muxer} files"
        return f"is {codec} sound, which does not play in {container.muxer} files"
    if codec == "mp3" and container.muxer == "mp4" and track.codec_context.sample_rate < _LOWEST_MP3_IN_MP4:
        return f"is mp3 sound of {track.codec_context.sample_rate} Hz, which mp4 files cannot hold"
    if start is not None and (track.start_time or 0) * (track.time_base or 0) > start + TOLERANCE:
        return f"starts after the picture, which sound in {container.muxer} files cannot"
    return ""


class EncodedSound:
    """Sound, encoded again at an even pace: silence fills its gaps, and what comes twice is left out.

    With `start`, in seconds by the clock of `stream`, silence comes from there on too.
    """

    trouble = ""

    def __init__(
        self, output: OutputContainer, stream: AudioStream, encoder: str, start: Fraction | None
    ) -> None:
        rate, rates = stream.codec_context.sample_rate, _RATES.get(encoder)
        self._rate = rate if rates is None or rate in rates else rates[-1]
        self._decoder = stream
        self._encoder = cast(AudioStream, output.add_stream(encoder, rate=self._rate))
        self.track: Stream | None = self._encoder
        context = self._encoder.codec_context
        context.layout = _layout(encoder, stream.codec_context.layout)
        if rates is not None:
            context.bit_rate = _BITS_PER_CHANNEL * context.layout.nb_channels
        self._next = None if start is None else round(start * self._rate)
        self._resampler: av.AudioResampler | None = None
        self._shape: object = None
        self._began = False
        self._advice = "" if output.format.name == "matroska" else "; .mkv may keep it"
        self._damaged = 0

    @property
    def layout(self) -> str:
        """The places of its channels in the output, as FFmpeg calls them."""
        return self._encoder.layout.name

    @property
    def channels(self) -> int:
        """How many it has in the output."""
        return self._encoder.layout.nb_channels

    @property
    def damage(self) -> str:
        """What of the input was beyond reading so far, in words; empty where nothing was."""
        if self._damaged and not self._began:
            return f"cannot be decoded by this FFmpeg: all of it is left out{self._advice}"
        return left_out(self._damaged)

    def carry(self, packet: Packet[Stream] | None) -> Iterator[Packet[Stream]]:
        """What becomes of the packet; None asks for what is still held back."""
        for frame in self._decoded(packet):
            yield from self._encoded(self._resampled(frame))
        if packet is None:
            yield from self._encoded(self._resampled(None))
            yield from self._encoder.encode(None)

    def _decoded(self, packet: Packet[Stream] | None) -> Sequence[AudioFrame]:
        try:
            if packet is None:
                return self._decoder.codec_context.decode(None)
            return cast("Packet[AudioStream]", packet).decode()
        except EOFError:  # nothing was decoded
            return []
        except av.FFmpegError:  # what cannot be decoded is silent
            self._damaged += 1
            return []

    def _resampled(self, frame: AudioFrame | None) -> Iterator[AudioFrame]:
        """The frame as the encoder was set up for; None asks for what is held back."""
        shape = None if frame is None else (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape != self._shape:
            if self._resampler is not None:
                yield from self._resampler.resample(None)
            # (packed, since PyAV does not know where the planes of 8 channels end)
            context = self._encoder.codec_context
            self._resampler = av.AudioResampler(context.format.packed, context.layout, self._rate)
            self._shape = shape
        if frame is not None and self._resampler is not None:
            yield from self._resampler.resample(frame)

    def _encoded(self, frames: Iterator[AudioFrame]) -> Iterator[Packet[Stream]]:
        for frame in frames:
            for even in self._evened(frame):
                even.pts, even.time_base = self._next, Fraction(1, self._rate)
                self._next = (self._next or 0) + even.samples
                yield from self._encoder.encode(even)

    def _evened(self, frame: AudioFrame) -> Iterator[AudioFrame]:
        """The frame, after the silence that its time asks for; nothing where that time is over."""
        pts = self._next or 0
        if frame.pts is not None and frame.time_base is not None:
            pts = round(frame.pts * frame.time_base * self._rate)
        ahead = 0 if self._next is None else pts - self._next
        tolerance = round(TOLERANCE * self._rate) if self._began else 0
        if self._next is None or ahead > _LONGEST_SILENCE * self._rate:
            self._next = pts
        elif ahead > tolerance:
            yield from self._silence(ahead)
        elif ahead < -tolerance:
            self._damaged += self._began
            return
        self._began = True
        yield frame

    def _silence(self, samples: int) -> Iterator[AudioFrame]:
        context = self._encoder.codec_context
        for first in range(0, samples, _CHUNK):
            frame = AudioFrame(context.format.packed, context.layout, min(_CHUNK, samples - first))
            frame.sample_rate = self._rate
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            yield frame


def _layout(encoder: str, layout: AudioLayout) -> AudioLayout:
    """The nearest that the encoder takes. Raw samples often come without one, which encoders need to know."""
    if encoder not in _LAYOUTS or layout.name in _LAYOUTS[encoder]:
        return layout
    known = [AudioLayout(name) for name in _LAYOUTS[encoder]]
    fewer = known[-1] if layout.nb_channels in (7, 8) else AudioLayout("stereo")
    return next((one for one in known if one.nb_channels == layout.nb_channels), fewer)
