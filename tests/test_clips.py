"""What a batch paints, and under which names."""

import os
from errno import EACCES
from pathlib import Path

import pytest

from livestyle.cli.batch import _listed
from livestyle.clips import PICTURES, collect, targets
from livestyle.errors import SourceError
from tests.commands import call, posix


def touch(folder: Path, *names: str) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    return [folder / name for name in names]


def named(*sources: str) -> list[str]:
    return [path.name for path in targets([Path(name) for name in sources], Path("out"), lambda _: ".mp4")]


def test_inputs_are_files_folders_and_patterns_each_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, c = touch(tmp_path / "in", "a.mp4", "b.mkv", "c.mov")
    touch(tmp_path / "in", "notes.txt")
    assert collect([str(b), str(tmp_path / "in")]) == [b, a, c]
    assert collect([str(tmp_path / "in" / "*.m[ok]v")]) == [b, c]
    for missing in ("missing.mp4", "missing [2020].mp4"):
        assert collect([str(tmp_path / missing)]) == [tmp_path / missing]
    monkeypatch.chdir(tmp_path)
    assert collect(["in/a.mp4", str(a), "in/../in/a.mp4"]) == [Path("in/a.mp4")]
    for nothing in ([], [str(tmp_path / "*.avi")]):
        with pytest.raises(SourceError):
            collect(nothing)


def test_only_what_is_hidden_inside_a_folder_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (a,) = touch(tmp_path / ".hidden" / "clips", "a.mp4")
    touch(a.parent / ".b.mp4.segments", "000000.mp4")
    assert collect([str(a.parent)]) == [a]
    (a.parent / "here").mkdir()
    monkeypatch.chdir(a.parent / "here")
    assert collect([".."]) == [Path("../a.mp4")]
    assert collect(["../../clips"]) == [Path("../../clips/a.mp4")]


def test_paintings_are_not_painted_again(tmp_path: Path) -> None:
    (a,) = touch(tmp_path / "clips", "a.mp4")
    (painting,) = touch(tmp_path / "clips" / "painted", "a.mp4")
    out = painting.parent
    assert collect([str(a.parent)], out) == [a]
    assert collect([str(a.parent / "**" / "*.mp4")], out) == [a]
    assert collect([str(painting)], out) == [painting]  # it is asked for
    assert collect([str(a.parent)], tmp_path) == [a, painting]  # the search begins below the output
    for searched in (out, out / "*.mp4"):
        with pytest.raises(SourceError, match="choose another folder for the output, or name each video"):
            collect([str(searched)], out)


def test_what_nobody_may_look_at_is_not_left_out_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / f"{'a' * 300}.mp4"  # as in a folder that can be listed, but not entered
    monkeypatch.setattr(os, "walk", lambda *_, **__: iter([(str(tmp_path), [], [closed.name])]))
    assert collect([str(tmp_path)]) == [closed]


def test_a_folder_that_nobody_may_look_into_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (a,), locked = touch(tmp_path / "in", "a.mp4"), tmp_path / "in" / "locked"
    for folder in (locked, locked.with_name(".hidden")):
        folder.mkdir()
    look = os.scandir

    def refuse(path: str) -> object:
        if Path(path).parent == locked.parent:
            raise PermissionError(EACCES, "Permission denied", path)
        return look(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert collect([str(locked.parent)]) == [a, locked]
    assert collect([str(locked)]) == [locked]


@posix
def test_folders_behind_links_are_searched_once(tmp_path: Path) -> None:
    (a,), (b,) = touch(tmp_path / "in", "a.mp4"), touch(tmp_path / "elsewhere", "b.mp4")
    (a.parent / "album").symlink_to(b.parent)
    (b.parent / "round").symlink_to(a.parent)
    assert collect([str(a.parent)]) == [a, a.parent / "album" / "b.mp4"]


def test_pictures_are_known_by_all_their_suffixes(tmp_path: Path) -> None:
    found = touch(tmp_path, "a.JPG", "b.jpe", "c.jfif", "d.avif")
    touch(tmp_path, "e.gif", "f.mp4")
    assert collect([str(tmp_path)], kind=PICTURES) == found


@posix
def test_a_link_to_nowhere_is_told(tmp_path: Path) -> None:
    (a,) = touch(tmp_path, "a.mp4")
    (tmp_path / "gone.mp4").symlink_to("nowhere")
    assert collect([str(tmp_path)]) == [a, tmp_path / "gone.mp4"]
    result = call("batch", tmp_path / "gone.mp4", "-o", tmp_path / "out", "--strength", 0)
    assert result.exit_code == 1
    assert "gone.mp4: no such file or directory; check the name" in result.output


def test_two_files_of_one_name_do_not_meet() -> None:
    assert named("x/a.mp4", "y/a.mp4", "b.avi") == ["x-a.mp4", "y-a.mp4", "b.mp4"]
    assert named("x/a.mp4", "x/a.mov", "x/b.mp4") == ["a-mp4.mp4", "a-mov.mp4", "b.mp4"]
    assert named("x/a.mp4", "x/a.mov", "y/a.mov") == ["a-mp4.mp4", "x-a-mov.mp4", "y-a.mp4"]
    assert named("x/a.mp4", "y/a.mp4", "x-a.mov") == ["x-a-mp4.mp4", "y-a.mp4", "x-a.mp4"]
    assert named("1/x/a.mp4", "2/x/a.mp4") == ["x-a-mp4-2.mp4", "x-a-mp4-3.mp4"]


def test_names_that_differ_in_case_alone_meet_where_systems_take_them_for_one() -> None:
    assert named("x/clip.mp4", "y/Clip.mp4") == ["x-clip.mp4", "y-Clip.mp4"]


def test_the_order_of_inputs_changes_no_name() -> None:
    sources = ["x/a.mp4", "x/a.mov", "y/a.mov", "y/x-a.mp4", "b.avi"]
    assert named(*sources) == named(*reversed(sources))[::-1]


@pytest.mark.parametrize("text", ["a b.mp4\r\n c\u2028.mp4\n\n \n", "a b.mp4\0 c\u2028.mp4\0"])
def test_a_list_has_lines_or_zeros_between(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.read", lambda: text, raising=False)
    assert list(_listed(["-", "d.mp4"])) == ["a b.mp4", " c\u2028.mp4", "d.mp4"]
