"""All of a file that is not its picture, carried into another while that one's video is made."""

from __future__ import annotations  # PyAV's Packet takes its parameter only in annotations

import logging
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from math import ceil, floor
from pathlib import Path

import av
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Stream

from livestyle.errors import SinkError, reason_of
from livestyle.sinks.carriers import Carrier, carrier_for
from livestyle.sinks.containers import Container
from livestyle.sinks.standing import is_pictured, with_standing
from livestyle.sinks.tags import TagKeeper, content_tags
from livestyle.sources.beside import PATIENCE
from livestyle.sources.joined import Joined
from livestyle.sources.media import Excerpt, Media
from livestyle.sources.opening import video_of

logger = logging.getLogger(__name__)

_GAP_SECONDS = 5
"""Packets of one moment lie this close together in a file."""


class Tracks:
    """Sound, subtitles, chapters, attachments and tags of `excerpt`, in time with the video of `output`.

    Packets are copied as they are. What players cannot play in `container` is encoded again, and what has no
    place in it is left out, each with a logged notice. Times are kept: whichever of sound and video starts
    first is at 0, and `video_start_seconds` says where that puts the video; of an excerpt that begins later,
    the video is at 0.
    """

    def __init__(self, excerpt: Excerpt, output: OutputContainer, container: Container) -> None:
        self.video_start_seconds = Fraction(0)
        self.faults: list[str] = []
        """What of the input was damaged, one line each, known once all is carried over."""
        self._name = excerpt.media.name
        self._output = output
        self._container = container
        self._beside = excerpt.beside if excerpt.beside is not None and excerpt.beside.take() else None
        self._input = _open(excerpt.media) if self._beside is None else self._beside.container
        self._carriers: dict[int, Carrier] = {}
        self._called: dict[int, str] = {}
        self._next: Callable[[], Packet[Stream] | None] = lambda: None
        self._waiting: Packet[Stream] | None = None
        try:
            self._add(excerpt)
        except BaseException:
            self.close()
            raise

    def copy(self, until_seconds: float = float("inf")) -> None:
        """Carry over what is before `until_seconds` of the output; all the rest by default.

        Of an excerpt whose reader has it `beside` the video, only what that reader has come by.
        """
        while (packet := self._peek()) is not None and self._seconds(packet) < until_seconds:
            self._mux(self._carriers[packet.stream_index], packet)
            self._waiting = None

    def read_on(self) -> None:
        """From now on have what the reader of the video has left too, which has ended."""
        if self._beside is not None:
            self._beside.read_on()

    def finish(self) -> None:
        """Carry over what encoders still hold back."""
        for index, carrier in self._carriers.items():
            self._mux(carrier, None)
            called = f"{self._called[index]} of {self._name}"
            if carrier.trouble:
                logger.warning("%s %s", called, carrier.trouble)
            if carrier.damage:
                self.faults.append(f"{called} {carrier.damage}")

    def tell_lost_tags(self, path: Path) -> None:
        """Tell what tags the output has no place for, now that it is complete and at `path`."""
        self._tags.tell_lost(path)

    def close(self) -> None:
        """Close the file all this comes from, unless the reader of the video does; safe to call twice."""
        if self._beside is None:
            self._input.close()

    def _add(self, excerpt: Excerpt) -> None:
        sounds = [_start(track) for track in self._input.streams.audio]
        video = excerpt.begin if excerpt.begin is not None else _first_frame_seconds(excerpt.media)
        starts = sounds if video is None else [video] if excerpt.begins_later else [video, *sounds]
        self._origin = min(starts, default=Fraction(0))
        self._begin = self._origin if excerpt.begins_later else None
        self.video_start_seconds = Fraction(0) if video is None else video - self._origin
        self._end = None
        if excerpt.length_seconds is not None:
            self._end = self._origin + self.video_start_seconds + Fraction(excerpt.length_seconds)
        self._subtitles = {stream.index for stream in self._input.streams.subtitles}
        self._pictured = {track.index for track in self._input.streams.subtitles if is_pictured(track)}
        for stream in self._input.streams:
            if carrier := self._carrier(stream, excerpt.media):
                self._carriers[stream.index] = carrier
                self._called[stream.index] = _called(stream)
        self._add_chapters()
        self._output.metadata.update(content_tags(self._input.metadata, self._input.format.name))
        whole = not excerpt.begins_later
        self._tags = TagKeeper(self._output, self._container, self._name, whole=whole)
        streams = [index for index, carrier in self._carriers.items() if carrier.track is not None]
        if self._beside is None:
            packets = self._read(streams)
            if self._begin is not None and (pictured := self._pictured & set(streams)):
                packets = with_standing(packets, pictured, self._begin)
            self._next = partial(next, packets, None)
        else:
            self._beside.keep_only(streams)
            self._next = self._beside.next

    def _carrier(self, stream: Stream, media: Media) -> Carrier | None:
        painted = video_of(self._input)
        if painted is not None and stream.index == painted.index:
            self._output.streams.video[0].metadata.update(content_tags(stream.metadata))
            return None
        if self._shows_chapters(stream) or self._is_time_code(stream):
            return None
        carrier, notice = carrier_for(stream, self._output, self._container, media, self._origin)
        if notice:
            logger.warning("%s of %s %s", _called(stream), self._name, notice)
        if carrier is not None and carrier.track is not None:
            carrier.track.metadata.update(content_tags(stream.metadata))
            if stream.type != "video":
                carrier.track.disposition = stream.disposition
        return carrier

    def _shows_chapters(self, stream: Stream) -> bool:
        """Whether it is what mp4 and mov have in place of a list of chapters."""
        count = len(self._input.chapters())
        return stream.type == "data" and stream.name == "bin_data" and 0 < count == stream.frames

    def _is_time_code(self, stream: Stream) -> bool:
        """Whether it is what mov has in place of a tag, which FFmpeg gives the video."""
        return stream.type == "data" and "timecode" in stream.metadata

    def _add_chapters(self) -> None:
        chapters = self._input.chapters()
        if chapters and not self._container.chapters:
            logger.warning("the chapters of %s are left out: there is no place for them", self._name)
            return
        kept = []
        for chapter in chapters:
            base = chapter["time_base"] or Fraction(1)
            shift = round(self._origin / base)
            end = chapter["end"] - shift
            if self._end is not None:
                end = min(end, round((self._end - self._origin) / base))
            start = max(0, chapter["start"] - shift)
            if start < end:
                kept.append(chapter | {"start": start, "end": end})
        self._output.set_chapters(kept)

    def _peek(self) -> Packet[Stream] | None:
        """The next packet within the excerpt."""
        while self._waiting is None and (packet := self._next()) is not None:
            if packet.stream_index in self._subtitles:
                self._clip(packet)
            moment = (packet.pts or 0) * packet.time_base
            if self._end is not None and moment > self._end + _GAP_SECONDS:
                self._next = lambda: None
            elif self._within(moment):
                self._waiting = packet
        return self._waiting

    def _read(self, streams: list[int]) -> Iterator[Packet[Stream]]:
        """The packets of these streams, past what is damaged."""
        joined = Joined(self._input)
        failures = 0
        while streams and failures < PATIENCE:
            try:
                for packet in joined.packets():
                    if packet.stream_index in streams and packet.pts is not None:
                        yield packet
                return
            except av.FFmpegError:  # told by whoever decodes the video
                failures += 1

    def _within(self, moment: Fraction) -> bool:
        return (self._begin is None or moment >= self._begin) and (self._end is None or moment < self._end)

    def _clip(self, packet: Packet[Stream]) -> None:
        """Leave a subtitle what lies within the excerpt of the time in which it is shown."""
        begin = packet.pts or 0
        end = begin + (packet.duration or 0)
        if self._begin is not None and begin < (first := ceil(self._begin / packet.time_base)) < end:
            begin = packet.pts = packet.dts = first
        if self._end is not None:
            end = min(end, floor(self._end / packet.time_base))
        packet.duration = max(0, end - begin)

    def _seconds(self, packet: Packet[Stream]) -> float:
        return float((packet.pts or 0) * packet.time_base - self._origin)

    def _mux(self, carrier: Carrier, packet: Packet[Stream] | None) -> None:
        for carried in carrier.carry(packet):
            if carrier.track is not None and carrier.track.type == "subtitle":
                self._clip(carried)  # one without a length may have got one
            shift = round(self._origin / carried.time_base)
            if carried.pts is carried.dts is None:  # a cover has no time
                carried.pts = carried.dts = shift
            carried.pts = None if carried.pts is None else carried.pts - shift
            carried.dts = None if carried.dts is None else carried.dts - shift
            assert carrier.track is not None
            carried.stream = carrier.track
            self._output.mux_one(carried)


def _open(media: Media) -> InputContainer:
    try:
        return media.open()
    except (av.FFmpegError, OSError) as error:
        raise SinkError(f"cannot read the sound of {media.name}: {reason_of(error)}; leave it out") from error


def _start(track: Stream) -> Fraction:
    return (track.start_time or 0) * (track.time_base or Fraction(0))


def _first_frame_seconds(media: Media) -> Fraction | None:
    """When the first frame is shown, by the file's own clock; Matroska states it nowhere else."""
    with _open(media) as container:
        video = video_of(container)
        frame = next(container.decode(video), None) if video is not None else None
    return frame.pts * frame.time_base if frame and frame.pts is not None and frame.time_base else None


def _called(stream: Stream) -> str:
    language = stream.metadata.get("language", "und")  # undetermined, as mp4 says where nobody said it
    return f"stream {stream.index} ({stream.type}{f', {language}' if language != 'und' else ''})"
