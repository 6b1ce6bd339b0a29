"""Pipes that bring nothing, and terminals in their place: told at once, and never waited for without end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.commands import COMMAND, DEADLINE_SECONDS, files, livestyle, moving, posix
from tests.media import make_video


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_video(tmp_path / "in.mkv", moving(), sound="aac")


@posix
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_ctrl_c_does_not_wait_for_a_pipe_that_brings_nothing(share: float, tmp_path: Path) -> None:
    clip = make_video(tmp_path / "in.ts", moving(60), gop=10)
    content = clip.read_bytes()
    reader, writer = os.pipe()
    os.write(writer, content[: round(share * len(content))])
    out = tmp_path / "out.mp4"
    command = [sys.executable, "-m", "livestyle", "--verbose", "video", "-", str(out), "--strength", "0"]
    with subprocess.Popen(command, stdin=reader, stderr=subprocess.PIPE, text=True) as process:
        os.close(reader)
        assert process.stderr is not None
        if share:
            for line in process.stderr:
                if "first frame painted" in line:
                    break
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        asked = time.monotonic()
        said = process.stderr.read()
        process.wait(DEADLINE_SECONDS)
    os.close(writer)
    assert time.monotonic() - asked < 10
    assert process.returncode == 130, said
    kept = f"{out} holds what was painted" if share else "nothing was painted yet"
    assert said.splitlines() == [f"stopped: {kept}"]
    assert files(tmp_path) == (["in.ts", "out.mp4"] if share else ["in.ts"])


@posix
def test_a_terminal_is_no_place_for_a_video(clip: Path, tmp_path: Path) -> None:
    mine, terminal = os.openpty()
    for arguments, ends in (
        (["-", str(tmp_path / "out.mp4")], {"stdin": terminal}),
        ([str(clip), "-"], {"stdout": terminal}),
    ):
        done = subprocess.run(
            [*COMMAND, *arguments], stderr=subprocess.PIPE, timeout=DEADLINE_SECONDS, check=False, **ends
        )
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
        assert b"a terminal: send" in done.stderr
    os.close(mine)
    os.close(terminal)


@posix
@pytest.mark.parametrize("share", [0.1, 0.5])
def test_a_pipe_that_falls_silent_is_one_line(
    share: float, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIVESTYLE_PATIENCE", "0.5")
    content = clip.read_bytes()
    reader, writer = os.pipe()
    os.write(writer, content[: round(share * len(content))])
    command = [*COMMAND, "-", str(tmp_path / "out.mp4"), "--strength", "0"]
    done = subprocess.run(
        command, stdin=reader, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False
    )
    os.close(reader)
    os.close(writer)
    assert (done.returncode, files(tmp_path)) == (1, ["in.mkv"])
    assert done.stderr == "Error: cannot read stdin: nothing came for 0.5 s; does it still run?\n"


@posix
@pytest.mark.parametrize(
    ("closed", "source", "target", "said"),
    [
        (">&-", "in.mkv", "-", "Error: cannot write to stdout: it is closed; name a file\n"),
        ("<&-", "-", "out.mp4", "Error: cannot read stdin: it is closed; name a file\n"),
        (">&-", "in.mkv", "out.mp4", ""),
        ("2>&-", "in.mkv", "out.mp4", ""),
    ],
)
def test_what_the_shell_closed_is_no_traceback(
    closed: str, source: str, target: str, said: str, clip: Path, tmp_path: Path
) -> None:
    command = ["sh", "-c", f'exec "$@" {closed}', "sh", *COMMAND, source, target, "--strength", "0"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False
    )
    assert (done.returncode, done.stderr) == (1 if said else 0, said)
    assert files(tmp_path) == [clip.name] + ["out.mp4"] * (not said)


@posix
def test_a_named_pipe_without_a_writer_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVESTYLE_PATIENCE", "0.5")
    os.mkfifo(tmp_path / "pipe")
    done = livestyle(tmp_path / "pipe", tmp_path / "out.mp4")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert b"nothing came for 0.5 s" in done.stderr
