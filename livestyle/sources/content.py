"""The bytes of a file, for whoever looks at how they lie."""

from typing import IO

from livestyle.sources.spool import View

_CHUNK = 1 << 20


class Content:
    """`size` bytes of an open file that can be sought in."""

    def __init__(self, file: IO[bytes] | View, size: int) -> None:
        self._file = file
        self.size = size

    def at(self, position: int, count: int) -> bytes:
        """Up to `count` bytes from there."""
        self._file.seek(position)
        return self._file.read(max(0, min(count, self.size - position)))

    def find(self, wanted: bytes, position: int) -> int:
        """Where those bytes are, from that position on; -1 where they are not."""
        while chunk := self.at(position, _CHUNK):
            if (found := chunk.find(wanted)) >= 0:
                return position + found
            position += max(1, len(chunk) - len(wanted) + 1)
        return -1
