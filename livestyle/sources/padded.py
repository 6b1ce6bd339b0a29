"""A file as if it went on, to see how much more FFmpeg would read of its last packet."""

import os

import av

from livestyle.sources.content import Content
from livestyle.sources.spool import Positioned

_MORE_BYTES = 1 << 26
_ELIDED_BYTES = 4
"""How all packets of a kind begin may not be in the file; FFmpeg leaves so much out."""
_HEAD_BYTES = 1024
"""What is before a packet's content."""


class Padded(Positioned):
    """Those bytes, and zeros behind them."""

    def __init__(self, content: Content) -> None:
        super().__init__()
        self._content = content

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes."""
        left = self._content.size + _MORE_BYTES - self._position
        size = min(size, left) if size >= 0 else left
        data = self._content.at(self._position, size).ljust(size, b"\0")
        self._position += size
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to `offset` from the beginning, from here, or from the end."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._content.size + _MORE_BYTES}
        self._position = base[whence] + offset
        return self._position


def is_whole(content: Content, position: int, form: str) -> bool:
    """Whether the packet that begins there ends within the file."""
    try:
        with av.open(Padded(content), "r", format=form) as container:
            for packet in container.demux():
                if packet.pos == position:
                    return bytes(packet)[_ELIDED_BYTES:] in content.at(position, _HEAD_BYTES + packet.size)
    except (av.FFmpegError, IndexError):
        pass
    return True
