"""The whole command without a window: its outputs, what it refuses, and how it ends."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from livestyle.cli.cam import _summarize
from livestyle.errors import SinkError
from livestyle.hud import Meters
from livestyle.sinks import live
from tests.commands import call, posix
from tests.display import until
from tests.media import ListSink, greys, make_video, video_seconds
from tests.mjpeg import MjpegServer

SMALL = ("cam", "--camera", "pattern", "--size", "64x48", "--no-window")


def livestyle(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    without = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return subprocess.run(
        [sys.executable, "-m", "livestyle", *arguments],
        env=without | environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("environment", "reason"),
    [({}, "there is no display"), ({"DISPLAY": ":4711"}, "the display :4711 does not answer")],
)
def test_without_a_display_it_says_so_in_one_line(environment: dict[str, str], reason: str) -> None:
    if sys.platform != "linux":
        pytest.skip("windows need no display server here")
    done = livestyle("cam", "--camera", "pattern", **environment)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()  # before the network is loaded, which would say so
    assert f"cannot open a window: {reason}" in line
    assert "--no-window" in line


def test_without_a_window_a_file_is_written(tmp_path: Path) -> None:
    target = tmp_path / "live.mp4"
    done = livestyle(
        "cam",
        "--camera",
        "pattern",
        "--size",
        "320x240",
        "--no-window",
        "--output",
        str(target),
        "--duration",
        "2",
    )
    assert done.returncode == 0, done.stderr
    times = video_seconds(target)
    assert times[-1] == pytest.approx(2, abs=0.7)
    assert len(times) > 10


def test_a_file_that_exists_is_kept_unless_told_otherwise(tmp_path: Path) -> None:
    (tmp_path / "live.mp4").write_bytes(b"precious")
    command = ["cam", "--camera", "pattern", "--size", "160x120", "--no-window", "--duration", "1"]
    command += ["--output", str(tmp_path / "live.mp4")]
    done = livestyle(*command)
    assert done.returncode == 1
    assert "it exists; choose another name, or add --overwrite" in done.stderr
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"precious"]
    assert livestyle(*command, "--overwrite").returncode == 0
    assert len(video_seconds(tmp_path / "live.mp4")) > 3


@pytest.mark.parametrize("name", ["clip.mkv", "./clip.mkv", "symbolic.mkv", "hard.mkv", "{}/clip.mkv"])
@pytest.mark.parametrize("camera", ["clip.mkv", "file://{}/clip.mkv"])
def test_the_clip_that_stands_in_for_a_camera_is_never_replaced(
    name: str, camera: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    clip = make_video(tmp_path / "clip.mkv", greys(5))
    (tmp_path / "symbolic.mkv").symlink_to(clip)
    (tmp_path / "hard.mkv").hardlink_to(clip)
    before = clip.read_bytes()
    options = ("--camera", camera.format(tmp_path), "-o", name.format(tmp_path), "--overwrite")
    result = call("cam", *options, "--no-window", "--duration", "0.5")
    assert result.exit_code == 1
    assert "it is the input itself; choose another name" in result.stderr
    assert clip.read_bytes() == before


def test_a_show_that_nobody_would_see_is_refused() -> None:
    done = livestyle("cam", "--camera", "pattern", "--no-window")
    assert done.returncode == 2
    assert "--output" in done.stderr


def test_a_camera_that_is_not_there_is_one_line() -> None:
    done = livestyle("cam", "--camera", "97", "--no-window", "--output", "-", "--duration", "1")
    assert done.returncode == 1
    assert "camera 97" in done.stderr
    assert "--camera pattern" in done.stderr
    assert "Traceback" not in done.stderr


def until_recorded(target: Path) -> None:
    """Wait until the first frames of a recording are on the disk."""
    part = target.with_suffix(f".part{target.suffix}")
    until(lambda: part.exists() and part.stat().st_size, 30)


def test_it_ends_in_time_though_the_camera_has_gone(tmp_path: Path) -> None:
    target = tmp_path / "live.mp4"
    command = ["cam", "--no-window", "--output", str(target), "--duration", "4"]
    with MjpegServer() as server:
        killer = threading.Thread(target=lambda: (until_recorded(target), server.kill()))
        killer.start()
        done = livestyle(*command, "--camera", server.url)
        killer.join()
    assert done.returncode == 0, done.stderr
    assert f"{server.url} is gone" in done.stderr
    assert len(video_seconds(target)) > 3


@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C to a whole console")
@pytest.mark.parametrize("asked", ["SIGINT", "SIGTERM"])
def test_being_stopped_keeps_the_recording_and_has_its_exit_status(asked: str, tmp_path: Path) -> None:
    target = tmp_path / "live.mp4"
    command = [sys.executable, "-m", "livestyle", *SMALL, "--output", str(target)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        until_recorded(target)
        process.send_signal(signal.Signals[asked])
        assert process.stderr is not None
        said = process.stderr.read()
    assert process.returncode == 128 + signal.Signals[asked]
    assert "\nstopped\n" in said
    assert " painted, " in said
    assert video_seconds(target)


def test_two_that_record_at_once_each_have_a_file(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "livestyle", *SMALL, "--record", "--folder", str(tmp_path)]
    both = [subprocess.Popen([*command, "--duration", "2"], stderr=subprocess.PIPE) for _ in range(2)]
    for process in both:
        process.communicate(timeout=60)
        assert process.returncode == 0
    kept = list(tmp_path.iterdir())
    assert len(kept) == 2
    assert all(len(video_seconds(path)) > 10 for path in kept)


def test_where_one_output_cannot_be_opened_that_is_all_that_is_said(tmp_path: Path) -> None:
    result = call(*SMALL, "-o", tmp_path / "good.mp4", "-o", tmp_path / "missing" / "bad.mp4")
    assert result.exit_code == 1
    assert [line.partition(" ")[0] for line in result.stderr.splitlines()] == ["backend", "Error:"]
    assert "bad.mp4" in result.stderr
    assert not list(tmp_path.iterdir())


def test_an_output_that_is_given_twice_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for one, other in (("x.mp4", "./x.mp4"), ("-", "-"), ("rtmp://me:se@cret@h/x", "rtmp://me:se@cret@h/x")):
        result = call(*SMALL, "-o", one, "-o", other)
        assert result.exit_code == 2
        assert "is given twice" in result.stderr
        assert "cret" not in result.output
    assert not list(tmp_path.iterdir())


def test_an_output_that_fails_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object, **__: object) -> ListSink:
        return ListSink(fails_at=0, error=SinkError("it is gone"))

    monkeypatch.setattr(live, "open_live_sink", failing)
    result = call(*SMALL, "-o", "rtmp://me:se@cret@h/x", "--duration", "5")
    assert result.exit_code == 1
    assert "rtmp://h/x: it is gone" in result.stderr
    assert "cret" not in result.output


def failing_at(number: int) -> Callable[..., ListSink]:
    """What opens sinks of which the one with that number fails."""
    numbers = count()

    def open_sink(*_: object, **__: object) -> ListSink:
        return ListSink(fails_at=2 if next(numbers) == number else None, error=SinkError("the disk is full"))

    return open_sink


def test_one_output_that_fails_makes_the_exit_code_1_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "open_live_sink", failing_at(0))
    started = time.perf_counter()
    result = call(*SMALL, "-o", "a.mp4", "-o", "b.mp4", "--duration", "1.5")
    assert result.exit_code == 1
    assert "a.mp4: the disk is full" in result.stderr
    assert time.perf_counter() - started > 1.5


def test_it_ends_when_its_last_output_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "open_live_sink", failing_at(0))
    started = time.perf_counter()
    result = call(*SMALL, "-o", "a.mp4", "--duration", "20")
    assert result.exit_code == 1
    assert time.perf_counter() - started < 15


@posix
def test_a_reader_that_has_gone_ends_it() -> None:
    command = [sys.executable, "-m", "livestyle", *SMALL, "-o", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read(100)
        process.stdout.close()
        try:
            assert process.wait(30) == 1
        finally:
            process.kill()
        assert process.stderr is not None
        assert b"the program that reads it has gone" in process.stderr.read()


def test_a_folder_that_cannot_be_recorded_to_ends_it(tmp_path: Path) -> None:
    (tmp_path / "v.mp4").touch()
    result = call(*SMALL, "--record", "--folder", tmp_path / "v.mp4", "--duration", "20")
    assert result.exit_code == 1
    assert "cannot record to" in result.stderr


def test_a_recording_that_cannot_be_finished_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise SinkError("there is no room")

    monkeypatch.setattr("livestyle.sinks.recording.Recorder._put_in_place", refuse)
    result = call(*SMALL, "-o", tmp_path / "live.mp4", "--duration", "0.5")
    assert result.exit_code == 1
    assert "the recording stays as" in result.stderr


def test_a_clip_that_is_too_small_is_told_before_an_output_is_opened(tmp_path: Path) -> None:
    clip = make_video(tmp_path / "in.mkv", [np.zeros((2, 2, 3), np.uint8)] * 3)
    result = call("cam", "--camera", clip, "--no-window", "-o", tmp_path / "q.mp4")
    assert result.exit_code == 1
    assert "cannot paint 2x2: the smallest is 32x32" in result.stderr
    assert "not one frame came" not in result.stderr


def test_an_output_without_a_name_is_refused() -> None:
    result = call(*SMALL, "-o", "")
    assert result.exit_code == 2
    assert "--output is empty" in result.stderr


def test_one_frame_is_not_called_frames(capsys: pytest.CaptureFixture[str]) -> None:
    meters = Meters((64, 48))
    meters.frame(0.01, dropped=0)
    _summarize(meters)
    assert capsys.readouterr().err.startswith("1 frame painted,")


def test_a_folder_that_nobody_may_look_into_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(_: Path) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("livestyle.sinks.recording.unclaimed", closed)
    result = call(*SMALL, "--record", "--folder", tmp_path, "--duration", "5")
    assert result.exit_code == 1
    assert f"cannot record to {tmp_path}: permission denied; choose another --folder" in result.stderr
