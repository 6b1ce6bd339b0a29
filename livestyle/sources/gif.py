"""How a GIF ends, and whether its blocks follow one another: FFmpeg passes over what is damaged."""

from livestyle.sources.content import Content

_HEAD_BYTES = 13
_TRAILER, _EXTENSION, _IMAGE = b";", b"!", b","


class GifBlocks:
    """What the blocks of a GIF are like, up to its trailer. GIF89a, 12 to 27 and appendix A."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self.images = 0
        self.uneven = 0
        """Images whose data is in pieces of several lengths, the last one aside: programs write none such."""
        self.ending = self._walk()
        """What follows the last block: the trailer, nothing at the end of the file, or garbage."""

    @property
    def is_cut(self) -> bool:
        """Whether the file ends before its trailer."""
        return not self.ending

    @property
    def is_garbled(self) -> bool:
        """Whether something else is between its blocks, or few of its images are unlike the others."""
        return self.ending not in (_TRAILER, b"") or 0 < 2 * self.uneven < self.images

    def _walk(self) -> bytes:
        position = _HEAD_BYTES + _colours(self._content.at(10, 1))
        while (kind := self._content.at(position, 1)) in (_EXTENSION, _IMAGE, b"\0"):  # zeros are in between
            position += 1
            if kind == _EXTENSION:
                position, _ = self._pieces(position + 1)
            elif kind == _IMAGE:
                self.images += 1
                position, even = self._pieces(position + 10 + _colours(self._content.at(position + 8, 1)))
                self.uneven += not even
        return kind

    def _pieces(self, position: int) -> tuple[int, bool]:
        """What is behind the data from there, and whether it was in pieces of one length."""
        lengths: list[int] = []
        while (head := self._content.at(position, 1)) > b"\0":
            lengths.append(head[0])
            position += 1 + head[0]
        return position + 1, len(set(lengths[:-1])) <= 1


def _colours(flags: bytes) -> int:
    """Bytes of the table of colours that the flags announce."""
    return 3 << (flags[0] & 7) + 1 if flags and flags[0] & 0x80 else 0
