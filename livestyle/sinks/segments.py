"""A video file made in segments, so that making it can be taken up again where it was interrupted."""

import json
import logging
import shutil
from contextlib import ExitStack, closing
from dataclasses import replace
from fractions import Fraction
from math import floor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av

from livestyle.errors import SinkError
from livestyle.frame import Frame
from livestyle.sinks.containers import container_of
from livestyle.sinks.file import FileSink
from livestyle.sinks.partial import PartialFile
from livestyle.sinks.tracks import Tracks
from livestyle.sources.media import Excerpt

logger = logging.getLogger(__name__)

SEGMENT_SECONDS = 10
_SEGMENTABLE = ("mp4", "mov", "matroska", "webm")
_TOLERANCE = 1e-6


class SegmentedFile:
    """Writes `path` from frames, whose pts count from the first frame of `excerpt`, by way of segments.

    They lie in a folder beside `path` until all are there; then they are joined, unchanged, with all that
    `excerpt` has beside its picture. `done_seconds` is where to go on: before it, segments of an earlier run
    of the same `fingerprint` are complete. On an exception, Ctrl-C included, complete segments stay.
    `settings` are those of `FileSink`. Raises `SinkError`.
    """

    def __init__(
        self,
        path: Path | str,
        size: tuple[int, int],
        excerpt: Excerpt,
        fingerprint: str,
        *,
        overwrite: bool = False,
        **settings: Any,
    ) -> None:
        self.path = Path(path)
        self.complete = False
        """Whether the file is in its place."""
        self._container = container_of(path)
        PartialFile(path, overwrite=overwrite).discard()  # what is wrong with the path is told now
        self._size, self._overwrite, self._settings = size, overwrite, settings
        self._excerpt = replace(excerpt, beside=None)  # it is carried over when all frames are painted
        self._settings["encoding"] = replace(
            settings["encoding"], codec=settings["encoding"].codec or self._container.video[0]
        )
        self._folder = self.path.with_name(f".{self.path.name}.segments")
        self._number = _prepare(self._folder, fingerprint)
        self._sink: FileSink | None = None

    @property
    def done_seconds(self) -> float:
        """The pts from which on frames are needed."""
        return float(self._number * SEGMENT_SECONDS)

    def write(self, frame: Frame) -> None:
        """Encode one frame into its segment. Raises `SinkError`."""
        number = floor((frame.pts + _TOLERANCE) / SEGMENT_SECONDS)
        if self._sink is None or number > self._number:
            self._finish_segment()
            for empty in range(self._number, number):
                _segment(self._folder, empty).touch()
            self._number = number
            self._sink = FileSink(_segment(self._folder, number), self._size, form="mp4", **self._settings)
        self._sink.write(Frame(frame.image, frame.pts - number * SEGMENT_SECONDS))

    def close(self) -> None:
        """Complete the last segment and join all of them; safe to call twice."""
        if self.complete:
            return
        self._finish_segment()
        if not self._number and not _segment(self._folder, 0).exists():
            self._forget()
            raise SinkError(f"cannot write {self.path}: not one frame came; choose another input")
        self._join()
        self._forget()
        self.complete = True

    def __enter__(self) -> Self:
        """Return the sink."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close on a normal end, else keep the complete segments."""
        if kind is None:
            self.close()
        elif self._sink is not None:
            self._sink.discard()

    def _finish_segment(self) -> None:
        if self._sink is not None:
            self._sink.close()
            self._sink = None
            self._number += 1

    def _forget(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def _join(self) -> None:
        partial = PartialFile(self.path, overwrite=self._overwrite)
        try:
            with ExitStack() as opened:
                self._mux(partial, opened)
        except (av.FFmpegError, OSError) as error:
            partial.discard()
            reason = (error.strerror or str(error)).lower()
            raise SinkError(f"cannot write {self.path}: {reason}; is there room on the disk?") from error
        except BaseException:
            partial.discard()
            raise
        partial.commit()

    def _mux(self, partial: PartialFile, opened: ExitStack) -> None:
        muxer, options = self._container.muxer, self._container.options
        output = av.open(f"file:{partial.part}", "w", format=muxer, container_options=options)
        opened.enter_context(closing(output))
        segments = [path for path in _segments(self._folder) if path.stat().st_size]
        with av.open(f"file:{segments[0]}") as first:
            video = output.add_stream_from_template(first.streams.video[0], opaque=True)
        tracks = opened.enter_context(closing(Tracks(self._excerpt, output, self._container)))
        output.start_encoding()
        for path in segments:
            start = int(path.stem) * SEGMENT_SECONDS + tracks.video_start_seconds
            with av.open(f"file:{path}") as segment:
                for packet in segment.demux(segment.streams.video[0]):
                    if packet.pts is None or packet.dts is None:
                        continue
                    shift = round(Fraction(start) / packet.time_base)
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    moment = float(packet.pts * packet.time_base)
                    packet.stream = video
                    output.mux_one(packet)
                    tracks.copy(until_seconds=moment)
        tracks.copy()
        tracks.finish()


def is_segmentable(path: Path, codec: str | None) -> bool:
    """Whether a file of that kind can be joined from segments."""
    container = container_of(path)
    return container.muxer in _SEGMENTABLE and (codec or container.video[0]) != "prores"


def _prepare(folder: Path, fingerprint: str) -> int:
    """Make the folder, empty unless its segments have the fingerprint; give the number of complete ones."""
    note = folder / "made-from.json"
    try:
        if not note.is_file() or json.loads(note.read_text(encoding="utf-8")) != fingerprint:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            note.write_text(json.dumps(fingerprint), encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SinkError(f"cannot write to {folder}: {reason.lower()}; choose another folder") from error
    numbers = [int(path.stem) for path in _segments(folder)]
    return next((n for n, found in enumerate(numbers) if n != found), len(numbers))


def _segments(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.mp4") if path.stem.isdecimal())


def _segment(folder: Path, number: int) -> Path:
    return folder / f"{number:06d}.mp4"
