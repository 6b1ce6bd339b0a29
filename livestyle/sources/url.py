"""A camera on the network: MJPEG over HTTP, RTSP and whatever else FFmpeg reads by URL.

Through PyAV, not OpenCV's own FFmpeg: its errors say what went wrong, nothing is printed, both connecting and
reading have a time limit, and colours are converted by what the stream says of itself.
"""

import re
import time
from collections.abc import Iterator

import av
from av.container import InputContainer

from livestyle.errors import SourceError, reason_of
from livestyle.frame import Image
from livestyle.sources.rgb import ToRgb

_CONNECT_SECONDS, _READ_SECONDS = 5.0, 2.0
_OPTIONS = {
    "fflags": "nobuffer",
    "flags": "low_delay",
    "rtsp_transport": "tcp",  # pictures lost with UDP packets would be grey for seconds
    "analyzeduration": "500000",  # microseconds; FFmpeg's own 5 s would be the time to reconnect
    "fpsprobesize": "2",
}
_USUAL_RATE = 25.0


class UrlConnection:
    """The video at `url`, each image with the time it was decoded, which is about when it arrived.

    `grab` waits for the next image, or fails after 2 s without data: FFmpeg cannot be asked to stop before.
    Raises `SourceError`.
    """

    def __init__(self, url: str) -> None:
        self._name = without_password(url)
        self._container = _open(url)
        self._to_rgb = ToRgb(self._name)
        self._decoded = self._decode()

    @property
    def fps(self) -> float:
        """The rate that the stream states, or FFmpeg's guess."""
        stream = self._container.streams.video[0]
        return float(stream.guessed_rate or stream.average_rate or _USUAL_RATE)

    def grab(self) -> tuple[Image, float] | None:
        """Return the next image and when it came; None in place of a damaged one. Raises `SourceError` at the
        end of the stream.
        """
        try:
            decoded = next(self._decoded)
            moment = time.perf_counter()
            return None if decoded is None else (self._to_rgb(decoded), moment)
        except StopIteration:
            raise SourceError(f"cannot read {self._name}: the stream has ended") from None
        except (av.FFmpegError, OSError) as error:
            raise SourceError(f"cannot read {self._name}: {_reason(error)}") from error

    def close(self) -> None:
        """Hang up; safe to call twice."""
        self._container.close()

    def _decode(self) -> Iterator[av.VideoFrame | None]:
        stream = self._container.streams.video[0]
        stream.thread_type = "SLICE"  # frame threads would hold back as many frames as there are threads
        for packet in self._container.demux(stream):
            try:
                yield from packet.decode()
            except av.InvalidDataError:
                yield None


def without_password(url: str) -> str:
    """The URL as it may be shown: without the user and the password that it may hold."""
    return re.sub(r"//[^/?#]*@", "//", url)


def _open(url: str) -> InputContainer:
    name = without_password(url)
    try:
        container = av.open(url, options=_OPTIONS, timeout=(_CONNECT_SECONDS, _READ_SECONDS))
    except (av.FFmpegError, OSError) as error:
        raise SourceError(f"cannot open {name}: {_reason(error)}; is the stream running?") from error
    if not container.streams.video:
        container.close()
        raise SourceError(f"cannot open {name}: it holds no video; is it a camera?")
    return container


def _reason(error: OSError | av.FFmpegError) -> str:
    return "no answer" if isinstance(error, av.ExitError) else reason_of(error)
