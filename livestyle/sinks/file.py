"""A video file: H.264 that plays everywhere, and the sound of the file it is made from."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream

from livestyle.errors import SinkError
from livestyle.frame import Frame, Image
from livestyle.sinks.hwaccel import X264, nvenc_options, pick_encoder
from livestyle.sinks.partial import PartialFile
from livestyle.sinks.soundtrack import Soundtrack

logger = logging.getLogger(__name__)

_FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
_TIME_BASE = Fraction(1, 90_000)  # fine enough for every usual frame rate, and for rates that vary
_BT709 = np.array(
    [
        [0.2126 * 219, 0.7152 * 219, 0.0722 * 219, 16 * 255],
        [-0.2126 / 1.8556 * 224, -0.7152 / 1.8556 * 224, 0.5 * 224, 128 * 255],
        [0.5 * 224, -0.7152 / 1.5748 * 224, -0.0722 / 1.5748 * 224, 128 * 255],
    ]
) / 255  # fmt: skip
"""Full-range RGB to limited-range YCbCr, ITU-R BT.709-6, sections 3.2 to 3.5."""


class FileSink:
    """Writes `path` (.mp4, .m4v, .mov or .mkv) from frames of `size` (width, height), each at its own pts.

    `rate` is about how many frames a second will come. The first audio track of `audio_from` goes along. An
    odd size grows to the next even one by repeating its edge, which H.264 needs. `preset` and `crf` are
    x264's; `hwaccel` is `auto` or `none`.

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
        audio_from: Path | str | None = None,
        preset: str = "ultrafast",
        crf: int = 23,
        hwaccel: str = "none",
    ) -> None:
        self.path = Path(path)
        self.size = size
        self.complete = False
        """Whether the file is in its place."""
        self._rate = Fraction(rate or 30).limit_denominator(1001) or Fraction(1)
        self._ticks: int | None = None
        self._sound: Soundtrack | None = None
        form = _format(self.path)
        self._partial = PartialFile(self.path)
        self._open = True
        self._opened = ExitStack()
        with self._translated(f"try another size than {size[0]}x{size[1]}"), self._discarded_on_error():
            self._container = self._opened.enter_context(closing(_open(self._partial.part, form)))
            encoder = pick_encoder(hwaccel)
            options = _x264(preset, crf) if encoder == X264 else nvenc_options(crf)
            self._video = _add_video(self._container, size, self._rate, encoder, options)
            if audio_from is not None:
                self._sound = self._opened.enter_context(
                    closing(Soundtrack(Path(audio_from), self._container))
                )
            self._container.start_encoding()

    def write(self, frame: Frame) -> None:
        """Encode one frame of the sink's size, and the sound up to it. Raises `SinkError`."""
        height, width = frame.image.shape[:2]
        if (width, height) != self.size:
            raise ValueError(f"a frame of {width}x{height} for a file of {self.size[0]}x{self.size[1]}")
        picture = av.VideoFrame.from_ndarray(_to_i420(frame.image), format="yuv420p")
        picture.pts = self._next_ticks(frame.pts)
        picture.time_base = _TIME_BASE
        with self._translated():
            self._mux(picture)
            if self._sound is not None:
                self._sound.copy(until_seconds=float(picture.pts * _TIME_BASE))

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
            self._mux(None)
            self._finish_sound(cut_sound)
            self._container.close()
        self._release()
        self._partial.commit()
        self.complete = True

    def discard(self) -> None:
        """Forget what was written and leave what was at `path` before; safe to call twice."""
        if self._open:
            self._release()
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

    def _next_ticks(self, pts: float) -> int:
        start = 0 if self._sound is None else self._sound.video_start_seconds
        ticks = round((Fraction(pts) + start) / _TIME_BASE)
        self._ticks = ticks if self._ticks is None else max(ticks, self._ticks + 1)  # x264 wants rising times
        return self._ticks

    def _mux(self, picture: av.VideoFrame | None) -> None:
        for packet in self._video.encode(picture):
            packet.duration = packet.duration or round(1 / self._rate / _TIME_BASE)
            self._container.mux_one(packet)

    def _finish_sound(self, cut: bool) -> None:
        if self._sound is not None:
            end = float((self._ticks or 0) * _TIME_BASE + 1 / self._rate)
            self._sound.copy(until_seconds=end if cut else float("inf"))
            self._sound.finish()

    def _release(self) -> None:
        self._open = False
        with suppress(av.FFmpegError, OSError):  # a full disk fails again here: that was reported
            self._opened.close()

    @contextmanager
    def _translated(self, advice: str = "is there room on the disk?") -> Iterator[None]:
        try:
            yield
        except (av.FFmpegError, OSError) as error:
            reason = (error.strerror or str(error)).lower()
            raise SinkError(f"cannot write {self.path}: {reason}; {advice}") from error

    @contextmanager
    def _discarded_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException:  # a second Ctrl-C included: nothing half written stays behind
            self.discard()
            raise


def _format(path: Path) -> str:
    if path.suffix.lower() not in _FORMATS:
        known = ", ".join(_FORMATS)
        raise SinkError(
            f"cannot write {path}: {path.suffix or 'no suffix'} is no video format here; use {known}"
        )
    return _FORMATS[path.suffix.lower()]


def _open(part: Path, form: str) -> OutputContainer:
    # faststart puts the index first, so that a browser plays the file while it still loads
    options = {} if form == "matroska" else {"movflags": "+faststart"}
    return av.open(f"file:{part}", "w", format=form, options=options)


def _x264(preset: str, crf: int) -> dict[str, str]:
    # ultrafast would leave the deblocking filter out, which costs little and is what one sees in flat colours
    return {"preset": preset, "crf": str(crf), "x264-params": "deblock=0,0"}


def _add_video(
    container: OutputContainer, size: tuple[int, int], rate: Fraction, encoder: str, options: dict[str, str]
) -> VideoStream:
    try:
        stream = container.add_stream(encoder, rate=rate, options=options)
        assert isinstance(stream, VideoStream)
    except av.codec.codec.UnknownCodecError as error:
        raise SinkError(
            "cannot write video: this PyAV has no libx264; pip install --force-reinstall av"
        ) from error
    stream.width, stream.height = (side + side % 2 for side in size)
    if (stream.width, stream.height) != size:
        logger.warning("%dx%d is an odd size: the file is %dx%d", *size, stream.width, stream.height)
    stream.pix_fmt = "yuv420p"
    stream.thread_type = "FRAME"  # slices, PyAV's default, would wait for each frame
    stream.codec_context.time_base = _TIME_BASE
    stream.codec_context.color_range = ColorRange.MPEG
    stream.codec_context.colorspace = Colorspace.ITU709
    stream.codec_context.color_primaries = ColorPrimaries.BT709
    stream.codec_context.color_trc = ColorTrc.BT709
    return stream


def _to_i420(image: Image) -> Image:
    """BT.709 limited-range YUV 4:2:0, shape (H * 3 / 2, W) with H and W even: a third of swscale's time."""
    height, width = image.shape[:2]
    if height % 2 or width % 2:
        image = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE).astype(np.uint8)
        height, width = image.shape[:2]
    yuv = cv2.transform(image, _BT709)
    chroma = cv2.resize(yuv, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    planes = np.empty((height * 3 // 2, width), np.uint8)
    planes[:height] = yuv[..., 0]
    planes[height:].reshape(2, height // 2, width // 2)[:] = chroma[..., 1:].transpose(2, 0, 1)
    return planes
