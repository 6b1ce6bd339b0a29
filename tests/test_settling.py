"""Where a recording is when it is over, though its name was taken or a file is held."""

import errno
from pathlib import Path
from typing import NoReturn

import pytest

from livestyle.errors import SinkError
from livestyle.frame import Frame
from livestyle.sinks import recording
from livestyle.sinks.recording import Recorder
from tests.media import grey, video_seconds
from tests.test_recording import SIZE, files, record


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_file_made_meanwhile_is_kept_and_the_recording_takes_the_next_name(
    tmp_path: Path, suffix: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / f"out{suffix}"
    recorders = [Recorder(path, SIZE, overwrite=False) for _ in range(2)]
    for recorder in recorders:
        recorder.write(Frame(grey(1), 0.0))
        recorder.close()
        recorder.close()
    assert [recorder.path for recorder in recorders] == [path, tmp_path / f"out-2{suffix}"]
    assert f"the recording becomes {tmp_path / f'out-2{suffix}'}" in caplog.text
    assert files(tmp_path) == [f"out-2{suffix}", f"out{suffix}"]
    assert [len(video_seconds(recorder.path)) for recorder in recorders] == [1, 1]


def test_a_recording_told_to_replaces_the_file_that_is_there(tmp_path: Path) -> None:
    for count in (3, 2):
        record(tmp_path / "out.mp4", [index / 10 for index in range(count)])
    assert files(tmp_path) == ["out.mp4"]
    assert len(video_seconds(tmp_path / "out.mp4")) == 2


def test_a_recording_that_breaks_off_does_not_replace_a_file_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(tmp_path / "out.mkv", SIZE, overwrite=False)
    for index in range(90):
        recorder.write(Frame(grey(index), index / 30))
    (tmp_path / "out.mkv").write_bytes(b"precious")
    monkeypatch.setattr(recorder._video, "write", _full)
    with pytest.raises(SinkError, match=r"out-2\.mkv holds what was recorded"):
        recorder.write(Frame(grey(1), 4.0))
    assert (tmp_path / "out.mkv").read_bytes() == b"precious"
    assert len(video_seconds(tmp_path / "out-2.mkv")) > 60


def _full(*_: object) -> NoReturn:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_recording_that_cannot_take_its_name_says_where_it_stays(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows, where another program plays the file."""

    def refuse(*_: object) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied")

    recorder = Recorder(tmp_path / f"out{suffix}", SIZE, overwrite=False)
    recorder.write(Frame(grey(1), 0.0))
    part = tmp_path / f"out.part{suffix}"
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", refuse)
        with pytest.raises(SinkError, match=r"^[^\n]*$") as caught:
            recorder.close()
        assert str(caught.value).startswith(f"the recording stays as {part}: ")
        assert "permission denied" in str(caught.value)
        recorder.close()
    assert files(tmp_path) == [part.name]
    assert len(video_seconds(part)) == 1


def test_a_growing_file_that_cannot_be_removed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder(tmp_path / "out.mp4", SIZE)
    recorder.write(Frame(grey(1), 0.0))
    unlink = Path.unlink

    def held(path: Path, missing_ok: bool = False) -> None:
        if path.name == "out.part.mp4":
            raise PermissionError(errno.EACCES, "Permission denied")
        unlink(path, missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", held)
        recorder.close()
    assert f"{tmp_path / 'out.part.mp4'} is not needed any more; remove it: permission denied" in caplog.text
    assert len(video_seconds(tmp_path / "out.mp4")) == 1


def test_without_room_for_another_file_the_growing_one_is_the_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(path: Path) -> NoReturn:
        raise SinkError(f"cannot write {path}: no space left on device; choose another place")

    recorder = Recorder(tmp_path / "out.mp4", SIZE)
    recorder.write(Frame(grey(1), 0.0))
    monkeypatch.setattr(recording, "PartialFile", refuse)
    recorder.close()
    assert "plays, but some programs cannot seek in it: cannot write" in caplog.text
    assert files(tmp_path) == ["out.mp4"]
    assert len(video_seconds(tmp_path / "out.mp4")) == 1
