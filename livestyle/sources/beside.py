"""What a file holds beside its video, for whoever carries it over: read once, along with the video."""

from __future__ import annotations  # PyAV's Packet takes its parameter only in annotations

import threading
from collections import deque
from collections.abc import Collection, Iterator

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

PATIENCE = 100
"""Places in a row that may be beyond reading."""
_WAIT_SECONDS = 1.0
"""For a reader that was interrupted and has not ended yet."""


class Beside:
    """The packets of `container` beside stream `video`, kept as they come by, for one taker.

    A file that is opened a second time has its index in memory a second time: 9 MiB for an hour of mp4. Only
    for files whose packets FFmpeg gives in the order of time wherever they are stored, since what waits here
    would be without bound in others. Reader and taker may be on different threads.
    """

    def __init__(self, container: InputContainer, video: int) -> None:
        self.container = container
        self._video = video
        self._waiting: deque[Packet[Stream]] = deque()
        self._wanted: Collection[int] | None = None
        """The streams to keep; None before anybody said so: all."""
        self._reading = threading.Lock()
        self._closed = False
        self._rest: Iterator[Packet[Stream]] | None = None

    @staticmethod
    def suits(container: InputContainer) -> bool:
        """Whether FFmpeg gives the packets of such a file in the order of time: it does of mp4 and mov.

        Of a fragmented one, in the order of its fragments: then up to a fragment's worth waits.
        """
        return container.format.name.startswith("mov")

    def packets(self) -> Iterator[Packet[Stream]]:
        """Read on: all packets, for the reader of the video. Raises as FFmpeg does."""
        demuxed = self.container.demux()
        while (packet := self._next(demuxed)) is not None:
            yield packet
            if packet.stream_index != self._video and packet.pts is not None:
                self._keep(packet)

    def forget(self) -> None:
        """Drop what waits: the reader goes elsewhere in the file."""
        self._waiting.clear()

    def begin(self) -> None:
        """Keep nothing from here on if nobody takes it."""
        if self._wanted is None:
            self._wanted = ()
            self._waiting.clear()

    def take(self) -> bool:
        """Take what comes; False where it is too late for that, and the file has to be opened again."""
        if self._wanted is not None or self._closed:
            return False
        self._wanted = range(len(self.container.streams))
        return True

    def keep_only(self, streams: Collection[int]) -> None:
        """Drop all others, now and later."""
        self._wanted = streams

    def next(self) -> Packet[Stream] | None:
        """The next packet for the taker; None where none has come yet."""
        while self._waiting:
            packet = self._waiting.popleft()
            if self._wanted is None or packet.stream_index in self._wanted:
                return packet
        return None if self._rest is None else next(self._rest, None)

    def __len__(self) -> int:
        """How many packets wait."""
        return len(self._waiting)

    def read_on(self) -> None:
        """Let the taker have what the reader of the video has left, now that it has stopped."""
        if self._rest is None:
            self._rest = self._read_rest()

    def close(self) -> None:
        """The container is about to be closed; safe to call twice."""
        with self._reading:
            self._closed = True

    def _read_rest(self) -> Iterator[Packet[Stream]]:
        failures = 0
        demuxed = self.container.demux()
        while failures < PATIENCE:
            try:
                packet = self._next(demuxed, _WAIT_SECONDS)
            except av.FFmpegError:  # told by whoever decodes the video
                failures += 1
                demuxed = self.container.demux()
                continue
            if packet is None:
                return
            if packet.pts is not None and self._wanted is not None and packet.stream_index in self._wanted:
                yield packet

    def _next(self, demuxed: Iterator[Packet[Stream]], wait_seconds: float = -1.0) -> Packet[Stream] | None:
        """One packet, while nobody else reads; None at the end, or where somebody else goes on reading."""
        if not self._reading.acquire(timeout=wait_seconds):
            return None
        try:
            return None if self._closed else next(demuxed, None)
        finally:
            self._reading.release()

    def _keep(self, packet: Packet[Stream]) -> None:
        if self._wanted is None or packet.stream_index in self._wanted:
            self._waiting.append(packet)
