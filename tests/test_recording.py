"""Recordings: true times, sound in step, and a file that plays whatever happens."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from livestyle.errors import SinkError, SourceError
from livestyle.frame import Frame
from livestyle.prefetch import WriteBehind
from livestyle.sinks import live
from livestyle.sinks.live import open_live_sink
from livestyle.sinks.recording import Recorder, cut_after_last_fragment
from livestyle.sources.microphone import Microphone, Sound
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
        ("out", "no suffix"),
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


class FakeMicrophone(Microphone):
    """Hears `sounds`, pieces of 20 ms that are silent or loud, from `moment` on; then perhaps an error."""

    def __init__(self, sounds: list[bool | None], moment: float, error: SourceError | None = None) -> None:
        self.sounds, self.moment, self.error = sounds, moment, error
        self.closed = 0

    def __iter__(self) -> Iterator[Sound]:
        for index, loud in enumerate(self.sounds):
            if loud is None:
                continue  # samples that were lost
            wave = np.sin(np.arange(882) * 0.2) * 20_000 if loud else np.zeros(882)
            samples = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], format="s16", layout="mono")
            samples.sample_rate, samples.pts, samples.time_base = 44_100, index * 882, Fraction(1, 44_100)
            yield Sound(samples, self.moment + index / 50)
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        self.closed += 1


def loud_times(path: Path) -> list[float]:
    """When the sound of a file begins to be loud, each time."""
    with av.open(str(path)) as container:
        pieces = [(f.time, f.to_ndarray()[0]) for f in container.decode(audio=0)]
    times = np.concatenate([begin + np.arange(len(wave)) / 48_000 for begin, wave in pieces])
    envelope = np.convolve(np.abs(np.concatenate([wave for _, wave in pieces])), np.ones(240) / 240, "same")
    loud = envelope > 0.1
    return [float(times[i]) for i in np.flatnonzero(loud[1:] & ~loud[:-1])]


def bright_time(path: Path) -> float:
    with av.open(str(path)) as container:
        return next(f.time for f in container.decode(video=0) if f.to_ndarray(format="gray").mean() > 128)


def record_with(microphone: FakeMicrophone, path: Path, epoch: float | None, seconds: float = 2.0) -> None:
    """Record a picture that becomes white one second after its beginning, at pts 10."""
    recorder = Recorder(path, SIZE, microphone=microphone, epoch=epoch)
    for index in range(round(seconds * 30)):
        recorder.write(Frame(grey(255 if index >= 30 else 0), 10 + index / 30))
        time.sleep(0.002)
    recorder.close()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_flash_and_a_bang_stay_together(tmp_path: Path, suffix: str) -> None:
    epoch = 1000.0
    # the microphone was on half a second before the first picture, and the bang is at the flash
    microphone = FakeMicrophone([50 + 25 <= index < 80 for index in range(125)], epoch + 10 - 0.5)
    path = tmp_path / f"out{suffix}"
    record_with(microphone, path, epoch)
    (bang,) = loud_times(path)
    assert bright_time(path) == pytest.approx(1.0, abs=0.001)
    assert bang == pytest.approx(1.0, abs=0.03)  # an encoder's frame, and the width of the envelope
    assert microphone.closed == 1


def test_lost_samples_become_silence_and_move_nothing(tmp_path: Path) -> None:
    epoch = 1000.0
    sounds: list[bool | None] = [5 <= index < 10 or 50 <= index < 60 for index in range(100)]
    sounds[15:40] = [None] * 25
    path = tmp_path / "out.mp4"
    record_with(FakeMicrophone(sounds, epoch + 10), path, epoch)
    assert loud_times(path) == pytest.approx([0.1, 1.0], abs=0.03)


def test_without_an_epoch_the_first_picture_is_of_the_moment_it_is_written(tmp_path: Path) -> None:
    microphone = FakeMicrophone([25 <= index < 35 for index in range(100)], time.perf_counter())
    record_with(microphone, tmp_path / "out.mp4", None)
    assert loud_times(tmp_path / "out.mp4") == pytest.approx([0.5], abs=0.15)


def test_a_microphone_that_is_unplugged_leaves_the_video(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "out.mp4"
    error = SourceError("the microphone is gone")
    record_with(FakeMicrophone([True] * 20, 1010.0, error), path, 1000.0)
    assert len(video_seconds(path)) == 60
    assert caplog.text.count("the microphone is gone") == 1


def test_a_microphone_that_answers_no_more_is_left_alone(tmp_path: Path) -> None:
    answer = threading.Event()

    class Dead(FakeMicrophone):
        def __iter__(self) -> Iterator[Sound]:
            answer.wait(10)
            return iter(())

    microphone = Dead([], 0.0)
    recorder = Recorder(tmp_path / "out.mp4", SIZE, microphone=microphone)
    recorder.write(Frame(grey(1), 0.0))
    began = time.perf_counter()
    recorder.close()
    assert time.perf_counter() - began < 2
    assert microphone.closed == 0  # closing it under its reader would crash the process
    assert len(video_seconds(tmp_path / "out.mp4")) == 1
    answer.set()
    while any(thread.name == "livestyle-collector" for thread in threading.enumerate()):
        time.sleep(0.01)


def test_a_recording_that_cannot_be_opened_lets_the_microphone_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    microphone = FakeMicrophone([], 0.0)
    monkeypatch.setattr(live, "_microphone", lambda: microphone)
    with pytest.raises(SinkError):
        open_live_sink(tmp_path / "missing" / "out.mp4", SIZE, rate=30, sound=True)
    assert microphone.closed == 1


def no_alsa(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder / "alsa.conf").write_text("")
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(folder / "alsa.conf"))


@pytest.mark.skipif(sys.platform != "linux", reason="made of ALSA's configuration")
def test_no_microphone_is_one_clear_line_and_a_silent_recording(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    no_alsa(monkeypatch, tmp_path)
    recorder: Any = open_live_sink(tmp_path / "out.mp4", SIZE, rate=30, sound=True)
    recorder.write(Frame(grey(1), 0.0))
    recorder.close()
    (said,) = caplog.messages
    assert said.startswith("cannot open a microphone (default: ")
    assert "\n" not in said
    assert capfd.readouterr() == ("", "")  # ALSA's own complaints
    assert len(video_seconds(tmp_path / "out.mp4")) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="made of ALSA's configuration")
def test_the_default_microphone_is_alsas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wave = (np.sin(np.arange(48_000) * 0.1) * 10_000).astype("<i2")
    wave.repeat(2).tofile(tmp_path / "heard.raw")
    (tmp_path / "alsa.conf").write_text(
        "pcm.!default { type file slave.pcm { type null } file /dev/null "
        f"infile {tmp_path}/heard.raw format raw }}"
    )
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(tmp_path / "alsa.conf"))
    microphone = Microphone()
    assert microphone.rate == 48_000
    heard: list[int] = []
    for sound in microphone:
        assert abs(time.perf_counter() - sound.moment) < 1
        heard += sound.samples.to_ndarray()[0, ::2].tolist()
        if len(heard) > 500:
            break
    microphone.close()
    microphone.close()
    assert heard[1:500] == wave[1:500].tolist()


def test_recording_goes_on_behind_the_show(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "out.mp4", SIZE)
    with WriteBehind(recorder) as behind:
        for index in range(20):
            behind.write(Frame(grey(index), index / 30))
    recorder.close()
    assert len(video_seconds(tmp_path / "out.mp4")) == 20
