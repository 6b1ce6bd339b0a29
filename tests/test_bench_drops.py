"""Frames that are dropped while a run warms up are none of what it measures."""

import threading
from collections.abc import Iterator

from livestyle.bench_run import measure_run
from livestyle.frame import Frame, Image
from livestyle.painter import Painter
from livestyle.sinks.null import NullSink
from livestyle.styles import StyleMix
from tests.pictures import scene
from tests.test_bench import SlowingEngine


class Bursting:
    """A camera that gives 30 frames at once, then one more for each that is painted."""

    live = True

    def __init__(self) -> None:
        self.over = threading.Event()
        self.wanted = threading.Semaphore(0)
        self.closed = False

    def __iter__(self) -> Iterator[Frame]:
        number = 0
        while not self.closed:
            if number >= 30:
                self.over.set()
                self.wanted.acquire()
            yield Frame(scene(64, 48), number / 30)
            number += 1

    def close(self) -> None:
        self.closed = True
        self.wanted.release()


def test_what_is_dropped_in_the_warm_up_is_not_counted() -> None:
    source = Bursting()

    class Warming(SlowingEngine):
        def stylize(self, image: Image, style: StyleMix) -> Image:
            if self.painted:
                source.wanted.release()
            else:
                assert source.over.wait(20)  # compiling takes its time
            return super().stylize(image, style)

    painter = Painter(Warming(10_000, lambda _: None), StyleMix.parse("mosaic"))
    run = measure_run(source, painter, NullSink(), frames=5, steadiness=0, warm_up=4)
    assert run.frames == 5
    assert run.dropped == 0
