"""Frames of a video file, decoded by FFmpeg through PyAV."""

import errno
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
from av.video.frame import VideoFrame

from livestyle.colors import Colors
from livestyle.errors import SourceError, reason_of
from livestyle.frame import Frame
from livestyle.memory import return_freed
from livestyle.sources.beside import Beside
from livestyle.sources.damage import has_alpha_beside
from livestyle.sources.decoding import Decoder
from livestyle.sources.interlace import Deinterlacer
from livestyle.sources.media import Excerpt, Media
from livestyle.sources.opening import MOST_PIXELS, open_video, others_of
from livestyle.sources.part import TOLERANCE, UNSEEN, is_before, is_seen, moment_of, seeks_exactly
from livestyle.sources.rgb import ToRgb, colors_of
from livestyle.sources.siting import site_of
from livestyle.sources.stated import pixel_aspect_of, rate_of, stated_seconds

_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", None)}
"""What is told of a disk without room for what is kept meanwhile."""
_LONG = 10_000
"""Packets: of the index of a longer file FFmpeg makes copies, and frees them."""


class FileSource:
    """The frames of one video, upright, each with its own pts: the frame rate may vary.

    `path` is what `Media` takes: a file, a pipe, `-`, or numbered pictures; of pictures `rate` are shown a
    second. Only the frames from `start_seconds` on and before `end_seconds` come, counted from the first
    frame; `pts` counts from the first one that comes. Rotation metadata is applied, interlaced frames are
    made progressive, more than 8 bits per channel become 8, high dynamic range becomes ordinary, transparent
    parts become black. The first frame is decoded on opening, so a file that opens has a picture and a true
    size. Damaged frames are left out. `hwaccel` is one of `livestyle.encoding.HWACCELS`. Raises
    `SourceError`.
    """

    live = False

    def __init__(
        self,
        path: Path | str,
        *,
        start_seconds: float = 0.0,
        end_seconds: float | None = None,
        rate: float | Fraction | None = None,
        hwaccel: str = "none",
    ) -> None:
        self.media = Media(path, rate=rate)
        self._hwaccel = hwaccel
        self.path = self.media.path
        self._beside: Beside | None = None
        self.origin: Fraction | None = None
        """The moment of the first frame that comes, by the file's own clock; None where it has none."""
        self.skipped_seconds = 0.0
        """From the first frame of the video to the first one that comes."""
        self._begin, self._end = start_seconds, end_seconds
        self.last_seconds: float | None = None
        """How long the last frame is shown; None before it came, where nothing tells, and where it is as long
        as `fps` says."""
        self._shown_from: Fraction | None = None
        """When the first frame that comes is shown, where it came up before."""
        self._zero: Fraction | None = None
        """The moment of the video's first frame, known once it is read."""
        self._to_rgb = ToRgb(self.media.name)
        self._deinterlacer = Deinterlacer(self.media.name)
        try:
            self._container, self._stream = open_video(self.media, self._hwaccel)
            if sum(stream.frames for stream in self._container.streams) > _LONG:
                return_freed()
            self._pts = -1 / self.fps
            if has_alpha_beside(self._stream):
                self._to_rgb.tell("has transparent parts, which are not read: they are painted as opaque")
        except BaseException:
            self.media.close()
            self._raise_an_interrupt()
            raise
        try:
            self._open_decoder()
            self._frames = self._read()
            self._first = next(self._frames)
        except StopIteration:
            nothing = self._nothing()
            self.close()
            self._raise_an_interrupt()
            raise nothing from None
        except BaseException:
            self.close()
            self._raise_an_interrupt()
            raise

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the frames, after rotation."""
        height, width = self._first.image.shape[:2]
        return width, height

    @property
    def fps(self) -> float:
        """The average frame rate; single frames may be further apart or closer together."""
        return float(rate_of(self._container, self._stream))

    @property
    def pixel_aspect(self) -> Fraction:
        """How much wider than high a pixel is, after rotation."""
        return self._pixel_aspect

    @property
    def excerpt(self) -> Excerpt:
        """What comes, for whoever wants what the file has beside its picture."""
        length = None if self._end is None else self._end - max(self._begin, self.skipped_seconds)
        return Excerpt(self.media, self.origin, self._begin > 0, length, self._beside)

    @property
    def others(self) -> list[str]:
        """What the file has beside its picture, each kind in a word."""
        return others_of(self._container, self._stream)

    @property
    def colors(self) -> Colors:
        """The tags of what is made from this video."""
        return self._colors

    @property
    def duration_seconds(self) -> float | None:
        """Length of what comes, as the container states it; None where it does not."""
        whole = stated_seconds(self._container, self._stream)
        if whole is None:
            return None if self._end is None else self._end - self._begin
        return max(0.0, min(whole, self._end if self._end is not None else whole) - self._begin)

    @property
    def frame_estimate(self) -> int | None:
        """About how many frames there are, for a progress bar; None when nothing tells."""
        if self._stream.frames and self._begin == 0 and self._end is None:
            return self._stream.frames
        return None if self.duration_seconds is None else max(1, round(self.duration_seconds * self.fps))

    @property
    def faults(self) -> list[str]:
        """What was wrong with the file as far as it was read, one line each: empty for a sound one."""
        wanted = self._end is None or Fraction(self._end) - TOLERANCE > self.media.pictures_seconds
        gap = [f"{self.media.name}: {self.media.gap}"] if self.media.gap and wanted else []
        return self._decoder.faults + gap

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames in order of pts, once."""
        if self._beside is not None:
            self._beside.begin()
        return chain([self._first], self._frames)

    def close(self) -> None:
        """Close the file; safe to call twice."""
        if self._beside is not None:
            self._beside.close()
        self._container.close()
        self.media.close()

    def _raise_an_interrupt(self) -> None:
        if self.media.interrupted:
            raise KeyboardInterrupt from None

    def _open_decoder(self) -> None:
        self._stream.thread_type = "AUTO"
        self._stream.codec_context.options = {
            "max_pixels": str(MOST_PIXELS)
        }  # the size may change on the way
        shared = Beside.suits(self._container)
        self._beside = Beside(self._container, self._stream.index) if shared else None
        self._decoder = Decoder(self._container, self._stream, self.media, self._beside, self._zero)

    def _read(self) -> Iterator[Frame]:
        try:
            for frame in self._wanted():
                if self.origin is None:
                    self.origin = moment_of(frame) if self._shown_from is None else self._shown_from
                    self._colors = replace(colors_of(frame), site=site_of(frame, self._stream.codec_context))
                    self._pixel_aspect = pixel_aspect_of(self._stream, frame)
                yield Frame(self._to_rgb(frame), self._pts_of(frame))
        except (av.FFmpegError, OSError) as error:
            full = error.errno in _FULL
            advice = "name a folder with more room in TMPDIR" if full else "choose another file"
            raise SourceError(f"cannot read {self.media.name}: {reason_of(error)}; {advice}") from error

    def _wanted(self) -> Iterator[VideoFrame]:
        """The frames between start and end."""
        frames = self._progressive()
        first = next(frames, None)
        zero = self._zero = None if first is None else moment_of(first)
        end = None if self._end is None or zero is None else zero + Fraction(self._end)
        if self._begin and zero is not None:
            first, frames = self._seek(zero, zero + Fraction(self._begin), end)
            found = self._shown_from if first is None or self._shown_from is not None else moment_of(first)
            self.skipped_seconds = 0.0 if found is None else float(found - zero)
        before = last = until = None
        for frame in chain([] if first is None else [first], frames):
            moment = moment_of(frame)
            if end is not None and moment is not None and moment >= end - TOLERANCE:
                until = moment
                break
            yield frame
            before, last = last, moment
        else:
            alone = before is None and self._shown_from is not None
            until = None if last is None else self._end_of(last) if alone else self._decoder.end_of_last(last)
        if last is not None and until is not None:
            self._note_length(before, last, until, end)

    def _note_length(
        self, before: Fraction | None, last: Fraction, until: Fraction, end: Fraction | None
    ) -> None:
        """Take the length of the last frame for the usual one where nobody sees the difference: a stream of a
        constant rate keeps that then. An end that was asked for is kept."""
        if before is None and self._shown_from is not None:
            last = self._shown_from
        length = (until if end is None else min(until, end)) - last
        is_asked = last + length < until
        usual = 1 / rate_of(self._container, self._stream)
        is_steady = not is_asked and before is not None and abs(last - before - usual) <= 2 * TOLERANCE
        less, more = (UNSEEN, min(UNSEEN, usual / 2)) if is_steady else (2 * TOLERANCE, 2 * TOLERANCE)
        self.last_seconds = float(length) if length > 0 and not -less <= length - usual <= more else None

    def _end_of(self, last: Fraction) -> Fraction:
        """Until when the video's last frame is shown: as long as is usual where nothing tells."""
        return self._decoder.end_of_last(last) or last + 1 / rate_of(self._container, self._stream)

    def _seek(
        self, zero: Fraction, begin: Fraction, end: Fraction | None
    ) -> tuple[VideoFrame | None, Iterator[VideoFrame]]:
        """The first frame of the part, and those after it: from the last key frame before, if the file can be
        sought in, else from the beginning."""
        wanted = begin - TOLERANCE
        before, first, frames = None, None, self._progressive()
        for target in (wanted, None) if seeks_exactly(self._container) else (None,):
            self._restart(target)
            frames = self._progressive()
            with suppress(SourceError) if target is not None else nullcontext():  # nothing is there
                first = next(frames, None)
            if first is not None and not is_before(max(wanted, zero), first):
                break
        while first is not None and (moment := moment_of(first)) is not None and moment < wanted:
            self._decoder.forget()
            before, first = first, next(frames, None)
        if before is not None and is_seen(before, first, begin, end, self._end_of):
            self._shown_from = begin
            return before, frames if first is None else chain([first], frames)
        return first, frames

    def _restart(self, target: Fraction | None) -> None:
        """Go to the last key frame before the moment; to the beginning for None, or where that fails."""
        if target is None or not self._sought(target):
            self._container.close()
            self._container, self._stream = open_video(self.media, self._hwaccel)
            self._open_decoder()
        self._deinterlacer.reset()

    def _sought(self, target: Fraction) -> bool:
        assert self._stream.time_base is not None
        try:
            self._container.seek(int(target / self._stream.time_base), stream=self._stream)
        except (av.FFmpegError, OverflowError):  # the second beyond 64 bits
            return False
        if self._beside is not None:
            self._beside.forget()
        self._decoder = Decoder(self._container, self._stream, self.media, self._beside, self._zero)
        return True

    def _progressive(self) -> Iterator[VideoFrame]:
        for frame in self._decoder.frames():
            yield from self._deinterlacer.feed(frame)
        yield from self._deinterlacer.rest()

    def _pts_of(self, frame: VideoFrame) -> float:
        moment = moment_of(frame)
        if moment is None or self.origin is None:
            self._pts += 1 / self.fps
        else:
            self._pts = float(max(moment - self.origin, Fraction(0)))
        return self._pts

    def _nothing(self) -> SourceError:
        seconds = stated_seconds(self._container, self._stream)
        length = f"; it is {seconds:.2f} s long" if seconds else ""
        part = f"from {self._begin:g} s" + (f" to {self._end:g} s" if self._end is not None else "")
        return SourceError(f"cannot read {self.media.name}: it has no frame {part}{length}")
