"""Pipes and animations, in and out."""

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

from livestyle.sources import open_source
from tests.commands import call
from tests.media import make_video, sound_packets, video_seconds
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


def test_pictures_one_behind_the_other_are_a_video(tmp_path: Path) -> None:
    """As `cat *.png | livestyle video -` brings them, and raw motion JPEG with large frames."""
    (tmp_path / "in").write_bytes(b"".join(cv2.imencode(".png", image)[1].tobytes() for image in moving()))
    result = call("video", tmp_path / "in", tmp_path / "out.mp4", "--strength", 0)
    assert result.exit_code == 0, result.output
    assert video_seconds(tmp_path / "out.mp4") == pytest.approx([i / 25 for i in range(12)], abs=0.001)


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
    refused = call("video", tmp_path / "out.webp", tmp_path / "out.mp4")
    assert refused.exit_code == 1
    assert "FFmpeg reads no animated .webp; make it a .gif or .mp4 first" in refused.stderr


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
