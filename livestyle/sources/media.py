"""A video to read: a file, a sequence of pictures, or what comes through a pipe."""

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from errno import EACCES
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer

from livestyle.errors import SourceError, reason_of
from livestyle.numbered import is_numbered, numbers
from livestyle.pace import exact_rate
from livestyle.sources.beside import Beside
from livestyle.sources.content import Content
from livestyle.sources.hwaccel import open_container
from livestyle.sources.spool import Spool

STDIN = "-"
PICTURES_IN_A_ROW = "_pipe"
"""How FFmpeg's names of readers end for one picture, or several one behind the other."""
_USUAL_RATE = Fraction(30)
_PATIENCE_SECONDS = 30.0


class Media:
    """What can be opened several times over, by each reader for itself; closed by whoever made it.

    `path` is a file, a named pipe, `-` for stdin, or numbered pictures like `frames/%05d.png`. Of those, and
    of pictures one behind the other, `rate` are shown a second. Raises SourceError where there is nothing to
    open.
    """

    def __init__(self, path: Path | str, *, rate: float | Fraction | None = None) -> None:
        self.path = Path(path)
        self.name = "stdin" if str(path) == STDIN else str(path)
        self.pictures: list[int] = []
        """The numbers of a sequence's pictures up to the first that is missing; empty for anything else."""
        self.gap = ""
        """Which picture of a sequence is missing, or cannot be read, in words; empty where none is."""
        self._rate = exact_rate(rate or _USUAL_RATE)
        self._rate_is_asked = rate is not None
        self._spool: Spool | None = None
        self._size = 0
        if str(path) == STDIN:
            _check_stdin()
        if str(path) == STDIN:
            self._spool = Spool(sys.stdin.fileno(), self.name, _patience_seconds(), owned=False)
        elif is_numbered(self.path) and not os.path.exists(self.path):  # noqa: PTH110 - Path's may raise
            self._find_pictures()
        else:
            self._check()

    def open(self, hwaccel: str = "none") -> InputContainer:
        """A container of its own for each caller, who closes it. Raises as FFmpeg does.

        A file is decoded on an NVIDIA GPU that can, unless `hwaccel` is `none`.
        """
        if self.pictures:
            folder = Path(str(self.path.parent).replace("%", "%%"))  # the number is in the name
            options = {"framerate": str(self._rate), "start_number": str(self.pictures[0])}
            return av.open(f"file:{folder / self.path.name}", "r", format="image2", options=options)
        container = self._open(hwaccel)
        if not self._rate_is_asked or not container.format.name.endswith(PICTURES_IN_A_ROW):
            return container
        container.close()
        return self._open(hwaccel, {"framerate": str(self._rate)})

    @property
    def pictures_seconds(self) -> Fraction:
        """How long the pictures of a sequence are shown."""
        return len(self.pictures) / self._rate

    def end_pictures(self, seconds: Fraction) -> None:
        """Take a sequence that was read for so long for no longer: the next picture is none."""
        place = round(seconds * self._rate)
        if 0 < place < len(self.pictures):
            self.gap = self._why_unread(place)
            del self.pictures[place:]

    def _why_unread(self, place: int) -> str:
        number = self.pictures[place]
        path = self.path.with_name(self.path.name % number)
        why = "is empty" if path.is_file() and not path.stat().st_size else "cannot be read"
        return f"picture {number} {why}: those from it on were left out"

    def begins_as_mp4(self) -> bool:
        """Whether it is of the family of mp4, whose index may be missing."""
        if self._spool is not None:
            return self._spool.read_at(4, 4) == b"ftyp"
        if self.pictures:
            return False
        with self.path.open("rb") as file:
            return file.read(8)[4:] == b"ftyp"

    @contextmanager
    def content(self) -> Iterator[Content | None]:
        """Its bytes, once all was read; none of pictures, nor where the file is gone, or still grows."""
        if self._spool is not None:
            yield None if self._spool.interrupted else Content(self._spool.view(), self._spool.size)
            return
        try:
            file = None if self.pictures else self.path.open("rb")
        except OSError:
            file = None
        if file is None:
            yield None
            return
        with file:
            size = os.fstat(file.fileno()).st_size
            yield Content(file, size) if size == self._size else None

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C came while a pipe was waited for."""
        return self._spool is not None and self._spool.interrupted

    def stop(self) -> None:
        """End a pipe here, for whoever waits for it on another thread."""
        if self._spool is not None:
            self._spool.stop()

    def close(self) -> None:
        """Forget what a pipe brought; safe to call twice."""
        if self._spool is not None:
            self._spool.close()

    def _open(self, hwaccel: str, options: dict[str, str] | None = None) -> InputContainer:
        if self._spool is not None:
            return av.open(self._spool.view(), "r", options=options, metadata_errors="replace")
        # the prefix keeps a colon in a name from being read as a protocol
        return open_container(f"file:{self.path}", hwaccel, options=options, metadata_errors="replace")

    def _find_pictures(self) -> None:
        found = numbers(self.path)
        self.pictures = [number for place, number in enumerate(found) if number == found[0] + place]
        if left := found[len(self.pictures) :]:
            missing = self.pictures[-1] + 1
            self.gap = f"picture {missing} is missing: those from {left[0]} on were left out"

    def _check(self) -> None:
        try:
            found = self.path.stat()
            if stat.S_ISDIR(found.st_mode):
                raise SourceError(f"cannot open {self.path}: it is a folder; name a video in it")
            if not os.access(self.path, os.R_OK):
                raise PermissionError(EACCES, os.strerror(EACCES))
            if sys.platform != "win32" and stat.S_ISFIFO(found.st_mode):
                # without waiting for its writer, which the spool does with more patience
                pipe = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
                self._spool = Spool(pipe, self.name, _patience_seconds())
        except (FileNotFoundError, NotADirectoryError) as error:
            raise SourceError(f"cannot open {self.path}: no such file; check the name") from error
        except OSError as error:
            raise SourceError(f"cannot open {self.path}: {reason_of(error)}; ask its owner") from error
        self._size = found.st_size
        if stat.S_ISREG(found.st_mode) and found.st_size == 0:
            raise SourceError(f"cannot open {self.path}: it is empty; is it a video?")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The part of a video that something is made from."""

    media: Media
    begin: Fraction | None = None
    """The moment of its first frame by the video's own clock; None where that is not known."""
    begins_later: bool = False
    """Whether it begins after the video does."""
    length_seconds: float | None = None
    """None: to the end of the video."""
    beside: Beside | None = None
    """What comes by beside the video while that is read; None: the file has to be opened again for it."""


def _check_stdin() -> None:
    if sys.stdin is None:
        raise SourceError("cannot read stdin: it is closed; name a file")
    if sys.stdin.isatty():
        raise SourceError("cannot read a video from a terminal: send one through a pipe, or name a file")


def _patience_seconds() -> float:
    """How long a pipe may bring nothing before it is given up."""
    try:
        return float(os.environ.get("LIVESTYLE_PATIENCE", _PATIENCE_SECONDS))
    except ValueError:
        return _PATIENCE_SECONDS
