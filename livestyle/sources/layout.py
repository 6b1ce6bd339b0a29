"""What of a file FFmpeg left unread, or lacks, without a word: from how its parts follow one another."""

from __future__ import annotations  # PyAV's Packet takes its parameter only in annotations

from collections import deque
from collections.abc import Callable

from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from livestyle.sources.content import Content
from livestyle.sources.gif import GifBlocks
from livestyle.sources.joined import JOIN
from livestyle.sources.matroska import elements_end
from livestyle.sources.ogg import has_end, has_lost_pages
from livestyle.sources.padded import is_whole

CUT = "cut"
"""The last part is not whole."""
UNREAD = "unread"
"""There are parts behind what was read."""
LOST = "lost"
"""There are parts between what was read."""
SOUND = "sound"
"""All of it is there, whatever length it states."""

_BOX_HEAD = 16
_FRAGMENT_BOXES = {b"moof", b"sidx", b"styp", b"moov", b"ftyp"}
"""Without the whole of them, what they announce is not found."""
_OTHER_BOXES = {b"mdat", b"mfra", b"free", b"skip", b"uuid", b"udta", b"meta", b"emsg", b"prft", b"wide"}
_NUT_INDEX = bytes.fromhex("4e58dd672f23e64e")
_NUT_TAIL_BYTES = 1 << 20
_NUT_HEADS_BYTES = 4096
"""What may be written once more between the last packet and the index."""
_NUT_ELIDED_BYTES = 256
"""Of a packet that may not be in the file: how all of its kind begin."""
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_HEAD_BYTES = 1 << 16
_TS_PACKETS = ((188, 188), (192, 188), (204, 188))
"""(from one to the next, what of it has content)."""
_TS_TAIL = 16


class Trail:
    """How far the packets came that were read of a file."""

    def __init__(self, container: InputContainer) -> None:
        self._has_pages = container.format.name == "ogg"
        self.reached = 0
        """Where the furthest one ends, or begins to end: some formats have a few bytes before each."""
        self.last = 0
        """Where the furthest one begins."""
        self.places: set[int] = set()
        """Where packets begin, in a file whose pages have several of them."""
        self._parts: deque[bool] = deque(maxlen=8)
        """Of the last packets, whether they are only a part: FFmpeg knows where it reads them at once."""

    def add(self, packet: Packet[Stream]) -> None:
        """Follow one packet."""
        if packet.opaque is JOIN:
            self._parts.clear()
        if self._has_pages and packet.pos is not None and packet.pos >= 0:
            self.places.add(packet.pos)
        if not packet.size:
            return
        self._parts.append(packet.is_corrupt)
        if packet.pos is not None and packet.pos >= self.last:
            self.last, self.reached = packet.pos, packet.pos + packet.size

    def ending(self, container: InputContainer, content: Content) -> str:
        """CUT, UNREAD, LOST or SOUND, once all was read; empty where nothing tells."""
        if any(self._parts):
            return CUT
        for name, told in _FORMATS.items():
            if container.format.name.startswith(name):
                return told(self, container, content)
        return ""


def _of_boxes(trail: Trail, container: InputContainer, content: Content) -> str:
    """ISO/IEC 14496-12, 4.2: each box begins with its length and its kind."""
    for stream in container.streams:
        entries = stream.index_entries
        if len(entries) and entries[-1].pos + entries[-1].size > content.size:
            return CUT
    position = fragment = 0
    has_fragments = False
    while len(head := content.at(position, _BOX_HEAD)) >= 8:
        length, kind = int.from_bytes(head[:4], "big"), head[4:8]
        length = int.from_bytes(head[8:], "big") if length == 1 else length or content.size - position
        if length < 8 or kind not in _FRAGMENT_BOXES | _OTHER_BOXES:
            break
        has_fragments = has_fragments or kind == b"moof"
        if has_fragments and kind == b"mdat" and length > _BOX_HEAD:  # some have no frames, and are not read
            fragment = position
        position += length
        if position > content.size:
            return CUT if kind in _FRAGMENT_BOXES else ""
    if has_fragments and position < content.size:
        fragment = max(fragment, content.find(b"moof", position))
    return UNREAD if fragment > trail.reached else ""


def _of_elements(trail: Trail, _: InputContainer, content: Content) -> str:
    whole, last, sound = elements_end(content, trail.reached)
    return CUT if not whole else UNREAD if last > trail.reached else SOUND if sound else ""


def _of_tags(trail: Trail, _: InputContainer, content: Content) -> str:
    """Flash Video File Format 10.1, E.4.1: kind, length and time; behind each its length once more."""
    position = trail.last
    while len(head := content.at(position, 11)) >= 4 and head[0] in (8, 9, 18) and not any(head[8:]):
        position += 11 + int.from_bytes(head[1:4], "big")
        if position > content.size:
            return CUT
        position += 4
    return ""


def _of_nut(trail: Trail, _: InputContainer, content: Content) -> str:
    """nut.txt, 3: FFmpeg ends what it writes with an index; others need not."""
    behind = max(trail.last, trail.reached - _NUT_ELIDED_BYTES)
    index = content.find(_NUT_INDEX, max(0, min(behind, content.size - _NUT_TAIL_BYTES)))
    if index < 0:
        return "" if is_whole(content, trail.last, "nut") else CUT
    between = range(behind, trail.reached + _NUT_HEADS_BYTES)
    return UNREAD if trail.last < index and index not in between else ""


def _of_frames(trail: Trail, _: InputContainer, content: Content) -> str:
    """yuv4mpeg(5): each frame begins with this word."""
    return CUT if content.at(trail.reached, 5) == b"FRAME" else ""


def _of_dv(trail: Trail, _: InputContainer, content: Content) -> str:
    """IEC 61834-2: each frame begins with a block of headers, the first of its sequence."""
    return CUT if trail.reached > content.size and content.at(trail.last, 2) == b"\x1f\x07" else ""


def _of_gif(_: Trail, __: InputContainer, content: Content) -> str:
    blocks = GifBlocks(content)
    return CUT if blocks.is_cut else LOST if blocks.is_garbled else ""


def _of_ts(_: Trail, __: InputContainer, content: Content) -> str:
    """ISO/IEC 13818-1, 2.4.3.2: packets of one length, each begins with 0x47."""
    for length, full in _TS_PACKETS:
        tail = content.at(max(0, content.size - _TS_TAIL * length), _TS_TAIL * length)
        for first in range(min(length, len(tail) - 4 * length)):
            if not tail[first::length].strip(b"G"):
                return CUT if (len(tail) - first - 1) % length + 1 < full else ""
    return ""


def _of_asf(_: Trail, __: InputContainer, content: Content) -> str:
    """Advanced Systems Format 1.2, 3 to 5: behind the header the data, with their length unless broadcast.

    An index may follow, which FFmpeg leaves in a pipe.
    """
    head = content.at(0, _ASF_HEAD_BYTES)
    found = head.find(_ASF_PROPERTIES)
    begin, flags = (int.from_bytes(head[place : place + 8], "little") for place in (16, found + 88))
    end = begin + int.from_bytes(content.at(begin + 16, 8), "little")
    return CUT if found >= 0 and not flags & 1 and content.size < end else ""


def _of_ogg(trail: Trail, __: InputContainer, content: Content) -> str:
    if not has_end(content):
        return CUT
    return LOST if has_lost_pages(content, trail.places) else ""


_FORMATS: dict[str, Callable[[Trail, InputContainer, Content], str]] = {
    "mov": _of_boxes,
    "matroska": _of_elements,
    "flv": _of_tags,
    "nut": _of_nut,
    "yuv4mpegpipe": _of_frames,
    "dv": _of_dv,
    "gif": _of_gif,
    "mpegts": _of_ts,
    "asf": _of_asf,
    "ogg": _of_ogg,
}
"""By how FFmpeg's name of the format begins."""
