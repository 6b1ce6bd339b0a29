"""What every camera promises: the pattern, a clip that stands in for one, and one on the network."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from livestyle.errors import SourceError
from livestyle.prefetch import Prefetch
from livestyle.sources import LiveSource
from livestyle.sources.camera import open_camera
from livestyle.sources.pattern import PatternSource
from livestyle.sources.standin import StandIn
from tests.clock import Clock
from tests.commands import moving
from tests.media import greys, make_video
from tests.mjpeg import MjpegServer

# Sleeping on a busy machine overshoots; pictures are then late, never early.
LATE_SECONDS = 0.15


def spec(kind: str, folder: Path, server: MjpegServer) -> str:
    clip = make_video(folder / "in.mp4", greys(6), rate=30) if kind == "clip" else None
    return {"pattern": "pattern", "clip": str(clip), "url": server.url}[kind]


@pytest.fixture
def server() -> Iterator[MjpegServer]:
    with MjpegServer() as server:
        yield server


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The one by which the pattern and clips are paced; a machine that is slow does not show on it."""
    clock = Clock()
    monkeypatch.setattr("livestyle.sources.pacing.time", clock)
    return clock


@pytest.fixture(params=["pattern", "clip", "url"])
def camera(request: pytest.FixtureRequest, tmp_path: Path, server: MjpegServer) -> Iterator[LiveSource]:
    source = open_camera(spec(request.param, tmp_path, server))
    yield source
    source.close()


def test_frames_have_the_stated_size_and_the_time_they_were_grabbed(camera: LiveSource) -> None:
    assert camera.live
    frames = []
    for frame in islice(camera, 10):
        assert -0.001 < time.perf_counter() - camera.epoch - frame.pts < LATE_SECONDS
        frames.append(frame)
    for frame in frames:
        assert (frame.image.shape[1], frame.image.shape[0]) == camera.size
        assert frame.image.dtype == np.uint8
        assert frame.image.flags.c_contiguous
    moments = [frame.pts for frame in frames]
    assert moments == sorted(set(moments))
    assert camera.notice is None
    assert camera.name


@pytest.mark.parametrize("kind", ["pattern", "clip"])
def test_frames_come_at_the_rate_of_the_camera(
    kind: str, tmp_path: Path, server: MjpegServer, clock: Clock
) -> None:
    camera = open_camera(spec(kind, tmp_path, server))
    seen = [(frame.pts, clock.now) for frame in islice(camera, 20)]
    camera.close()
    assert [at - seen[0][1] for _, at in seen] == pytest.approx([i / 30 for i in range(20)], abs=0.002)
    assert [at - pts for pts, at in seen] == pytest.approx([0] * 20)


def test_frames_from_the_network_come_at_the_rate_of_the_camera(server: MjpegServer) -> None:
    camera = open_camera(server.url)
    began = time.perf_counter()
    frames = list(islice(camera, 20))
    seconds = time.perf_counter() - began
    camera.close()
    assert len(frames) == 20
    assert 19 / 31 - 0.1 < seconds < 19 / 29 + LATE_SECONDS  # 30 fps; the first picture may be waiting


def test_close_from_another_thread_ends_the_iteration(camera: LiveSource) -> None:
    closed_at = []

    def close_soon() -> None:
        time.sleep(0.2)
        closed_at.append(time.perf_counter())
        camera.close()

    closer = threading.Thread(target=close_soon)
    closer.start()
    for _ in camera:
        pass
    assert time.perf_counter() - closed_at[0] < 0.5
    closer.join()
    assert list(camera) == []


def test_it_may_be_closed_twice_unread_and_in_the_middle(camera: LiveSource) -> None:
    frames = iter(camera)
    next(frames)
    camera.close()
    camera.close()
    assert next(frames, None) is None


def test_an_unread_camera_can_be_closed(camera: LiveSource) -> None:
    camera.close()
    assert list(camera) == []


def test_reading_may_begin_long_after_the_opening(camera: LiveSource) -> None:
    time.sleep(0.3)
    first, second = islice(camera, 2)
    assert first.pts > 0.25
    assert second.pts - first.pts < LATE_SECONDS
    assert time.perf_counter() - camera.epoch - second.pts < LATE_SECONDS


def test_a_slow_reader_gets_new_frames_not_old_ones(camera: LiveSource) -> None:
    with Prefetch(camera) as frames:
        for _, frame in zip(range(3), frames, strict=False):
            assert time.perf_counter() - camera.epoch - frame.pts < LATE_SECONDS
            time.sleep(0.2)
        camera.close()
    assert frames.dropped > 0


def test_the_pattern_is_the_same_for_a_seed_and_moves() -> None:
    one, same, other = PatternSource(seed=1), PatternSource(seed=1), PatternSource(seed=2)
    np.testing.assert_array_equal(one.at(1.0).image, same.at(1.0).image)
    assert np.abs(one.at(1.0).image.astype(int) - other.at(1.0).image).mean() > 5
    step = np.abs(one.at(1.0).image.astype(int) - one.at(1.1).image)
    assert (step > 8).mean() > 0.02  # a part of the picture moves,
    assert (step.max(axis=2) < 8).mean() > 0.2  # and a part of it does not


@pytest.mark.parametrize("size", [(64, 48), (33, 47), (1280, 720), (480, 640)])
def test_the_pattern_has_every_size_and_many_colours(size: tuple[int, int]) -> None:
    image = PatternSource(size=size).at(2.0).image
    assert image.shape == (size[1], size[0], 3)
    assert min(image.std(axis=(0, 1))) > 25


def test_the_pattern_ends_where_it_is_told_to() -> None:
    frames = list(PatternSource(size=(64, 48), fps=100, count=5))
    assert [frame.pts for frame in frames] == pytest.approx([0, 0.01, 0.02, 0.03, 0.04], abs=LATE_SECONDS)


def test_a_clip_is_paced_by_its_own_times(tmp_path: Path, clock: Clock) -> None:
    moments = [0.0, 0.05, 0.3, 0.35, 0.6]
    source = StandIn(make_video(tmp_path / "in.mp4", greys(5), pts=moments), loop=False)
    seen = [(frame.pts, clock.now) for frame in source]
    first = seen[0][0]
    assert [pts - first for pts, _ in seen] == pytest.approx(moments, abs=0.002)  # mp4 counts finely
    assert [at - pts for pts, at in seen] == pytest.approx([0] * 5)
    source.close()


def test_a_clip_at_another_rate_and_size(tmp_path: Path) -> None:
    path = make_video(tmp_path / "in.mp4", greys(5), rate=10)
    source = StandIn(path, size=(32, 24), fps=50, loop=False)
    frames = list(source)
    assert (source.size, source.fps) == ((32, 24), 50)
    assert frames[0].image.shape == (24, 32, 3)
    assert [frame.pts for frame in frames] == pytest.approx([0, 0.02, 0.04, 0.06, 0.08], abs=LATE_SECONDS)
    source.close()


def test_a_clip_goes_on_from_its_beginning(tmp_path: Path, clock: Clock) -> None:
    source = open_camera(str(make_video(tmp_path / "in.mp4", greys(3), rate=50)))
    frames, moments = zip(*((frame, clock.now) for frame in islice(source, 7)), strict=True)
    levels = [round(float(frame.image.mean())) for frame in frames]
    assert levels[:3] == levels[3:6]
    assert levels[0] == levels[6] != levels[2]
    assert np.diff([frame.pts for frame in frames]) == pytest.approx([0.02] * 6, abs=0.001)
    assert np.diff(moments) == pytest.approx([0.02] * 6, abs=0.001)
    source.close()


def test_a_clip_need_not_go_on(tmp_path: Path) -> None:
    source = open_camera(str(make_video(tmp_path / "in.mp4", greys(3), rate=50)), loop=False)
    assert len(list(source)) == 3
    source.close()


def test_what_is_damaged_in_a_clip_is_left_out_and_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = make_video(tmp_path / "in.ts", moving(60), rate=120, gop=10)
    content = bytearray(path.read_bytes())
    middle, length = round(0.4 * len(content)), len(content) // 20
    content[middle : middle + length] = random.Random(0).randbytes(length)
    path.write_bytes(content)
    source = open_camera(str(path))
    moments = []
    for frame in islice(source, 130):
        assert source.notice is None
        moments.append(frame.pts)
    assert moments[-1] - moments[0] > 2 * 0.4  # two rounds, each beyond the damage
    assert caplog.text.count("in.ts is damaged") == 1
    source.close()


def test_a_source_that_lags_sets_its_clock_back_and_makes_no_burst(tmp_path: Path) -> None:
    source = StandIn(make_video(tmp_path / "in.mp4", greys(8), rate=20), loop=False)
    seen = []
    for index, frame in enumerate(source):
        seen.append(frame.pts)
        if index == 2:
            time.sleep(0.5)  # as a machine does that is put to sleep
    steps = np.diff(seen)
    assert steps.max() == pytest.approx(0.5, abs=LATE_SECONDS)
    assert min(steps[3:]) > 0.02
    source.close()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda _: "missing.mp4", "no such file"),
        (lambda folder: str(folder), "it is a folder"),
        (lambda folder: f"{folder}/missing", "no such file"),
        (lambda _: "http://127.0.0.1:9/", "connection refused"),
        (lambda _: "rtsp://127.0.0.1:9/", "connection refused"),
        (lambda _: "magic://here", "protocol not found"),
        (lambda _: "", "the name is empty"),
    ],
)
def test_what_is_no_camera_is_refused_in_one_clear_line(
    make: Callable[[Path], str], reason: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SourceError, match=r"^cannot open [^\n]*$") as caught:
        open_camera(make(tmp_path))
    assert reason in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("number", ["9" * 20, "9" * 5000, "/dev/video" + "9" * 20])
def test_a_number_that_no_camera_can_have_is_one_clear_line(number: str) -> None:
    with pytest.raises(SourceError, match=r"^[^\n]*(no camera|no such file)[^\n]*$"):
        open_camera(number)


@pytest.mark.parametrize("spec", ["pattern", "in.mp4", "0", "rtsp://me:secret@host/x"])
@pytest.mark.parametrize("size", [(99999, 99999), (10**30, 16)])
def test_a_size_that_no_memory_holds_is_one_clear_line(spec: str, size: tuple[int, int]) -> None:
    with pytest.raises(SourceError, match=r"cannot open a camera at \d+x\d+: 8192x4320 is the largest"):
        open_camera(spec, size=size)
