"""Which pages of an Ogg file were left out: FFmpeg passes over damaged ones without a word."""

from collections.abc import Iterator

from livestyle.sources.content import Content

_MARK = b"OggS"
_HEAD_BYTES = 27 + 255
_CONTINUED = 1
_LAST = 4
"""Flags of a page: it begins within a packet; it is the last one of its stream."""
_TAIL_BYTES = 1 << 17
"""A page has 64 KiB at most, and each stream ends on its own."""


def has_end(content: Content) -> bool:
    """Whether a stream ends near the end of the file. RFC 3533, 6."""
    pages = content.at(max(0, content.size - _TAIL_BYTES), _TAIL_BYTES).split(_MARK)[1:]
    return any(page[1:2] and page[1] & _LAST for page in pages)


def has_lost_pages(content: Content, known: set[int]) -> bool:
    """Whether a page has a packet of its own, but is not among those where packets begin; or is none.

    Streams of which nothing was read are not looked at.
    """
    streams = {content.at(position, 18)[14:] for position in known}
    position = min(known, default=content.size)
    for page, stream, has_packet in _pages(content, position):
        if page != position and content.at(position, page - position).strip(b"\0"):
            return True
        if has_packet and stream in streams and page not in known:
            return True
        position = page + _length(content.at(page, _HEAD_BYTES))
    return False


def _pages(content: Content, position: int) -> Iterator[tuple[int, bytes, bool]]:
    """Where each page is, its stream, and whether a packet begins and ends on it."""
    while position >= 0:
        head = content.at(position, _HEAD_BYTES)
        if head[:4] != _MARK:
            position = content.find(_MARK, position + 1)
            continue
        if len(head) < 27 or position + _length(head) > content.size:
            return
        ends = sum(length < 255 for length in head[27 : 27 + head[26]])
        yield position, head[14:18], ends > (head[5] & _CONTINUED)
        position += _length(head)


def _length(head: bytes) -> int:
    return 27 + head[26] + sum(head[27 : 27 + head[26]])
