"""Interlaced video made progressive, by FFmpeg's bwdif filter."""

import logging
from collections.abc import Iterator

import av
import av.filter
from av.video.frame import VideoFrame

from livestyle.sources.filtering import Shape, filter_graph, shape_of

logger = logging.getLogger(__name__)

_BWDIF = ("bwdif", {"mode": "send_frame", "deint": "interlaced"})


class Deinterlacer:
    """Gives the frames it is given, with the two fields of each interlaced one made into one picture.

    The filter begins with the first interlaced frame: what comes before passes as it is. It needs the frame
    after each, so the last one comes from `rest`.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._active = False
        self._graph: av.filter.Graph | None = None
        self._shape: Shape | None = None

    def feed(self, frame: VideoFrame) -> Iterator[VideoFrame]:
        """Take one frame; yield those that are ready."""
        if frame.interlaced_frame and not self._active:
            self._active = True
            logger.warning("%s is interlaced: its fields are made into whole frames", self._name)
        if not self._active or frame.pts is None or frame.time_base is None:
            yield frame
            return
        shape = shape_of(frame)
        if self._graph is None or shape != self._shape:
            yield from self.rest()
            self._graph, self._shape = filter_graph(frame, _BWDIF), shape
        self._graph.vpush(frame)
        yield from _ready(self._graph)

    def reset(self) -> None:
        """Forget the frames that are not ready yet, to go on elsewhere in the video."""
        self._graph = None

    def rest(self) -> Iterator[VideoFrame]:
        """Yield what is left at the end."""
        if self._graph is not None:
            graph, self._graph = self._graph, None
            graph.vpush(None)
            yield from _ready(graph)


def _ready(graph: av.filter.Graph) -> Iterator[VideoFrame]:
    while True:
        try:
            yield graph.vpull()
        except (av.BlockingIOError, EOFError):
            return
