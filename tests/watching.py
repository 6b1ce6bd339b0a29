"""What a player sees of live outputs."""

import threading
import time
from collections.abc import Iterator

import av
import numpy as np

from livestyle.frame import Frame
from livestyle.sources.rgb import ToRgb
from tests.media import grey


def frames(count: int, rate: float = 30) -> Iterator[Frame]:
    """Frames as a camera gives them, by the clock, whose brightness tells their place."""
    began = time.perf_counter()
    for index in range(count):
        time.sleep(max(0.0, began + index / rate - time.perf_counter()))
        yield Frame(grey(4 * index), index / rate)


class Reader:
    """Reads a URL or a pipe on a thread, as a player would: (seconds, image) of each frame."""

    def __init__(self, name: str, options: dict[str, str] | None = None, most: int = 1000) -> None:
        self.seen: list[tuple[float, np.ndarray]] = []
        self._name, self._options, self._most = name, options or {}, most
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def join(self) -> list[tuple[float, np.ndarray]]:
        self._thread.join(10)
        assert not self._thread.is_alive()
        return self.seen

    def _read(self) -> None:
        to_rgb = ToRgb(self._name)
        with av.open(self._name, options=self._options) as container:
            for frame in container.decode(video=0):
                self.seen.append((frame.time, to_rgb(frame)))
                if len(self.seen) == self._most:
                    return
