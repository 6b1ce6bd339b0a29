"""Recordings of a live show: whatever happens, what was recorded can be played."""

import logging
import os
import struct
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from itertools import count
from pathlib import Path
from typing import BinaryIO

import av
from av.container import OutputContainer

from livestyle.errors import SinkError, reason_of
from livestyle.frame import Frame
from livestyle.sinks.live_sound import LiveSound
from livestyle.sinks.live_video import LiveVideo
from livestyle.sinks.partial import PartialFile, alternatives, reserved
from livestyle.sources.microphone import Microphone

logger = logging.getLogger(__name__)

_FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
_FRAGMENTS = {
    "movflags": "+frag_keyframe+delay_moov+default_base_moof",
    "frag_duration": "500000",  # microseconds: what a crash can cost
    "flush_packets": "1",
    "max_interleave_delta": "1000000",  # a microphone that falls silent holds the video back no longer
}
_CLUSTERS = {"cluster_time_limit": "500", "flush_packets": "1", "max_interleave_delta": "1000000"}


class Recorder:
    """Records frames of `size` (width, height), at about `rate`, into `path` (.mp4, .m4v, .mov or .mkv).

    Times are those of the frames, from the first one on. With a `microphone`, which is closed here, its
    sound is recorded in step: `epoch` is `time.perf_counter()` at pts 0, without it the moment of the first
    `write` counts. The video grows as `NAME.part.mp4`, which plays at any moment, even if the process is
    killed. `close` makes a file with its index in front of it, under its own name. Without
    `overwrite` it takes the next free name where a file was made there meanwhile, as `path` then says.

    When writing fails, as on a full disk, what was recorded is kept under the name of the file, and
    `SinkError` is raised; later frames raise it again. What can be known beforehand is raised on opening.
    """

    def __init__(
        self,
        path: Path | str,
        size: tuple[int, int],
        *,
        rate: float = 30.0,
        microphone: Microphone | None = None,
        epoch: float | None = None,
        overwrite: bool = True,
    ) -> None:
        self.path = Path(path)
        self._overwrite = overwrite
        self._closed = False
        self._form = _format(self.path)
        if os.path.islink(path):  # noqa: PTH114 - False, not an error, where nobody may look
            self.path = Path(os.path.realpath(path))  # a link stays one
        self._part = _claim(self.path, overwrite)
        self._opened = ExitStack()
        self._failure: str | None = None
        try:
            self._container = self._opened.enter_context(closing(_open(self._part, self._form)))
            self._video = LiveVideo(self._container, size, rate)
            self._sound = LiveSound(self._container, microphone, epoch) if microphone else None
            if self._sound is not None:
                self._opened.callback(self._sound.close)
            self._container.start_encoding()
        except (av.FFmpegError, OSError) as error:
            self._release()
            self._remove_part()
            raise SinkError(
                f"cannot record to {self.path}: {_reason(error)}; choose another place"
            ) from error

    def write(self, frame: Frame) -> None:
        """Record a frame, and the sound up to now. Raises `SinkError`."""
        if self._failure is not None:
            raise SinkError(self._failure)
        with self._kept_on_failure():
            self._video.write(frame)
            if self._sound is not None and self._video.start is not None:
                self._sound.write(self._video.start)

    def close(self) -> None:
        """Finish the recording and put it in its place; safe to call twice. Raises `SinkError`."""
        if self._closed or self._failure is not None:
            self._release()
            return
        self._closed = True
        if self._video.start is None:
            self._release()
            self._remove_part()
            raise SinkError(f"cannot record to {self.path}: not one frame came")
        with self._kept_on_failure():
            self._video.finish()
            if self._sound is not None:
                self._sound.finish(self._video.start)
            self._container.close()
        self._release()
        self._settle()

    def _settle(self) -> None:
        """Turn the growing file into the final one; where there is no room for both, it is that itself."""
        try:
            self._put_in_place(remux=self._form != "matroska")
        except (OSError, SinkError) as error:
            self._failure = f"the recording stays as {self._part}: {_reason(error)}; rename it"
            raise SinkError(self._failure) from error
        self._remove_part()

    def _put_in_place(self, *, remux: bool) -> None:
        while True:
            partial = self._remuxed() if remux else None
            try:
                with nullcontext() if self._overwrite else reserved(self.path):
                    if partial is None:
                        self._part.replace(self.path)
                    else:
                        partial.commit(keep=False)
                return
            except FileExistsError:
                taken, self.path = self.path, unclaimed(self.path)
                logger.warning("%s was made meanwhile: the recording becomes %s", taken, self.path)
            finally:
                if partial is not None:
                    partial.discard()

    def _remuxed(self) -> PartialFile | None:
        """A copy whose index comes first; None, with a warning, where none can be made."""
        with ExitStack() as made:
            try:
                partial = PartialFile(self.path)
                made.callback(partial.discard)
                _copy(self._part, partial.part, self._form)
            except (av.FFmpegError, OSError, SinkError) as error:
                why = _reason(error)
                logger.warning("%s plays, but some programs cannot seek in it: %s", self.path, why)
                return None
            made.pop_all()
        return partial

    def _remove_part(self) -> None:
        try:
            self._part.unlink(missing_ok=True)
        except OSError as error:  # Windows, while another program plays it
            logger.warning("%s is not needed any more; remove it: %s", self._part, _reason(error))

    def _release(self) -> None:
        with suppress(av.FFmpegError, OSError):  # a full disk fails again here: that was reported
            self._opened.close()

    @contextmanager
    def _kept_on_failure(self) -> Iterator[None]:
        try:
            yield
        except (av.FFmpegError, OSError) as error:
            self._release()
            self._failure = f"recording stopped: {_reason(error)}; {self._kept()}"
            raise SinkError(self._failure) from error

    def _kept(self) -> str:
        """Leave what can be played of the growing file under the final name, and say where it is."""
        try:
            if self._form != "matroska":
                cut_after_last_fragment(self._part)
            if not self._part.stat().st_size:
                self._part.unlink()
                return "nothing was recorded"
            self._put_in_place(remux=False)
        except FileNotFoundError:
            return "nothing was recorded"
        except OSError:
            return f"{self._part} holds what was recorded"
        return f"{self.path} holds what was recorded"


def unclaimed(path: Path) -> Path:
    """`path`, or with -2, -3 and so on: the first that is not there, and that no recording grows into."""
    return next(name for name in alternatives(path) if not (name.exists() or _part_of(name).exists()))


def cut_after_last_fragment(path: Path) -> None:
    """Cut a fragmented MP4 after its last whole fragment; to nothing, where there is none.

    Boxes: ISO/IEC 14496-12, section 4.2.
    """
    with path.open("r+b") as file:
        whole = 0
        for kind, end in _boxes(file):
            whole = end if kind == b"mdat" else whole
        file.truncate(whole)


def _boxes(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Kind and end of each box at the top level that is there as a whole."""
    length = file.seek(0, 2)
    start = 0
    while start + 8 <= length:
        file.seek(start)
        size, kind = struct.unpack(">I4s", file.read(8))
        if size == 1:
            size = int.from_bytes(file.read(8))
        if size < 8 or start + size > length:
            return
        start += size
        yield kind, start


def _format(path: Path) -> str:
    if path.suffix.lower() not in _FORMATS:
        known = ", ".join(_FORMATS)
        raise SinkError(
            f"cannot record to {path}: its name does not end in a format for recordings; use {known}"
        )
    return _FORMATS[path.suffix.lower()]


def _claim(path: Path, overwrite: bool) -> Path:
    """Make the file that grows, beside `path`, without touching what an earlier crash may have left there."""
    PartialFile(path, overwrite=overwrite).discard()  # says what is wrong with the place, if anything is
    for number in count(1):
        part = _part_of(path, number)
        try:
            part.touch(exist_ok=False)
        except FileExistsError:
            continue
        except OSError as error:
            raise SinkError(f"cannot record to {path}: {_reason(error)}; choose another place") from error
        return part
    raise AssertionError("numbers do not end")


def _part_of(path: Path, number: int = 1) -> Path:
    return path.with_name(f"{path.stem}.part{number if number > 1 else ''}{path.suffix}")


def _open(part: Path, form: str) -> OutputContainer:
    options = _CLUSTERS if form == "matroska" else _FRAGMENTS
    return av.open(f"file:{part}", "w", format=form, container_options=options)


def _copy(part: Path, target: Path, form: str) -> None:
    """Copy all tracks into a file whose index comes first, so that everything can play it at once."""
    with (
        av.open(f"file:{part}") as source,
        av.open(f"file:{target}", "w", format=form, container_options={"movflags": "+faststart"}) as output,
    ):
        tracks = {stream: output.add_stream_from_template(stream, opaque=True) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = tracks[packet.stream]
                output.mux_one(packet)


def _reason(error: OSError | av.FFmpegError | SinkError) -> str:
    return str(error).partition(";")[0] if isinstance(error, SinkError) else reason_of(error)
