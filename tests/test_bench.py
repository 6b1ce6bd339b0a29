"""livestyle bench: what it measures, what it prints, what it leaves behind."""

import errno
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

from livestyle.bench_machine import busy_seconds, peak_memory_mib, power
from livestyle.bench_run import MovingPicture, measure_run
from livestyle.cli import main
from livestyle.cli.bench_report import expectation
from livestyle.frame import Frame, Image
from livestyle.painter import Painter
from livestyle.sinks.null import NullSink
from livestyle.sources.pattern import PatternSource
from livestyle.styles import StyleMix
from tests.clock import Clock
from tests.media import make_video
from tests.pictures import scene

SIZE = (64, 48)


class SlowingEngine:
    """Inverts; each painting takes 5 ms, and the last ones of `frames` three times as long."""

    backend = "slowing f32"
    in_flight = 1

    def __init__(self, frames: int, sleep: Callable[[float], None] = time.sleep) -> None:
        self.frames = frames
        self.painted = 0
        self._sleep = sleep

    def start(self, image: Image, style: StyleMix) -> Callable[[], Image]:
        return lambda: self.stylize(image, style)

    def stylize(self, image: Image, style: StyleMix) -> Image:
        self.painted += 1
        self._sleep(0.015 if self.painted > 2 * self.frames / 3 else 0.005)
        return 255 - image


class SlowSink(NullSink):
    """Takes 3 ms a frame."""

    def write(self, frame) -> None:
        super().write(frame)
        time.sleep(0.003)


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["bench", *map(str, arguments)])


def test_each_stage_is_timed_and_the_warm_up_left_out() -> None:
    engine, sink = SlowingEngine(10_000), SlowSink()
    painter = Painter(engine, StyleMix.parse("mosaic"))
    run = measure_run(MovingPicture(SIZE, 99), painter, sink, frames=20, steadiness=0.9, warm_up=4)
    assert (run.frames, run.size, run.backend) == (20, SIZE, "slowing f32")
    assert engine.painted == sink.frames == 24
    assert len(run.painted_milliseconds) == 20
    assert run.stages["network"].p50 >= 5
    assert 3 <= run.stages["write"].p50 < run.stages["network"].p99
    assert run.stages["steady"].p50 < run.stages["network"].p50
    assert run.fps <= 200  # the slowest stage takes 5 ms, whatever overlaps
    assert run.warm_up_seconds >= 4 * 0.005
    assert run.end_to_end is None  # nothing live
    for times in run.stages.values():
        assert 0 <= times.p50 <= times.p95 <= times.p99


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The one by which a run is measured; it goes on while an engine paints, if that sleeps by it."""
    clock = Clock()
    monkeypatch.setattr("livestyle.bench_run.time", clock)
    return clock


def test_an_engine_that_slows_down_is_noticed(clock: Clock) -> None:
    painter = Painter(SlowingEngine(33, clock.sleep), StyleMix.parse("mosaic"))
    run = measure_run(MovingPicture(SIZE, 33), painter, NullSink(), frames=30, steadiness=0, warm_up=3)
    assert run.drift == pytest.approx(2)  # 15 ms after 5


def test_a_live_source_is_timed_from_end_to_end_and_its_drops_are_counted() -> None:
    painter = Painter(SlowingEngine(0), StyleMix.parse("mosaic"))  # 15 ms a frame: of 200 fps two thirds drop
    source = PatternSource(size=SIZE, fps=200)
    run = measure_run(source, painter, NullSink(), frames=15, steadiness=0.9, warm_up=2)
    source.close()
    assert run.dropped > 10
    assert run.end_to_end is not None
    assert run.end_to_end.p50 >= run.stages["network"].p50


@pytest.mark.parametrize("live", [False, True])
def test_two_frames_may_have_one_time(live: bool) -> None:
    class Pairs(MovingPicture):
        def __iter__(self) -> Iterator[Frame]:
            for number, frame in enumerate(super().__iter__()):
                time.sleep(0.006)  # less than painting and writing take
                yield Frame(frame.image, number // 2 / 30)

    source = Pairs(SIZE, 20)
    source.live = live
    painter = Painter(SlowingEngine(10_000), StyleMix.parse("mosaic"))
    run = measure_run(source, painter, SlowSink(), frames=9, steadiness=0, warm_up=2)
    assert run.frames == 9
    assert (run.end_to_end is not None) == live


@pytest.mark.parametrize("count", [3, 6, 13, 34])
def test_a_source_that_ends_too_early_to_say_anything_is_refused(count: int) -> None:
    painter = Painter(SlowingEngine(9, lambda _: None), StyleMix.parse("mosaic"))
    with pytest.raises(ValueError, match=f"ended after {count} frames, 5 of them to warm up"):
        measure_run(MovingPicture(SIZE, count), painter, NullSink(), frames=90, steadiness=0, warm_up=5)


def test_the_command_prints_writes_and_draws_what_it_measured(tmp_path: Path) -> None:
    json_path, plot_path = tmp_path / "bench.json", tmp_path / "bench.png"
    sizes = ("--size", "64x48", "--size", "96x64")
    result = call(*sizes, "--frames", 5, "--json", json_path, "--plot", plot_path)
    assert result.exit_code == 0, result.output
    measured = json.loads(json_path.read_text())
    assert [run["size"] for run in measured["runs"]] == [[64, 48], [96, 64]]
    assert all(run["frames"] == 5 and run["fps"] > 0 for run in measured["runs"])
    assert measured["machine"]["processor"]
    assert measured["machine"]["power"]
    assert "64x48 live: " in result.stdout
    assert "p50     p95     p99" in result.stdout
    assert cv2.imread(str(plot_path)).shape[1] > 500


def test_every_backend_is_timed_or_says_why_not(tmp_path: Path) -> None:
    result = call("--size", "64x48", "--frames", 3, "--backends", "--json", tmp_path / "bench.json")
    assert result.exit_code == 0, result.output
    rows = json.loads((tmp_path / "bench.json").read_text())["backends"]
    named = {row["backend"].split()[0] for row in rows}
    assert {"openvino", "torchscript"} <= named
    assert {tuple(row["size"]) for row in rows} == {(64, 48)}
    for backend in {"cuda", "tensorrt"} - named:
        assert f"  {backend:<18} skipped: " in result.stdout


def test_a_camera_and_a_clip_are_measured_as_they_are_used(tmp_path: Path) -> None:
    result = call("--camera", "pattern", "--size", "64x48", "--frames", 5)
    assert result.exit_code == 0, result.output
    assert "end to end" in result.stdout
    images = [np.roll(scene(64, 48), 2 * i, axis=1) for i in range(16)]
    clip = make_video(tmp_path / "in.mp4", images, sound="aac")
    result = call("--input", clip, "--frames", 5)
    assert result.exit_code == 0, result.output
    assert "64x48, openvino" in result.stdout
    assert list(tmp_path.iterdir()) == [clip]


def test_mistakes_are_one_line_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = make_video(tmp_path / "short.mp4", [scene(64, 48)] * 4)
    tiny = make_video(tmp_path / "tiny.mp4", [scene(64, 48)[:24, :24]] * 8)
    for arguments, expected in (
        (["--input", short], "choose a longer clip"),
        (["--input", tiny], "cannot paint 24x24"),
        (["--style", "mosiac"], "did you mean mosaic?"),
        (["--plot", tmp_path / "no" / "a.png"], "there is no folder"),
        (["--plot", tmp_path / "a.xyz"], "use .png or .svg"),
        (["--json", tmp_path / "no" / "a.json"], "there is no folder"),
    ):
        result = call(*arguments)
        assert result.exit_code == 1, result.output
        assert expected in result.stderr.splitlines()[-1]
    assert sorted(tmp_path.iterdir()) == [short, tiny]
    monkeypatch.setitem(sys.modules, "benchmarks.peers.names", None)
    result = call("--compare")
    assert result.exit_code == 1
    assert "--compare needs the folder benchmarks" in result.stderr
    assert call("--camera", "pattern", "--input", short).exit_code == 2
    monkeypatch.chdir(tmp_path)
    result = call("--json", "a.svg", "--plot", tmp_path / "a.svg")
    assert result.exit_code == 2
    assert "--json and --plot name one file" in result.stderr


def test_a_size_that_the_other_networks_cannot_paint_is_refused_before_anything_is_measured() -> None:
    result = call("--compare", "--size", "64x48", "--size", "40x64")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        "Error: cannot compare at 40x64: one of the networks pads a frame by 40 pixels of reflection; "
        "choose sides of 41 or more"
    ]


def test_plotting_without_matplotlib_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = call("--size", "64x48", "--frames", 3, "--plot", tmp_path / "a.png")
    assert result.exit_code == 1
    assert "pip install 'livestyle[bench]'" in result.stderr


def test_what_to_expect_is_never_more_than_a_camera_gives() -> None:
    painter = Painter(SlowingEngine(10_000), StyleMix.parse("mosaic"))
    runs = [
        measure_run(MovingPicture(size, 9), painter, NullSink(), frames=6, steadiness=0, warm_up=2)
        for size in (SIZE, (96, 64))
    ]
    assert expectation(runs) == "64x48 live: 30 of 30 fps; 96x64: 30"


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_memory_and_processor_time_of_this_machine_are_told() -> None:
    before = busy_seconds()
    peak = peak_memory_mib()
    assert peak is not None
    block = np.ones(40 * 2**20, np.uint8)
    assert peak_memory_mib() >= peak
    end = time.process_time() + 0.1
    while time.process_time() < end:
        block[::4096] += 1
    assert busy_seconds() - before >= 0.05  # counted in hundredths
    assert power()


@pytest.mark.parametrize("given", [["--frames", 9], ["--backends"], ["--compare"], ["--plot", "a.png"]])
def test_what_latency_would_not_heed_is_a_usage_error(given: list[object]) -> None:
    result = call("--latency", 3, *given)
    assert result.exit_code == 2
    assert f"leave {given[0]} out" in result.stderr


def test_numbers_that_do_not_fit_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    result = call("--size", "64x48", "--frames", 3, "--json", tmp_path / "a.json")
    assert result.exit_code == 1
    assert "a.json: no space left on device; choose another place" in result.stderr.splitlines()[-1]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("option", "name"), [("--json", "v.mp4"), ("--plot", "photo.png")])
def test_what_exists_is_kept_unless_told_otherwise(option: str, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"precious")
    arguments = ["--size", "64x48", "--frames", 3, option, tmp_path / name]
    result = call(*arguments)
    assert (result.exit_code, len(result.output.splitlines())) == (1, 1)
    assert f"{name}: it exists; choose another name, or add --overwrite" in result.stderr
    assert (tmp_path / name).read_bytes() == b"precious"
    assert call(*arguments, "--overwrite").exit_code == 0
    assert (tmp_path / name).read_bytes() != b"precious"


def test_a_size_given_twice_is_measured_once() -> None:
    result = call("--size", "64x48", "--frames", 3, "--size", "64x48")
    assert (result.exit_code, result.stdout.count("64x48, openvino")) == (0, 1)


def test_few_frames_say_nothing_of_heat_or_of_other_programs(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setattr("livestyle.bench_run.busy_seconds", lambda: 1000 * clock.now)
    painter = Painter(SlowingEngine(11, clock.sleep), StyleMix.parse("mosaic"))
    run = measure_run(MovingPicture(SIZE, 11), painter, NullSink(), frames=9, steadiness=0, warm_up=2)
    assert run.drift > 0.5
    assert run.others_cores_used is None
    monkeypatch.setattr("livestyle.bench_run.measure_run", lambda *_, **__: run)
    result = call("--size", "64x48")
    assert "other programs" not in result.stdout
    run = replace(run, frames=100, fps=200, others_cores_used=1.0)
    assert "last third" not in call("--size", "64x48").stdout  # half a second
    run = replace(run, fps=50)
    result = call("--size", "64x48")
    assert "other programs used 1.0 cores" in result.stdout
    assert "slower in the last third" in result.stdout


def test_processor_time_is_counted_over_the_time_in_which_it_passed() -> None:
    """What ends slowly, as an encoder does, works after the last frame is painted."""

    class Busy(NullSink):
        def write(self, frame) -> None:
            super().write(frame)
            end = time.thread_time() + 0.05
            while time.thread_time() < end:
                pass

    painter = Painter(SlowingEngine(10_000), StyleMix.parse("mosaic"))
    run = measure_run(MovingPicture(SIZE, 9), painter, Busy(), frames=3, steadiness=0, warm_up=2)
    assert run.cores_used < 2
