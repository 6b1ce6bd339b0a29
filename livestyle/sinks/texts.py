"""Subtitles of text, in another codec."""

from __future__ import annotations  # PyAV's Packet takes its parameter only in annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import inf
from typing import cast

import av
from av.container import Container as OpenFile
from av.container import InputContainer, OutputContainer
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
_STYLE = 2
"""Which of them names its style."""
_BELOW = b"{\\b0\\i0\\u0\\r%s}\\N"
"""A new line, in a style of that name; FFmpeg's mov_text takes what is switched on into it."""
_OVERRIDES = re.compile(rb"\{[^}]*\}|\\[Nnh]")
_MOST_AT_ONCE, _MOST_BYTES = 8, 4000
"""Texts, and bytes of them, that are shown together: nobody reads more, and mov_text holds 64 KiB."""
_LAST_SECONDS = 5
"""As long the last text is shown where nothing says how long."""
_NEVER_SHOWN = ("ass", "ssa")
"""Where a text without a length is a remark; elsewhere it is shown until the next one."""


@dataclass(frozen=True, slots=True)
class _Text:
    """What is shown from `begin` to `end`, in ticks: a line of ASS."""

    begin: int
    end: float
    line: bytes

    @property
    def text(self) -> bytes:
        return self.line.split(b",", _FIELDS)[-1]


class Texts:
    """Turns packets of text into those of the codec that `container` has for it, a carrier as all.

    A line that cannot be decoded is no damage: mostly it is in another encoding than UTF-8.
    """

    damage = ""

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
        self._file_end = _end_of(stream.container)
        self._undecodable = self._unencodable = 0

    @property
    def trouble(self) -> str:
        """How many lines did not come through, in words."""
        counts = {
            "that cannot be decoded": self._undecodable,
            f"that {self._encoder.name} cannot hold": self._unencodable,
            "among too many at once": self._turns.crowded_out if self._turns else 0,
        }
        parts = [f"{'one line' if n == 1 else f'{n} lines'} {why}" for why, n in counts.items() if n]
        return f"has {' and '.join(parts)}: left out" if parts else ""

    def carry(self, packet: Packet[Stream] | None) -> Iterator[Packet[Stream]]:
        """What becomes of the packet, as far as it is known how long it is seen; with None, the rest."""
        if packet is None:
            length, end = round(_LAST_SECONDS / self._time_base), self._file_end / self._time_base
            yield from self._encoded(self._turns.rest(length, end) if self._turns else [])
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
        if not lines or (not packet.duration and self._decoder.name in _NEVER_SHOWN):
            return None
        begin = packet.pts or 0
        return _Text(begin, begin + (packet.duration or 0), _joined(lines))

    def _encoded(self, texts: Iterable[_Text]) -> Iterator[Packet[Stream]]:
        for text in texts:
            try:
                packet = self._encoder.encode_subtitle(SubtitleSet.create(text.line, 0, 0))
            except av.FFmpegError:
                self._unencodable += 1
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
        self.crowded_out = 0
        """How many were never shown, since too many newer ones began at the same time."""

    def add(self, text: _Text) -> list[_Text]:
        """What is seen before it. One without a length is seen until the next one begins."""
        done = self._until(text.begin)
        self._shown = [shown for shown in self._shown if shown.end < inf]
        if _is_empty(text):
            return done
        length = text.end - text.begin
        self._since = max(self._since, text.begin)
        self._shown.append(replace(text, begin=int(self._since), end=self._since + (length or inf)))
        self._keep_newest()
        return done

    def rest(self, length: int, end: float) -> list[_Text]:
        """What is seen until the last one ends: one without a length after that one, or at `end`."""
        ends = [
            text.end if text.end < inf else max(text.begin + 1, min(text.begin + length, end))
            for text in self._shown
        ]
        return self._until(max(ends, default=-inf))

    def _keep_newest(self) -> None:
        """Of the texts that are shown, each once."""
        newest: dict[bytes, _Text] = {}
        for shown in reversed(self._shown):
            same = newest.get(shown.text)
            size = sum(map(len, newest)) + len(shown.text)
            if same is not None:
                newest[shown.text] = replace(shown, end=max(shown.end, same.end))
            elif not newest or (len(newest) < _MOST_AT_ONCE and size <= _MOST_BYTES):
                newest[shown.text] = shown
            elif shown.begin == self._since:
                self.crowded_out += 1
        self._shown = list(reversed(newest.values()))

    def _until(self, moment: float) -> list[_Text]:
        done = []
        while self._shown and self._since < moment:
            end = int(min(moment, *(text.end for text in self._shown)))
            done.append(_Text(int(self._since), end, _joined(text.line for text in self._shown)))
            self._shown = [text for text in self._shown if text.end > end]
            self._since = end
        return done


def _end_of(file: OpenFile) -> float:
    """In seconds, by its own clock; infinite where nothing tells."""
    if not isinstance(file, InputContainer) or file.duration is None:
        return inf
    return ((file.start_time or 0) + file.duration) / av.time_base


def _is_empty(text: _Text) -> bool:
    return not _OVERRIDES.sub(b"", text.text).strip()


def _joined(lines: Iterable[bytes]) -> bytes:
    """Lines of ASS as one, each text once, in its own style and without what the one before switched on."""
    texts: dict[bytes, bytes] = {}
    for line in lines:
        texts.setdefault(line.split(b",", _FIELDS)[-1], line)
    first, *others = texts.values()
    for line in others:
        fields = line.split(b",", _FIELDS)
        first += _BELOW % fields[_STYLE] + fields[-1]
    return first
