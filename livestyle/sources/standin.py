"""A clip that stands in for a camera."""

import logging
from collections.abc import Generator, Iterator
from itertools import count
from pathlib import Path

from livestyle.frame import Frame, Image
from livestyle.sources.file import FileSource
from livestyle.sources.pacing import Pace
from livestyle.sources.scaling import scaled

logger = logging.getLogger(__name__)


class StandIn:
    """The frames of a video file at their own times by the wall clock, over and over with `loop`.

    `size` scales them; `fps` gives them an even rate in place of their own times. Times count from the
    opening. Damaged frames are left out, which is logged at the end of the first round. Raises `SourceError`
    as `FileSource` does.
    """

    live = True
    notice: str | None = None

    def __init__(
        self,
        path: Path | str,
        *,
        size: tuple[int, int] | None = None,
        fps: float | None = None,
        loop: bool = True,
    ) -> None:
        self._clip = FileSource(path)
        self.size = size or self._clip.size
        self.fps = fps or self._clip.fps
        self.name = self._clip.path.name
        self._even = fps is not None
        self._loop = loop
        self._pace = Pace()
        self.epoch = self._pace.epoch
        self._frames = self._read()

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames, each when it is due."""
        return self._frames

    def close(self) -> None:
        """End the iteration and close the file; safe to call twice, and from any thread."""
        self._pace.end(self._frames, self._clip.close)

    def _read(self) -> Generator[Frame, None, None]:
        try:
            for image, due in self._images():
                pts = self._pace.wait(due, 1 / self.fps)
                if self._pace.stopped:
                    break
                yield Frame(scaled(image, self.size), pts)
        finally:
            self._clip.close()

    def _images(self) -> Iterator[tuple[Image, float]]:
        """Each image and when it is due, round after round."""
        due = -1 / self.fps
        for turn in count():
            began = due + 1 / self.fps
            for index, frame in enumerate(self._clip):
                due = began + (index / self.fps if self._even else frame.pts)
                yield frame.image, due
            for fault in self._clip.faults if turn == 0 else ():
                logger.warning("%s", fault)
            if not self._loop:
                return
            self._clip.close()
            self._clip = FileSource(self._clip.path)
