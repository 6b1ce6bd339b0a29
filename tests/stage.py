"""A live show with fakes at its ends: a camera, an engine and a screen that tell what happened to them."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from livestyle.archive import Archive
from livestyle.controls import Settings
from livestyle.frame import Frame, Image
from livestyle.live import Plan, Show
from livestyle.notice import Notice
from livestyle.outputs import Outputs
from livestyle.painter import Painter
from livestyle.prefetch import Background, Prefetch
from livestyle.styles import StyleMix
from tests.media import ListSink
from tests.pictures import scene

SIZE = (320, 240)
NAMES = ("mosaic", "great_wave", "kylix")


class Camera:
    """A still scene at a rate of its own, for so many frames."""

    live = True
    size = SIZE
    name = "a scene"

    def __init__(self, count: int, fps: float = 40.0, size: tuple[int, int] = SIZE) -> None:
        self.count, self.fps, self.size = count, fps, size
        self.notice: str | None = None
        self.epoch = time.perf_counter()
        self.image = scene(*size)
        self.grabbed: list[float] = []

    def __iter__(self) -> Iterator[Frame]:
        self.epoch = time.perf_counter()
        for i in range(self.count):
            time.sleep(max(0.0, self.epoch + i / self.fps - time.perf_counter()))
            self.grabbed.append(time.perf_counter() - self.epoch)
            yield Frame(self.image, self.grabbed[-1])

    def close(self) -> None:
        pass


class Tinter:
    """An engine whose painting tells the mix: red for mosaic, green for great_wave, blue for kylix."""

    backend = "tinter"
    in_flight = 1

    def __init__(self, seconds_a_pixel: float = 0.0) -> None:
        self.seconds_a_pixel = seconds_a_pixel
        self.shapes: list[tuple[int, ...]] = []

    def start(self, image: Image, style: StyleMix) -> Callable[[], Image]:
        return lambda: self.stylize(image, style)

    def stylize(self, image: Image, style: StyleMix) -> Image:
        time.sleep(self.seconds_a_pixel * image.shape[0] * image.shape[1])
        self.shapes.append(image.shape)
        painted = np.zeros_like(image)
        painted[:] = [round(255 * dict(style.parts).get(name, 0)) for name in NAMES]
        return painted


class Script:
    """A screen on which keys come by themselves: before which of its pictures, and which."""

    def __init__(self, keys: dict[int, str], area: tuple[int, int] = SIZE) -> None:
        self.closed = False
        self.shown: list[Image] = []
        self.full: list[bool] = []
        self.threads: set[str] = set()
        self._keys, self._area = keys, area

    def area(self) -> tuple[int, int]:
        return self._area

    def full_screen(self, on: bool) -> None:
        self.full.append(on)

    def drag(self) -> float | None:
        return None

    def show(self, image: Image) -> None:
        self.threads.add(threading.current_thread().name)
        self.shown.append(image)

    def pressed(self) -> Iterator[int]:
        return (ord(key) for key in self._keys.pop(len(self.shown), ""))


class Recording(ListSink):
    """A recording that is nowhere."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path


class Stage:
    """Everything a show needs, with fakes at its ends."""

    def __init__(
        self,
        folder: Path,
        keys: dict[int, str] | None = None,
        *,
        camera: Camera | None = None,
        engine: Tinter | None = None,
        plan: Plan | None = None,
        screen: bool = True,
        sink: ListSink | None = None,
        **settings: object,
    ) -> None:
        self.camera = camera or Camera(30)
        self.screen = Script(keys or {})
        self.notice = Notice()
        self.sink = sink or ListSink()
        self.recordings: list[Recording] = []
        self.outputs = Outputs(lambda name, why: self.notice.say(f"{name}: {why}"))
        self.outputs.add("sink", self.sink)
        chosen = Settings(names=NAMES, style=StyleMix.parse("mosaic"), steady=0.0, **settings)  # type: ignore[arg-type]
        painter = Painter(engine or Tinter(), chosen.style)
        with Background() as background, Prefetch(self.camera) as frames:
            archive = Archive(folder, self._record, self.outputs, background, self.notice)
            self.show = Show(
                self.camera, painter, chosen, plan or Plan(0.0), archive, self.screen if screen else None
            )
            self.show.run(frames)
            self.outputs.close()

    def _record(self, path: Path) -> Recording:
        self.recordings.append(Recording(path))
        return self.recordings[-1]
