"""Live video over the network: RTMP, RTSP, and MPEG-TS over UDP and TCP.

A process of its own sends it: FFmpeg may wait for a server for as long as that likes, and PyAV lets no other
thread of its process run meanwhile.
"""

import json
import logging
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from livestyle.errors import SinkError
from livestyle.frame import Frame, require_size
from livestyle.sinks.live_video import planes_of
from livestyle.sinks.pipe import Pipe
from livestyle.sinks.streamer import CONNECTED, PTS
from livestyle.sources.url import without_password

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
_SILENT_SECONDS = 15.0
"""A process that has neither connected nor tried again for so long waits for a server that says nothing."""


class StreamSink:
    """Sends frames of `size` (width, height), at about `rate`, to `url` as H.264 without delay.

    A server that cannot be reached on opening raises `SinkError`. One that is lost later is tried again, at
    longer and longer distances up to 5 s. Frames of that time, and those the network is too slow for, are
    dropped and counted: `write` waits for nobody longer than it takes to notice that.
    """

    def __init__(self, url: str, size: tuple[int, int], *, rate: float = 30.0) -> None:
        self.name = without_password(url)
        self.size = size
        self.dropped = 0
        form = _format(url, self.name)
        self._asked = {"url": url, "name": self.name, "form": form, "size": size, "rate": rate}
        self._lost = False
        self._free_at = time.perf_counter()
        self._streamer = _Streamer(self._asked)
        try:
            self._wait_for_connection()
        except BaseException:  # Ctrl-C included: it would go on for as long as it may take to connect
            self._streamer.end(0)
            raise

    def write(self, frame: Frame) -> None:
        """Send one frame, or drop it."""
        require_size(frame.image, self.size)
        if not self._is_ready():
            self.dropped += 1
            return
        try:
            self._streamer.pipe.send(PTS.pack(frame.pts) + planes_of(frame).tobytes())
        except OSError:  # it ended, or it stopped reading in the middle of a frame
            self.dropped += 1
            self._start_again()

    def close(self) -> None:
        """Finish the stream and hang up; safe to call twice."""
        if self._streamer.closed:
            return
        self._streamer.end(_FINISH_SECONDS if self._streamer.state == CONNECTED else 0)
        if self.dropped:
            logger.warning("%s: %d frames were dropped", self.name, self.dropped)

    def _wait_for_connection(self) -> None:
        while (state := self._streamer.state) != CONNECTED:
            ended = self._streamer.ended
            if ended or self._streamer.silent_seconds > _CONNECT_SECONDS:
                no_answer = f"cannot stream to {self.name}: no answer; is it the right server?"
                raise SinkError(state if ended and state else no_answer)
            time.sleep(0.02)

    def _is_ready(self) -> bool:
        """Whether a frame can be sent now. Does what is to be done about it, without waiting."""
        now, state = time.perf_counter(), self._streamer.state
        if state != CONNECTED:
            self._report_loss(state)
            patience = _STUCK_SECONDS if self._streamer.ended else _SILENT_SECONDS
            if self._streamer.silent_seconds > patience:
                self._start_again()
            return False
        if self._lost:
            self._lost = False
            logger.info("%s is back", self.name)
        if self._streamer.pipe.is_free:
            self._free_at = now
            return True
        if now - self._free_at > _STUCK_SECONDS:
            self._report_loss(f"{self.name} takes no more data")
            self._start_again()
        return False

    def _report_loss(self, reason: str) -> None:
        if not self._lost:
            self._lost = True
            logger.warning("%s: trying again", reason or f"{self.name} is gone")

    def _start_again(self) -> None:
        self._report_loss(f"{self.name} is gone")
        self._streamer.end(0)
        self._streamer = _Streamer(self._asked)
        self._free_at = time.perf_counter()


class _Streamer:
    """The process that sends the frames, through a pipe, and what it has said."""

    def __init__(self, asked: dict[str, object]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="livestyle-")
        self._said = Path(self._folder.name) / "said"  # a file, since not every system can look into a pipe
        self.closed = False
        self._state, self._length = "", 0
        self._changed_at = time.perf_counter()
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
        with suppress(OSError):  # it ended at once: that will be noticed
            self.pipe.send(json.dumps(asked).encode() + b"\n")

    @property
    def ended(self) -> bool:
        """Whether the process is over."""
        return self._process.poll() is not None

    @property
    def state(self) -> str:
        """The last line that it has written."""
        length = self._said.stat().st_size
        if length != self._length:
            self._length, self._changed_at = length, time.perf_counter()
            lines = self._said.read_text(errors="replace").splitlines()
            self._state = lines[-1] if lines else ""
        return self._state

    @property
    def silent_seconds(self) -> float:
        """How long ago its state has changed, or it was started."""
        return time.perf_counter() - self._changed_at

    def end(self, patience_seconds: float) -> None:
        """Let it finish for so long, then kill it."""
        self.closed = True
        with suppress(OSError):
            self._stdin.close()
        try:
            self._process.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()


def _format(url: str, name: str) -> str:
    scheme = urlsplit(url).scheme
    if scheme not in _FORMATS:
        known = ", ".join(f"{known}://" for known in _FORMATS)
        raise SinkError(f"cannot stream to {name}: no protocol {scheme!r} here; use {known}")
    return _FORMATS[scheme]
