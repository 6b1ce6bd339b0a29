"""One clock for a file whose own begins anew on the way, as when recordings were joined end to end."""

from __future__ import annotations  # PyAV's Packet takes its parameter only in annotations

import logging
from collections.abc import Iterator
from fractions import Fraction
from typing import cast

from av.container import InputContainer
from av.format import Flags
from av.packet import Packet
from av.stream import Stream

logger = logging.getLogger(__name__)

_BACK_SECONDS = Fraction(1, 10)
_AHEAD_SECONDS = Fraction(60)
"""A longer gap in a broadcast is another clock."""
JOIN = "another clock begins"
"""The `opaque` of the first packet after a jump."""


class Joined:
    """The packets of all streams of `container`; where its clock jumps, what follows goes on from there.

    All streams move together. With a `name`, jumps are logged. Only formats that allow for them, such as
    MPEG-TS, are looked at.
    """

    def __init__(self, container: InputContainer, name: str = "") -> None:
        self._container = container
        self._name = name
        self._jumps = bool(container.format.flags & cast(int, Flags.ts_discont.value))
        self._shifts = [Fraction(0)]
        self._first: dict[int, Fraction] = {}
        self._last: dict[int, Fraction] = {}
        self._end: Fraction | None = None
        self._told = False

    def packets(self) -> Iterator[Packet[Stream]]:
        """Read on. Raises as FFmpeg does."""
        for packet in self._known():
            if self._jumps and packet.dts is not None:
                shift = round(self._shift(packet) / packet.time_base)
                packet.dts += shift
                packet.pts = None if packet.pts is None else packet.pts + shift
            yield packet

    def _known(self) -> Iterator[Packet[Stream]]:
        """All packets but those of streams that come up on the way, which PyAV does not know."""
        while True:
            try:
                yield from self._container.demux()
                return
            except IndexError:
                self._tell_of_new_streams()

    def _tell_of_new_streams(self) -> None:
        if self._name and not self._told:
            self._told = True
            told = "streams of %s that begin on the way are left out: paint its parts one by one for them"
            logger.warning(told, self._name)

    def _shift(self, packet: Packet[Stream]) -> Fraction:
        """How much later the packet is than its own clock says."""
        own = (packet.dts or 0) * packet.time_base
        end = own if self._end is None else self._end
        # a packet from before a jump may be stored after it
        shift = min(self._shifts[-2:], key=lambda shift: abs(own + shift - end))
        first = self._first.setdefault(packet.stream_index, own)
        last = self._last.get(packet.stream_index, own + shift)
        if own + shift < last - _BACK_SECONDS or own + shift > max(last, end) + _AHEAD_SECONDS:
            zero = min(self._first.values())
            shift = end - own + first - zero  # streams begin as far apart as they did before
            self._shifts.append(shift)
            packet.opaque = JOIN
            if self._name:
                told = "the clock of %s jumps at %.2f s: what follows is joined on"
                logger.warning(told, self._name, end - zero)
        moment = own + shift
        length = packet.duration * packet.time_base if packet.duration else max(Fraction(0), moment - last)
        self._last[packet.stream_index] = moment
        self._end = max(end, moment + length)
        return shift
