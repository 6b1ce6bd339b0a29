"""What is printed where it cannot be, or nobody reads it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import posix
from tests.media import greys, make_video

COMMAND = [sys.executable, "-m", "livestyle"]


@posix
@pytest.mark.parametrize("words", [["styles"], ["doctor"], ["doctor", "--json"], ["--help"]])
def test_output_that_cannot_be_written_is_one_line(words: list[str], tmp_path: Path) -> None:
    import resource

    with (tmp_path / "out.txt").open("w") as full:
        done = subprocess.run(
            [*COMMAND, *words],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
            check=False,
        )
    assert done.stderr == "Error: cannot print: file too large; send stdout elsewhere\n"
    assert done.returncode == 1


@posix
def test_a_reader_that_leaves_early_is_no_error() -> None:
    with subprocess.Popen([*COMMAND, "styles"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse names that are no text")
def test_any_name_can_be_written_and_printed_in_any_locale(tmp_path: Path) -> None:
    """In the locale C, in ASCII, and in UTF-8 a name that is none."""
    clip = make_video(tmp_path / "in.mp4", greys(12, 64, 48))
    ascii_only = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}
    for name, locale in ((b"\xc3\xa9.mp4", ascii_only), (b"\xff.mp4", {"PYTHONIOENCODING": "utf-8:strict"})):
        out = os.fsencode(tmp_path) + b"/" + name
        done = subprocess.run(
            [*COMMAND, "video", clip, out, "--strength", "0"],
            env=os.environ | locale,
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"12 frames" in done.stdout
        assert os.path.exists(out)  # noqa: PTH110 - a name in bytes
