"""Subtitles of text, in another codec."""

from __future__ import annotations  # PyAV's Packet takes its parameter only in annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import inf
from typing import cast

import av
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.subtitles.codeccontext import SubtitleCodecContext
from av.subtitles.stream import SubtitleStream
from av.subtitles.subtitle import AssSubtitle, SubtitleSet

from livestyle.sinks.containers import Container

_IN_TURN = "mov_text"
"""Its packets follow one another: FFmpeg's muxer moves what begins earlier behind the end of the last."""
_FIELDS = 8
"""Of a line of ASS, before its text."""
_BELOW = b"{\\r}\\N"
"""A new line, in the usual style."""


@dataclass(frozen=True, slots=True)
class _Text:
    """What is shown from `begin` to `end`, in ticks: a line of ASS."""

    begin: int
    end: float
    line: bytes


class Texts:
    """Turns packets of text into those of the codec that `container` has for it, a carrier as all."""

    def __init__(self, output: OutputContainer, stream: SubtitleStream, container: Container) -> None:
        self._decoder = stream.codec_context
        track = output.add_stream(container.subtitle_encoder)
        self.track: Stream | None = track
        self._encoder = cast(SubtitleCodecContext, track.codec_context)
        self._encoder.subtitle_header = self._decoder.subtitle_header
        self._time_base = stream.time_base or Fraction(1, 1000)
        self._turns = _Turns() if container.subtitle_encoder == _IN_TURN else None
        # FFmpeg's muxer compares ticks of this one with those of the video, as if they were of one length
        self._encoder.time_base = container.time_base if self._turns else self._time_base
        self._undecodable = 0

    @property
    def trouble(self) -> str:
        """How many lines did not come through, in words."""
        lines = "one line" if self._undecodable == 1 else f"{self._undecodable} lines"
        return f"has {lines} that cannot be decoded: left out" if self._undecodable else ""

    def carry(self, packet: Packet[Stream] | None) -> Iterator[Packet[Stream]]:
        """What becomes of the packet, as far as it is known how long it is seen; with None, the rest."""
        if packet is None:
            yield from self._encoded(self._turns.rest() if self._turns else [])
        elif (text := self._decoded(packet)) is not None:
            self._time_base = packet.time_base
            yield from self._encoded(self._turns.add(text) if self._turns else [text])

    def _decoded(self, packet: Packet[Stream]) -> _Text | None:
        try:
            subtitle = self._decoder.decode2(packet)
        except av.FFmpegError:
            self._undecodable += 1
            return None
        lines = [cast(AssSubtitle, part).ass for part in subtitle or ()]
        begin = packet.pts or 0
        return _Text(begin, begin + (packet.duration or 0), _joined(lines)) if lines else None

    def _encoded(self, texts: Iterable[_Text]) -> Iterator[Packet[Stream]]:
        for text in texts:
            try:
                packet = self._encoder.encode_subtitle(SubtitleSet.create(text.line, 0, 0))
            except av.FFmpegError:
                self._undecodable += 1
                continue
            packet.time_base = self._time_base
            packet.pts = packet.dts = text.begin
            packet.duration = int(text.end) - text.begin
            yield packet


class _Turns:
    """Texts one after the other: those that are shown at the same time are one, below each other."""

    def __init__(self) -> None:
        self._shown: list[_Text] = []
        self._since = -inf
        """Up to then all is given out."""

    def add(self, text: _Text) -> list[_Text]:
        """What is seen before it. One without a length is seen until the next one begins."""
        done = self._until(text.begin)
        self._shown = [shown for shown in self._shown if shown.end < inf]
        length = text.end - text.begin
        self._since = max(self._since, text.begin)
        self._shown.append(replace(text, end=self._since + (length or inf)))
        return done

    def rest(self) -> list[_Text]:
        """What is seen until the last one ends."""
        ends = [text.end for text in self._shown if text.end < inf]
        return self._until(max(ends, default=self._since + 1))

    def _until(self, moment: float) -> list[_Text]:
        done = []
        while self._shown and self._since < moment:
            end = int(min(moment, *(text.end for text in self._shown)))
            done.append(_Text(int(self._since), end, _joined(text.line for text in self._shown)))
            self._shown = [text for text in self._shown if text.end > end]
            self._since = end
        return done


def _joined(lines: Iterable[bytes]) -> bytes:
    """Lines of ASS as one, each text once."""
    first, *others = dict.fromkeys(lines)
    texts = dict.fromkeys(line.split(b",", _FIELDS)[-1] for line in others)
    texts.pop(first.split(b",", _FIELDS)[-1], None)
    return _BELOW.join([first, *texts])
