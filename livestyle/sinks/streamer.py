"""The process that sends a stream: `python -m livestyle.sinks.streamer`, started by `StreamSink`.

It reads a line of JSON, which is `_Asked`, and then, for each frame, its pts as a double and its planes. It
writes a line whenever its state changes: `CONNECTED`, `TRYING` after a loss, or what went wrong. It ends with
its input, and at once where it cannot connect the first time.
"""

import json
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import chain, repeat
from typing import BinaryIO, TypeAlias
from urllib.parse import urlsplit

import av
import numpy as np
from av.container import OutputContainer

from livestyle.errors import SinkError, reason_of
from livestyle.frame import Image
from livestyle.sinks.live_video import LiveVideo

CONNECTED, TRYING = "connected", "trying again"
PTS = struct.Struct("=d")
_PAUSES = (0.5, 1.0, 2.0, 5.0)
_Connection: TypeAlias = tuple[OutputContainer, LiveVideo]


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
    asked = _Asked(**json.loads(sys.stdin.buffer.readline()))
    try:
        connection = _connect(asked)
    except SinkError as error:
        _say(str(error))
        return 1
    while not _send(connection, asked):
        connection = _connect_again(asked)
    return 0


def _send(connection: _Connection, asked: _Asked) -> bool:
    """Send frames; say whether the last one is sent, or the connection lost."""
    container, video = connection
    _say(CONNECTED)
    try:
        for planes, pts in _frames(sys.stdin.buffer, asked.size):
            video.write_planes(planes, pts)
        video.finish()
    except (av.FFmpegError, OSError) as error:
        _say(f"{asked.name} is gone ({_reason(error)})")
        return False
    finally:
        _hang_up(container)
    return True


def _connect_again(asked: _Asked) -> _Connection:
    for pause in chain(_PAUSES, repeat(_PAUSES[-1])):
        time.sleep(pause)
        _say(TRYING)
        with suppress(SinkError):
            return _connect(asked)
    raise AssertionError("pauses do not end")


def _connect(asked: _Asked) -> _Connection:
    name = asked.name
    with ExitStack() as opened:
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
        opened.pop_all()
    return container, video


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
    return "no answer" if isinstance(error, TimeoutError) else reason_of(error)


if __name__ == "__main__":
    sys.exit(main())
