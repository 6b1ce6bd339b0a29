"""Many pictures at a time: which go where, and what one that fails does to the others."""

from pathlib import Path

import numpy as np
import pytest

from livestyle.errors import SinkError, SourceError, StyleError
from livestyle.pictures import paint_pictures, plan
from livestyle.sinks.picture import write_picture
from livestyle.sources.picture import read_picture
from tests.commands import call
from tests.pictures import scene


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of three pictures of different sizes, one of them in a folder of its own."""
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    for name, size in (("a.png", (64, 48)), ("b.jpg", (80, 64)), ("more/c.bmp", (48, 64))):
        write_picture(folder / name, scene(*size))
    (folder / "notes.txt").write_text("no picture")
    return folder


def test_a_folder_of_pictures_is_painted_as_each_would_be_alone(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "painted"
    result = call("image", photos, out)
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in out.iterdir()) == ["a.png", "b.jpg", "c.png"]
    assert "3 of 3 pictures painted" in result.stdout
    assert f"{out / 'b.jpg'}: 80x64 (" in result.stdout
    assert call("image", photos / "more" / "c.bmp", tmp_path / "alone.png").exit_code == 0
    assert np.array_equal(read_picture(out / "c.png"), read_picture(tmp_path / "alone.png"))


def test_pictures_come_by_name_by_pattern_and_into_a_folder_that_is_there(
    photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "painted"
    assert plan([photos / "a.png"], out) == [(photos / "a.png", out)]  # a file by that name
    out.mkdir()
    assert plan([photos / "a.png"], out) == [(photos / "a.png", out / "a.png")]
    assert plan([photos / "*.jpg", photos / "a.png"], out) == [
        (photos / "b.jpg", out / "b.jpg"),
        (photos / "a.png", out / "a.png"),
    ]
    again = photos / "painted"
    again.mkdir()
    (again / "a.png").touch()
    assert again / "a.png" not in [source for source, _ in plan([photos], again)]


def test_a_picture_that_fails_does_not_stop_the_others(photos: Path, tmp_path: Path) -> None:
    (photos / "broken.png").write_bytes(b"no picture")
    write_picture(photos / "dot.png", scene(64, 48)[:3, :3])
    out = tmp_path / "painted"
    out.mkdir()
    (out / "a.png").write_bytes(b"precious")
    result = call("image", photos, out)
    assert result.exit_code == 1
    assert (out / "a.png").read_bytes() == b"precious"
    assert sorted(path.name for path in out.iterdir()) == ["a.png", "b.jpg", "c.png"]
    assert "2 of 5 pictures painted" in result.stdout
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 3
    for error, (name, reason) in zip(
        errors, [("a.png", "it exists"), ("broken.png", "damaged"), ("dot.png", "3x3")], strict=True
    ):
        assert name in error
        assert reason in error


def test_what_fails_for_all_is_told_once(photos: Path, tmp_path: Path) -> None:
    result = call("image", photos, tmp_path / "painted", "--style", "nobody")
    assert result.exit_code == 1
    assert result.stderr.count("nobody") == 1

    def no_painter() -> None:
        raise StyleError("no such style")

    with pytest.raises(StyleError):
        next(paint_pictures(plan([photos], tmp_path / "more"), no_painter))  # type: ignore[arg-type]


def test_several_pictures_do_not_go_into_one_file(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"cannot write 3 pictures to .*: it is one file; name a folder"):
        plan([photos], tmp_path / "one.png")
    (tmp_path / "taken").touch()
    with pytest.raises(SinkError, match=r"taken: .*exists; choose another folder"):
        plan([photos], tmp_path / "taken")
    with pytest.raises(SourceError, match=r"cannot find a picture in .*; videos go to livestyle batch"):
        plan([photos / "*.gif"], tmp_path / "painted")
    assert not (tmp_path / "painted").exists()
