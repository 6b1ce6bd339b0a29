"""The command as a user meets it: what it prints, how it exits, what it leaves behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from livestyle import weights
from livestyle.sinks.picture import write_picture
from livestyle.sources import open_source
from livestyle.sources.picture import read_picture
from tests.commands import call
from tests.media import greys, make_video, sound_packets, video_seconds
from tests.pictures import scene

COMMAND = [sys.executable, "-m", "livestyle"]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    images = [np.roll(scene(64, 48), 2 * i, axis=1) for i in range(12)]
    return make_video(tmp_path / "in.mp4", images, sound="aac")


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("long") / "in.mp4", greys(40, 640, 480) * 20, sound="aac")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    write_picture(tmp_path / "in.png", scene(64, 48))
    return tmp_path / "in.png"


def test_help_is_instant() -> None:
    """Under 0.3 s; the best of five, because the machine may be busy."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run([*COMMAND, "--help"], check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    assert min(times) < 0.3


def test_a_video_is_painted_with_its_sound_and_its_times(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    result = call("video", clip, out)
    assert result.exit_code == 0, result.output
    assert "12 frames" in result.stdout
    assert sound_packets(out) == sound_packets(clip)
    np.testing.assert_allclose(video_seconds(out), video_seconds(clip), atol=1e-3)
    before, after = (next(iter(open_source(path))).image.astype(int) for path in (clip, out))
    assert after.shape == before.shape
    assert np.abs(after - before).mean() > 20  # painted, not copied


def test_a_picture_that_exists_is_kept_unless_told_otherwise(photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    out.write_bytes(b"precious")
    result = call("image", photo, out)
    assert result.exit_code == 1
    assert "out.png: it exists; choose another name, or add --overwrite" in result.stderr
    assert out.read_bytes() == b"precious"
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []
    assert call("image", photo, out, "--overwrite").exit_code == 0
    assert read_picture(out).shape == read_picture(photo).shape


def test_strength_0_is_the_original(photo: Path, tmp_path: Path) -> None:
    result = call("image", photo, tmp_path / "out.png", "--strength", 0)
    assert result.exit_code == 0, result.output
    assert np.array_equal(read_picture(tmp_path / "out.png"), read_picture(photo))


def test_each_option_changes_the_picture(photo: Path, tmp_path: Path) -> None:
    pictures = []
    for i, options in enumerate(
        (
            [],
            ["--style", "great_wave"],
            ["--style", "mosaic:1,great_wave:1"],
            ["--strength", "0.5"],
            ["--keep-colors"],
        )
    ):
        out = tmp_path / f"{i}.png"
        assert call("image", photo, out, *options).exit_code == 0
        pictures.append(read_picture(out).tobytes())
    assert len(set(pictures)) == len(pictures)


def test_the_backend_that_runs_is_named(photo: Path, tmp_path: Path) -> None:
    result = call("image", photo, tmp_path / "out.png", "--backend", "torchscript", "--precision", "f32")
    assert "(torchscript f32)" in result.stdout


def test_the_precision_that_was_chosen_is_named(photo: Path, tmp_path: Path) -> None:
    result = call("image", photo, tmp_path / "out.png", "--backend", "openvino", "--precision", "int8")
    assert "(openvino int8)" in result.stdout


def test_styles_are_listed_with_painting_artist_and_year() -> None:
    lines = call("styles").stdout.splitlines()
    (night,) = [line for line in lines if line.startswith("starry_night")]
    for fact in ("The Starry Night", "Vincent van Gogh", "1889"):
        assert fact in night
    assert any(line.startswith("mosaic") for line in lines)


def test_ctrl_c_in_a_command_without_a_file_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(_: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(weights, "load_weights", stop)
    result = call("styles")
    assert (result.exit_code, result.stderr) == (130, "stopped\n")


@pytest.mark.parametrize(
    "loading", ["livestyle.cli", "logging", "click", "livestyle.engine", "livestyle.cli.video"]
)
def test_ctrl_c_while_the_command_is_loaded_is_no_traceback(loading: str) -> None:
    interrupted = (
        "import runpy, signal, sys\n"
        "def listen(event, facts):\n"
        f"    if event == 'import' and facts[0] == {loading!r}: signal.raise_signal(signal.SIGINT)\n"
        "sys.addaudithook(listen)\n"
        "runpy.run_module('livestyle', run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", interrupted], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C to a whole console")
@pytest.mark.parametrize("asked", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_being_stopped_leaves_a_playable_file(asked: str, long_clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    command = [*COMMAND, "--verbose", "video", str(long_clip), str(out)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "first frame painted" in line:
                break
        time.sleep(0.3)
        process.send_signal(signal.Signals[asked])
        said = process.stderr.read()
    assert process.returncode == 128 + signal.Signals[asked]
    assert f"{out} holds what was painted" in said
    assert 0 < len(video_seconds(out)) < 800
    assert list(tmp_path.iterdir()) == [out]
