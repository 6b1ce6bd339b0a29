"""Where frames come from."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from livestyle.frame import Frame

if TYPE_CHECKING:
    from livestyle.sources.file import FileSource

__all__ = ["FrameSource", "LiveSource", "open_source"]


class FrameSource(Protocol):
    """An iterable of frames, read once, by one thread, and closed by whoever opened it."""

    @property
    def live(self) -> bool:
        """Whether frames come at their own pace, so that late ones must be dropped."""
        ...

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames in order; raise `SourceError` when the next one cannot be read."""
        ...

    def close(self) -> None:
        """Release what the source holds; safe to call twice."""
        ...


class LiveSource(FrameSource, Protocol):
    """A camera, or what stands in for one: `live` is True, and frames come by the wall clock.

    Iterating waits for the next frame. It outlasts stalls and a camera that disappears, and ends after
    `close`, which any thread may call.
    """

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of every frame."""
        ...

    @property
    def fps(self) -> float:
        """The nominal frame rate."""
        ...

    @property
    def name(self) -> str:
        """What to call the camera in a message."""
        ...

    @property
    def notice(self) -> str | None:
        """What is wrong at the moment, in one short line; None while frames come. For any thread."""
        ...

    @property
    def epoch(self) -> float:
        """`time.perf_counter()` at pts 0: a frame was grabbed at `epoch + frame.pts`."""
        ...


def open_source(
    path: Path | str,
    *,
    start_seconds: float = 0.0,
    end_seconds: float | None = None,
    rate: float | None = None,
    hwaccel: str = "none",
) -> "FileSource":
    """Open the video at `path`, or a part of it; raise `SourceError` when there is none that can be decoded.

    `rate` is how many pictures are shown a second, where it is made of them. `hwaccel`, one of
    `livestyle.encoding.HWACCELS`, says whether to decode on an NVIDIA GPU where there is one that can.
    """
    from livestyle.sources.file import FileSource  # loads FFmpeg, which `livestyle --help` can do without

    return FileSource(path, start_seconds=start_seconds, end_seconds=end_seconds, rate=rate, hwaccel=hwaccel)
