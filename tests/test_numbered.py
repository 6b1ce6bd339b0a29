"""Videos as numbered pictures, in and out."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from livestyle.errors import SinkError, SourceError
from livestyle.frame import Frame
from livestyle.sinks.sequence import SequenceSink
from livestyle.sources import open_source
from livestyle.sources.picture import read_picture
from tests.commands import call, moving, posix
from tests.media import greys, make_video, video_seconds
from tests.pictures import scene
from tests.test_tracks import rich_clip


def test_numbered_pictures_go_in_and_out(tmp_path: Path) -> None:
    images = moving(12)
    for number, image in enumerate(images, 7):
        (tmp_path / f"{number:04d}.png").write_bytes(cv2.imencode(".png", image[..., ::-1])[1].tobytes())
    out = tmp_path / "painted"
    out.mkdir()
    result = call("video", tmp_path / "%04d.png", out / "%d.png", "--strength", 0)
    assert result.exit_code == 0, result.output
    assert len(list(out.iterdir())) == 12
    for number, image in enumerate(images, 1):
        np.testing.assert_array_equal(read_picture(out / f"{number}.png"), image)


def test_what_has_no_place_in_pictures_is_told_in_one_line(tmp_path: Path) -> None:
    for made, others in (
        (make_video(tmp_path / "in.mp4", greys(3), sound="aac"), "sound"),
        (rich_clip(tmp_path / "rich.mkv"), "sound, subtitles, chapters, attachments, cover"),
        (make_video(tmp_path / "silent.mp4", greys(3)), ""),
    ):
        result = call("video", made, tmp_path / f"{made.stem}-%d.png", "--strength", 0)
        assert result.exit_code == 0
        told = f"pictures have no place for the {others} of {made}: left out\n"
        assert result.stderr == (told if others else "")


@pytest.mark.parametrize("option", [["--codec", "hevc"], ["--crf", "20"], ["--format", "mkv"]])
def test_pictures_take_no_options_of_videos(option: list[str], tmp_path: Path) -> None:
    made = make_video(tmp_path / "in.mp4", greys(3), sound="aac")
    result = call("video", made, tmp_path / "%d.png", "--strength", 0, *option)
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert f"numbered pictures have no {option[0][2:]}; leave {option[0]} out" in result.stderr
    assert list(tmp_path.iterdir()) == [made]


@pytest.mark.parametrize(("options", "rate"), [([], 30), (["--fps", "12"], 12)])
def test_numbered_pictures_become_a_video_at_their_rate(
    options: list[str], rate: int, tmp_path: Path
) -> None:
    for number, image in enumerate(moving(12)):
        (tmp_path / f"{number}.jpg").write_bytes(cv2.imencode(".jpg", image)[1].tobytes())
    assert call("video", tmp_path / "%d.jpg", tmp_path / "out.mp4", "--strength", 0, *options).exit_code == 0
    assert video_seconds(tmp_path / "out.mp4") == pytest.approx([i / rate for i in range(12)], abs=0.001)


def numbered(folder: Path, *places: int) -> Path:
    folder.mkdir(exist_ok=True)
    for number in places:
        (folder / f"{number}.png").write_bytes(cv2.imencode(".png", scene(64, 48))[1].tobytes())
    return folder / "%d.png"


@pytest.mark.parametrize(
    ("places", "told"),
    [
        ((1, 2, 3, 30, 31), "picture 4 is missing: those from 30 on were left out"),
        ((1, 2, 3, 5, 7, 8, 9), "picture 4 is missing: those from 5 on were left out"),
    ],
)
def test_a_picture_that_is_missing_ends_the_sequence_with_a_notice(
    places: tuple[int, ...], told: str, tmp_path: Path
) -> None:
    """FFmpeg finds the last picture by steps of 1, 2, 4, 8: it goes on behind gaps between those."""
    result = call("video", numbered(tmp_path, *places), tmp_path / "out.mp4", "--strength", 0)
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1), result.stderr
    assert told in result.stderr
    assert len(video_seconds(tmp_path / "out.mp4")) == 3


@pytest.mark.parametrize(
    ("broken", "told"), [("empty", "is empty"), pytest.param("link", "cannot be read", marks=posix)]
)
def test_a_picture_that_cannot_be_read_ends_the_sequence_with_a_notice(
    broken: str, told: str, tmp_path: Path
) -> None:
    pictures = numbered(tmp_path, 1, 2, 3, 5, 6)
    picture = tmp_path / "4.png"
    picture.touch() if broken == "empty" else picture.symlink_to("nowhere")
    for end, code in ((0.1, 0), (0.2, 1)):
        result = call("video", pictures, tmp_path / f"{end}.mp4", "--strength", 0, "--end", end)
        assert result.exit_code == code, result.stderr
        assert (f"picture 4 {told}: those from it on were left out" in result.stderr) == bool(code)
        assert len(video_seconds(tmp_path / f"{end}.mp4")) == 3


def test_a_picture_that_is_missing_behind_what_is_wanted_is_no_fault(tmp_path: Path) -> None:
    pictures = numbered(tmp_path, *range(1, 13), 14, 15)
    for end, code in ((0.3, 0), (0.4, 0), (0.41, 1)):
        result = call("video", pictures, tmp_path / f"{end}.mp4", "--strength", 0, "--end", end)
        assert (result.exit_code, "is missing" in result.stderr) == (code, bool(code)), end
    assert [len(video_seconds(tmp_path / f"{end}.mp4")) for end in (0.3, 0.4, 0.41)] == [9, 12, 12]


def test_a_folder_of_numbered_pictures_may_have_a_percent_sign(tmp_path: Path) -> None:
    pictures = numbered(tmp_path / "50%off %%", 1, 2, 3)
    assert call("video", pictures, tmp_path / "out.mp4", "--strength", 0).exit_code == 0
    assert len(video_seconds(tmp_path / "out.mp4")) == 3


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("%d.png", "no picture has such a name"),
        ("%d/x%d.png", "only the name"),
        ("away/%d.png", "check the pattern"),
        (f"{'a' * 300}/%d.png", "check the pattern"),
    ],
)
def test_a_pattern_without_pictures_is_one_clear_line(pattern: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^cannot open [^\n]*$") as caught:
        open_source(tmp_path / pattern)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("no/%d.png", "there is no folder"),
        ("%d.xyz", "opencv writes no .xyz"),
        ("%d%d.png", "frames/%05d.png"),
        ("%s%d.png", "frames/%05d.png"),
    ],
)
def test_a_pattern_that_cannot_be_written_is_one_clear_line(
    pattern: str, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(SinkError, match=r"^cannot write [^\n]*$") as caught:
        SequenceSink(tmp_path / pattern)
    assert reason in str(caught.value)


def test_pictures_that_are_there_are_kept_unless_told_otherwise(tmp_path: Path) -> None:
    (tmp_path / "2.png").write_bytes(b"precious")
    with (
        pytest.raises(SinkError, match=r"2\.png: it exists"),
        SequenceSink(tmp_path / "%d.png", overwrite=False) as sink,
    ):
        for image in greys(3):
            sink.write(Frame(image, 0.0))
    assert (tmp_path / "2.png").read_bytes() == b"precious"


def test_pictures_of_another_video_are_not_mixed_with_these_in_silence(tmp_path: Path) -> None:
    made = make_video(tmp_path / "in.mp4", greys(3))
    pictures = numbered(tmp_path / "out", 0, 2, 3, 4, 12)
    before = (tmp_path / "out" / "12.png").read_bytes()
    refused = call("video", made, pictures, "--strength", 0)
    assert refused.exit_code == 1
    assert "0.png: it exists; choose another name, or add --overwrite" in refused.stderr
    assert not (tmp_path / "out" / "1.png").exists()
    result = call("video", made, pictures, "--strength", 0, "--overwrite")
    assert result.exit_code == 0
    told = f"pictures that were there before stay beside those of {pictures}: 0.png to 12.png\n"
    assert result.stderr == told
    assert (tmp_path / "out" / "12.png").read_bytes() == before
    (tmp_path / "out" / "0.png").unlink()
    for name in ("4.png", "12.png"):
        (tmp_path / "out" / name).unlink()
    assert call("video", made, pictures, "--strength", 0, "--overwrite").stderr == ""
