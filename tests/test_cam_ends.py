"""How the command ends, and what it says of its outputs, without a window."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from livestyle.errors import SinkError
from livestyle.sinks import live
from tests.commands import call
from tests.media import ListSink, video_seconds
from tests.mjpeg import MjpegServer
from tests.test_cam import livestyle

SMALL = ("cam", "--camera", "pattern", "--size", "64x48", "--no-window")


def test_it_ends_in_time_though_the_camera_has_gone(tmp_path: Path) -> None:
    target = tmp_path / "live.mp4"
    command = ["cam", "--no-window", "--output", str(target), "--duration", "4"]
    with MjpegServer() as server:
        killer = threading.Timer(2.5, server.kill)
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
        part, until = tmp_path / "live.part.mp4", time.perf_counter() + 30
        while not (part.exists() and part.stat().st_size) and time.perf_counter() < until:
            time.sleep(0.05)
        process.send_signal(signal.Signals[asked])
        assert process.stderr is not None
        said = process.stderr.read()
    assert process.returncode == 128 + signal.Signals[asked]
    assert "\nstopped\n" in said
    assert "frames painted" in said
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
    result = call(*SMALL, "-o", "rtmp://me:se@cret@h/x", "--duration", "0.5")
    assert result.exit_code == 0
    assert "rtmp://h/x: it is gone" in result.stderr
    assert "cret" not in result.output
