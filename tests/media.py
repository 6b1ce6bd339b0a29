"""Media made with PyAV, and fakes of sources and sinks, for the tests."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from livestyle import colors
from livestyle.frame import Frame, Image

RED_GREEN_BLUE = ((255, 0, 0), (0, 255, 0), (0, 0, 255))
TIME_BASE = Fraction(1, 90_000)
_COARSE = ("mpeg2video", "mpeg4", "flv")
"""Codecs whose own clock is no finer than their frames."""


def stripes(width: int = 96, height: int = 64) -> Image:
    """Three vertical stripes: red, green, blue."""
    image = np.zeros((height, width, 3), np.uint8)
    for index, colour in enumerate(RED_GREEN_BLUE):
        image[:, index * width // 3 : (index + 1) * width // 3] = colour
    return image


def stripe_colours(image: Image) -> list[list[int]]:
    """The colour in the middle of each of three vertical stripes."""
    height, width = image.shape[:2]
    return [image[height // 2, width * (2 * index + 1) // 6].tolist() for index in range(3)]


def grey(level: int, width: int = 64, height: int = 48) -> Image:
    return np.full((height, width, 3), level % 256, np.uint8)


def greys(count: int, width: int = 64, height: int = 48) -> list[Image]:
    """Frames whose brightness tells their place."""
    return [grey(20 + 5 * index, width, height) for index in range(count)]


def make_video(
    path: Path,
    images: Sequence[Image],
    *,
    pts: Sequence[float] | None = None,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    rate: int | Fraction = 30,
    matrix: int = 2,
    full_range: bool = False,
    rotation: int = 0,
    sound: str | None = None,
    sound_seconds: float | None = None,
    sound_starts: float = 0.0,
    start: float = 0.0,
    gop: int = 250,
    aspect: Fraction = Fraction(1),
) -> Path:
    """Encode `images`; `matrix` is the tagged ITU-T H.273 colour space: BT.601 for 2, no tag, and what
    livestyle does not know."""
    moments = pts if pts is not None else [float(index / rate) for index in range(len(images))]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pix_fmt
        stream.codec_context.time_base = Fraction(1, rate) if codec in _COARSE else TIME_BASE
        stream.codec_context.colorspace = matrix
        stream.codec_context.color_range = 2 if full_range else 0
        stream.gop_size = gop
        stream.codec_context.sample_aspect_ratio = aspect
        if codec == "libx265":
            stream.options = {"x265-params": "log-level=none"}
        if codec == "libx264":
            stream.options = {"preset": "ultrafast", "crf": "1"}
        if rotation:
            stream.set_display_rotation(rotation)
        track = container.add_stream(sound, rate=48_000) if sound else None
        for image, moment in zip(images, moments, strict=True):
            picture = to_yuv(image, pix_fmt, matrix, full_range)
            picture.pts, picture.time_base = round((moment + start) / TIME_BASE), TIME_BASE
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
        if track is not None:
            length = sound_seconds if sound_seconds is not None else moments[-1] + 1 / rate
            for samples in noise(length, sound_starts):
                container.mux(track.encode(samples))
            container.mux(track.encode(None))
    return path


def to_yuv(image: Image, pix_fmt: str, matrix: int, full_range: bool) -> av.VideoFrame:
    picture = av.VideoFrame.from_ndarray(image, format="rgb24")
    if pix_fmt.startswith(("rgb", "gbr", "bgr")):
        return picture.reformat(format=pix_fmt)
    coefficients = matrix if colors.knows(matrix) else colors.BT470BG
    return picture.reformat(
        format=pix_fmt,
        src_colorspace=coefficients,
        dst_colorspace=coefficients,
        src_color_range=2,
        dst_color_range=2 if full_range else 1,
    )


def noise(seconds: float, starts: float = 0.0, rate: int = 48_000) -> Iterator[av.AudioFrame]:
    random = np.random.default_rng(0)
    for first in range(0, round(seconds * rate), 1024):
        samples = random.normal(0, 0.1, (2, 1024)).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
        frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
        frame.pts = first + round(starts * rate)
        yield frame


def make_sound(path: Path, codec: str = "aac", seconds: float = 0.5) -> Path:
    """A file with sound and no video."""
    with av.open(str(path), "w") as container:
        track = container.add_stream(codec, rate=48_000)
        for samples in noise(seconds):
            container.mux(track.encode(samples))
        container.mux(track.encode(None))
    return path


def sound_packets(path: Path) -> list[tuple[float, bytes]]:
    """(seconds, bytes) of each packet of the first audio track."""
    with av.open(str(path)) as container:
        packets = container.demux(container.streams.audio[0])
        return [(float(packet.pts * packet.time_base), bytes(packet)) for packet in packets if packet.size]


def video_seconds(path: Path) -> list[float]:
    """When each video frame of a file is shown, as the file says, without shifting the first one to 0."""
    with av.open(str(path)) as container:
        return [frame.time for frame in container.decode(video=0)]


class CountingSource:
    """Counts what is read; raises `error` in place of frame `fails_at`; calls `before` with each index."""

    def __init__(
        self,
        count: int,
        *,
        live: bool = False,
        fails_at: int | None = None,
        error: BaseException | None = None,
        before: Callable[[int], object] = lambda _: None,
    ) -> None:
        self.count, self.live, self.fails_at, self.error, self.before = count, live, fails_at, error, before
        self.read = 0
        self.closed = 0

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self.count):
            self.before(index)
            if index == self.fails_at and self.error is not None:
                raise self.error
            self.read += 1
            yield Frame(grey(index, 4, 2), index / 10)

    def close(self) -> None:
        self.closed += 1


class ListSink:
    """Keeps what it is given; raises `error` in place of frame `fails_at`; calls `before` with each."""

    def __init__(
        self,
        *,
        fails_at: int | None = None,
        error: BaseException | None = None,
        before: Callable[[Frame], object] = lambda _: None,
    ) -> None:
        self.frames: list[Frame] = []
        self.fails_at, self.error, self.before = fails_at, error, before
        self.closed = 0

    def write(self, frame: Frame) -> None:
        self.before(frame)
        if len(self.frames) == self.fails_at and self.error is not None:
            raise self.error
        self.frames.append(frame)

    def close(self) -> None:
        self.closed += 1
