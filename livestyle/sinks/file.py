"""A video file, and beside its picture all that the file has which it is made from."""

from __future__ import annotations  # PyAV's Packet takes its parameter only in annotations

import logging
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from fractions import Fraction
from math import floor, inf
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange
from av.video.stream import VideoStream

from livestyle.colors import Colors
from livestyle.encoding import Encoding
from livestyle.errors import SinkError, reason_of
from livestyle.frame import Frame, require_size
from livestyle.memory import return_freed
from livestyle.pace import exact_rate
from livestyle.sinks.advice import advice_on
from livestyle.sinks.codecs import CODECS, encoder_of, hardware_pix_fmt, mend_dts
from livestyle.sinks.containers import STDOUT, Container, container_of
from livestyle.sinks.partial import PartialFile
from livestyle.sinks.pixel_aspect import keep_aspect
from livestyle.sinks.planes import converter_to, to_even
from livestyle.sinks.tracks import Tracks
from livestyle.sinks.webp import ending_at
from livestyle.sources.media import Excerpt, Media

logger = logging.getLogger(__name__)

_MANY = 1000
"""Frames after which memory is given back: the index of an mp4 moves as it grows, and leaves holes."""
_HALF = Fraction(500_001, 1_000_000)
"""Of a tick, and more than floats are wrong by: equal distances must not be rounded up and down."""


class FileSink:
    """Writes `path` from frames of `size` (width, height), each at its own pts.

    `form`, or else the suffix of `path`, tells the kind of file, one of `CONTAINERS`; `-` is stdout. `rate`
    is about how many frames a second will come. Sound, subtitles, chapters and all else of `audio_from` go
    along. An odd size grows to the next even one by repeating its edge where the codec needs it.
    `pixel_aspect` is how much wider than high a pixel is shown, `colors` what the pixels are tagged as.
    `last_seconds` is asked on closing how long the last frame is shown; None: as long as most are.

    The file appears under its name when it is complete: on `close`, on leaving the `with`, and also on
    leaving it by Ctrl-C, with sound up to the last frame then. Any other exception discards what was written.
    What can be known to be wrong beforehand raises `SinkError` on opening. Frames may be written from any one
    thread.
    """

    def __init__(
        self,
        path: Path | str,
        size: tuple[int, int],
        *,
        rate: float | Fraction | None = None,
        audio_from: Path | str | Excerpt | None = None,
        encoding: Encoding | None = None,
        form: str | None = None,
        pixel_aspect: Fraction = Fraction(1),
        colors: Colors | None = None,
        overwrite: bool = True,
        last_seconds: Callable[[], float | None] = lambda: None,
    ) -> None:
        self.path = Path(path)
        self.size = size
        self.last_seconds = last_seconds
        self.complete = False
        """Whether the file is in its place."""
        self.faults: list[str] = []
        """What was damaged of what goes along, one line each, known on closing."""
        self._rate = exact_rate(rate or 30)
        self._ticks: int | None = None
        self._longest = 0
        """Ticks between two frames."""
        self._written = 0
        self._encoded: deque[Packet[VideoStream]] = deque()
        """What waits for the last frame, whose packet is muxed when it is known how long that is shown."""
        self._tracks: Tracks | None = None
        self._form = container_of(path, form)
        if str(path) == STDOUT:
            _check_stdout()
        encoding = encoding or Encoding()
        codec = codec_for(self.path, self._form, encoding)
        self._even = CODECS[codec].even
        self._time_base = 1 / self._rate if self._form.constant_rate else self._form.time_base
        encoder, options = encoder_of(codec, encoding)
        self._opened = ExitStack()
        self._open = True
        self._partial = None if str(path) == STDOUT else PartialFile(self.path, overwrite=overwrite)
        with self._translated(f"try another size than {size[0]}x{size[1]}"), self._discarded_on_error():
            self._container = self._opened.enter_context(closing(self._open_container()))
            self._video = self._add_video(codec, encoder, options, colors or Colors())
            seekable = self._partial is not None
            self._finish_header = keep_aspect(self._container, self._form, pixel_aspect, seekable=seekable)
            self._to_frame = converter_to(self._video.pix_fmt or "", colors or Colors(), self._time_base)
            if audio_from is not None:
                self._tracks = self._opened.enter_context(closing(self._carry_from(audio_from)))
            self._container.start_encoding()

    def write(self, frame: Frame) -> None:
        """Encode one frame of the sink's size, and the sound up to it. Raises `SinkError`."""
        require_size(frame.image, self.size)
        image = to_even(frame.image) if self._even else frame.image
        ticks = self._next_ticks(frame.pts)
        with self._translated():
            self._mux(self._to_frame(image, ticks))
            if self._tracks is not None:
                self._tracks.copy(until_seconds=float(ticks * self._time_base))
        self._written += 1
        if self._written % _MANY == 0:
            return_freed()

    def close(self, *, cut_sound: bool = False) -> None:
        """Complete the file and put it in its place; safe to call twice.

        `cut_sound` ends the sound with the video, for a caller that stopped before the end of the input.
        Raises `SinkError` when that fails, and when no frame was written.
        """
        if not self._open:
            return
        if self._ticks is None:
            self.discard()
            raise SinkError(f"cannot write {self.path}: not one frame came; choose another input")
        with self._translated(), self._discarded_on_error():
            self._mux(None, None if cut_sound else self.last_seconds())
            self._finish_tracks(cut_sound)
            if self._written >= _MANY:
                return_freed()  # for mp4's index is written from memory
            self._container.close()
            if self._partial is not None:
                self._finish_header(self._partial.part)
                if self._tracks is not None:
                    self._tracks.tell_lost_tags(self._partial.part)
        self._release()
        if self._partial is not None:
            self._partial.commit()
        self.complete = True

    def discard(self) -> None:
        """Forget what was written and leave what was at `path` before; safe to call twice."""
        if self._open:
            self._release()
            if self._partial is not None:
                self._partial.discard()

    def __enter__(self) -> Self:
        """Return the sink; leaving closes or discards it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close on a normal end and on Ctrl-C, else discard."""
        if kind is None:
            self.close()
        elif issubclass(kind, KeyboardInterrupt) and self._ticks is not None:
            self.close(cut_sound=True)
        else:
            self.discard()

    def _open_container(self) -> OutputContainer:
        if self._partial is None:
            return av.open(
                "pipe:1", "w", format=self._form.muxer, container_options=self._form.stream_options
            )
        name = f"file:{self._partial.part}"
        return av.open(name, "w", format=self._form.muxer, container_options=self._form.options)

    def _add_video(self, codec: str, encoder: str, options: dict[str, str], colors: Colors) -> VideoStream:
        if colors.site:
            options = {**options, "chroma_sample_location": colors.site}
        stream = self._container.add_stream(encoder, rate=self._rate, options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = (side + side % 2 if self._even else side for side in self.size)
        if (stream.width, stream.height) != self.size:
            logger.warning("%dx%d is an odd size: the file is %dx%d", *self.size, stream.width, stream.height)
        hardware = encoder in CODECS[codec].hardware
        stream.pix_fmt = hardware_pix_fmt(encoder) if hardware else CODECS[codec].pix_fmt
        stream.thread_type = "FRAME"  # slices, PyAV's default, would wait for each frame
        context = stream.codec_context
        context.time_base = self._time_base
        context.color_range = ColorRange.MPEG if stream.pix_fmt != "bgra" else ColorRange.JPEG
        context.colorspace, context.color_primaries = colors.matrix, colors.primaries
        context.color_trc = colors.transfer
        if self._form.muxer in CODECS[codec].tags:
            context.codec_tag = CODECS[codec].tags[self._form.muxer]
        return stream

    def _carry_from(self, origin: Path | str | Excerpt) -> Tracks:
        excerpt = origin if isinstance(origin, Excerpt) else Excerpt(Media(origin))
        return Tracks(excerpt, self._container, self._form)

    def _next_ticks(self, pts: float) -> int:
        start = 0 if self._tracks is None else self._tracks.video_start_seconds
        ticks = floor((Fraction(pts) + start) / self._time_base + _HALF)
        if self._ticks is not None:
            ticks = max(ticks, self._ticks + 1)  # encoders want rising times
            self._longest = max(self._longest, ticks - self._ticks)
        self._ticks = ticks
        return ticks

    def _mux(self, picture: VideoFrame | None, last_seconds: float | None = None) -> None:
        """Encode a frame, or with None what is left, of which the last frame is shown so long."""
        self._encoded.extend(self._video.encode(picture))
        while self._encoded and (picture is None or self._encoded[0].pts != self._ticks):
            packet = self._encoded.popleft()
            packet.duration = packet.duration or max(1, round(1 / self._rate / self._time_base))
            if last_seconds is not None:
                self._lengthen(packet, last_seconds)
            mend_dts(packet, self._longest)
            self._container.mux_one(packet)

    def _lengthen(self, packet: Packet[VideoStream], last_seconds: float) -> None:
        """Let the last frame be shown so long: mp4 has that with the packet that is decoded last."""
        assert self._ticks is not None
        assert packet.pts is not None
        if packet.pts == self._ticks or not self._encoded:
            shortest = 1 / (self._form.highest_rate or inf)
            length = max(1, round(Fraction(max(last_seconds, shortest)) / self._time_base))
            packet.duration = self._ticks + length - packet.pts
        if self._form.muxer == "webp":
            packet.update(ending_at(bytes(packet), packet.duration or 0))

    def _finish_tracks(self, cut: bool) -> None:
        if self._tracks is not None:
            end = float((self._ticks or 0) * self._time_base + 1 / self._rate)
            self._tracks.read_on()
            self._tracks.copy(until_seconds=end if cut else float("inf"))
            self._tracks.finish()
            self.faults = self._tracks.faults

    def _release(self) -> None:
        self._open = False
        with suppress(av.FFmpegError, OSError):  # a full disk fails again here: that was reported
            self._opened.close()

    @contextmanager
    def _translated(self, otherwise: str = "") -> Iterator[None]:
        try:
            yield
        except (av.FFmpegError, OSError) as error:
            name = self.path if self._partial is not None else "stdout"
            advice = advice_on(error, self._form, otherwise)
            raise SinkError(f"cannot write {name}: {reason_of(error)}; {advice}") from error

    @contextmanager
    def _discarded_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException:  # a second Ctrl-C included: nothing half written stays behind
            self.discard()
            raise


def _check_stdout() -> None:
    if sys.stdout is None:
        raise SinkError("cannot write to stdout: it is closed; name a file")
    if sys.stdout.isatty():
        raise SinkError("cannot write a video to a terminal: send stdout elsewhere, or name a file")


def codec_for(path: Path, form: Container, encoding: Encoding) -> str:
    """The codec of a video in such a file, one of `CODECS`. Raises SinkError where it holds no such one."""
    if encoding.codec is None:
        return form.video[0]
    if encoding.codec not in form.video:
        known = ", ".join(form.video)
        raise SinkError(
            f"cannot write {path}: {form.muxer} files hold no {encoding.codec}; they hold {known}"
        )
    return encoding.codec
