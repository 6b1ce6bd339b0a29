"""Where between the pixels the samples of chroma are taken to be."""

from fractions import Fraction

import av
import av.filter
from av.video.frame import VideoFrame


class Centring:
    """Gives frames as they are, with their chroma taken to be in the middle of its pixels.

    Nearly all video has it at the left, and swscale would put it there, half a pixel away. What is written
    has the mean of its pixels, and no tag: only taken for the same does it stay where it was.
    """

    def __init__(self) -> None:
        self._graph: av.filter.Graph | None = None
        self._shape: tuple[int, int, str] | None = None

    def __call__(self, frame: VideoFrame) -> VideoFrame:
        """The frame, or one with the same planes."""
        if not _is_subsampled(frame):
            return frame
        shape = frame.width, frame.height, frame.format.name
        if self._graph is None or shape != self._shape:
            self._graph, self._shape = _graph(frame), shape
        self._graph.vpush(frame)
        return self._graph.vpull()


def _is_subsampled(frame: VideoFrame) -> bool:
    return any(component.width < frame.width for component in frame.format.components)


def _graph(frame: VideoFrame) -> av.filter.Graph:
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=frame.width,
        height=frame.height,
        format=frame.format,
        time_base=frame.time_base or Fraction(1),
    )
    centre = graph.add("setparams", "chroma_location=center")
    graph.link_nodes(source, centre, graph.add("buffersink"))
    graph.configure()
    return graph
