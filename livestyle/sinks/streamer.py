"""The process that sends a stream: `python -m livestyle.sinks.streamer`, started by `StreamSink`.

It reads a line of JSON (url, size, rate) and then, for each frame, its pts as a double and its planes. It
writes `CONNECTED` once frames can come, and at the end, in one line, what went wrong, if anything did.
"""

import json
import struct
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlsplit

import av
import numpy as np
from av.container import OutputContainer

from livestyle.errors import SinkError
from livestyle.frame import Image
from livestyle.sinks.live_video import LiveVideo

CONNECTED = "connected"
PTS = struct.Struct("=d")


@dataclass(frozen=True)
class _Asked:
    url: str
    name: str
    """The URL without a password."""
    form: str
    """FFmpeg's muxer."""
    size: tuple[int, int]
    rate: float


def main() -> int:
    """Stream what comes on stdin; return the exit status."""
    asked = json.loads(sys.stdin.buffer.readline())
    try:
        _stream(sys.stdin.buffer, _Asked(**asked))
    except SinkError as error:
        _say(str(error))
        return 1
    return 0


def _stream(source: BinaryIO, asked: _Asked) -> None:
    with ExitStack() as opened:
        video = _connect(opened, asked)
        _say(CONNECTED)
        try:
            for planes, pts in _frames(source, asked.size):
                video.write_planes(planes, pts)
            video.finish()
        except (av.FFmpegError, OSError) as error:
            raise SinkError(f"{asked.name} is gone ({_reason(error)})") from error


def _connect(opened: ExitStack, asked: _Asked) -> LiveVideo:
    name = asked.name
    try:
        container = av.open(asked.url, "w", format=asked.form, container_options=_options(asked.form))
        opened.callback(_hang_up, container)
        video = LiveVideo(container, asked.size, asked.rate, low_delay=True)
        container.start_encoding()
    except av.ProtocolNotFoundError as error:
        raise SinkError(
            f"cannot stream to {name}: this PyAV was built without {urlsplit(asked.url).scheme}; "
            "pipe --output - into an ffmpeg that has it"
        ) from error
    except (av.FFmpegError, OSError) as error:
        raise SinkError(f"cannot stream to {name}: {_reason(error)}; is the server there?") from error
    return video


def _frames(source: BinaryIO, size: tuple[int, int]) -> Iterator[tuple[Image, float]]:
    width, height = (side + side % 2 for side in size)
    length = width * height * 3 // 2
    while len(stamp := source.read(PTS.size)) == PTS.size:
        data = source.read(length)
        if len(data) < length:
            return
        yield np.frombuffer(data, np.uint8).reshape(height * 3 // 2, width), PTS.unpack(stamp)[0]


def _options(form: str) -> dict[str, str]:
    if form == "rtsp":
        return {"rtsp_transport": "tcp"}
    if form == "flv":
        return {"flvflags": "no_duration_filesize"}  # a stream has no end to write them at
    return {"muxdelay": "0", "flush_packets": "1"}


def _hang_up(container: OutputContainer) -> None:
    with suppress(av.FFmpegError, OSError):  # it may be that which failed
        container.close()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _reason(error: OSError | av.FFmpegError) -> str:
    if isinstance(error, TimeoutError):
        return "no answer"
    return (error.strerror or str(error)).lower()


if __name__ == "__main__":
    sys.exit(main())
