"""How a Matroska file ends, of which FFmpeg says nothing where it ends too early."""

from livestyle.sources.content import Content

_SEGMENT = 0x18538067
_CLUSTER = 0x1F43B675
_BLOCKS = {0xA0, 0xA3}
"""A group with a block, and a simple block."""
_OTHERS = {
    0xE7, 0xA7, 0xAB, 0xAF, 0x5854, 0xBF, 0xEC, 0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1C53BB6B, 0x1941A469,
    0x1043A770, 0x1254C367, 0x1B538667, 0x1A45DFA3,
}  # fmt: skip
"""What else is in a cluster, or beside it."""
_HEAD_BYTES = 12
"""An id has 4 at most, a length 8."""
_CHAIN = 3
"""So many elements in a row are none by chance."""
_SEARCHED_BYTES = 1 << 20


def elements_end(content: Content, reached: int) -> tuple[bool, int, bool]:
    """Whether the last element is whole; where the last block begins, unless before `reached`; whether each
    element follows the one before, to the end of a segment that says how long it is.

    RFC 8794, 4 to 6: an element has an id, a length, and content. RFC 9559, 5: blocks are in clusters.
    """
    position = last = expected = kind = 0
    in_a_row = True
    while 0 <= position < content.size:
        kind, begin, length = _element(content.at(position, _HEAD_BYTES), position)
        end = content.size if length is None else begin + length
        if not kind:
            in_a_row = False
            position = _behind_garbage(content, position)
        elif kind == _SEGMENT or (kind == _CLUSTER and (length is None or end > reached)):
            position, expected = begin, max(expected, end)
            in_a_row = in_a_row and (kind != _SEGMENT or length is not None)
        elif end > content.size:
            return kind not in _BLOCKS, last, False
        else:
            last = position if kind in _BLOCKS else last
            position = end
    return expected <= content.size or kind not in _BLOCKS, last, in_a_row and expected <= content.size


def _behind_garbage(content: Content, position: int) -> int:
    """Where elements follow one another again; -1 where they do not, as in what programs add to a file."""
    near = content.at(position, _SEARCHED_BYTES)
    for offset in range(1, len(near)):
        if near[offset] in (0xA0, 0xA3) and _is_chain(content, position + offset):
            return position + offset
    return content.find(_CLUSTER.to_bytes(4, "big"), position + 1)


def _is_chain(content: Content, position: int) -> bool:
    for _ in range(_CHAIN):
        kind, begin, length = _element(content.at(position, _HEAD_BYTES), position)
        if not kind or length is None or begin + length > content.size:
            return False
        position = begin + length
    return True


def _element(head: bytes, position: int) -> tuple[int, int, int | None]:
    """Its id, 0 where none begins there; where its content begins; how long that is, None where unknown."""
    wide = 9 - head[0].bit_length() if head else 9
    kind = int.from_bytes(head[:wide], "big")
    if len(head) <= wide or not head[wide] or kind not in _BLOCKS | _OTHERS | {_SEGMENT, _CLUSTER}:
        return 0, position, 0
    size = 9 - head[wide].bit_length()
    length = int.from_bytes(head[wide : wide + size], "big") & ((1 << 7 * size) - 1)
    return kind, position + wide + size, None if length == (1 << 7 * size) - 1 else length
