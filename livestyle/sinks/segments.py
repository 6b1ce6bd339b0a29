"""A video file made in segments, so that making it can be taken up again where it was interrupted."""

from __future__ import annotations  # PyAV's Packet takes its parameter only in annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from fractions import Fraction
from math import floor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from livestyle.errors import SinkError, reason_of
from livestyle.frame import Frame
from livestyle.pace import exact_rate
from livestyle.sinks.advice import advice_on
from livestyle.sinks.codecs import CODECS
from livestyle.sinks.containers import container_of
from livestyle.sinks.file import FileSink, codec_for
from livestyle.sinks.partial import PartialFile
from livestyle.sinks.pixel_aspect import keep_aspect
from livestyle.sinks.segment_folder import SEGMENT_SECONDS, Past, SegmentFolder
from livestyle.sinks.tracks import Tracks
from livestyle.sources.media import Excerpt
from livestyle.sources.stated import video_end

_SEGMENTABLE = ("mp4", "mov", "matroska", "webm")
_TOLERANCE = 1e-6


class SegmentedFile:
    """Writes `path` from frames, whose pts count from the first frame of `excerpt`, by way of segments.

    They lie in a folder beside `path` until all are there; then they are joined, unchanged, with all that
    `excerpt` has beside its picture. `past` is what earlier runs of the same `fingerprint` have completed:
    only frames after it are to come. On an exception, Ctrl-C included, complete segments stay. `faults` tells
    what is wrong so far with what this run reads; `last_seconds` and the other `settings` are those of
    `FileSink`. Raises `SinkError`.
    """

    def __init__(
        self,
        path: Path | str,
        size: tuple[int, int],
        excerpt: Excerpt,
        fingerprint: str,
        *,
        overwrite: bool = False,
        faults: Callable[[], list[str]] = list,
        last_seconds: Callable[[], float | None] = lambda: None,
        **settings: Any,
    ) -> None:
        self.path = Path(path)
        self.complete = False
        """Whether the file is in its place."""
        self.faults: list[str] = []
        """What was damaged of what goes along, one line each, known on closing."""
        self._container = container_of(path)
        PartialFile(path, overwrite=overwrite).discard()  # what is wrong with the path is told now
        self._size, self._overwrite, self._settings = size, overwrite, settings
        self._rate = exact_rate(settings.get("rate") or 30)
        self._aspect = settings.get("pixel_aspect", Fraction(1))
        self._excerpt = replace(excerpt, beside=None)  # it is carried over when all frames are painted
        encoding = settings["encoding"]
        self._codec = codec_for(self.path, self._container, encoding)
        self._settings["encoding"] = replace(encoding, codec=self._codec)
        self._faults_of_input, self._last_seconds = faults, last_seconds
        self._folder = SegmentFolder(self.path, fingerprint)
        self.past = self._folder.past
        self._number = self._folder.count
        self._frames = self.past.frames
        self._sink: FileSink | None = None

    def write(self, frame: Frame) -> None:
        """Encode one frame into its segment, or into a later one if that is done. Raises `SinkError`."""
        number = max(self._number, floor((frame.pts + _TOLERANCE) / SEGMENT_SECONDS))
        if self._sink is None or number > self._number:
            self._finish_segment()
            for empty in range(self._number, number):
                self._folder.leave_empty(empty)
            self._number = number
            path = self._folder.segment(number)
            self._sink = FileSink(path, self._size, form="mp4", **self._settings)
        self._sink.write(Frame(frame.image, frame.pts - number * SEGMENT_SECONDS))
        self._frames += 1

    def close(self) -> None:
        """Complete the last segment and join all of them; safe to call twice."""
        if self.complete:
            return
        self._finish_segment(ended=True)
        if not self._number:
            raise SinkError(f"cannot write {self.path}: not one frame came; choose another input")
        self._join()
        self.complete = True
        self._folder.remove()

    def __enter__(self) -> Self:
        """Return the sink."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close on a normal end, else keep the complete segments."""
        try:
            if kind is None:
                self.close()
        finally:
            if self._sink is not None:
                self._sink.discard()
            self._folder.tidy()

    def _finish_segment(self, *, ended: bool = False) -> None:
        if self._sink is not None:
            faults = list(dict.fromkeys(self.past.faults + self._faults_of_input()))
            self._folder.note(
                self._number, Past((self._number + 1) * SEGMENT_SECONDS, self._frames, faults, ended)
            )
            if ended:
                self._sink.last_seconds = self._last_seconds
            self._sink.close()
            self._sink = None
            self._number += 1

    def _join(self) -> None:
        with PartialFile(self.path, overwrite=self._overwrite) as partial:
            try:
                with ExitStack() as opened:
                    complete = self._mux(partial, opened)
                complete(partial.part)
            except (av.FFmpegError, OSError) as error:
                advice = advice_on(error, self._container)
                raise SinkError(f"cannot write {self.path}: {reason_of(error)}; {advice}") from error

    def _mux(self, partial: PartialFile, opened: ExitStack) -> Callable[[Path], None]:
        """Write all; return what is to be done with the file when it is closed."""
        muxer, options = self._container.muxer, self._container.options
        output = av.open(f"file:{partial.part}", "w", format=muxer, container_options=options)
        opened.enter_context(closing(output))
        segments = [path for path in self._folder.segments if path.stat().st_size]
        video = self._add_video(output, segments[0])
        finish_header = keep_aspect(output, self._container, self._aspect)
        tracks = opened.enter_context(closing(Tracks(self._excerpt, output, self._container)))
        output.start_encoding()
        for path in segments:
            start = int(path.stem) * SEGMENT_SECONDS + tracks.video_start_seconds
            with av.open(f"file:{path}") as segment:
                for packet in _packets(segment):
                    assert packet.pts is not None
                    assert packet.dts is not None
                    shift = round(Fraction(start) / packet.time_base)
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    moment = float(packet.pts * packet.time_base)
                    packet.stream = video
                    output.mux_one(packet)
                    tracks.copy(until_seconds=moment)
        tracks.copy()
        tracks.finish()
        self.faults = tracks.faults

        def complete(path: Path) -> None:
            finish_header(path)
            tracks.tell_lost_tags(path)

        return complete

    def _add_video(self, output: OutputContainer, segment: Path) -> VideoStream:
        """A track as that of the segment, with what PyAV leaves out."""
        with av.open(f"file:{segment}") as first:
            video = output.add_stream_from_template(first.streams.video[0], opaque=True)
        context = video.codec_context
        context.framerate = self._rate
        context.codec_tag = CODECS[self._codec].tags.get(self._container.muxer, context.codec_tag)
        return video


def _packets(segment: InputContainer) -> Iterator[Packet[VideoStream]]:
    """The packets of the video; a last one that is shown last, to its end: FFmpeg forgets that of VP9."""
    video = segment.streams.video[0]
    newest, waiting = 0, None
    for packet in segment.demux(video):
        if packet.pts is not None and packet.dts is not None:
            if waiting is not None:
                yield waiting
            newest, waiting = max(newest, packet.pts), packet
    if waiting is not None:
        if waiting.pts == newest:
            end = round((video_end(segment, video) or 0) / waiting.time_base)
            waiting.duration = max(waiting.duration or 0, end - newest)
        yield waiting


def is_segmentable(path: Path, codec: str | None) -> bool:
    """Whether a file of that kind can be joined from segments."""
    container = container_of(path)
    return container.muxer in _SEGMENTABLE and (codec or container.video[0]) != "prores"
