"""Pipes, numbered pictures and animations, in and out."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import features

from livestyle.errors import SinkError, SourceError
from livestyle.frame import Frame
from livestyle.sinks.sequence import SequenceSink
from livestyle.sources import open_source
from livestyle.sources.picture import read_picture
from tests.commands import call
from tests.media import greys, make_video, sound_packets, video_seconds
from tests.pictures import scene

COMMAND = [sys.executable, "-m", "livestyle", "video"]


def moving(count: int = 12) -> list[np.ndarray]:
    return [np.roll(scene(96, 64), 2 * index, axis=1) for index in range(count)]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".mov"])
def test_a_clip_goes_through_two_pipes_with_its_sound(suffix: str, tmp_path: Path) -> None:
    """An mp4 whose index is at its end, too: what has come is kept, so that it can be gone back in."""
    made = make_video(tmp_path / f"in{suffix}", moving(), sound="aac")
    command = [*COMMAND, "-", "-", "--strength", "0"]
    done = subprocess.run(command, input=made.read_bytes(), capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    out = tmp_path / "out.mkv"
    out.write_bytes(done.stdout)
    assert len(video_seconds(out)) == 12
    extra = 1 if suffix == ".ts" else 0  # whose AAC is encoded again, with a frame of priming
    assert len(sound_packets(out)) == len(sound_packets(made)) + extra
    assert b"-: 12 frames" in done.stderr


@pytest.mark.parametrize("form", ["mp4", "mov", "ts", "webm"])
def test_a_pipe_takes_the_form_it_is_told(form: str, tmp_path: Path) -> None:
    made = make_video(tmp_path / "in.mp4", moving())
    command = [*COMMAND, str(made), "-", "--format", form, "--strength", "0"]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    out = tmp_path / f"out.{form}"
    out.write_bytes(done.stdout)
    assert len(video_seconds(out)) == 12


@pytest.mark.parametrize("form", ["mp4", "mov"])
@pytest.mark.parametrize("start", [0.0, 0.5])
def test_a_fragmented_file_keeps_picture_and_sound_in_step(form: str, start: float, tmp_path: Path) -> None:
    made = make_video(tmp_path / "in.mp4", moving(), start=start, sound="aac")
    command = [*COMMAND, "-", "-", "--format", form, "--strength", "0"]
    done = subprocess.run(command, input=made.read_bytes(), capture_output=True, timeout=60, check=False)
    out = tmp_path / f"out.{form}"
    out.write_bytes(done.stdout)
    assert video_seconds(out) == pytest.approx(video_seconds(made), abs=0.001)
    assert sound_packets(out)[0][0] == pytest.approx(sound_packets(made)[0][0], abs=0.001)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_a_named_pipe_is_read_like_a_file(tmp_path: Path) -> None:
    made = make_video(tmp_path / "in.mkv", moving(), sound="aac")
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(made.read_bytes()))
    writer.start()
    result = call("video", tmp_path / "pipe", tmp_path / "out.mp4", "--strength", 0)
    writer.join()
    assert result.exit_code == 0, result.output
    assert len(video_seconds(tmp_path / "out.mp4")) == 12
    assert sound_packets(tmp_path / "out.mp4") == sound_packets(made)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp"])
@pytest.mark.parametrize("fps", [10, 60])
def test_of_pictures_through_a_pipe_so_many_are_shown_a_second(suffix: str, fps: int, tmp_path: Path) -> None:
    pictures = b"".join(cv2.imencode(suffix, image)[1].tobytes() for image in moving())
    command = [*COMMAND, "-", str(tmp_path / "out.mp4"), "--fps", str(fps), "--strength", "0"]
    done = subprocess.run(command, input=pictures, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert video_seconds(tmp_path / "out.mp4") == pytest.approx([i / fps for i in range(12)], abs=0.001)


def test_an_empty_pipe_is_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "-", str(tmp_path / "out.mp4")], input=b"", capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert b"cannot open stdin" in done.stderr


def test_numbered_pictures_go_in_and_out(tmp_path: Path) -> None:
    images = moving()
    for number, image in enumerate(images, 7):
        (tmp_path / f"{number:04d}.png").write_bytes(cv2.imencode(".png", image[..., ::-1])[1].tobytes())
    out = tmp_path / "painted"
    out.mkdir()
    result = call("video", tmp_path / "%04d.png", out / "%d.png", "--strength", 0)
    assert result.exit_code == 0, result.output
    assert len(list(out.iterdir())) == 12
    for number, image in enumerate(images, 1):
        np.testing.assert_array_equal(read_picture(out / f"{number}.png"), image)


def test_sound_that_has_no_place_in_pictures_is_told(tmp_path: Path) -> None:
    made = make_video(tmp_path / "in.mp4", greys(3), sound="aac")
    result = call("video", made, tmp_path / "%d.png", "--strength", 0)
    assert result.exit_code == 0
    assert result.stderr == f"the sound of {made} is left out: pictures are silent\n"


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
    for number, image in enumerate(moving()):
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


def test_a_picture_that_is_missing_behind_what_is_wanted_is_no_fault(tmp_path: Path) -> None:
    pictures = numbered(tmp_path, *range(1, 13), 14, 15)
    for end, code in ((0.3, 0), (0.4, 0), (0.41, 1)):
        result = call("video", pictures, tmp_path / f"{end}.mp4", "--strength", 0, "--end", end)
        assert (result.exit_code, "is missing" in result.stderr) == (code, bool(code)), end
    assert [len(video_seconds(tmp_path / f"{end}.mp4")) for end in (0.3, 0.4, 0.41)] == [9, 12, 12]


def test_pictures_one_behind_the_other_are_a_video(tmp_path: Path) -> None:
    """As `cat *.png | livestyle video -` brings them, and raw motion JPEG with large frames."""
    (tmp_path / "in").write_bytes(b"".join(cv2.imencode(".png", image)[1].tobytes() for image in moving()))
    result = call("video", tmp_path / "in", tmp_path / "out.mp4", "--strength", 0)
    assert result.exit_code == 0, result.output
    assert video_seconds(tmp_path / "out.mp4") == pytest.approx([i / 25 for i in range(12)], abs=0.001)


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


def test_a_gif_comes_out_and_goes_in(tmp_path: Path) -> None:
    made = make_video(tmp_path / "in.mp4", moving(), rate=10)
    assert call("video", made, tmp_path / "out.gif", "--strength", 0).exit_code == 0
    assert video_seconds(tmp_path / "out.gif") == pytest.approx([i / 10 for i in range(12)], abs=0.001)
    source = open_source(tmp_path / "out.gif")
    for frame, image in zip(source, moving(), strict=True):
        # 256 colours of its own for each frame, dithered
        assert np.abs(frame.image.astype(int) - image).mean() < 8
    source.close()
    assert call("video", tmp_path / "out.gif", tmp_path / "out.mp4", "--strength", 0).exit_code == 0
    assert len(video_seconds(tmp_path / "out.mp4")) == 12


def test_an_animated_webp_comes_out(tmp_path: Path) -> None:
    made = make_video(tmp_path / "in.mp4", moving(), rate=10)
    assert call("video", made, tmp_path / "out.webp", "--strength", 0).exit_code == 0
    found, animation = cv2.imreadanimation(str(tmp_path / "out.webp"))
    assert found
    assert len(animation.frames) == 12
    assert animation.loop_count == 0
    np.testing.assert_allclose(animation.durations[:-1], 100, atol=1)
    for shown, image in zip(animation.frames, moving(), strict=True):
        assert np.abs(shown[..., 2::-1].astype(int) - image).mean() < 8


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_an_animated_avif_goes_in(tmp_path: Path) -> None:
    """Its first track is a still picture."""
    first, *others = [Pillow.fromarray(image) for image in moving()]
    first.save(tmp_path / "in.avif", save_all=True, append_images=others, duration=100)
    result = call("video", tmp_path / "in.avif", tmp_path / "out.mp4", "--strength", 0)
    assert result.exit_code == 0, result.output
    assert video_seconds(tmp_path / "out.mp4") == pytest.approx([i / 10 for i in range(12)], abs=0.001)


def test_what_a_pipe_brings_is_not_read_before_it_is_needed(tmp_path: Path) -> None:
    """A live stream never ends: opening it must not wait for its end."""
    made = make_video(tmp_path / "in.ts", moving(90))
    content = made.read_bytes()
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "livestyle", "--verbose", "video"]
    with subprocess.Popen(
        [*command, "-", str(tmp_path / "out.mp4"), "--strength", "0"],
        stdin=reader,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        os.close(reader)
        assert process.stderr is not None
        os.write(writer, content[: len(content) // 2])
        for line in process.stderr:
            if "first frame painted" in line:
                break
        os.write(writer, content[len(content) // 2 :])
        os.close(writer)
        assert process.wait(60) == 0
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 90
