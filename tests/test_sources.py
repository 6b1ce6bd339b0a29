from collections.abc import Callable, Collection
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from livestyle.errors import SourceError
from livestyle.frame import Frame
from livestyle.sinks.file import FileSink
from livestyle.sources import FrameSource, open_source
from livestyle.sources.picture import read_picture
from tests.media import (
    RED_GREEN_BLUE,
    CountingSource,
    grey,
    greys,
    make_sound,
    make_video,
    stripe_colours,
    stripes,
)

# Studio range keeps 219 of 256 levels, and swscale's fast path rounds each of three terms.
ROUNDING = 4

SOURCES: dict[str, Callable[[Path], FrameSource]] = {
    "file": lambda folder: open_source(make_video(folder / "in.mp4", greys(6))),
    "fake": lambda _: CountingSource(6),
}


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> FrameSource:
    return SOURCES[request.param](tmp_path)


def damaged_video(path: Path, bad: Collection[int]) -> Path:
    """Eight PNG frames, of which some are rubbish."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "rgb24"
        for index, image in enumerate(greys(8)):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 10)
            for packet in stream.encode(frame):
                packet_or_rubbish = av.Packet(b"rubbish" * 20) if index in bad else packet
                packet_or_rubbish.stream = stream
                packet_or_rubbish.pts = packet_or_rubbish.dts = packet.pts
                packet_or_rubbish.time_base = packet.time_base
                packet_or_rubbish.is_keyframe = True
                container.mux(packet_or_rubbish)
    return path


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda folder: folder / "missing.mp4", "no such file"),
        (lambda folder: folder, "folder"),
        (lambda folder: _text(folder / "notes.mp4"), "is it a video"),
        (lambda folder: _text(folder / "empty.mp4", ""), "is it a video"),
        (lambda folder: make_sound(folder / "song.m4a"), "holds no video"),
        (lambda folder: damaged_video(folder / "damaged.mov", bad=range(8)), "cannot be decoded"),
    ],
)
def test_what_is_no_video_is_refused_in_one_clear_line(
    make: Callable[[Path], Path], reason: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = make(tmp_path)
    with pytest.raises(SourceError) as caught:
        open_source(path)
    message = str(caught.value)
    assert reason in message
    assert str(path) in message
    assert "\n" not in message
    assert message.startswith("cannot")
    assert capfd.readouterr() == ("", "")


def _text(path: Path, text: str = "these are only words\n" * 50) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("bad", "seen", "told"),
    [
        ({2}, [0, 0.1, 0.3, 0.4, 0.5, 0.6, 0.7], "1 frame at 0.20 s"),
        ({2, 3, 4}, [0, 0.1, 0.5, 0.6, 0.7], "3 frames between 0.20 and 0.40 s"),
        ({0}, [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6], "1 frame at"),
    ],
)
def test_what_is_damaged_is_left_out_and_told(
    tmp_path: Path, bad: set[int], seen: list[float], told: str
) -> None:
    source = open_source(damaged_video(tmp_path / "damaged.mov", bad))
    assert [frame.pts for frame in source] == pytest.approx(seen)
    (fault,) = source.faults
    assert f"damaged.mov is damaged: {told}" in fault
    source.close()


def noisy_video(path: Path, count: int = 30, rate: int = 5) -> Path:
    random = np.random.default_rng(0)
    with FileSink(path, (64, 48), rate=rate) as sink:  # an mp4 has its index first: half a file still opens
        for index in range(count):
            sink.write(Frame(random.integers(0, 256, (48, 64, 3), np.uint8), index / rate))
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm", ".avi"])
@pytest.mark.parametrize("share", [1.0, 0.5])
def test_a_file_that_is_cut_short_says_so(tmp_path: Path, suffix: str, share: float) -> None:
    path = noisy_video(tmp_path / f"in{suffix}")
    path.write_bytes(path.read_bytes()[: round(share * path.stat().st_size)])
    source = open_source(path)
    count = len(list(source))
    source.close()
    if share == 1:
        assert (count, source.faults) == (30, [])
    else:
        assert 5 < count < 25
        assert "is cut short: it ends at" in source.faults[-1]


def test_frames_are_contiguous_rgb_bytes_with_rising_pts(source: FrameSource) -> None:
    frames = list(source)
    assert len(frames) == 6
    for frame in frames:
        assert frame.image.dtype == np.uint8
        assert frame.image.shape[2] == 3
        assert frame.image.flags.c_contiguous
    moments = [frame.pts for frame in frames]
    assert moments[0] == 0.0
    assert moments == sorted(set(moments))
    source.close()


def test_a_source_may_be_closed_twice_and_early(source: FrameSource) -> None:
    assert not source.live
    next(iter(source))
    source.close()
    source.close()


def test_a_file_tells_what_a_progress_bar_needs(tmp_path: Path) -> None:
    source = open_source(make_video(tmp_path / "in.mp4", greys(30), rate=25))
    assert source.size == (64, 48)
    assert source.fps == pytest.approx(25, abs=0.1)
    assert source.duration_seconds == pytest.approx(1.2, abs=0.05)
    assert source.frame_estimate == 30
    source.close()


@pytest.mark.parametrize(("suffix", "codec"), [(".h264", "libx264"), (".hevc", "libx265")])
def test_a_raw_stream_has_its_own_rate_and_begins_at_0(tmp_path: Path, suffix: str, codec: str) -> None:
    """FFmpeg takes 25 frames a second for the average of those, whatever they state."""
    path = tmp_path / f"in{suffix}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=30, options={"x265-params": "log-level=none"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for image in greys(12):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    source = open_source(path)
    assert [frame.pts for frame in source] == pytest.approx([index / 30 for index in range(12)])
    source.close()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_varying_frame_rate_is_kept(tmp_path: Path, suffix: str) -> None:
    moments = [0.0, 0.033, 0.1, 0.5, 0.51, 1.2]
    source = open_source(make_video(tmp_path / f"in{suffix}", greys(6), pts=moments, start=0.4))
    # Matroska counts in milliseconds.
    assert [frame.pts for frame in source] == pytest.approx(moments, abs=0.001)
    source.close()


@pytest.mark.parametrize("rotation", [90, -90, 180])
def test_rotation_metadata_is_applied(tmp_path: Path, rotation: int) -> None:
    path = make_video(tmp_path / "in.mp4", [stripes()], rotation=rotation)
    source = open_source(path)
    expected = np.rot90(stripes(), rotation // 90)
    image = next(iter(source)).image
    assert source.size == (expected.shape[1], expected.shape[0])
    height, width = expected.shape[:2]
    for y, x in ((8, 8), (height - 8, width - 8), (height // 2, width // 2)):
        np.testing.assert_allclose(image[y, x].astype(int), expected[y, x], atol=ROUNDING)
    source.close()


@pytest.mark.parametrize(
    ("suffix", "codec", "pix_fmt"),
    [
        (".mp4", "libx264", "yuv420p"),
        (".mp4", "libx264", "yuv422p"),
        (".mp4", "libx264", "yuv444p"),
        (".mp4", "libx264", "yuv422p10le"),
        (".mkv", "ffv1", "yuv420p"),
        (".mkv", "ffv1", "bgr0"),
        (".mkv", "ffv1", "bgra"),
        (".mkv", "ffv1", "yuva420p"),
        (".mov", "png", "rgb24"),
    ],
)
def test_every_pixel_format_has_right_colours(tmp_path: Path, suffix: str, codec: str, pix_fmt: str) -> None:
    path = make_video(tmp_path / f"in{suffix}", [stripes()], codec=codec, pix_fmt=pix_fmt)
    assert_stripes(path)


@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("matrix", [1, 5, 6, 2])
def test_the_tagged_matrix_and_range_are_used(tmp_path: Path, matrix: int, full_range: bool) -> None:
    assert_stripes(make_video(tmp_path / "in.mp4", [stripes()], matrix=matrix, full_range=full_range))


def test_an_untagged_hd_video_is_read_as_bt709(tmp_path: Path) -> None:
    path = tmp_path / "in.mkv"
    hd = stripes(1280, 720)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=30)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        frame = av.VideoFrame.from_ndarray(hd, format="rgb24").reformat(
            format="yuv420p", src_colorspace=1, dst_colorspace=1, src_color_range=2, dst_color_range=1
        )
        frame.colorspace = 2
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert_stripes(path)


def test_jpeg_range_formats_are_full_range(tmp_path: Path) -> None:
    path = make_video(
        tmp_path / "in.mkv", [stripes()], codec="mjpeg", pix_fmt="yuvj420p", matrix=5, full_range=True
    )
    assert_stripes(path, tolerance=8)  # JPEG itself loses some


def assert_stripes(path: Path, tolerance: int = ROUNDING) -> None:
    source = open_source(path)
    np.testing.assert_allclose(stripe_colours(next(iter(source)).image), RED_GREEN_BLUE, atol=tolerance)
    source.close()


def test_grey_video_keeps_its_levels(tmp_path: Path) -> None:
    source = open_source(make_video(tmp_path / "in.mkv", [grey(77)], codec="ffv1", pix_fmt="gray"))
    assert next(iter(source)).image[20, 20] == pytest.approx([77] * 3, abs=ROUNDING)
    source.close()


@pytest.mark.parametrize("name", ["missing.png", "", "notes.png", "empty.png"])
def test_an_unreadable_picture_is_refused_in_one_clear_line(
    tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    _text(tmp_path / "notes.png")
    _text(tmp_path / "empty.png", "")
    with pytest.raises(SourceError, match=r"^cannot [^\n]*$") as caught:
        read_picture(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "stored",
    [
        np.full((5, 7), 90, np.uint8),
        np.full((5, 7), 90 * 257, np.uint16),
        np.full((5, 7, 3), 90, np.uint8),
        np.full((5, 7, 3), 90 * 257, np.uint16),
        np.dstack([np.full((5, 7, 3), 90, np.uint8), np.full((5, 7), 255, np.uint8)]),
    ],
    ids=["grey", "grey16", "rgb", "rgb16", "alpha"],
)
def test_every_kind_of_picture_becomes_rgb_bytes(tmp_path: Path, stored: np.ndarray) -> None:
    path = tmp_path / "in.png"
    path.write_bytes(cv2.imencode(".png", stored)[1].tobytes())
    image = read_picture(path)
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    np.testing.assert_array_equal(image, np.full((5, 7, 3), 90))


def test_a_picture_is_rgb_and_upright(tmp_path: Path) -> None:
    path = tmp_path / "in.jpg"
    encoded = cv2.imencode(".jpg", stripes()[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes()
    # EXIF with one tag, orientation 6: turn right
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    marker = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    path.write_bytes(encoded[:2] + marker + encoded[2:])
    image = read_picture(path)
    assert image.shape == (96, 64, 3)
    # JPEG loses some of such colours.
    np.testing.assert_allclose(image[[8, 48, 88], 32].astype(int), RED_GREEN_BLUE, atol=8)
