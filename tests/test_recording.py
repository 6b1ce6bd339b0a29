"""Recordings: true times, and a file that plays whatever happens."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from livestyle.errors import SinkError
from livestyle.frame import Frame
from livestyle.prefetch import WriteBehind
from livestyle.sinks.live import open_live_sink
from livestyle.sinks.recording import Recorder, cut_after_last_fragment
from tests.media import grey, greys, stripe_colours, stripes, video_seconds

SIZE = (64, 48)
SUFFIXES = (".mp4", ".mov", ".mkv")


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def record(path: Path, moments: list[float]) -> None:
    recorder = Recorder(path, SIZE)
    for image, pts in zip(greys(len(moments)), moments, strict=True):
        recorder.write(Frame(image, pts))
    recorder.close()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_times_are_those_of_the_frames_from_the_first_one_on(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    moments = [7.0, 7.033, 7.05, 8.2, 8.21, 11.0]
    record(path, moments)
    # Matroska counts in milliseconds.
    assert video_seconds(path) == pytest.approx([pts - 7.0 for pts in moments], abs=0.001)
    assert files(tmp_path) == [path.name]


def test_a_finished_recording_plays_everywhere(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    recorder = Recorder(path, (96, 64))
    for index in range(4):
        recorder.write(Frame(stripes(), index / 30))
    recorder.close()
    written = path.read_bytes()
    assert written.index(b"moov") < written.index(b"mdat")  # faststart
    assert b"moof" not in written
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt, context.colorspace, context.color_range) == (
            "h264",
            "yuv420p",
            1,
            1,
        )
        assert container.duration == pytest.approx(4 / 30 * av.time_base, rel=0.1)
        image = next(container.decode(video=0)).to_ndarray(format="rgb24")
    expected = [[255, 0, 0], [0, 255, 0], [0, 0, 255]]
    np.testing.assert_allclose(np.array(stripe_colours(image)), expected, atol=12)


def test_a_player_can_seek_every_two_seconds(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    record(path, [index / 10 for index in range(45)])
    with av.open(str(path)) as container:
        keys = [float(p.pts * p.time_base) for p in container.demux(video=0) if p.size and p.is_keyframe]
    assert keys == pytest.approx([0, 2, 4], abs=0.001)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_growing_file_plays_and_has_a_name_of_its_own(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    path.write_bytes(b"old")
    recorder = Recorder(path, SIZE)
    for index in range(90):
        recorder.write(Frame(grey(index), index / 30))
    part = tmp_path / f"out.part{suffix}"
    assert len(video_seconds(part)) > 60  # all but what the encoder holds and the last half second
    assert path.read_bytes() == b"old"
    recorder.close()
    assert len(video_seconds(path)) == 90
    assert files(tmp_path) == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_one(there: bool, suffix: str, tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    film, link = tmp_path / "films" / f"film{suffix}", tmp_path / f"out{suffix}"
    link.symlink_to(film)
    if there:
        film.write_bytes(b"old")
    record(link, [0.0, 0.1])
    assert link.is_symlink()
    assert len(video_seconds(film)) == 2
    assert (files(tmp_path), files(film.parent)) == (["films", link.name], [film.name])


def test_what_a_crash_left_behind_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "out.part.mp4").write_bytes(b"rescued")
    record(tmp_path / "out.mp4", [0.0, 0.1])
    assert (tmp_path / "out.part.mp4").read_bytes() == b"rescued"
    assert files(tmp_path) == ["out.mp4", "out.part.mp4"]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
def test_a_killed_process_leaves_a_file_that_plays(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    code = (
        "import sys; from livestyle.sinks.live import open_live_sink\n"
        "from livestyle.sources.pattern import PatternSource\n"
        "source = PatternSource(size=(320, 240), fps=30)\n"
        "sink = open_live_sink(sys.argv[1], source.size, rate=30)\n"
        "for frame in source: sink.write(frame); print(frame.pts, flush=True)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        first = float(process.stdout.readline())
        for line in process.stdout:
            if float(line) - first > 2.5:
                break
        process.send_signal(signal.SIGKILL)
    seconds = video_seconds(tmp_path / f"out.part{suffix}")
    assert 1.7 < seconds[-1] < 2.6
    assert not path.exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one mebibyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk needs mount, which needs root")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(recorder: Recorder, seconds: float = 60.0) -> int:
    """Record noise until it fails; return how many frames went in."""
    random = np.random.default_rng(0)
    for index in range(round(seconds * 30)):
        recorder.write(Frame(random.integers(0, 256, (48, 64, 3), np.uint8), index / 30))
    return index + 1


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_full_disk_ends_the_recording_and_keeps_it(small_disk: Path, suffix: str) -> None:
    path = small_disk / f"out{suffix}"
    recorder = Recorder(path, SIZE)
    with pytest.raises(SinkError) as caught:
        fill(recorder)
    reason = f"recording stopped: no space left on device; {path} holds what was recorded"
    assert str(caught.value) == reason
    with pytest.raises(SinkError, match="recording stopped"):
        recorder.write(Frame(grey(1), 1000.0))
    recorder.close()
    assert files(small_disk) == [path.name]
    seconds = video_seconds(path)
    assert seconds[-1] > 2
    assert np.diff(seconds) == pytest.approx(1 / 30, abs=0.0011)


def test_without_room_for_a_copy_the_growing_file_is_the_recording(
    small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder(small_disk / "out.mp4", SIZE)
    part = small_disk / "out.part.mp4"
    random = np.random.default_rng(0)
    count = 0
    while part.stat().st_size < 650_000:
        recorder.write(Frame(random.integers(0, 256, (48, 64, 3), np.uint8), count / 30))
        count += 1
    recorder.close()
    assert "plays, but some programs cannot seek in it: no space left" in caplog.text
    assert files(small_disk) == ["out.mp4"]
    assert len(video_seconds(small_disk / "out.mp4")) == count


def test_a_disk_that_is_full_at_once_leaves_nothing(small_disk: Path) -> None:
    (small_disk / "big").write_bytes(bytes(1020 * 1024))
    with pytest.raises(SinkError, match=r"no space left on device; (nothing was recorded|choose another)"):
        fill(Recorder(small_disk / "out.mp4", SIZE))
    assert files(small_disk) == ["big"]


def test_a_file_is_cut_after_its_last_whole_fragment(tmp_path: Path) -> None:
    def box(kind: bytes, size: int) -> bytes:
        return size.to_bytes(4) + kind + bytes(size - 8)

    whole = box(b"ftyp", 16) + box(b"moov", 40) + box(b"moof", 24) + box(b"mdat", 100)
    path = tmp_path / "cut.mp4"
    for rest in (b"", b"\0\0", box(b"moof", 24), box(b"moof", 24) + box(b"mdat", 100)[:50]):
        path.write_bytes(whole + rest)
        cut_after_last_fragment(path)
        assert path.read_bytes() == whole
    path.write_bytes(box(b"ftyp", 16))
    cut_after_last_fragment(path)
    assert path.read_bytes() == b""


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing/out.mp4", "make it first"),
        ("folder.mp4", "it is a folder"),
        ("out.avi", "use .mp4"),
        ("out", "does not end in a format"),
    ],
)
def test_what_cannot_be_recorded_to_is_refused_on_opening(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(SinkError, match=r"^cannot [^\n]*$") as caught:
        open_live_sink(tmp_path / name, SIZE, rate=30)
    assert reason in str(caught.value)
    assert files(tmp_path) == ["folder.mp4"]


def test_a_recording_without_frames_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "out.mp4", SIZE)
    with pytest.raises(SinkError, match="not one frame came"):
        recorder.close()
    recorder.close()
    assert files(tmp_path) == []


def test_a_frame_of_another_size_is_a_mistake(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "out.mp4", (32, 48))
    with pytest.raises(ValueError, match="64x48"):
        recorder.write(Frame(grey(1), 0.0))
    with pytest.raises(SinkError):
        recorder.close()


def test_an_odd_size_grows_by_its_edge(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "out.mp4", (33, 47))
    recorder.write(Frame(grey(200, 33, 47), 0.0))
    recorder.close()
    with av.open(str(tmp_path / "out.mp4")) as container:
        image = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert image.shape == (48, 34, 3)
    assert image[-1, -1].tolist() == pytest.approx([200] * 3, abs=6)


def test_recording_goes_on_behind_the_show(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "out.mp4", SIZE)
    with WriteBehind(recorder) as behind:
        for index in range(20):
            behind.write(Frame(grey(index), index / 30))
    recorder.close()
    assert len(video_seconds(tmp_path / "out.mp4")) == 20
