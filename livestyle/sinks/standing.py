"""Subtitles of pictures that are on the screen already when a part of a video begins."""

from __future__ import annotations  # PyAV's Packet takes its parameter only in annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from fractions import Fraction
from math import ceil

from av.packet import Packet
from av.stream import Stream

_PICTURED = frozenset({"hdmv_pgs_subtitle", "dvb_subtitle"})
"""FFmpeg's names of the codecs whose pictures stand until others come."""
_PGS, _PGS_STATE, _PGS_COUNT = 0x16, 10, 13
"""Presentation composition: where it says whether it begins anew, and how many pictures it shows."""
_DVB, _DVB_STATE = b"\x0f\x10", 7
"""ETSI EN 300 743, 7.2.2: page composition, and where it says whether it begins anew."""
_MOST = 64
"""Packets that make a picture together."""
_LATE_SECONDS = 1
"""By so much a packet may be stored behind later ones of other streams."""


def is_pictured(track: Stream) -> bool:
    """Whether its pictures stand until others come."""
    return track.codec_context is not None and track.codec_context.codec.canonical_name in _PICTURED


def with_standing(
    packets: Iterable[Packet[Stream]], pictured: Collection[int], begin: Fraction
) -> Iterator[Packet[Stream]]:
    """The packets; what streams `pictured` have on the screen at `begin` comes again then."""
    standing: dict[int, deque[Packet[Stream]]] = {index: deque(maxlen=_MOST) for index in pictured}
    for packet in packets:
        moment = (packet.pts or 0) * packet.time_base
        own = standing.get(packet.stream_index)
        if own is not None and moment < begin and not packet.duration:
            _add(own, packet)
            continue
        for index in list(standing) if moment > begin + _LATE_SECONDS else [packet.stream_index]:
            yield from _at(begin, standing.pop(index, ()))
        yield packet
    for rest in standing.values():
        yield from _at(begin, rest)


def _add(standing: deque[Packet[Stream]], packet: Packet[Stream]) -> None:
    """Keep the packet with those that it goes on from; nothing where it clears the screen."""
    data = bytes(packet)
    is_page = data[:2] == _DVB and len(data) > _DVB_STATE
    is_composition = data[:1] == bytes([_PGS]) and len(data) > _PGS_COUNT
    if (is_page and data[_DVB_STATE] & 0x0C) or (is_composition and data[_PGS_STATE]):
        standing.clear()
    if is_composition and not data[_PGS_COUNT]:
        standing.clear()
    else:
        standing.append(packet)


def _at(moment: Fraction, packets: Iterable[Packet[Stream]]) -> Iterator[Packet[Stream]]:
    for packet in packets:
        packet.pts = packet.dts = ceil(moment / packet.time_base)
        yield packet
