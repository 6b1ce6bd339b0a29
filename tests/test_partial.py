"""Files that appear under their name when they are complete, and what they must never replace."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from PIL import Image as Pillow

from livestyle.errors import SinkError
from livestyle.frame import Frame
from livestyle.sinks.partial import PartialFile
from livestyle.sinks.picture import check_target, write_picture, write_snapshot
from livestyle.sinks.sequence import SequenceSink
from livestyle.sources.picture import read_picture
from tests.commands import call, posix
from tests.media import greys, make_video
from tests.pictures import scene


@posix
def test_a_pipe_is_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.mp4"
    os.mkfifo(pipe)
    with pytest.raises(SinkError, match="it is a device or a pipe; write to -"):
        PartialFile(pipe, overwrite=True)
    assert pipe.is_fifo()


@posix
@pytest.mark.parametrize("overwrite", ["", "--overwrite"])
def test_a_link_to_itself_is_one_clear_line(overwrite: str, tmp_path: Path) -> None:
    make_video(tmp_path / "in.mp4", greys(3))
    loop = tmp_path / "loop.mp4"
    loop.symlink_to(loop.name)
    options = ["--strength", 0, *filter(None, [overwrite])]
    result = call("video", tmp_path / "in.mp4", loop, *options)
    assert result.stderr.strip().endswith("it is a link to itself; choose another name, or remove it")
    result = call("batch", loop, "-o", tmp_path, *options)
    assert "cannot open" in result.stdout
    result = call("video", tmp_path / "in.mp4", loop / "%03d.png", *options)
    assert "there is no folder" in result.stderr
    assert loop.is_symlink()


@posix
def test_the_folder_that_a_link_leads_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "link.png").symlink_to("away/picture.png")
    with pytest.raises(SinkError, match=r"there is no folder .*away; make it first"):
        PartialFile(tmp_path / "link.png")


def test_what_cannot_be_put_in_its_place_is_kept(tmp_path: Path) -> None:
    partial = PartialFile(tmp_path / "out.mp4")
    partial.part.write_bytes(b"hours of work")
    (tmp_path / "out.mp4").mkdir()
    with pytest.raises(SinkError, match="what was made is kept as") as caught:
        partial.commit()
    kept = Path(str(caught.value).rpartition(" kept as ")[2])
    assert kept.read_bytes() == b"hours of work"
    PartialFile(tmp_path / "out.mp4.mp4").discard()  # which looks for leftovers
    assert kept.suffix == ".mp4"
    assert kept.exists()


@pytest.mark.parametrize("second_names", [True, False])
def test_what_was_made_meanwhile_is_kept(
    second_names: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object) -> NoReturn:
        raise PermissionError(errno.EPERM, "Operation not permitted")  # FAT

    if not second_names:
        monkeypatch.setattr(Path, "hardlink_to", unknown)
    out = tmp_path / "out.mp4"
    first, second = (PartialFile(out, overwrite=False) for _ in range(2))
    first.write("first")
    second.write("second")
    first.commit()
    with pytest.raises(SinkError, match="it was made meanwhile; what was made is kept as") as caught:
        second.commit()
    kept = Path(str(caught.value).rpartition(" kept as ")[2])
    assert (out.read_text(), kept.read_text()) == ("first", "second")
    assert {path.name for path in tmp_path.iterdir()} == {"out.mp4", kept.name}


@posix
@pytest.mark.parametrize(("overwrite", "rename"), [(True, "replace"), (False, "hardlink_to")])
def test_who_begins_while_another_ends_takes_nothing_away(
    overwrite: bool, rename: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = getattr(Path, rename)

    def begun_meanwhile(path: Path, target: Path) -> Any:
        PartialFile(tmp_path / "out.mp4").discard()
        return step(path, target)

    first = PartialFile(tmp_path / "out.mp4", overwrite=overwrite)
    first.write("first")
    monkeypatch.setattr(Path, rename, begun_meanwhile)
    first.commit()
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("out.mp4", "first")]


def test_what_is_in_its_place_is_not_called_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def scanned(*_: object) -> NoReturn:
        raise PermissionError(errno.EACCES, "The file is in use")

    partial = PartialFile(tmp_path / "out.mp4", overwrite=False)
    partial.write("made")
    with monkeypatch.context() as windows:
        windows.setattr(Path, "unlink", scanned)
        partial.commit()
    PartialFile(tmp_path / "out.mp4").discard()
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("out.mp4", "made")]


@pytest.mark.parametrize(("command", "suffix"), [("image", ".png"), ("video", ".mp4")])
def test_two_commands_at_once_replace_nothing_of_each_other(
    command: str, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_picture(tmp_path / "in.png", scene(40, 40))
    make_video(tmp_path / "in.mp4", greys(3))
    out = tmp_path / f"out{suffix}"
    begin = PartialFile.__init__

    def while_another_ends(self: PartialFile, *arguments: Any, **how: Any) -> None:
        begin(self, *arguments, **how)
        out.write_bytes(b"finished")

    monkeypatch.setattr(PartialFile, "__init__", while_another_ends)
    result = call(command, tmp_path / f"in{suffix}", out)
    assert result.exit_code == 1
    assert "it was made meanwhile" in result.stderr.splitlines()[-1]
    assert out.read_bytes() == b"finished"
    kept = Path(result.stderr.strip().rpartition(" kept as ")[2])
    assert kept.stat().st_size > 100


@posix
def test_a_long_name_in_another_script_is_written(tmp_path: Path) -> None:
    write_picture(tmp_path / f"{'絵' * 80}.png", scene(40, 40))
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(("name", "width"), [("wide.webp", 16_500), ("wide.jpg", 66_000)])
def test_a_picture_too_large_for_its_format_is_one_clear_line(name: str, width: int, tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=f"can be of {width}x32"):
        write_picture(tmp_path / name, np.zeros((32, width, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_a_format_without_colours_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"writes no \.pgm pictures"):
        check_target(tmp_path / "grey.pgm")


def test_a_snapshot_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Pillow.Image, "save", full)
    with pytest.raises(SinkError, match="no space left"):
        write_snapshot(tmp_path, "frame", scene(40, 40), {"style": "mosaic"})
    assert list(tmp_path.iterdir()) == []


def test_snapshots_of_one_name_at_one_time_are_all_kept(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as shows:
        taken = shows.map(
            lambda level: write_snapshot(tmp_path, "frame", np.full((40, 40, 3), level, np.uint8), {}),
            range(8),
        )
        assert {read_picture(path)[0, 0, 0] for path in taken} == set(range(8))
    assert {path.name for path in tmp_path.iterdir()} == {
        "frame.png",
        *(f"frame-{number}.png" for number in range(2, 9)),
    }


def test_what_a_killed_process_left_of_numbered_pictures_is_removed(tmp_path: Path) -> None:
    left = [tmp_path / f".{name}.0123abcd.part" for name in ("1.png", "12.png", "x.png", "1.jpg")]
    for part in left:
        part.touch()
    held = PartialFile(tmp_path / "3.png")
    SequenceSink(tmp_path / "%d.png")
    there = {path.name for path in tmp_path.iterdir()}
    assert there - {held.part.name} == {part.name for part in left[2:]}
    assert (os.name == "nt") or held.part.name in there
    held.discard()


def test_a_folder_of_many_pictures_is_looked_through_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    glob = Path.glob
    monkeypatch.setattr(Path, "glob", lambda *arguments: looks.append(arguments) or glob(*arguments))
    sink = SequenceSink(tmp_path / "%03d.png")
    before = len(looks)
    for index in range(3):
        sink.write(Frame(scene(32, 32), index / 30))
    assert len(looks) == before
    assert len(list(tmp_path.iterdir())) == 3


def test_a_percent_in_the_name_of_a_video_is_no_number(tmp_path: Path) -> None:
    result = call("video", tmp_path / "My%20dog.mp4", tmp_path / "out.mp4")
    assert "My%20dog.mp4: no such file" in result.stderr


def test_numbered_pictures_are_not_written_over_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_picture(tmp_path / "00001.png", scene(40, 40))
    monkeypatch.chdir(tmp_path)
    result = call("video", "%05d.png", tmp_path / "%05d.png", "--overwrite", "--strength", 0)
    assert result.exit_code == 1
    assert "it is the input itself" in result.stderr
