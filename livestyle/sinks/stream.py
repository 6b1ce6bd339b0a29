"""Live video over the network: RTMP, RTSP, and MPEG-TS over UDP and TCP."""

import logging
import re
import time
from contextlib import ExitStack, suppress
from urllib.parse import urlsplit

import av
from av.container import OutputContainer

from livestyle.errors import SinkError
from livestyle.frame import Frame
from livestyle.sinks.live_video import LiveVideo

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
_PAUSES = (0.5, 1.0, 2.0, 5.0)


class StreamSink:
    """Sends frames of `size` (width, height), at about `rate`, to `url` as H.264 without delay.

    A server that cannot be reached on opening raises `SinkError`. One that is lost later is tried again, at
    longer and longer distances up to 5 s; frames of that time are dropped and counted.
    """

    def __init__(self, url: str, size: tuple[int, int], *, rate: float = 30.0) -> None:
        self.name = re.sub(r"//[^/@]*@", "//", url)
        self.dropped = 0
        self._url, self._size, self._rate = url, size, rate
        self._form = _format(url, self.name)
        self._attempts = 0
        self._next_attempt = 0.0
        self._container: OutputContainer | None = None
        self._connect()

    def write(self, frame: Frame) -> None:
        """Send one frame, or drop it while there is no connection."""
        if self._container is None and not self._reconnected():
            self.dropped += 1
            return
        try:
            self._video.write(frame)
        except (av.FFmpegError, OSError) as error:
            self._lose(_reason(error))

    def close(self) -> None:
        """Finish the stream and hang up; safe to call twice."""
        if self._container is not None:
            with suppress(av.FFmpegError, OSError):
                self._video.finish()
        self._leave()
        if self.dropped:
            logger.warning("%s: %d frames were lost with the connection", self.name, self.dropped)

    def _connect(self) -> None:
        with ExitStack() as opened:
            try:
                container = av.open(self._url, "w", format=self._form, container_options=_options(self._form))
                opened.callback(_hang_up, container)
                self._video = LiveVideo(container, self._size, self._rate, low_delay=True)
                container.start_encoding()
            except av.ProtocolNotFoundError as error:
                scheme = urlsplit(self._url).scheme
                raise SinkError(
                    f"cannot stream to {self.name}: this PyAV was built without {scheme}; "
                    f"pipe --output - into an ffmpeg that has it"
                ) from error
            except (av.FFmpegError, OSError) as error:
                reason = _reason(error)
                raise SinkError(f"cannot stream to {self.name}: {reason}; is the server there?") from error
            opened.pop_all()
        self._container = container

    def _reconnected(self) -> bool:
        if time.perf_counter() < self._next_attempt:
            return False
        try:
            self._connect()
        except SinkError as error:
            logger.debug("%s", error)
            self._wait()
            return False
        logger.info("%s is back", self.name)
        self._attempts = 0
        return True

    def _lose(self, reason: str) -> None:
        logger.warning("%s is gone (%s): trying again", self.name, reason)
        self.dropped += 1
        self._leave()
        self._wait()

    def _leave(self) -> None:
        container, self._container = self._container, None
        _hang_up(container)

    def _wait(self) -> None:
        pause = _PAUSES[min(self._attempts, len(_PAUSES) - 1)]
        self._attempts += 1
        self._next_attempt = time.perf_counter() + pause


def _hang_up(container: OutputContainer | None) -> None:
    if container is not None:
        with suppress(av.FFmpegError, OSError):  # it may be that which failed
            container.close()


def _format(url: str, name: str) -> str:
    scheme = urlsplit(url).scheme
    if scheme not in _FORMATS:
        known = ", ".join(f"{known}://" for known in _FORMATS)
        raise SinkError(f"cannot stream to {name}: no protocol {scheme!r} here; use {known}")
    return _FORMATS[scheme]


def _options(form: str) -> dict[str, str]:
    if form == "rtsp":
        return {"rtsp_transport": "tcp"}
    if form == "flv":
        return {"flvflags": "no_duration_filesize"}  # a stream has no end to write them at
    return {"muxdelay": "0", "flush_packets": "1"}


def _reason(error: OSError | av.FFmpegError) -> str:
    if isinstance(error, TimeoutError):
        return "no answer"
    return (error.strerror or str(error)).lower()
