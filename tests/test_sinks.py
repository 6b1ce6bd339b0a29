import errno
import logging
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from livestyle.errors import SinkError
from livestyle.frame import Frame
from livestyle.sinks import Sink, open_sink, refuse_same_file
from livestyle.sinks.advice import advice_on
from livestyle.sinks.containers import container_of
from livestyle.sinks.file import FileSink
from livestyle.sinks.null import NullSink
from livestyle.sinks.picture import write_picture
from livestyle.sources import open_source
from livestyle.sources.picture import read_picture
from tests.media import (
    RED_GREEN_BLUE,
    ListSink,
    greys,
    make_video,
    stripe_colours,
    stripes,
    video_seconds,
)

SINKS: dict[str, Callable[[Path], Sink]] = {
    "file": lambda folder: FileSink(folder / "out.mp4", (64, 48)),
    "null": lambda _: NullSink(),
    "fake": lambda _: ListSink(),
}


@pytest.fixture(params=SINKS)
def sink(request: pytest.FixtureRequest, tmp_path: Path) -> Sink:
    return SINKS[request.param](tmp_path)


def frames(count: int, rate: int = 30) -> list[Frame]:
    return [Frame(image, index / rate) for index, image in enumerate(greys(count))]


def write_until(error: BaseException, path: Path, count: int) -> None:
    """Write `count` frames, then let `error` end the `with`."""
    with FileSink(path, (64, 48)) as sink:
        for frame in frames(count):
            sink.write(frame)
        raise error


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing/out.mp4", "make it first"),
        ("file/out.mp4", "make it first"),
        ("folder.mp4", "it is a folder"),
        ("out.xyz", "use .mp4"),
        ("out.wmv", "use .mp4"),
        ("out", "does not end in a format"),
    ],
)
def test_what_cannot_be_written_is_refused_on_opening(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "file").write_text("a file where a folder should be")
    (tmp_path / "folder.mp4").mkdir()
    before = files(tmp_path)
    with pytest.raises(SinkError, match=r"^cannot write [^\n]*$") as caught:
        FileSink(tmp_path / name, (64, 48))
    assert reason in str(caught.value)
    assert str(tmp_path / name) in str(caught.value)
    assert files(tmp_path) == before


def test_the_input_is_never_the_output(tmp_path: Path) -> None:
    path = make_video(tmp_path / "in.mp4", greys(2))
    (tmp_path / "link.mp4").symlink_to(path)
    before = path.read_bytes()
    for name in (path, tmp_path / "link.mp4", tmp_path / "." / "in.mp4"):
        with pytest.raises(SinkError, match="it is the input itself"):
            open_sink(name, (64, 48), made_from=path)
    assert path.read_bytes() == before
    refuse_same_file(tmp_path / "out.mp4", path)


def test_an_exception_discards_the_file_and_keeps_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError, match="paint failed"):
        write_until(RuntimeError("paint failed"), path, 1)
    assert files(tmp_path) == ["out.mp4"]
    assert path.read_bytes() == b"old"


def test_a_file_that_cannot_be_renamed_is_kept_and_its_place_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = FileSink(tmp_path / "out.mp4", (64, 48))
    sink.write(frames(1)[0])

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(SinkError, match="no space left on device") as caught:
        sink.close()
    (kept,) = tmp_path.iterdir()
    assert str(caught.value).endswith(f"is kept as {kept}")
    assert len(video_seconds(kept)) == 1


def test_a_file_without_frames_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="not one frame"), FileSink(tmp_path / "out.mp4", (64, 48)):
        pass
    assert files(tmp_path) == []


def test_ctrl_c_before_the_first_frame_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        write_until(KeyboardInterrupt(), tmp_path / "out.mp4", 0)
    assert files(tmp_path) == []


def test_ctrl_c_leaves_a_playable_file(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        write_until(KeyboardInterrupt(), tmp_path / "out.mp4", 5)
    assert files(tmp_path) == ["out.mp4"]
    assert len(video_seconds(tmp_path / "out.mp4")) == 5


def test_a_frame_of_another_size_is_a_mistake(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "out.mp4", (32, 48))
    with pytest.raises(ValueError, match="64x48"):
        sink.write(frames(1)[0])
    sink.discard()
    sink.discard()
    assert files(tmp_path) == []


def test_a_sink_takes_frames_and_may_be_closed_twice(sink: Sink, tmp_path: Path) -> None:
    for frame in frames(3):
        sink.write(frame)
    sink.close()
    sink.close()
    if isinstance(sink, FileSink):
        assert len(video_seconds(sink.path)) == 3
    else:
        taken = sink.frames
        assert (len(taken) if isinstance(taken, list) else taken) == 3
    assert not [name for name in files(tmp_path) if name.endswith(".part")]


def test_the_file_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "out.mp4", (64, 48))
    sink.write(frames(1)[0])
    assert not (tmp_path / "out.mp4").exists()
    sink.close()
    assert files(tmp_path) == ["out.mp4"]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".MP4"])
def test_colours_come_back(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    with FileSink(path, (96, 64)) as sink:
        sink.write(Frame(stripes(), 0.0))
    source = open_source(path)
    # A quantiser of 20 and two roundings; any wrong matrix or range is off by 15 and more.
    np.testing.assert_allclose(stripe_colours(next(iter(source)).image), RED_GREEN_BLUE, atol=6)
    source.close()


def test_the_file_plays_everywhere(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    with FileSink(path, (96, 64)) as sink:
        sink.write(Frame(stripes(), 0.0))
    written = path.read_bytes()
    assert written.index(b"moov") < written.index(b"mdat")  # faststart
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        assert (context.colorspace, context.color_primaries, context.color_trc) == (1, 1, 1)
        assert context.color_range == 1


def test_an_ordinary_file_mode_not_that_of_a_temporary(tmp_path: Path) -> None:
    (tmp_path / "touched").touch()
    with FileSink(tmp_path / "out.mp4", (64, 48)) as sink:
        sink.write(frames(1)[0])
    assert (tmp_path / "out.mp4").stat().st_mode == (tmp_path / "touched").stat().st_mode


@pytest.mark.parametrize(("width", "height"), [(33, 47), (639, 361), (1, 1), (64, 47)])
def test_an_odd_size_is_padded_with_one_notice(
    tmp_path: Path, width: int, height: int, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "out.mp4"
    image = np.full((height, width, 3), (200, 100, 50), np.uint8)
    with caplog.at_level(logging.WARNING), FileSink(path, (width, height)) as sink:
        for index in range(3):
            sink.write(Frame(image, index / 30))
    assert [record.getMessage() for record in caplog.records] == [
        f"{width}x{height} is an odd size: the file is {width + width % 2}x{height + height % 2}"
    ]
    source = open_source(path)
    assert source.size == (width + width % 2, height + height % 2)
    corner = next(iter(source)).image[-1, -1]
    np.testing.assert_allclose(corner.astype(int), (200, 100, 50), atol=6)  # the edge, not black
    source.close()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_pts_are_kept_within_a_millisecond(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    moments = [0.0, 0.0334, 0.1, 0.5, 0.5101, 3.0]
    with FileSink(path, (64, 48)) as sink:
        for image, pts in zip(greys(6), moments, strict=True):
            sink.write(Frame(image, pts))
    assert video_seconds(path) == pytest.approx(moments, abs=0.001)


def test_repeated_pts_do_not_stop_the_encoder(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    with FileSink(path, (64, 48)) as sink:
        for image, pts in zip(greys(4), (0.0, 0.1, 0.1, 0.05), strict=True):
            sink.write(Frame(image, pts))
    assert len(video_seconds(path)) == 4


@pytest.mark.parametrize("name", ["missing/out.png", "out.xyz", "out", "folder.png"])
def test_a_picture_that_cannot_be_written_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(SinkError, match=r"^cannot write [^\n]*$"):
        write_picture(tmp_path / name, stripes())
    assert files(tmp_path) == ["folder.png"]


def test_a_failing_write_keeps_the_old_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out.png"
    path.write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(SinkError, match="no space left on device"):
        write_picture(path, stripes())
    assert files(tmp_path) == ["out.png"]
    assert path.read_bytes() == b"old"


def test_a_picture_comes_back(tmp_path: Path) -> None:
    write_picture(tmp_path / "out.png", stripes())
    np.testing.assert_array_equal(read_picture(tmp_path / "out.png"), stripes())
    assert files(tmp_path) == ["out.png"]


@pytest.mark.parametrize(
    ("number", "name", "advice"),
    [
        (errno.ENOSPC, "out.mp4", "is there room on the disk?"),
        (errno.EINVAL, "out.mp4", "try another kind of file, such as .mkv"),
        (errno.EINVAL, "out.mkv", "try another kind of file, such as .mp4"),
        (errno.EPIPE, "out.mkv", "does its reader still run?"),
    ],
)
def test_advice_fits_what_went_wrong(number: int, name: str, advice: str) -> None:
    assert advice_on(OSError(number, "reason"), container_of(name)) == advice
