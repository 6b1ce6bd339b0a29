"""Where frames go."""

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from livestyle.errors import SinkError
from livestyle.frame import Frame

if TYPE_CHECKING:
    from livestyle.sinks.file import FileSink

__all__ = ["Sink", "open_sink", "refuse_same_file"]


class Sink(Protocol):
    """Takes frames in order, on the thread that opened it, and is closed by whoever opened it."""

    def write(self, frame: Frame) -> None:
        """Take one frame; raise `SinkError` when it cannot be written."""
        ...

    def close(self) -> None:
        """Finish what was written and release what the sink holds; safe to call twice."""
        ...


def open_sink(
    path: Path | str,
    size: tuple[int, int],
    *,
    rate: float | Fraction | None = None,
    made_from: Path | str | None = None,
    sound: bool = True,
    hwaccel: str = "auto",
) -> "FileSink":
    """Open the video file `path` for frames of `size` (width, height) that are `made_from` another file.

    `rate` is about how many frames a second will come. With `sound`, that file's soundtrack goes along.
    `hwaccel` encodes on the GPU (`auto`) where there is one that can, or never (`none`).
    Everything that can be known to be wrong beforehand raises `SinkError` here, the output being the input
    included.
    """
    from livestyle.sinks.file import FileSink  # loads FFmpeg, which `livestyle --help` can do without

    if made_from is not None:
        refuse_same_file(path, made_from)
    return FileSink(path, size, rate=rate, audio_from=made_from if sound else None, hwaccel=hwaccel)


def refuse_same_file(path: Path | str, made_from: Path | str) -> None:
    """Raise `SinkError` when writing `path` would replace the file it is made from."""
    target, origin = Path(path), Path(made_from)
    if target.exists() and origin.exists() and target.samefile(origin):
        raise SinkError(f"cannot write {path}: it is the input itself; choose another name for the output")
