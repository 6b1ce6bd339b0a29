"""Where frames go."""

import os
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from livestyle.colors import Colors
from livestyle.encoding import Encoding
from livestyle.errors import SinkError
from livestyle.frame import Frame
from livestyle.numbered import is_numbered

if TYPE_CHECKING:
    from livestyle.sinks.file import FileSink
    from livestyle.sinks.sequence import SequenceSink
    from livestyle.sources.media import Excerpt

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
    made_from: "Path | str | Excerpt | None" = None,
    encoding: Encoding | None = None,
    form: str | None = None,
    pixel_aspect: Fraction = Fraction(1),
    colors: Colors | None = None,
    overwrite: bool = True,
    last_seconds: Callable[[], float | None] = lambda: None,
) -> "FileSink | SequenceSink":
    """Open `path` for frames of `size` (width, height) that are `made_from` another file, or a part of it.

    `rate` is about how many frames a second will come. All that the other file has beside its picture goes
    along. The rest is `FileSink`'s; a name like `frames/%05d.png` is one of pictures. Everything
    that can be known to be wrong beforehand raises `SinkError` here, the output being the input included.
    """
    if made_from is not None:
        refuse_same_file(path, made_from if isinstance(made_from, Path | str) else made_from.media.path)
    if is_numbered(path):
        from livestyle.sinks.sequence import SequenceSink

        _refuse_options_of_videos(path, encoding or Encoding(), form)
        return SequenceSink(path, overwrite=overwrite)
    from livestyle.sinks.file import FileSink  # loads FFmpeg, which `livestyle --help` can do without

    return FileSink(
        path,
        size,
        rate=rate,
        audio_from=made_from,
        encoding=encoding,
        form=form,
        pixel_aspect=pixel_aspect,
        colors=colors,
        overwrite=overwrite,
        last_seconds=last_seconds,
    )


def _refuse_options_of_videos(path: Path | str, encoding: Encoding, form: str | None) -> None:
    for name, asked in (("codec", encoding.codec), ("crf", encoding.crf), ("format", form)):
        if asked is not None:
            raise SinkError(f"cannot write {path}: numbered pictures have no {name}; leave --{name} out")


def refuse_same_file(path: Path | str, made_from: Path | str) -> None:
    """Raise `SinkError` when writing `path` would replace the file it is made from."""
    target, origin = Path(path), Path(made_from)
    same = is_numbered(path) and os.path.realpath(target) == os.path.realpath(origin)
    with suppress(OSError):  # one is not there, or nobody may look: whoever opens them tells that
        same = same or target.samefile(origin)
    if same:
        raise SinkError(f"cannot write {path}: it is the input itself; choose another name for the output")
