"""Decoding past what is damaged: what can be shown is shown, and what could not is told."""

from __future__ import annotations  # PyAV's Packet takes its parameter only in annotations

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from math import inf
from typing import cast

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from livestyle.errors import SourceError, reason_of
from livestyle.sources.beside import Beside
from livestyle.sources.damage import Damage
from livestyle.sources.joined import Joined
from livestyle.sources.layout import CUT, LOST, SOUND, UNREAD, Trail
from livestyle.sources.media import Media
from livestyle.sources.stated import video_end

_STATE_THEIR_LENGTH = ("mov", "matroska", "flv", "asf", "mxf")
"""FFmpeg's readers of formats that say how long they are; of others it guesses."""
_MOST_FRAMES = 1 << 30
"""FFmpeg states so many in an AVI that it writes to a pipe."""
_SLACK_SECONDS = Fraction(1, 4)
_SHORTEST_SECONDS, _LONGEST_SECONDS = Fraction(1, 1000), 3600
"""Of a last frame: some files state a tick, or what they do not know."""
_PATIENCE = 600
"""Packets in a row that may be beyond reading, before the first frame or between readable ones."""


class Decoder:
    """The frames of one video stream, in order; damaged ones are left out.

    `beside` keeps what is read along with them. `zero` is the moment from which times of faults count; None:
    that of the first frame.
    """

    def __init__(
        self,
        container: InputContainer,
        stream: VideoStream,
        media: Media,
        beside: Beside | None = None,
        zero: Fraction | None = None,
    ) -> None:
        self._container = container
        self._demux = Joined(container, media.name).packets if beside is None else beside.packets
        self._stream = stream
        self._media, self._name = media, media.name
        self._zero = zero
        self._damage = Damage(container, stream)
        self._trail = Trail(container)
        self._reason = ""
        self._shown = 0
        self._end = Fraction(0)
        self._newest: tuple[Fraction, Fraction] | None = None
        """When the last frame that has been read is shown, and until when, as its packet says."""
        self._place: int | None = None
        """Of the last packet of the video, in the file."""
        self._cut = ""
        # AVI has no times of presentation, and FFmpeg's guess follows the order in which frames are stored:
        # its first frame is shown when the first is due, and so on
        self._due: deque[int] | None = deque() if container.format.name == "avi" else None
        self._stated, self._slack = _stated_end(container, stream)

    def frames(self) -> Iterator[VideoFrame]:
        """Yield the frames. Raises SourceError where there is not one."""
        yield from self._decode()
        self._damage.ended(self._end)
        self._cut = self._cut_short()
        self._media.end_pictures(self._end)
        if not self._shown:
            trouble = f"cannot be decoded ({self._reason})" if self._reason else "holds no frames"
            raise SourceError(f"cannot read {self._name}: its video {trouble}; choose another file")

    @property
    def faults(self) -> list[str]:
        """What was wrong with what has been read so far, one line each."""
        damage = self._damage.told(self._zero or Fraction(0))
        lines = (damage and f"{self._name} is damaged: {damage}", self._cut)
        return [line for line in lines if line]

    def end_of_last(self, moment: Fraction) -> Fraction | None:
        """Until when the last frame, which begins at that moment, is shown; None where nothing tells."""
        end = video_end(self._container, self._stream, self._zero or Fraction(0))
        if end is None or end <= moment:
            end = self._newest[1] if self._newest is not None and self._newest[0] == moment else moment
        sane = _SHORTEST_SECONDS < end - moment <= _LONGEST_SECONDS
        return end if sane and not self.faults else None

    def forget(self) -> None:
        """Take what was wrong so far for no fault: those frames are not wanted."""
        self._damage.forget()

    def _decode(self) -> Iterator[VideoFrame]:
        failed_in_a_row = 0
        for packet in self._packets():
            try:
                frames = packet.decode()
            except av.FFmpegError as error:
                failed_in_a_row += 1
                self._fail(error, _seconds(packet.pts, packet.time_base))
                if self._due:
                    self._due.popleft()
                if not self._shown and failed_in_a_row == _PATIENCE:
                    break
                continue
            failed_in_a_row = 0
            yield from self._counted(frames)
        yield from self._rest()

    def _counted(self, frames: list[VideoFrame]) -> Iterator[VideoFrame]:
        for frame in frames:
            self._shown += 1
            if self._due:
                frame.pts = self._due.popleft()
            moment = _seconds(frame.pts, frame.time_base)
            self._zero = moment if self._zero is None else self._zero
            if frame.is_corrupt:
                self._damage.spoilt(moment)
            self._damage.shown(moment)
            yield frame

    def _packets(self) -> Iterator[Packet[VideoStream]]:
        """The video's packets. All streams are read: the longest tells whether the end is missing."""
        failed_in_a_row = 0
        while failed_in_a_row < _PATIENCE:
            try:
                for packet in self._up_to_a_gap():
                    failed_in_a_row = 0
                    self._look_at(packet)
                    if packet.stream_index == self._stream.index and packet.size:
                        if self._due is not None and packet.dts is not None:
                            self._due.append(packet.dts)
                        yield cast("Packet[VideoStream]", packet)
            except av.FFmpegError as error:
                if self._media.pictures:  # there is no way past one that cannot be read
                    return
                failed_in_a_row += 1
                self._fail(error, self._end)
            else:
                return

    def _up_to_a_gap(self) -> Iterator[Packet[Stream]]:
        """All packets; of numbered pictures, those before the first that is missing."""
        count = len(self._media.pictures) or inf
        for packet in self._demux():
            place = 0 if packet.pts is None else packet.pts
            if place < count:
                yield packet
            if place + 1 >= count:
                return

    def _rest(self) -> Iterator[VideoFrame]:
        """What the decoder still holds back at the end."""
        flush = cast("Packet[VideoStream]", Packet())
        flush.stream = self._stream
        if self._stream.time_base is not None:
            flush.time_base = self._stream.time_base
        try:
            frames = flush.decode()
        except av.FFmpegError as error:  # EOFError is one of them: there was nothing to decode
            if not isinstance(error, EOFError):
                self._fail(error, self._end)
            return
        yield from self._counted(frames)

    def _look_at(self, packet: Packet[Stream]) -> None:
        moment = _seconds(packet.pts, packet.time_base)
        self._damage.read(packet, moment, self._end)
        self._trail.add(packet)
        if moment is None or packet.is_corrupt:
            return
        end = moment + (packet.duration or 0) * packet.time_base
        self._end = max(self._end, end)
        if packet.stream_index == self._stream.index:
            self._place = packet.pos
            self._newest = max(self._newest or (moment, end), (moment, end))

    @property
    def _end_in_index(self) -> Fraction:
        """When the video ends, if the last packet in its index was read, else 0: VP9 loses the length."""
        index = self._stream.index_entries
        whole = self._stream.frames and len(index) and index[-1].pos == self._place
        return (video_end(self._container, self._stream) if whole else None) or Fraction(0)

    def _fail(self, error: av.FFmpegError, moment: Fraction | None) -> None:
        self._reason = self._reason or reason_of(error)
        self._damage.failed(moment)

    def _cut_short(self) -> str:
        """Where the file ends long before the end it states, which FFmpeg takes for an end like any."""
        with self._media.content() as content:
            ending = self._trail.ending(self._container, content) if content else ""
        zero = self._zero or Fraction(0)
        seen = max(0.0, float(self._end - zero))
        end = max(self._end, self._end_in_index)
        if self._stated is not None and end + self._slack < self._stated and ending != SOUND:
            return f"{self._name} is cut short: it ends at {seen:.1f} of {float(self._stated - zero):.1f} s"
        told = {
            CUT: f"is cut short: it ends at {seen:.2f} s, in the middle of what it holds",
            UNREAD: f"is damaged: what follows {seen:.2f} s cannot be read",
            LOST: "is damaged: parts of it cannot be read",
        }
        return f"{self._name} {told[ending]}" if ending in told else ""


def _stated_end(container: InputContainer, stream: VideoStream) -> tuple[Fraction | None, Fraction]:
    """When the file ends, as it says itself, and by how much it may be wrong; None where it does not say."""
    if container.format.name == "avi" and 0 < stream.frames < _MOST_FRAMES and stream.time_base:
        # FFmpeg corrects the length of a cut file by itself; only the number of frames is as it was
        return stream.frames * stream.time_base, max(2 * stream.time_base, _SLACK_SECONDS / 2)
    slack = _SLACK_SECONDS + 2 / (stream.average_rate or Fraction(30))
    if not container.format.name.startswith(_STATE_THEIR_LENGTH) or not container.duration:
        return None, slack
    start = Fraction(container.start_time or 0, av.time_base)
    return Fraction(container.duration, av.time_base) + min(start, Fraction(0)), slack


def _seconds(ticks: int | None, time_base: Fraction | None) -> Fraction | None:
    return None if ticks is None or time_base is None else ticks * time_base
