"""A made-up scene that moves: a camera for those who have none."""

from collections.abc import Generator, Iterator

from livestyle.frame import Frame
from livestyle.sources.pacing import Pace
from livestyle.sources.portrait import Portrait
from livestyle.sources.scenery import Scenery


class PatternSource:
    """Somebody in front of drifting clouds and hills, with a ball in the air, at `fps` by the wall clock.

    The same `seed` gives the same pictures at the same pts. `count` ends the scene after so many frames.
    """

    live = True
    name = "pattern"
    notice: str | None = None

    def __init__(
        self,
        *,
        size: tuple[int, int] | None = None,
        fps: float | None = None,
        seed: int = 0,
        count: int | None = None,
    ) -> None:
        self.size = size or (640, 480)
        self.fps = fps or 30.0
        self._count = count
        self._scenery = Scenery(self.size, seed)
        self._portrait = Portrait(self.size, seed)
        self._pace = Pace()
        self.epoch = self._pace.epoch
        self._frames = self._draw()

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames, each when it is due."""
        return self._frames

    def at(self, seconds: float) -> Frame:
        """The scene as it is at that time."""
        image = self._scenery.at(seconds)
        self._portrait.draw(image, seconds)
        return Frame(image, seconds)

    def close(self) -> None:
        """End the iteration; safe to call twice, and from any thread."""
        self._pace.stop()

    def _draw(self) -> Generator[Frame, None, None]:
        index = 0
        while index != self._count and not self._pace.stopped:
            frame = self.at(index / self.fps)
            pts = self._pace.wait(frame.pts, 1 / self.fps)
            if not self._pace.stopped:
                yield Frame(frame.image, pts)
            index += 1
