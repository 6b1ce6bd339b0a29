import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from livestyle.errors import SinkError, SourceError
from livestyle.frame import Frame, Image
from livestyle.pipeline import Report, Stage, each, run
from livestyle.sinks import open_sink
from livestyle.sinks.null import NullSink
from livestyle.sources import open_source
from livestyle.timing import Clock, Rate
from tests.media import CountingSource, ListSink, greys, make_video, sound_packets, video_seconds


def invert(image: Image) -> Image:
    return 255 - image


class PaintUntil:
    """Raises `error` in place of painting frame `count`."""

    def __init__(self, count: int, error: BaseException) -> None:
        self.left, self.error = count, error

    def __call__(self, image: Image) -> Image:
        if self.left == 0:
            raise self.error
        self.left -= 1
        return image


def test_a_sources_error_comes_out_after_the_frames_before_it() -> None:
    painted: list[Image] = []
    source = CountingSource(9, fails_at=4, error=SourceError("camera 0 went away"))
    with pytest.raises(SourceError, match="went away"):
        run(source, each(lambda image: painted.append(image) or image), ListSink())
    assert len(painted) == 4


def test_an_error_of_paint_comes_out_and_closes_nothing() -> None:
    source, sink = CountingSource(1000), ListSink()
    with pytest.raises(ZeroDivisionError):
        run(source, each(PaintUntil(3, ZeroDivisionError())), sink)
    assert (source.closed, sink.closed) == (0, 0)
    assert source.read < 1000


def test_an_error_of_the_sink_comes_out() -> None:
    source = CountingSource(1000)
    sink = ListSink(fails_at=3, error=SinkError("the disk is full"))
    with pytest.raises(SinkError, match="disk is full"):
        run(source, each(invert), sink)
    assert len(sink.frames) == 3
    assert source.read < 1000


def test_an_error_of_on_frame_comes_out() -> None:
    def stop(report: Report) -> None:
        raise LookupError(report.frames)

    with pytest.raises(LookupError, match="1"):
        run(CountingSource(1000), each(invert), ListSink(), on_frame=stop)


def test_after_ctrl_c_every_painted_frame_is_in_the_sink() -> None:
    sink = ListSink()
    with pytest.raises(KeyboardInterrupt):
        run(CountingSource(1000), each(PaintUntil(7, KeyboardInterrupt())), sink)
    assert len(sink.frames) == 7


def test_every_frame_is_painted_and_keeps_its_pts() -> None:
    sink = ListSink()
    report = run(CountingSource(20), each(invert), sink)
    assert [frame.pts for frame in sink.frames] == [index / 10 for index in range(20)]
    assert [int(frame.image[0, 0, 0]) for frame in sink.frames] == [255 - index for index in range(20)]
    assert (report.frames, report.dropped) == (20, 0)


def test_paint_runs_on_the_callers_thread() -> None:
    threads = []

    def paint(image: Image) -> Image:
        threads.append(threading.current_thread())
        return image

    run(CountingSource(3), each(paint), NullSink())
    assert threads == [threading.current_thread()] * 3


def test_the_three_stages_overlap() -> None:
    class SlowSink(NullSink):
        def write(self, _: Frame) -> None:
            time.sleep(0.01)

    def paint(image: Image) -> Image:
        time.sleep(0.01)
        return image

    report = run(CountingSource(30, before=lambda _: time.sleep(0.01)), each(paint), SlowSink())
    # One after the other they take 0.9 s, at the same time 0.3 s; in between leaves room for a busy machine.
    assert report.seconds < 0.7
    assert all(8 < report.milliseconds[stage] < 40 for stage in ("decode", "paint", "encode"))


def test_each_stage_tells_of_its_frames_on_its_own_thread() -> None:
    told: dict[Stage, list[tuple[float, float]]] = {"decode": [], "paint": [], "encode": []}
    threads = set()

    def tell(stage: Stage, frame: Frame, seconds: float) -> None:
        told[stage].append((frame.pts, seconds))
        threads.add((stage, threading.current_thread().name))

    def two_ahead(frames: Iterable[Frame]) -> Iterator[Frame]:
        waiting = iter(frames)
        for pair in zip(waiting, waiting, strict=True):
            time.sleep(0.01)
            yield from pair

    report = run(CountingSource(6, before=lambda _: time.sleep(0.05)), two_ahead, NullSink(), on_stage=tell)
    assert all([pts for pts, _ in frames] == [index / 10 for index in range(6)] for frames in told.values())
    assert len(threads) == 3
    assert ("paint", threading.current_thread().name) in threads
    painting = [seconds for _, seconds in told["paint"]]
    assert 0.009 < min(painting[::2]) < 0.05  # without the wait for a pair, 0.09 and more
    assert sum(painting) == pytest.approx(report.frames * report.milliseconds["paint"] / 1000)


def test_the_report_grows_with_each_frame() -> None:
    reports: list[Report] = []
    last = run(CountingSource(5), each(invert), NullSink(), on_frame=reports.append)
    assert [report.frames for report in reports] == [1, 2, 3, 4, 5]
    assert last.fps == pytest.approx(last.frames / last.seconds)


def test_what_a_live_source_drops_is_counted() -> None:
    def slow(image: Image) -> Image:
        time.sleep(0.02)
        return image

    sink = ListSink()
    source = CountingSource(100, live=True, before=lambda _: time.sleep(0.001))
    report = run(source, each(slow), sink)
    assert report.dropped > 0
    assert report.frames + report.dropped == 100
    assert len(sink.frames) == report.frames


def test_few_frames_wait_however_long_the_clip() -> None:
    ahead: list[int] = []
    source, sink = CountingSource(200), ListSink()
    run(source, each(invert), sink, depth=2, on_frame=lambda _: ahead.append(source.read - len(sink.frames)))
    assert max(ahead) <= 2 * 2 + 3  # two queues, and one frame in each stage


@pytest.mark.parametrize(("width", "height"), [(64, 48), (33, 47)])
def test_a_clip_keeps_sound_times_and_pictures(tmp_path: Path, width: int, height: int) -> None:
    moments = [0.0, 0.033, 0.1, 0.4, 0.41, 0.8]
    images = greys(6, width + width % 2, height + height % 2)
    made = make_video(tmp_path / "in.mp4", images, pts=moments, sound="aac")
    source = open_source(made)
    with open_sink(tmp_path / "out.mp4", source.size, rate=source.fps, made_from=made) as sink:
        run(source, each(invert), sink)
    source.close()
    assert video_seconds(tmp_path / "out.mp4") == pytest.approx(moments, abs=0.001)
    sounds = [[data for _, data in sound_packets(tmp_path / name)] for name in ("in.mp4", "out.mp4")]
    assert sounds[0] == sounds[1]
    written = open_source(tmp_path / "out.mp4")
    for image, frame in zip(images, written, strict=True):
        np.testing.assert_allclose(frame.image.astype(int), 255 - image.astype(int), atol=6)
    written.close()


def test_ctrl_c_leaves_a_playable_file_with_as_much_sound(tmp_path: Path) -> None:
    made = make_video(tmp_path / "in.mp4", greys(40), rate=10, sound="aac")
    source = open_source(made)
    with (
        pytest.raises(KeyboardInterrupt),
        open_sink(tmp_path / "out.mp4", source.size, rate=10, made_from=made) as sink,
    ):
        run(source, each(PaintUntil(20, KeyboardInterrupt())), sink)
    source.close()
    assert len(video_seconds(tmp_path / "out.mp4")) == 20
    assert sound_packets(tmp_path / "out.mp4")[-1][0] == pytest.approx(2.0, abs=0.06)  # two AAC frames
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "out.mp4"]


def test_damaged_video_discards_the_output(tmp_path: Path) -> None:
    source = CountingSource(9, fails_at=5, error=SourceError("damaged"))
    with pytest.raises(SourceError), open_sink(tmp_path / "out.mp4", (4, 2)) as sink:
        run(source, each(invert), sink)
    assert list(tmp_path.iterdir()) == []


def test_percentiles_and_means_of_a_clock() -> None:
    clock = Clock()
    assert (clock.mean_milliseconds, clock.percentile_milliseconds(95)) == (0.0, 0.0)
    for milliseconds in range(101):
        clock.add(milliseconds / 1000)
    assert clock.mean_milliseconds == pytest.approx(50)
    assert clock.percentile_milliseconds(50) == pytest.approx(50)
    assert clock.percentile_milliseconds(95) == pytest.approx(95)


def test_a_rate_needs_two_frames() -> None:
    rate = Rate()
    rate.tick()
    assert rate.fps == 0.0
    time.sleep(0.01)
    rate.tick()
    assert 5 < rate.fps <= 100
