"""Live video over the network: RTMP, RTSP, and MPEG-TS over UDP and TCP.

A process of its own sends it: FFmpeg may wait for a server for as long as that likes, and PyAV lets no other
thread of its process run meanwhile.
"""

import json
import logging
import re
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from livestyle.errors import SinkError
from livestyle.frame import Frame
from livestyle.sinks.live_video import planes_of
from livestyle.sinks.pipe import Pipe
from livestyle.sinks.streamer import CONNECTED, PTS

logger = logging.getLogger(__name__)

_FORMATS = {
    "rtmp": "flv",
    "rtmps": "flv",
    "rtsp": "rtsp",
    "udp": "mpegts",
    "tcp": "mpegts",
    "srt": "mpegts",
    "rtp": "rtp_mpegts",
}
_CONNECT_SECONDS = 10.0
_FINISH_SECONDS = 3.0
_STUCK_SECONDS = 5.0
"""A server that takes nothing for so long is as good as gone."""
_PAUSES = (0.5, 1.0, 2.0, 5.0)


class StreamSink:
    """Sends frames of `size` (width, height), at about `rate`, to `url` as H.264 without delay.

    A server that cannot be reached on opening raises `SinkError`. One that is lost later is tried again, at
    longer and longer distances up to 5 s. Frames of that time, and those the network is too slow for, are
    dropped and counted: `write` waits for nobody longer than it takes to notice that.
    """

    def __init__(self, url: str, size: tuple[int, int], *, rate: float = 30.0) -> None:
        self.name = re.sub(r"//[^/@]*@", "//", url)
        self.size = size
        self.dropped = 0
        form = _format(url, self.name)
        self._asked = {"url": url, "name": self.name, "form": form, "size": size, "rate": rate}
        self._attempts = 0
        self._next_attempt = 0.0
        self._lost = False
        self._streamer: _Streamer | None = _Streamer(self._asked)
        self._wait_for_connection(self._streamer)

    def write(self, frame: Frame) -> None:
        """Send one frame, or drop it."""
        height, width = frame.image.shape[:2]
        if (width, height) != self.size:
            raise ValueError(f"a frame of {width}x{height} for a stream of {self.size[0]}x{self.size[1]}")
        if not self._is_connected() or self._streamer is None or not self._streamer.pipe.is_free:
            self.dropped += 1
            return
        try:
            self._streamer.pipe.send(PTS.pack(frame.pts) + planes_of(frame).tobytes())
        except TimeoutError:
            self._lose(f"{self.name} takes no more data")
        except OSError:
            self._lose(self._streamer.last_line)

    def close(self) -> None:
        """Finish the stream and hang up; safe to call twice."""
        if self._streamer is not None:
            self._streamer.end(_FINISH_SECONDS)
            self._streamer = None
            if self.dropped:
                logger.warning("%s: %d frames were dropped", self.name, self.dropped)

    def _wait_for_connection(self, streamer: "_Streamer") -> None:
        until = time.perf_counter() + _CONNECT_SECONDS
        while not streamer.connected:
            if streamer.ended:
                reason = streamer.last_line
                streamer.end(0)
                raise SinkError(reason)
            if time.perf_counter() > until:
                streamer.end(0)
                raise SinkError(f"cannot stream to {self.name}: no answer; is it the right server?")
            time.sleep(0.02)

    def _is_connected(self) -> bool:
        """Whether frames can be sent; on the way there, goes the next step, without waiting."""
        now = time.perf_counter()
        if self._streamer is None:
            if now > self._next_attempt:
                self._streamer = _Streamer(self._asked)
            return False
        if self._streamer.ended or (self._streamer.age > _CONNECT_SECONDS and not self._streamer.connected):
            self._lose(self._streamer.last_line)
            return False
        if self._streamer.connected and self._lost:
            logger.info("%s is back", self.name)
            self._lost, self._attempts = False, 0
        return self._streamer.connected

    def _lose(self, reason: str) -> None:
        if not self._lost:
            logger.warning("%s: trying again", reason or f"{self.name} is gone")
        self._lost = True
        self.dropped += 1
        if self._streamer is not None:
            self._streamer.end(0)
        self._streamer = None
        self._next_attempt = time.perf_counter() + _PAUSES[min(self._attempts, len(_PAUSES) - 1)]
        self._attempts += 1


class _Streamer:
    """The process that sends the frames, through a pipe, and what it has said."""

    def __init__(self, asked: dict[str, object]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="livestyle-")
        self._said = Path(self._folder.name) / "said"  # a file, since not every system can look into a pipe
        self._began = time.perf_counter()
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "livestyle.sinks.streamer"],
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=said,
                start_new_session=True,  # Ctrl-C is for the show, which ends this one when it ends
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # the same on Windows
            )
        assert self._process.stdin is not None
        self._stdin = self._process.stdin
        self.pipe = Pipe(self._stdin.fileno(), _STUCK_SECONDS)
        self._connected = False
        with suppress(OSError):  # it ended at once: that will be noticed
            self.pipe.send(json.dumps(asked).encode() + b"\n")

    @property
    def age(self) -> float:
        """Seconds since it was started."""
        return time.perf_counter() - self._began

    @property
    def ended(self) -> bool:
        """Whether the process is over."""
        return self._process.poll() is not None

    @property
    def connected(self) -> bool:
        """Whether it has reached the server."""
        self._connected = self._connected or CONNECTED in self._lines()
        return self._connected

    @property
    def last_line(self) -> str:
        """What it has said last."""
        return ([line for line in self._lines() if line != CONNECTED] or [""])[-1]

    def end(self, patience_seconds: float) -> None:
        """Let it finish for so long, then kill it."""
        with suppress(OSError):
            self._stdin.close()
        try:
            self._process.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    def _lines(self) -> list[str]:
        return self._said.read_text(errors="replace").splitlines()


def _format(url: str, name: str) -> str:
    scheme = urlsplit(url).scheme
    if scheme not in _FORMATS:
        known = ", ".join(f"{known}://" for known in _FORMATS)
        raise SinkError(f"cannot stream to {name}: no protocol {scheme!r} here; use {known}")
    return _FORMATS[scheme]
