"""Frames of a video file, decoded by FFmpeg through PyAV."""

import logging
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from livestyle.errors import SourceError
from livestyle.frame import Frame
from livestyle.sources.decoded import to_image
from livestyle.sources.hwaccel import open_container

logger = logging.getLogger(__name__)

_USUAL_RATE = Fraction(30)
_PICTURES = {"image2"}
"""FFmpeg's readers of single pictures, beside those that are called `..._pipe`."""


class FileSource:
    """The frames of one video file, upright, each with its own pts: the frame rate may vary.

    `pts` counts from the first frame. Rotation metadata is applied, more than 8 bits per
    channel become 8, alpha is dropped. The first frame is decoded on opening, so a file that opens has a
    picture and a true size. `hwaccel` is `auto` or `none`. Raises `SourceError`.
    """

    live = False

    def __init__(self, path: Path | str, *, hwaccel: str = "none") -> None:
        self.path = Path(path)
        self._container, self._stream = _open(self.path, hwaccel)
        self._stream.thread_type = "AUTO"
        self._reformatter = VideoReformatter()
        self._start: Fraction | None = None  # of the first frame: Matroska states no start per stream
        self._pts = 0.0
        self._decoded = self._decode()
        try:
            self._first = next(self._decoded)
        except StopIteration:
            self.close()
            raise SourceError(
                f"cannot read {self.path}: its video holds no frames; choose another file"
            ) from None
        except SourceError:
            self.close()
            raise

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the frames, after rotation."""
        height, width = self._first.image.shape[:2]
        return width, height

    @property
    def fps(self) -> float:
        """The average frame rate; single frames may be further apart or closer together."""
        return float(self._rate)

    @property
    def duration_seconds(self) -> float | None:
        """Length of the video as the container states it; None where it does not."""
        if self._stream.duration is not None and self._stream.time_base is not None:
            return float(self._stream.duration * self._stream.time_base)
        if self._container.duration is not None:
            return self._container.duration / av.time_base
        return None

    @property
    def frame_estimate(self) -> int | None:
        """About how many frames there are, for a progress bar; None when nothing tells."""
        if self._stream.frames:
            return self._stream.frames
        return None if self.duration_seconds is None else max(1, round(self.duration_seconds * self.fps))

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames in order of pts, once."""
        return chain([self._first], self._decoded)

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._container.close()

    @property
    def _rate(self) -> Fraction:
        return self._stream.average_rate or self._stream.guessed_rate or _USUAL_RATE

    def _decode(self) -> Iterator[Frame]:
        try:
            for decoded in self._container.decode(self._stream):
                yield Frame(to_image(decoded, self._reformatter), self._seconds(decoded))
            self._notice_a_cut()
        except av.FFmpegError as error:
            where = f"{self.path} after {self._pts:.2f} s"
            raise SourceError(
                f"cannot decode {where}: {_reason(error)}; cut the clip before it, or re-encode it"
            ) from error

    def _notice_a_cut(self) -> None:
        """Say so when the file ends long before the end it states, which FFmpeg takes for an end like any."""
        stated = self.duration_seconds if self._stream.duration is not None else None
        if stated is not None and self._pts + 1 < stated:
            logger.warning("%s is cut short: it ends at %.1f of %.1f s", self.path, self._pts, stated)

    def _seconds(self, decoded: av.VideoFrame) -> float:
        if decoded.pts is None or decoded.time_base is None:
            self._pts += 1 / self.fps
        else:
            moment = decoded.pts * decoded.time_base
            self._start = moment if self._start is None else self._start
            self._pts = float(moment - self._start)
        return self._pts


def _open(path: Path, hwaccel: str) -> tuple["av.container.InputContainer", VideoStream]:
    if not path.exists():
        raise SourceError(f"cannot open {path}: no such file; check the name")
    if path.is_dir():
        raise SourceError(f"cannot open {path}: it is a folder; name a video in it")
    try:
        # the prefix keeps a colon in a name from being read as a protocol
        container = open_container(f"file:{path}", hwaccel)
    except (av.FFmpegError, OSError) as error:
        raise SourceError(f"cannot open {path}: {_reason(error)}; is it a video?") from error
    if container.format.name in _PICTURES or container.format.name.endswith("_pipe"):
        container.close()
        raise SourceError(f"cannot open {path} as a video: it is a picture; paint it with livestyle image")
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic and stream.codec_context is not None:
            return container, stream
    container.close()
    raise SourceError(f"cannot read {path}: it holds no video that can be decoded; choose another file")


def _reason(error: OSError | av.FFmpegError) -> str:
    return (error.strerror or str(error)).lower()
