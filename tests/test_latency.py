import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from livestyle.cli.bench_latency import measure_latency
from livestyle.controls import Settings
from livestyle.engine import Engine, load_engine
from livestyle.errors import EngineError
from livestyle.frame import Image
from livestyle.latency import Latency, measure, read_number, write_number
from livestyle.live import Plan
from livestyle.painter import Painter
from livestyle.sources.pattern import PatternSource
from livestyle.styles import StyleMix
from livestyle.weights import load_weights
from tests.commands import call
from tests.display import Display
from tests.pictures import scene
from tests.stage import Script


@pytest.mark.parametrize("number", [0, 1, 7, 2048, 4095])
@pytest.mark.parametrize("size", [(320, 240), (640, 480), (1279, 719), (1000, 40)])
def test_a_number_is_read_from_the_frame_it_was_written_on(number: int, size: tuple[int, int]) -> None:
    assert read_number(write_number(scene(*size), number)) == number


def test_a_picture_without_a_number_is_seldom_taken_for_one() -> None:
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (200, 60, 80, 3), np.uint8)
    assert (
        sum(read_number(picture) is not None for picture in pictures) < 30
    )  # a check sum of 4 bits: 1 in 16


@pytest.fixture(scope="module")
def engine() -> Engine:
    return load_engine(load_weights("small"))


@pytest.mark.parametrize("style", list(load_weights("small").styles))
def test_a_number_is_read_from_a_painting(style: str, engine: Engine) -> None:
    painter = Painter(engine, StyleMix.parse(style))
    numbers = [3, 1234, 4000]
    assert [read_number(painter(write_number(scene(640, 480), number))) for number in numbers] == numbers


class Blind:
    """A screen that forgets what it is shown, so many milliseconds late."""

    closed = False

    def __init__(self, late_seconds: float) -> None:
        self._late_seconds = late_seconds

    def area(self) -> tuple[int, int]:
        return 320, 240

    def full_screen(self, on: bool) -> None:
        pass

    def drag(self) -> None:
        return None

    def show(self, image: Image) -> None:
        time.sleep(self._late_seconds)

    def pressed(self) -> list[int]:
        return []


def measured(late_seconds: float, size: tuple[int, int] = (320, 240)) -> Latency:
    painter = Painter(load_engine(load_weights("small")), StyleMix.parse("mosaic"))
    settings = Settings(names=("mosaic",), style=painter.style)
    camera = PatternSource(size=size)
    return measure(painter, camera, Blind(late_seconds), 3.0, settings=settings, plan=Plan(0.0))


def test_what_a_screen_adds_is_found_in_what_is_measured() -> None:
    """In the best of three rounds, because the machine may be busy."""
    added = []
    for _ in range(3):
        prompt, late = measured(0.0), measured(0.02)
        assert prompt.unread == late.unread == 0
        assert prompt.frames > 30
        added.append(late.percentiles["p50"] - prompt.percentiles["p50"])
        if added[-1] == pytest.approx(20, abs=15):
            return
    raise AssertionError(f"20 ms were added, and {added} found")


def test_frames_that_did_not_come_on_are_counted() -> None:
    slow = measured(0.1)
    assert slow.dropped > slow.frames  # two of three, at 30 fps


def test_numbers_that_are_mostly_misread_are_no_measurement() -> None:
    with pytest.raises(EngineError, match=r"numbers could not be read from the screen: choose a larger size"):
        measured(0.0, (32, 32))  # in which 17 fields are a pixel or two each


def test_a_measurement_that_is_ended_early_tells_how_long_it_was(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Quitting(Script):
        def close(self) -> None:
            pass

    monkeypatch.setattr("livestyle.sinks.display.require_display", lambda _: None)
    monkeypatch.setattr("livestyle.sinks.window.Window", lambda _: Quitting({30: "n", 60: "q"}))
    painter = Painter(engine, StyleMix.parse("mosaic:1,kylix:2"))
    found = measure_latency(60.0, painter, "pattern", (320, 240), 0.9)
    assert (found["size"], found["fps"]) == ([320, 240], 30)
    assert 1 < found["seconds"] < 60  # about 2, for 60 pictures at 30 fps
    assert f" in {found['seconds']:.0f} s, " in capsys.readouterr().out


def test_bench_measures_from_the_camera_to_a_real_window(display: Display, tmp_path: Path) -> None:
    command = ["bench", "--latency", "4", "--size", "320x240", "--json", str(tmp_path / "latency.json")]
    done = subprocess.run(
        [sys.executable, "-m", "livestyle", *command],
        env=display.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    (measured,) = json.loads((tmp_path / "latency.json").read_text(encoding="utf-8"))["latency"]
    assert measured["size"] == [320, 240]
    assert measured["frames"] > 10
    assert 0 < measured["percentiles"]["p50"] <= measured["percentiles"]["p99"]
    assert "from the camera to the screen" in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="windows need no display server here")
def test_bench_without_a_display_advises_nothing_that_bench_does_not_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    result = call("bench", "--latency", "3")
    assert result.exit_code == 1
    assert "cannot open a window: there is no display" in result.stderr
    assert "--no-window" not in result.stderr
