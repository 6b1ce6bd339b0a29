"""What goes wrong with real files and real disks: a clear line, the right exit code, nothing half written.

Each command has a deadline: a hang is a failure.
"""

import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path

import av
import numpy as np
import pytest

from livestyle import colors
from livestyle.sources import open_source
from livestyle.sources.rgb import ToRgb
from tests.commands import COMMAND, DEADLINE_SECONDS, call, files, livestyle, moving, posix
from tests.media import greys, make_video, video_seconds
from tests.test_shapes import hdr_clip


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_video(tmp_path / "in.mkv", moving(), sound="aac")


def test_a_file_cut_short_is_painted_up_to_there_with_exit_code_1(clip: Path, tmp_path: Path) -> None:
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    done = livestyle(clip, tmp_path / "out.mp4")
    assert done.returncode == 1
    (line,) = done.stderr.decode().splitlines()
    assert "in.mkv is cut short" in line
    assert line.endswith("the rest is painted")
    assert 5 < len(video_seconds(tmp_path / "out.mp4")) < 20


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".ts", ".avi", ".webm"])
def test_garbage_in_the_middle_is_passed_over(suffix: str, tmp_path: Path) -> None:
    """VP9 has nothing to tell garbage by: it is shown as what it decodes to."""
    clip = make_video(
        tmp_path / f"in{suffix}", moving(60), codec="libvpx-vp9" if suffix == ".webm" else "libx264", gop=10
    )
    content = bytearray(clip.read_bytes())
    middle, length = round(0.4 * len(content)), len(content) // 20
    content[middle : middle + length] = random.Random(0).randbytes(length)
    clip.write_bytes(content)
    done = livestyle(clip, tmp_path / "out.mp4")
    if suffix != ".webm":
        assert done.returncode == 1, done.stderr
        assert (
            b"is cut short" if suffix == ".avi" else b"damaged"
        ) in done.stderr  # AVI counts, it has no times
    moments = video_seconds(tmp_path / "out.mp4")
    assert len(moments) > 30
    assert moments[-1] > 1.6  # it went on behind the garbage; AVI has no times to tell the gap by


def test_an_existing_output_is_kept_unless_told_otherwise(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    out.write_bytes(b"precious")
    done = livestyle(clip, out)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert b"it exists; choose another name, or add --overwrite" in done.stderr
    assert out.read_bytes() == b"precious"
    assert livestyle(clip, out, "--overwrite").returncode == 0
    assert len(video_seconds(out)) == 24
    assert files(tmp_path) == ["in.mkv", "out.mp4"]


@posix
@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.webm"])
def test_a_full_disk_is_one_line_and_leaves_nothing(name: str, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (30, 240, 320, 3), np.uint8)
    clip = make_video(tmp_path / "in.mkv", list(noise), codec="ffv1")
    done = livestyle(clip, tmp_path / name, limit=100_000)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
    assert (
        f"cannot write {tmp_path / name}: file too large; is there room on the disk?" in done.stderr.decode()
    )
    assert files(tmp_path) == ["in.mkv"]


@posix
@pytest.mark.parametrize("limit", [0, 100_000])
def test_no_room_for_what_a_pipe_brings_is_one_line(limit: int, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (10, 240, 320, 3), np.uint8)
    clip = make_video(tmp_path / "in.mkv", list(noise), codec="ffv1")
    done = livestyle("-", tmp_path / "out.mp4", data=clip.read_bytes(), limit=limit)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
    reason = b"file too large" if limit else b"no usable temporary directory"
    assert b"cannot keep what stdin brings: " + reason in done.stderr
    assert files(tmp_path) == ["in.mkv"]


@posix
def test_a_full_device_is_one_line(clip: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        command = [*COMMAND, str(clip), "-", "--strength", "0"]
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, timeout=DEADLINE_SECONDS, check=False
        )
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert b"cannot write stdout: no space left on device" in done.stderr


@posix
def test_a_closed_pipe_is_one_line(clip: Path) -> None:
    command = [*COMMAND, str(clip), "-", "--strength", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait(DEADLINE_SECONDS) == 1
    assert said.splitlines() == [b"Error: cannot write stdout: broken pipe; does its reader still run?"]


@posix
@pytest.mark.parametrize("locked", ["file", "folder", "output"])
def test_no_permission_is_one_line(locked: str, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root, as whom tests may run, becomes nobody meanwhile: in a folder that nobody may look into."""
    assert call("video", clip, clip.with_name("first.mp4"), "--strength", 0).exit_code == 0  # all is imported
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = Path(shutil.copy(clip, folder))
        folder.chmod(0o755)
        source.chmod(0o644 if locked == "output" else 0)
        if locked == "folder":
            folder.chmod(0)
        elif locked == "output":
            folder.chmod(0o555)
        before = os.geteuid()
        if before == 0:
            monkeypatch.setattr(os, "access", partial(os.access, effective_ids=True))
            os.seteuid(65534)
        try:
            result = call("video", source, folder / "out.mp4", "--strength", 0)
        finally:
            os.seteuid(before)
            folder.chmod(0o755)
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1), result.output
    assert "permission denied" in result.stderr


def test_an_empty_file_and_a_cut_index_are_told_apart(tmp_path: Path) -> None:
    empty = tmp_path / "empty.mp4"
    empty.touch()
    assert b"it is empty" in livestyle(empty, tmp_path / "out.mp4").stderr
    made = make_video(tmp_path / "in.mp4", moving())  # its index is at its end
    made.write_bytes(made.read_bytes()[:-200])
    done = livestyle(made, tmp_path / "out.mp4")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert b"its index is missing: the recording was not finished" in done.stderr


@posix
def test_a_source_that_stalls_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVESTYLE_PATIENCE", "0.5")
    clip = make_video(tmp_path / "in.ts", moving())
    reader, writer = os.pipe()
    os.write(writer, clip.read_bytes()[:2000])
    command = [*COMMAND, "-", str(tmp_path / "out.mp4"), "--strength", "0"]
    done = subprocess.run(command, stdin=reader, capture_output=True, timeout=DEADLINE_SECONDS, check=False)
    os.close(reader)
    os.close(writer)
    assert done.returncode == 1
    assert b"cannot read stdin: nothing came for 0.5 s" in done.stderr
    assert files(tmp_path) == ["in.ts"]


@posix
def test_what_was_killed_leaves_no_file_under_the_name_and_is_cleared_away_by_the_next_run(
    tmp_path: Path,
) -> None:
    clip = make_video(tmp_path / "in.mp4", greys(40, 320, 240) * 20)
    out = tmp_path / "out.mp4"
    for after in (0.05, 0.2):
        command = [*COMMAND, str(clip), str(out), "--strength", "0", "--preset", "veryslow"]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            deadline = time.monotonic() + DEADLINE_SECONDS
            while not list(tmp_path.glob("*.part")) and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(after)
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        assert not out.exists()
        assert len(list(tmp_path.glob("*.part"))) == 1
    assert livestyle(clip, out).returncode == 0
    assert files(tmp_path) == ["in.mp4", "out.mp4"]
    source = open_source(out)
    assert (len(list(source)), source.faults) == (800, [])
    source.close()


def test_two_at_once_do_not_clear_each_other_away(clip: Path, tmp_path: Path) -> None:
    from livestyle.sinks.partial import PartialFile

    first = PartialFile(tmp_path / "out.mp4")
    second = PartialFile(tmp_path / "out.mp4")
    assert first.part.exists()
    first.discard()
    second.discard()


def test_a_header_that_states_a_monstrous_size_is_refused_in_bounds(tmp_path: Path) -> None:
    gif = make_video(tmp_path / "in.gif", moving(3), codec="gif", pix_fmt="rgb8")
    content = bytearray(gif.read_bytes())
    content[6:10] = (16_000).to_bytes(2, "little") + (15_000).to_bytes(2, "little")
    gif.write_bytes(content)
    done = livestyle(gif, tmp_path / "out.mp4")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert b"frames of 16000x15000 are too large" in done.stderr


def test_a_frame_that_ffmpeg_cannot_convert_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise av.FFmpegError(95, "Operation not supported")

    made = make_video(tmp_path / "in.mp4", moving(1))
    monkeypatch.setattr(ToRgb, "_convert", refuse)
    result = call("video", made, tmp_path / "out.mp4", "--strength", 0)
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1), result.output
    assert "in.mp4: operation not supported; choose another file" in result.stderr


@posix
def test_no_room_for_the_table_of_tones_is_one_line(tmp_path: Path) -> None:
    made = hdr_clip(tmp_path / "in.mkv", colors.PQ, [0.2, 0.5])
    done = livestyle(made, tmp_path / "out.mp4", limit=100_000)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"Error: cannot read {made}: file too large; name a folder with more room in TMPDIR".encode()
    )
    assert not (tmp_path / "out.mp4").exists()


@posix
def test_a_full_tmpfs_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    """A real file system, where one may be mounted: in a namespace of its own."""
    noise = np.random.default_rng(0).integers(0, 256, (30, 240, 320, 3), np.uint8)
    clip = make_video(tmp_path / "in.mkv", list(noise), codec="ffv1")
    small = tmp_path / "small"
    small.mkdir()
    mount = f"mount -t tmpfs -o size=200k tmpfs {small}"
    unshare = shutil.which("unshare")
    if not unshare or subprocess.run([unshare, "-rm", "sh", "-c", mount], capture_output=True).returncode:
        pytest.skip("no file system may be mounted here; a limit on the size of files stands in for it")
    command = " ".join([*COMMAND, str(clip), str(small / "out.mp4"), "--strength 0"])
    script = f"{mount} && {command}; code=$?; ls -A {small}; exit $code"
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script], capture_output=True, timeout=DEADLINE_SECONDS, check=False
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
    assert b"no space left on device; is there room on the disk?" in done.stderr
    assert done.stdout == b""
