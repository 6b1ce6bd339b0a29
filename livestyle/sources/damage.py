"""What is missing of a video, from what failed and from the gaps that this left."""

from __future__ import annotations  # PyAV's Packet takes its parameter only in annotations

from collections import deque
from fractions import Fraction

from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from livestyle.sources.joined import JOIN

_IN_ORDER = ("matroska", "nut", "flv")
"""FFmpeg's readers of formats whose packets lie one behind the other, with little between them."""
_HOLE_BYTES = 1000
"""Between two packets: headers take a tenth of it."""
_GAP = Fraction(3, 2)
"""Between two frames, as a multiple of the usual: where one is missing it is 2."""
_LATE = 16
"""Frames by which a failure may be told too late: FFmpeg decodes on so many threads at most."""
_NEAR_SECONDS = Fraction(1, 4)
"""By how much a gap may come after what caused it: a frame may be shown that others needed, and fail."""
_MOST_DOUBTS = 64


def has_alpha_beside(stream: VideoStream) -> bool:
    """Whether VP8 or VP9 has its alpha as a second picture behind each packet, which FFmpeg does not read."""
    return "1" in (stream.metadata.get(name) for name in ("alpha_mode", "ALPHA_MODE"))


class Damage:
    """The frames of one video that could not be decoded: how many, and when.

    A gap between two frames is damage only beside a failure, or where the file was not readable: bytes that
    belong to no packet, or a packet that the container knows to be incomplete. Frame rates vary:
    a stream that does not state one has no gaps.
    """

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        self._index = stream.index
        self._step = 1 / stream.average_rate if stream.average_rate else None
        self._in_order = container.format.name.startswith(_IN_ORDER) and not any(
            has_alpha_beside(stream) for stream in container.streams.video
        )
        self._read_to: int | None = None
        self._spans: list[tuple[int, Fraction, Fraction]] = []
        """How many frames, from when, to when."""
        self._failures: list[Fraction] = []
        """When packets failed whose gap has not been seen."""
        self._timeless = 0
        self._doubts: deque[tuple[Fraction, Fraction]] = deque(maxlen=_MOST_DOUBTS)
        """From when to when frames may be missing."""
        self._joins: list[Fraction] = []
        """Where another clock begins: what is missing there was never in the file."""
        self._last: Fraction | None = None
        self._fed: Fraction | None = None
        """The time of the last packet that was decoded."""

    def failed(self, moment: Fraction | None) -> None:
        """A packet of about that time could not be decoded."""
        if moment is None:
            self._timeless += 1
            return
        self._failures.append(moment)
        self._doubts.append((moment - _LATE * (self._step or 0), moment))

    def spoilt(self, moment: Fraction | None) -> None:
        """The frame of that time is shown, but not as it was."""
        if moment is None:
            self._timeless += 1
            return
        self._spans.append((1, moment, moment))
        self._doubts.append((moment, moment))

    def read(self, packet: Packet[Stream], moment: Fraction | None, end: Fraction) -> None:
        """A packet of that time came out of the file; `end` is that of those before it."""
        if moment is not None and packet.stream_index == self._index:
            self._fed = moment if self._fed is None else max(self._fed, moment)
        if packet.opaque is JOIN and moment is not None:
            self._joins.append(moment)
        if packet.is_corrupt and moment is not None:  # frames before it may be stored after it
            self._doubts.append((moment - _LATE * (self._step or 0), moment))
        if not self._in_order or packet.pos is None or packet.pos < 0:
            return
        hole = 0 if self._read_to is None else packet.pos - self._read_to
        self._read_to = packet.pos + packet.size
        if hole > _HOLE_BYTES and moment is not None:
            self._doubts.append((min(end, moment), moment))

    def shown(self, moment: Fraction | None) -> None:
        """A frame of that time was decoded, the next one in the order in which they are shown."""
        last, self._last = self._last, moment
        if not self._doubts or last is None or moment is None or self._step is None:
            return
        if moment < last or any(
            last - _NEAR_SECONDS <= join <= moment + _NEAR_SECONDS for join in self._joins
        ):
            self._doubts.clear()  # another recording begins
            return
        near = [doubt for doubt in self._doubts if last - _NEAR_SECONDS <= doubt[1]]
        self._doubts = deque(near, _MOST_DOUBTS)
        causes = [begin for begin, _ in self._doubts if begin < moment]
        if causes and moment - last >= _GAP * self._step:
            self._doubts.append((min(causes), moment))
            self._lost_between(last, moment, self._step)

    def ended(self, moment: Fraction) -> None:
        """The file ends then, and no frame comes any more."""
        if self._doubts:
            self.shown(moment)

    def forget(self) -> None:
        """Take what was wrong so far for no damage."""
        self._spans.clear()
        self._failures.clear()
        self._timeless = 0

    def told(self, zero: Fraction) -> str:
        """How many frames and when, counted from `zero`, in words; empty where there was none."""
        spans = self._spans + [(1, moment, moment) for moment in self._failures]
        if spans:
            spans += self._missing_end()
        count = self._timeless + sum(count for count, _, _ in spans)
        if not count:
            return ""
        frames = f"{'at least ' * bool(self._timeless)}{count} frame{'s' * (count > 1)}"
        if not spans:
            return f"{frames} could not be decoded"
        whole = min(begin for _, begin, _ in spans), max(end for _, _, end in spans)
        begin, end = (f"{max(0.0, float(moment - zero)):.2f}" for moment in whole)
        when = f"at {begin} s" if begin == end else f"between {begin} and {end} s"
        return f"{frames} {when} could not be decoded"

    def _missing_end(self) -> list[tuple[int, Fraction, Fraction]]:
        """What did not come after the last frame: after damage some decoders give no more, and no error."""
        if self._fed is None or self._last is None or not self._step:
            return []
        count = round((self._fed - self._last) / self._step)
        return [(count, self._last + self._step, self._fed)] if count > _LATE else []

    def _lost_between(self, last: Fraction, moment: Fraction, step: Fraction) -> None:
        count = round((moment - last) / step) - 1
        for failure in [f for f in self._failures if last < f < moment + _LATE * step][:count]:
            self._failures.remove(failure)
        self._spans.append((count, last + step, max(last + step, moment - step)))
