"""Mistakes of users: each is one clear line that says what to do, and leaves nothing behind."""

import re
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner

from livestyle import weights
from livestyle.cli import main
from livestyle.cli.group import Group
from livestyle.sinks.picture import write_picture
from tests.commands import call
from tests.media import make_video
from tests.pictures import scene

FAULTS = (
    "missing input",
    "text",
    "picture",
    "far beyond the end",
    "missing folder",
    "below a file",
    "no video suffix",
    "itself",
    "unknown style",
    "bad weight",
)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    images = [np.roll(scene(64, 48), 2 * i, axis=1) for i in range(12)]
    return make_video(tmp_path / "in.mp4", images, sound="aac")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    write_picture(tmp_path / "in.png", scene(64, 48))
    return tmp_path / "in.png"


def test_too_little_memory_is_one_line() -> None:
    @click.group(cls=Group)
    def group() -> None: ...

    @group.command()
    def paint() -> None:
        np.empty(1 << 55)

    result = CliRunner().invoke(group, ["paint"])
    assert result.exit_code == 1
    assert re.fullmatch(
        r"Error: out of memory: Unable to allocate .*; close other programs, .*\n", result.stderr
    )


@pytest.mark.parametrize("command", ["cam", "bench", "build", "export net.pt"])
def test_a_size_that_cannot_be_painted_is_a_usage_error(command: str) -> None:
    no_size = ("1280", "1280x", "axb", "-5x90", "64x" + "9" * 5000)
    sizes = dict.fromkeys(no_size, "not a size such as 640x480")
    sizes |= {"31x64": "below the smallest size, 32x32", "1280x20": "below the smallest size, 32x32"}
    sizes |= dict.fromkeys(("8193x4320", "60000x60000"), "above the largest size, 8192x4320")
    for size, why in sizes.items():
        result = call(*command.split(), "--size", size)
        assert result.exit_code == 2
        assert result.stderr.endswith(f"Invalid value for '--size': {size!r} is {why}.\n")


def picture_file(folder: Path) -> Path:
    write_picture(folder / "photo.jpg", scene(64, 48))
    return folder / "photo.jpg"


def text_file(folder: Path) -> Path:
    (folder / "notes.mp4").write_text("not a video\n")
    return folder / "notes.mp4"


def wrong_arguments(folder: Path, clip: Path) -> dict[str, tuple[list[object], str]]:
    """Arguments of `livestyle video`, and what its one line must say."""
    out = folder / "out.mp4"
    return {
        "missing input": ([folder / "no.mp4", out], "no such file"),
        "picture": ([picture_file(folder), out], "it is a picture; paint it with livestyle image"),
        "text": ([text_file(folder), out], "is it a video?"),
        "far beyond the end": ([clip, out, "--start", "1e300"], "it has no frame from 1e+300 s; it is"),
        "missing folder": ([clip, folder / "no" / "out.mp4"], "there is no folder"),
        "below a file": ([clip, clip / "out.mp4"], "there is no folder"),
        "no video suffix": ([clip, folder / "out.txt"], "no video format here; use .mp4"),
        "itself": ([clip, clip], "it is the input itself"),
        "unknown style": ([clip, out, "--style", "mosiac"], "did you mean mosaic?"),
        "bad weight": ([clip, out, "--style", "mosaic:x"], "write mosaic:0.5"),
    }


@pytest.mark.parametrize("fault", FAULTS)
def test_a_mistake_is_one_clear_line_and_leaves_nothing(fault: str, clip: Path, tmp_path: Path) -> None:
    arguments, expected = wrong_arguments(tmp_path, clip)[fault]
    before, content = sorted(tmp_path.iterdir()), clip.read_bytes()
    result = call("video", *arguments)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert expected in result.stderr
    assert sorted(tmp_path.iterdir()) == before
    assert clip.read_bytes() == content


def test_a_model_that_nobody_has_trained_is_one_clear_line(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = weights.read_manifest()
    monkeypatch.setattr(weights, "read_manifest", lambda _=None: {"small": shipped["small"]})
    before = list(tmp_path.iterdir())
    result = call("video", clip, tmp_path / "out.mp4", "--model", "large")
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert "no trained weights for model 'large' are shipped yet: choose --model small" in result.stderr
    assert list(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("no.png", "out.png", "no such file"),
        ("in.png", "no/out.png", "no folder"),
        ("in.png", "out.xyz", ".png"),
        ("in.png", "out", "its name does not end in a format; use .png"),
    ],
)
def test_a_mistake_with_a_picture_is_one_clear_line(
    source: str, target: str, expected: str, photo: Path, tmp_path: Path
) -> None:
    result = call("image", tmp_path / source, tmp_path / target)
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert expected in result.stderr
    assert list(tmp_path.iterdir()) == [photo]


def test_a_picture_does_not_go_into_a_pipe(photo: Path) -> None:
    result = call("image", photo, "-")
    assert result.exit_code == 1
    assert result.stderr == "Error: cannot write a picture to a pipe: name a file, as painted.png\n"


def test_usage_errors_exit_with_2(clip: Path) -> None:
    assert call("video", clip).exit_code == 2
    for nonsense in ("2", "nan", "much"):
        assert call("video", clip, "out.mp4", "--strength", nonsense).exit_code == 2
        assert call("video", clip, "out.mp4", "--steady", nonsense).exit_code == 2
    assert call("video", clip, "out.mp4", "--backend", "magic").exit_code == 2


def test_no_option_takes_a_number_that_is_none() -> None:
    """nan for a duration ran for ever."""
    commands = [
        main.get_command(click.Context(main), name) for name in main.list_commands(click.Context(main))
    ]
    tried = 0
    for command in filter(None, commands):
        for option in command.params:
            if isinstance(option.type, click.FloatRange):
                for nonsense in ("nan", "inf"):
                    with pytest.raises(click.BadParameter):
                        option.type.convert(nonsense, option, None)
                    tried += 1
    assert tried > 20


@pytest.mark.parametrize("command", ["video", "image"])
def test_a_url_is_told_where_it_belongs(command: str, tmp_path: Path) -> None:
    result = call(command, "http://me:secret@host/x.mp4", tmp_path / "out.mp4")
    assert result.exit_code == 2
    assert "livestyle cam --camera" in result.stderr
    assert "secret" not in result.stderr
