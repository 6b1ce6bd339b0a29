"""What FFmpeg cannot tell an animated WebP: how long its last picture is shown."""

from collections.abc import Iterator

_HEADER = 12
_DURATION = 12
"""Where a frame has it: in milliseconds, 24 bits with the lowest byte first."""
_LONGEST = (1 << 24) - 1


def ending_at(content: bytes, milliseconds: int) -> bytes:
    """The animation with an end at that time from its first picture on; a single picture as it is.

    libwebp shows the last one as long as the others on average. WebP Container Specification, "Animation".
    """
    places = [begin + _DURATION for name, begin in _chunks(content) if name == b"ANMF"]
    if not places:
        return content
    before = sum(int.from_bytes(content[place : place + 3], "little") for place in places[:-1])
    last = min(max(milliseconds - before, 0), _LONGEST)
    return content[: places[-1]] + last.to_bytes(3, "little") + content[places[-1] + 3 :]


def _chunks(content: bytes) -> Iterator[tuple[bytes, int]]:
    """The name of each chunk, and where its content begins."""
    begin = _HEADER
    while begin + 8 <= len(content):
        yield content[begin : begin + 4], begin + 8
        length = int.from_bytes(content[begin + 4 : begin + 8], "little")
        begin += 8 + length + length % 2
