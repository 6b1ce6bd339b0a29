import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from livestyle import prefetch
from livestyle.errors import SinkError, SourceError
from livestyle.frame import Frame
from livestyle.prefetch import Collector, Prefetch, WriteBehind
from livestyle.sinks import Sink
from tests.media import CountingSource, ListSink, grey

FRAME = Frame(grey(0, 4, 2), 0.0)


def write_forever(sink: Sink) -> None:
    while True:
        sink.write(FRAME)


def test_the_readers_exception_comes_after_the_frames_before_it() -> None:
    source = CountingSource(9, fails_at=3, error=SourceError("camera 0 went away"))
    seen: list[float] = []
    with pytest.raises(SourceError, match="went away"), Prefetch(source) as frames:
        seen.extend(frame.pts for frame in frames)
    assert seen == [0.0, 0.1, 0.2]


def test_an_exception_nobody_waited_for_is_raised_on_leaving() -> None:
    source = CountingSource(9, fails_at=1, error=SourceError("camera 0 went away"))
    frames = Prefetch(source)
    with pytest.raises(SourceError, match="went away"), frames:
        next(iter(frames))


def test_an_exception_on_its_way_is_not_replaced_by_the_readers() -> None:
    source = CountingSource(9, fails_at=1, error=SourceError("camera 0 went away"))
    with pytest.raises(ZeroDivisionError), Prefetch(source):
        raise ZeroDivisionError


@pytest.mark.parametrize("live", [False, True])
def test_a_consumer_may_leave_early(live: bool) -> None:
    source = CountingSource(10_000, live=live, before=lambda _: time.sleep(0.001))
    with Prefetch(source, depth=2) as frames:
        assert next(iter(frames)).pts >= 0.0
    assert source.read < 10_000


def test_a_consumer_that_takes_nothing_can_leave() -> None:
    with Prefetch(CountingSource(10_000), depth=1):
        pass


def test_a_file_waits_and_loses_nothing() -> None:
    source = CountingSource(50)
    with Prefetch(source, depth=3) as frames:
        seen = []
        for frame in frames:
            seen.append(frame.pts)
            assert source.read <= len(seen) + 3 + 1  # three wait, one is in the reader's hands
    assert seen == [index / 10 for index in range(50)]
    assert frames.dropped == 0


def test_a_live_source_drops_what_comes_too_fast() -> None:
    all_read = threading.Event()
    source = CountingSource(20, live=True, before=lambda index: all_read.set() if index == 19 else None)
    with Prefetch(source) as frames:
        assert all_read.wait(5)
        time.sleep(0.05)  # for the last frame, which comes just after the event
        seen = [frame.pts for frame in frames]
    assert seen == [1.9]
    assert frames.dropped == 19


def test_reading_happens_on_another_thread() -> None:
    names = set()
    source = CountingSource(3, before=lambda _: names.add(threading.current_thread().name))
    with Prefetch(source) as frames:
        assert len(list(frames)) == 3
        assert list(frames) == []  # and stays at its end
    assert names == {"livestyle-prefetch"}


def test_the_source_stays_open_for_its_opener() -> None:
    source = CountingSource(3)
    with Prefetch(source):
        pass
    assert source.closed == 0


class Gone:
    """A camera that gives one frame and then waits for the next until it is closed, or `let_go` is set."""

    live = True

    def __init__(self) -> None:
        self.closed, self.let_go = threading.Event(), threading.Event()

    def __iter__(self) -> Iterator[Frame]:
        yield FRAME
        while not (self.closed.wait(0.01) or self.let_go.is_set()):
            pass
        raise SourceError("closed under its reader")

    def close(self) -> None:
        self.closed.set()


def test_a_camera_that_gives_nothing_more_holds_nobody_who_leaves() -> None:
    camera = Gone()
    with Prefetch(camera) as frames:
        next(iter(frames))
        began = time.perf_counter()
    assert time.perf_counter() - began < 1
    assert camera.closed.is_set()


def test_a_camera_that_does_not_even_close_is_left_behind_with_a_word(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(prefetch, "_HELD_SECONDS", 0.2)
    camera = Gone()
    monkeypatch.setattr(camera, "close", lambda: None)
    with Prefetch(camera) as frames:
        next(iter(frames))
    assert "is left behind" in caplog.text
    camera.let_go.set()
    frames._thread.join()


@pytest.mark.parametrize("depth", [0, -1])
def test_a_depth_below_one_is_a_mistake(depth: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Prefetch(CountingSource(1), depth)
    with pytest.raises(ValueError, match="at least 1"):
        WriteBehind(ListSink(), depth)


def test_a_sinks_error_is_raised_at_a_later_write() -> None:
    sink = ListSink(fails_at=2, error=SinkError("the disk is full"))
    with pytest.raises(SinkError, match="disk is full"), WriteBehind(sink, depth=1) as behind:
        write_forever(behind)
    assert len(sink.frames) == 2


def test_a_sinks_error_is_raised_on_leaving_at_the_latest() -> None:
    sink = ListSink(fails_at=0, error=SinkError("the disk is full"))
    with pytest.raises(SinkError, match="disk is full"), WriteBehind(sink) as behind:
        behind.write(FRAME)


def test_a_sinks_error_is_raised_once_then_writing_is_a_mistake() -> None:
    behind = WriteBehind(ListSink(fails_at=0, error=SinkError("the disk is full")))
    with behind:
        behind.write(FRAME)
        with pytest.raises(SinkError):
            behind.close()
        behind.close()
        with pytest.raises(ValueError, match="closed"):
            behind.write(FRAME)


class SlowSink(ListSink):
    def write(self, frame: Frame) -> None:
        time.sleep(0.01)
        super().write(frame)


def write_eight_until(error: BaseException | None, sink: Sink) -> None:
    with WriteBehind(sink, depth=10) as behind:
        for _ in range(8):
            behind.write(FRAME)
        if error is not None:
            raise error


@pytest.mark.parametrize("error", [None, KeyboardInterrupt()])
def test_a_normal_end_and_ctrl_c_write_what_waits(error: BaseException | None) -> None:
    sink = SlowSink()
    with suppress(KeyboardInterrupt):
        write_eight_until(error, sink)
    assert len(sink.frames) == 8
    assert sink.closed == 0


def test_another_exception_throws_away_what_waits() -> None:
    sink = SlowSink()
    with suppress(ZeroDivisionError):
        write_eight_until(ZeroDivisionError(), sink)
    assert len(sink.frames) < 8


def test_frames_are_written_in_order() -> None:
    sink = ListSink()
    with WriteBehind(sink, depth=2) as behind:
        for frame in CountingSource(50):
            behind.write(frame)
    assert [frame.pts for frame in sink.frames] == [index / 10 for index in range(50)]


def test_a_collector_keeps_what_comes_until_it_is_taken() -> None:
    come = threading.Semaphore(0)

    def source() -> Iterator[int]:
        for number in range(6):
            yield number
            come.release()

    with Collector(source()) as collector:
        for _ in range(6):
            assert come.acquire(timeout=5)
        assert collector.take() == [0, 1, 2, 3, 4, 5]
        assert collector.take() == []


def test_a_collector_that_nobody_empties_forgets_the_oldest() -> None:
    with Collector(iter(range(100)), most=10) as collector:
        wait_until(lambda: collector.ended)
        assert collector.take() == list(range(90, 100))


def test_a_collector_raises_once_after_what_came_before() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise SourceError("the microphone is gone")

    with Collector(source()) as collector:
        wait_until(lambda: collector.ended)
        assert collector.take() == [1]
        with pytest.raises(SourceError, match="gone"):
            collector.take()
        assert collector.take() == []


def test_a_collector_leaves_a_dead_device_behind() -> None:
    wake = threading.Event()

    def source() -> Iterator[int]:
        wake.wait(5)
        yield 1

    began = time.perf_counter()
    with Collector(source()) as collector:
        pass
    assert time.perf_counter() - began < 2
    assert not collector.ended
    wake.set()
    wait_until(lambda: collector.ended)
    assert collector.take() == []


def wait_until(true: Callable[[], bool]) -> None:
    until = time.perf_counter() + 5
    while not true():
        assert time.perf_counter() < until
        time.sleep(0.01)
